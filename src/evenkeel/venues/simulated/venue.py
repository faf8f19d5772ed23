"""The simulated venue as an object: it advances over a stretch of bars and takes orders at its pauses.

venue = SimulatedVenue(terms, instrument, wake_flat=0, wake_hold=1)
venue.open_stretch(features, series, first_exec=warm)
while (pause := venue.advance()) is not Pause.END:
    ...
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple, Protocol

import numpy as np
from numba import types

from evenkeel.data.aggregate import Aggregate
from evenkeel.features.timeline import Series
from evenkeel.kernel import FLOATS, INTS, address_of, compiled
from evenkeel.model.bar import Bars, Floats, Ints, Quoted
from evenkeel.model.errors import InvariantBroken, UsageError, invariant
from evenkeel.model.instrument import Instrument
from evenkeel.model.number import money_from_postings, postings_from_money, to_float
from evenkeel.model.reason import REASONS
from evenkeel.model.time import MINUTE, SECOND, TICK, Timeframe
from evenkeel.risk.gates.entry import account_leverage, gate_terms
from evenkeel.risk.protection import PROFIT_SLACK
from evenkeel.risk.tiers import tier_table
from evenkeel.strategies.account_rules import AccountKind, AccountRules, entry_margin, least_margin
from evenkeel.strategies.decision import SLOTS
from evenkeel.strategies.strategy import DecideKernel
from evenkeel.strategies.terms import OrderTerms, QueueTerms, Terms
from evenkeel.venues.simulated import loop, steps
from evenkeel.venues.simulated.account import day_trades, free_money
from evenkeel.venues.simulated.account_events import account_events, merged
from evenkeel.venues.simulated.book import (
    NEVER,
    TERMS,
    Book,
    ImpactMode,
    Ledger,
    Pause,
    Price,
    Queue,
    Quoting,
    Report,
    Term,
    new_book,
    new_ledger,
    new_mark,
)
from evenkeel.venues.simulated.carry import Carry, CarryKind, MarkBars, fundings, no_carry
from evenkeel.venues.simulated.desks import Desk
from evenkeel.venues.simulated.invariants import FAULTS, Fault
from evenkeel.venues.simulated.prices import BarPrices

FUNDING_INTERVAL_MINUTES = 480
"""Funding is due each eight hours, counted from midnight UTC; coarser base bars cannot place it."""

REPORT_LINES = 4096
"""Reports kept before they are handed over; a run through never holds more in memory at once."""

_ROW, _LOTS, _EXEC, _ENTRY_KIND = (int(place) for place in (Book.ROW, Book.LOTS, Book.EXEC, Book.ENTRY_KIND))
_STOPPED, _REPORTS = int(Ledger.STOPPED), int(Ledger.REPORTS)
_SETTLES, _DAY_TRADES_COUNT = int(Term.SETTLES), int(Term.DAY_TRADES)
"""Plain integers: an array takes three times as long to be asked by a member of an enumeration."""
_PAUSES = tuple(Pause)
_PLACE_ENTRY = types.void(
    INTS, FLOATS, INTS, FLOATS, FLOATS, types.int64, types.int64, types.float64, types.float64,
    types.int64, types.int64, types.float64, types.float64, types.float64, types.float64, types.int64,
)  # fmt: skip
_FREE_MONEY = types.int64(INTS, INTS, FLOATS)
_DAY_TRADES = types.int64(INTS, INTS)
_PLACE_EXIT = types.void(INTS, FLOATS, types.int64, types.int64, types.int64)


class BlockFeatures(Protocol):
    """Features of an unbroken stretch, block by block; see `evenkeel.features.timeline.FeatureRun`."""

    x: Floats
    column: int
    start: int
    stop: int
    bars: Aggregate

    def advance(self) -> bool:
        """Compute the next block; False at the end of the data."""


class Told(NamedTuple):
    """One report of the loop: integers by `Report`, prices by `Price`."""

    ints: list[int]
    floats: list[float]


def venue_terms(terms: Terms, instrument: Instrument) -> Floats:
    """Return the terms of matching and settling as the loop reads them."""
    table = tier_table(instrument)
    values = np.zeros(TERMS + len(table))
    values[Term.TIERS], values[TERMS:] = len(instrument.risk_tiers), table
    tick, lot = instrument.tick_grid, instrument.lot_grid
    account = terms.account
    values[Term.MULTIPLIER] = to_float(instrument.multiplier)
    values[Term.TAKER], values[Term.MAKER] = to_float(account.taker), to_float(account.maker)
    values[Term.PER_CONTRACT] = to_float(account.per_contract)
    values[Term.SLIPPAGE] = to_float(account.slippage + account.half_spread)
    values[Term.HALF_SPREAD] = to_float(account.half_spread)
    values[Term.TICK_NUMERATOR], values[Term.TICK_DENOMINATOR] = tick.numerator, tick.denominator
    values[Term.LOT_NUMERATOR], values[Term.LOT_DENOMINATOR] = lot.numerator, lot.denominator
    values[Term.MAX_DRAWDOWN] = to_float(account.max_drawdown)
    values[Term.STOP_EQUITY] = postings_from_money(account.stop_equity)
    values[Term.TARGET_IS_LIMIT] = float(terms.order.target_is_limit)
    values[Term.TRADE_THROUGH] = float(terms.order.trade_through)
    values[Term.STOP_IS_LIMIT] = float(terms.order.stop_is_limit)
    values[Term.LEVERAGE] = to_float(account_leverage(terms, instrument))
    margin, impact = account.margin, account.impact
    values[Term.LIQUIDATES], values[Term.GOES_ON] = float(margin.liquidates), float(margin.goes_on)
    values[Term.MAINTENANCE], values[Term.DEDUCTION] = to_float(margin.maintenance), to_float(margin.deduction)
    values[Term.LIQUIDATION_FEE] = to_float(margin.liquidation_fee)
    values[Term.IMPACT_MODE] = ImpactMode[impact.mode.upper()]
    values[Term.IMPACT_COEFFICIENT], values[Term.IMPACT_MAX] = to_float(impact.coefficient), to_float(impact.largest)
    values[Term.VOLUME_FRACTION] = 0.0 if account.max_volume_fraction is None else to_float(account.max_volume_fraction)
    _queue_terms(values, account.queue, instrument)
    _account_terms(values, account.rules)
    _protection_terms(values, terms.order)
    return values


def _account_terms(values: Floats, rules: AccountRules) -> None:
    """Write what the broker asks of the account."""
    credit = rules.kind is AccountKind.MARGIN
    values[Term.CONTRACT] = to_float(entry_margin(rules))
    values[Term.CALLS] = float(credit or rules.contract is not None)
    values[Term.CALL_CONTRACT] = to_float(least_margin(rules))
    values[Term.CALL_LONG] = to_float(rules.maintenance_long) if credit else 0.0
    values[Term.CALL_SHORT] = to_float(rules.maintenance_short) if credit else 0.0
    by_session = rules.kind in (AccountKind.CASH, AccountKind.MARGIN) or rules.regular_hours is not None
    values[Term.SESSIONS] = float(by_session)
    values[Term.SETTLES] = float(rules.kind is AccountKind.CASH and rules.settlement != 0)
    values[Term.DAY_TRADES] = float(rules.day_trades is not None)


def _queue_terms(values: Floats, queue: QueueTerms, instrument: Instrument) -> None:
    values[Term.QUEUE] = Queue[queue.model.upper()]
    values[Term.QUEUE_DEPTH] = to_float(queue.ticks * instrument.tick_size)
    values[Term.QUEUE_SHARE] = to_float(queue.share) if queue.model == "volume_ahead" else 0.0


def _protection_terms(values: Floats, order: OrderTerms) -> None:
    """Write how the stop moves and which targets there are; an activation that never comes is infinite."""
    trail, even = order.trail, order.break_even
    values[Term.MOVES] = float(trail is not None or even is not None)
    values[Term.TRAIL_ACTIVATION] = math.inf if trail is None else to_float(trail.activation) - PROFIT_SLACK
    values[Term.TRAIL_FRACTION] = _or_nan(trail.fraction if trail else None)
    values[Term.EVEN_ACTIVATION] = math.inf if even is None else to_float(even.activation) - PROFIT_SLACK
    values[Term.EVEN_OFFSET] = 0.0 if even is None else to_float(even.offset)
    values[Term.LADDER_STEPS] = len(order.ladder)
    for number, step in enumerate(order.ladder):
        place = int(Term.LADDER) + 3 * number
        values[place : place + 3] = _or_nan(step.ratio), _or_nan(step.fraction), to_float(step.share)


def _or_nan(value: Decimal | None) -> float:
    return math.nan if value is None else to_float(value)


def fixed_funding(bars: Bars, rate: Decimal | None, mark: MarkBars | None = None) -> Carry:
    """Return funding at 00:00, 08:00 and 16:00 UTC at one rate, for bars without a history of rates.

    It is paid on the open of the mark price where that is known. Bars coarser than that cannot place it and pay none.
    """
    if rate is None or bars.timeframe.minutes > FUNDING_INTERVAL_MINUTES:
        return no_carry()
    rows = np.flatnonzero(bars.open_ns % (FUNDING_INTERVAL_MINUTES * MINUTE) == 0).astype(np.int64)
    return fundings(rows, np.full(len(rows), to_float(rate)), None if mark is None else mark.open[rows])


def latency_bars(latency_ms: int, base: Timeframe) -> int:
    """Return by how many base opens a latency delays an order; days, weeks and months are longer than any latency."""
    if base.is_calendar:
        return 1 if latency_ms else 0
    if base == TICK and latency_ms:
        raise UsageError("latency_ms counts base bars; trades and quotes are none: match against bars, or remove it")
    return -(-latency_ms * (SECOND // 1000) // base.nanoseconds) if latency_ms else 0


def _quoting(quoted: Quoted | None, source: str) -> Quoting:
    if quoted is None:
        return Quoting.NONE
    return Quoting.BY_SIDE if quoted.last is None and source == "LastPrice" else Quoting.BY_TRADES


class ReportSpace:
    """Where reports wait until they are taken; venues that are run in turn may share one."""

    def __init__(self) -> None:
        self.ints = np.zeros((REPORT_LINES, len(Report)), dtype=np.int64)
        self.floats = np.zeros((REPORT_LINES, len(Price)))


def _at(values: Ints | Floats) -> int:
    """Return the address of an array that the loop reads; whoever holds the venue holds the array."""
    fits = values.flags.c_contiguous and values.dtype in (np.float64, np.int64)
    invariant(fits, "an array that is read by its address lies in one piece", dtype=values.dtype)
    return int(values.ctypes.data)


class SimulatedVenue:
    """One instrument and one position, on an account of its own or on one that it shares.

    Attributes:
        ledger: See `Ledger`.
        book: See `Book`.
        mark: See `evenkeel.venues.simulated.book.Mark`.
        equity: A count of 1e-8 for each execution bar of the stretch, valid from its first decision on.
        cash_at_open: Cash when the stretch began, a count of 1e-8.
        refusals: How often the research lane refused an entry, by number of the reason.
        features_s: Seconds spent in features, where a timer was given.
    """

    def __init__(
        self,
        terms: Terms,
        instrument: Instrument,
        *,
        wake_flat: int,
        wake_hold: int,
        decide: DecideKernel | None = None,
        timer: Callable[[], float] | None = None,
        each_bar: bool = False,
        space: ReportSpace | None = None,
        ledger: Ints | None = None,
        number: int = 0,
        pauses: bool = False,
    ) -> None:
        """Prepare a venue.

        Args:
            terms: Costs, limits and sizing.
            instrument: What is traded.
            wake_flat: Row of the execution graph that wakes a flat strategy.
            wake_hold: Row that wakes one with a position.
            decide: With it the loop decides by itself and runs through; without it, it pauses.
            timer: Seconds on a monotonic clock, to tell the time of features from that of matching.
            each_bar: Check the books at each base close, not only where something happened; slow.
            space: For its reports; None makes one of its own.
            ledger: Of the account that it shares with other instruments, which `PortfolioVenue` then walks.
            number: Of the instrument in the run.
            pauses: Whether the loop pauses although it could decide by itself; `decide` then decides at a wake.
        """
        if ledger is None:
            compiled(loop.run, loop.RUN_SIGNATURE)
        compiled(loop.close_out, loop.CLOSE_SIGNATURE)
        compiled(steps.place_entry, _PLACE_ENTRY)
        compiled(steps.place_exit, _PLACE_EXIT)
        compiled(free_money, _FREE_MONEY)
        compiled(day_trades, _DAY_TRADES)
        self._terms = venue_terms(terms, instrument)
        self._terms[Term.EACH_BAR] = float(each_bar)
        self._sizing = gate_terms(terms, instrument)
        self._wake_flat, self._wake_hold = wake_flat, wake_hold
        self._pausing = decide is None or pauses
        if pauses:
            compiled(loop.decide_once, loop.DECIDE_SIGNATURE)
        self._timer = timer
        self.features_s = 0.0
        self._decide = address_of(decide.node.kernel) if decide else 0
        self._decide_params = np.array(decide.params if decide else ())
        self._decide_rows = np.array(decide.rows if decide else (), dtype=np.int64)
        self._slots = np.zeros(SLOTS)
        tif = loop.TIME_IN_FORCE.index(terms.order.time_in_force.value)
        self._order = np.array([tif, terms.order.expire_bars], dtype=np.int64)
        self.ledger = new_ledger(postings_from_money(terms.account.start_equity)) if ledger is None else ledger
        self.book = new_book(number)
        self.mark = new_mark()
        self.refusals = np.zeros(len(REASONS), dtype=np.int64)
        space = space or ReportSpace()
        self._ints, self._floats = space.ints, space.floats
        self.equity = np.zeros(0, dtype=np.int64)
        self._told: list[Ints] = []
        self._handed, self._handed_count = np.zeros((0, len(Report)), dtype=np.int64), 0
        self._book, self._ledger = self.book.data, self.ledger.data
        self.cash_at_open = 0
        self._account = terms.account

    def open_stretch(
        self, features: BlockFeatures, series: Series, *, first_exec: int, carry: Carry | None = None,
        mark: MarkBars | None = None, index: MarkBars | None = None, equity: Ints | None = None,
    ) -> None:  # fmt: skip
        """Stand before the first decision of an unbroken stretch of bars; the account is carried over, nothing else.

        Args:
            features: Of the stretch.
            series: Its bars.
            first_exec: First execution bar at whose close decisions are made.
            carry: What a held position pays or receives; None is the fixed rate of the account, where it has one.
            mark: The mark price over each base bar, where it is known.
            index: The index price over each base bar, where it is known.
            equity: Space for the equity at each execution bar, or for more; None makes some.

        Raises:
            UsageError: If stops are to be set off by a price that is not known.
        """
        invariant(self.book[_LOTS] == 0 and self.book[_ENTRY_KIND] == 0, "a stretch begins with a flat book")
        self._features, self._series = features, series
        self._bars = series.base
        self._last_row = features.bars.last
        self.equity = np.empty(len(self._last_row), dtype=np.int64) if equity is None else equity
        self._told, self._handed_count, self.cash_at_open = [], 0, int(self.ledger[Ledger.CASH])
        self.book[Book.EXEC] = first_exec
        self.book[_ROW] = self._last_row[first_exec] if first_exec < len(self._last_row) else len(self._bars)
        self.book[Book.STAGE] = 0
        self.book[Book.ENTRY_EXEC] = NEVER
        self.book[Book.BUDGET_ROW] = -1
        self.book[Book.NEXT_CARRY] = 0
        self._terms[Term.LATENCY] = latency_bars(self._account.latency_ms, self._bars.timeframe)
        quoted = series.quoted
        self._prices = BarPrices.of(self._bars, mark, index, self._account.trigger_source, quoted)
        self._terms[Term.QUOTED] = _quoting(quoted, self._account.trigger_source)
        known = self._due(carry, mark)
        broker = account_events(self._bars, series.calendar, self._account.rules, known)
        self._carry = merged([broker, known])
        self._line = np.array(self.line(), dtype=np.int64)
        self._ready = False
        self._end_stop = -1

    def _due(self, carry: Carry | None, mark: MarkBars | None) -> Carry:
        """Return what a position is due: what is known of it, funding only where the account takes part."""
        if carry is None:
            rate = self._account.funding_rate if self._account.funding else None
            return fixed_funding(self._bars, rate, mark)
        return carry if self._account.funding else carry.without(CarryKind.FUNDING)

    def next_block(self) -> tuple[int, int]:
        """Compute the features of the next block that holds an execution bar not yet decided on.

        Returns:
            The window column that execution bar 0 would have, and the first bar behind the block.
        """
        while not self._ready or self._book[_EXEC] >= self._features.stop:
            if not self._next_block():
                break
            self._ready = True
        return self._features.column, self._features.stop

    def line(self) -> list[int]:
        """Return the line of the instrument in the table that several are walked by, see `Desk`."""
        bars, features, carry, prices = self._bars, self._features, self._carry, self._prices
        execution = features.bars.bars.close_ns
        found: dict[Desk, int] = {
            Desk.OPENS: _at(bars.open), Desk.HIGHS: _at(bars.high), Desk.LOWS: _at(bars.low),
            Desk.CLOSES: _at(bars.close), Desk.VOLUMES: _at(bars.volume), Desk.BASE_NS: _at(bars.close_ns),
            Desk.BASES: len(bars), Desk.LAST_ROWS: _at(self._last_row), Desk.EXEC_NS: _at(execution),
            Desk.EXECS: len(self._last_row), Desk.CARRY_ROWS: _at(carry.rows), Desk.CARRY_KINDS: _at(carry.kinds),
            Desk.CARRY_VALUES: _at(carry.values), Desk.CARRY_PRICES: _at(carry.prices), Desk.CARRIES: len(carry),
            Desk.WINDOW: _at(features.x), Desk.WINDOW_ROWS: features.x.shape[0],
            Desk.WINDOW_COLUMNS: features.x.shape[1], Desk.COLUMN: features.column, Desk.STOP_EXEC: features.stop,
            Desk.END_NS: int(max([*bars.close_ns[-1:].tolist(), *execution[-1:].tolist()], default=0)), Desk.OVER: 0,
            Desk.WAKE_FLAT: self._wake_flat, Desk.WAKE_HOLD: self._wake_hold, Desk.BOOK: _at(self.book),
            Desk.MARK: _at(self.mark), Desk.TERMS: _at(self._terms), Desk.SIZING: _at(self._sizing),
            Desk.SIZINGS: len(self._sizing), Desk.DECIDE: self._decide, Desk.PARAMS_AT: _at(self._decide_params),
            Desk.PARAMS: len(self._decide_params), Desk.SLOTS_AT: _at(self._slots), Desk.SLOTS: len(self._slots),
            Desk.ROWS_AT: _at(self._decide_rows), Desk.ROWS: len(self._decide_rows), Desk.ORDER: _at(self._order),
            Desk.REFUSALS: _at(self.refusals), Desk.REASONS: len(self.refusals), Desk.TERM_COUNT: len(self._terms),
            Desk.MARK_OPENS: _at(prices.mark.open), Desk.MARK_HIGHS: _at(prices.mark.high),
            Desk.MARK_LOWS: _at(prices.mark.low), Desk.TRIGGER_OPENS: _at(prices.trigger.open),
            Desk.TRIGGER_HIGHS: _at(prices.trigger.high), Desk.TRIGGER_LOWS: _at(prices.trigger.low),
            Desk.TOPS: _at(prices.tops), Desk.BOTTOMS: _at(prices.bottoms),
        }  # fmt: skip
        return [found[column] for column in Desk]

    def advance(self, *, step: bool = False) -> Pause:
        """Go on to the next pause; END means that the stretch is over or the run has stopped.

        Args:
            step: Pause, as TIMER, also after each base bar in which something is held or an entry is at work.
        """
        while True:
            self.next_block()
            stop_row, final = self._end_of_block()
            row = min(stop_row, self._book[_ROW] + 1) if step and self._is_exposed() else stop_row
            pause = self._run(row, self._features.stop)
            stopped = self._ledger[_STOPPED] != 0 and self._book[_LOTS] == 0
            if pause is Pause.END and row < stop_row and not stopped:
                return Pause.TIMER
            if pause is not Pause.END or final or stopped:
                return pause

    def refuse_fault(self, pause: Pause) -> None:
        """Raise what is wrong in the books, where the loop found something.

        Raises:
            InvariantBroken: If it did.
        """
        if pause is Pause.FAULT:
            row, words = int(self.book[_ROW]), FAULTS[Fault(int(self.ledger[Ledger.FAULT]))]
            raise InvariantBroken(f"the books of the run broke at base bar {row} of its stretch: {words}")

    def pass_block(self) -> Pause:
        """Go on to the end of the block that the features hold, where somebody else advances them.

        FULL asks for the reports to be taken, and to be called again.
        """
        return self._run(self._end_of_block()[0], self._features.stop)

    def _end_of_block(self) -> tuple[int, bool]:
        """Return the base row behind the block that the features hold, and whether it is the last block."""
        stop = self._features.stop
        if stop != self._end_stop:
            final = stop >= len(self._last_row)
            self._end = (len(self._bars) if final else int(self._last_row[stop - 1]) + 1, final)
            self._end_stop = stop
        return self._end

    def _is_exposed(self) -> bool:
        return bool(self.book[_LOTS] != 0 or self.book[_ENTRY_KIND] != 0)

    def _next_block(self) -> bool:
        if self._timer is None:
            return self._features.advance()
        start = self._timer()
        advanced = self._features.advance()
        self.features_s += self._timer() - start
        return advanced

    def _run(self, stop_row: int, stop_exec: int) -> Pause:
        features = self._features
        pause: Pause = _PAUSES[
            loop.run(
                self._line, features.x, features.column, self.ledger, self._ints, self._floats, self.equity,
                stop_row, stop_exec, self._pausing,
            )
        ]  # fmt: skip
        if pause is Pause.FAULT:
            self.refuse_fault(pause)
        return pause

    def reports(self) -> list[Told]:
        """Hand over the reports written since the last call."""
        count = self._ledger[_REPORTS]
        self._ledger[_REPORTS] = 0
        ints, end = self._ints[:count], self._handed_count + count
        if end > len(self._handed):
            self._put_aside()
            self._handed, end = np.empty((max(REPORT_LINES, count), len(Report)), dtype=np.int64), count
        self._handed[end - count : end] = ints
        self._handed_count = end
        return list(map(Told, ints.tolist(), self._floats[:count].tolist()))

    def take_reports(self) -> tuple[Ints, Floats]:
        """Hand over the reports written since the last call as two tables, by `Report` and by `Price`."""
        count = self._ledger[_REPORTS]
        self._ledger[_REPORTS] = 0
        ints = self._ints[:count].copy()
        self._put_aside()
        self._told.append(ints)
        return ints, self._floats[:count].copy()

    def told(self) -> tuple[Ints, ...]:
        """Return the tables of all reports of the stretch that were handed over, in order, by `Report`."""
        self._put_aside()
        return tuple(self._told)

    def _put_aside(self) -> None:
        """Keep the lines of reports that were handed over one by one as a table."""
        if self._handed_count:
            self._told.append(self._handed[: self._handed_count])
            self._handed, self._handed_count = self._handed[self._handed_count :], 0

    def place_entry(
        self, *, lots: int, kind: int, price: float, trigger: float, time_in_force: int, expire_bars: int,
        stop_distance: float, target_distance: float, trail_distance: float, reference: float, signal: int,
    ) -> None:  # fmt: skip
        """Accept an entry; it can fill from the next base bar on."""
        steps.place_entry(
            self.book, self.mark, self.ledger, self._terms, self._sizing,
            lots, kind, price, trigger, time_in_force, expire_bars, stop_distance,
            target_distance, trail_distance, reference, signal,
        )  # fmt: skip

    def decide(self, *, equity: float, may_buy: int, may_sell: int, room: int) -> None:
        """Decide by the kernel of the strategy at a wake, sized by an equity that is all free.

        Args:
            equity: By which an entry is sized, account currency.
            may_buy: Number of the reason why nothing may be bought, or of OK; `may_sell` likewise.
            may_sell: The same of selling.
            room: Most lots that an entry may have.
        """
        row, features = int(self.book[Book.ROW]), self._features
        loop.decide_once(
            row, float(self._bars.close[row]), features.x, features.column + int(self.book[Book.EXEC]),
            self.book, self.mark, self.ledger, self._terms, self._sizing, self._ints, self._floats, self.refusals,
            self._decide, self._decide_params, self._slots, self._decide_rows, self._order,
            equity, equity, may_buy, may_sell, room,
        )  # fmt: skip

    def place_exit(self, *, lots: int, reason: int, signal: int) -> None:
        """Accept a market order that closes so many lots, unsigned, at the next base open."""
        steps.place_exit(self.book, self._terms, lots, reason, signal)

    def stop(self, reason: int) -> None:
        """Let the run end as soon as nothing is held."""
        if self.ledger[Ledger.STOPPED] == 0:
            self.ledger[Ledger.STOPPED] = reason

    def drop_entry(self) -> bool:
        """Withdraw the pending entry; False if there is none."""
        pending = self.book[Book.ENTRY_KIND] != 0
        if pending:
            kept = self.book[Book.RESERVE if self.book[Book.LOTS] else Book.MARGIN]
            self.book[Book.ENTRY_KIND] = 0
            self.ledger[Ledger.USED] -= kept
            self.book[Book.MARGIN] -= kept
            self.book[Book.RESERVE] = 0
        return bool(pending)

    def close_out(self, reason: int) -> None:
        """Close the position at the last close of the stretch."""
        row, bars = min(int(self.book[Book.ROW]), len(self._bars)) - 1, self._bars
        held, is_quote = self.book[_LOTS], self._terms[Term.QUOTED] != Quoting.NONE
        met = bars.close if not is_quote else (bars.low if held > 0 else bars.high)
        loop.close_out(
            float(met[row]),
            float(self._bars.volume[row]),
            row,
            self.book,
            self.mark,
            self.ledger,
            self._terms,
            self._ints,
            self._floats,
            reason,
        )

    @property
    def free(self) -> Decimal | None:
        """What an entry may use now, as the broker counts it; None where that is all the equity of a flat account."""
        if self._terms[_SETTLES] == 0.0:
            return None
        return money_from_postings(free_money(self.book, self.ledger, self._terms))

    @property
    def day_trades(self) -> int:
        """Day trades that stand within the sessions that count."""
        return int(day_trades(self.book, self.ledger)) if self._terms[_DAY_TRADES_COUNT] == 1.0 else 0

    @property
    def drawdown(self) -> float:
        """Deepest fall from the peak at any base close, as a fraction."""
        peak, value = float(self.ledger[Ledger.DEEP_PEAK]), float(self.ledger[Ledger.DEEP_VALUE])
        return (peak - value) / peak
