"""The research lane: the venue's loop run through, the strategy's decide kernel inside, no journal.

It takes strategies whose decision is a kernel. The same steps, the same numbers, the same records as the engine lane.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import msgspec
import numpy as np

from evenkeel.engine.equity_points import EquityPoints
from evenkeel.engine.heard import Heard, table_of_reports
from evenkeel.engine.market import Market, Stretch
from evenkeel.engine.record import (
    EXIT_NUMBERS,
    STOPS,
    DeadEntry,
    Described,
    Fill,
    Funding,
    Reported,
    RunRecord,
    carried,
    death_lines,
    death_reason,
    fill_event,
    funding_amount,
    funding_lines,
    is_death,
    is_fill,
)
from evenkeel.features.lean import lean_program
from evenkeel.features.timeline import FeatureRun
from evenkeel.model.bar import Ints
from evenkeel.model.errors import UsageError
from evenkeel.model.event import OrderFilled
from evenkeel.model.ids import Leg
from evenkeel.model.reason import REASONS, ExitReason, Reason, StopReason
from evenkeel.strategies.strategy import Strategy, decision_rows
from evenkeel.venues.simulated.book import Book, Ledger, Pause, Point, Report
from evenkeel.venues.simulated.book import Leg as VenueLeg
from evenkeel.venues.simulated.venue import SimulatedVenue, Told

Progress = Callable[[float], None]
"""Called with the number of base bars just passed."""

_ENTRY_LEG = int(VenueLeg.ENTRY)

END_REASONS = {Reason.DATA_GAP: ExitReason.DATA_GAP, Reason.END_OF_DATA: ExitReason.END_OF_DATA}


def run_research(
    strategy: Strategy,
    market: Market,
    *,
    progress: Progress | None = None,
    timer: Callable[[], float] | None = None,
) -> RunRecord:
    """Run a strategy over a market in one compiled loop.

    Args:
        strategy: What decides; it must have a kernel.
        market: What it runs on.
        progress: Told of base bars passed.
        timer: Seconds on a monotonic clock.

    Raises:
        UsageError: If the strategy has no kernel.
    """
    if strategy.kernel is None:
        raise UsageError(f"{strategy.name} decides in Python and runs in the engine lane only; use --lane engine")
    venue = SimulatedVenue(
        strategy.terms, strategy.instrument, wake_flat=strategy.wake_flat, wake_hold=strategy.wake_hold,
        decide=strategy.kernel, timer=timer,
    )  # fmt: skip
    record = RunRecord("research")
    told: list[Heard] = []
    curve = EquityCurve()
    program = lean_program(strategy.program, decision_rows(strategy))
    for stretch in market.stretches:
        features = FeatureRun(program, stretch.series)
        venue.open_stretch(
            features, stretch.series, first_exec=stretch.first_exec, carry=stretch.carry, mark=stretch.mark,
            index=stretch.index,
        )  # fmt: skip
        while venue.advance() is Pause.FULL:
            told.append(Heard(stretch, *venue.take_reports()))
        told.append(Heard(stretch, *venue.take_reports()))
        curve.take(venue, stretch, features)
        unfilled = end_stretch(venue, stretch)
        told.append(Heard(stretch, *venue.take_reports(), unfilled))
        if progress is not None:
            progress(len(stretch.series.base))
        if venue.ledger[Ledger.STOPPED] != 0:
            break
    curve.finish(venue, record)
    record.fills = reported(told, strategy, market)
    record.dead_entries = Described(lambda: describe_deaths(told))
    record.fundings = Described(lambda: describe_fundings(told))
    record.refusals = {REASONS[n].value: int(count) for n, count in enumerate(venue.refusals) if count}
    return record


def end_stretch(venue: SimulatedVenue, stretch: Stretch) -> DeadEntry | None:
    """Withdraw a pending entry, and close the position at the last close: nothing is carried over an end."""
    execution = stretch.series.on(stretch.exec).bars
    unfilled = None
    if venue.book[Book.ENTRY_KIND] != 0:
        decided = int(execution.close_ns[venue.book[Book.ENTRY_EXEC]])
        closed = int(stretch.series.base.close_ns[-1])
        rest = bool(venue.book[Book.LOTS] != 0)
        unfilled = DeadEntry(event_ns=closed, reason=stretch.end, decided_ns=decided, rest=rest)
        venue.drop_entry()
    if venue.book[Book.LOTS] != 0:
        venue.close_out(EXIT_NUMBERS[END_REASONS[stretch.end]])
    return unfilled


def reported(heard: Sequence[Heard], strategy: Strategy, market: Market) -> Reported:
    """Return the fills of reports; what a strategy wants kept is only in the records, so its columns come from them."""
    columns = None if strategy.takes_notes else partial(table_of_reports, heard, strategy)
    return Reported(partial(describe_fills, heard, strategy, market), columns)


def describe_deaths(heard: Sequence[Heard]) -> list[DeadEntry]:
    """Return the entries that ended without a fill, in order."""
    deaths, rest = [], False
    for part in heard:
        entries = part.ints[:, Report.LEG] == _ENTRY_LEG
        if not death_lines(part.ints).any():
            left = part.ints[entries, Report.LEFT]
            rest = bool(left[-1] != 0) if len(left) else rest
            entries = np.zeros_like(entries)
        closes = part.stretch.series.on(part.stretch.exec).bars.close_ns
        for told in part.reports(entries):
            if is_death(told):
                decided = int(closes[told.ints[Report.EXEC]])
                stamp, reason = death_stamp(told, part.stretch), death_reason(told)
                deaths.append(DeadEntry(event_ns=stamp, reason=reason, decided_ns=decided, rest=rest))
            rest = told.ints[Report.LEFT] != 0
        if part.unfilled is not None:
            rest = False
            deaths.append(part.unfilled)
    return deaths


def describe_fundings(heard: Sequence[Heard]) -> list[Funding]:
    """Return the funding payments, in order."""
    fundings, fills = [], 0
    for part in heard:
        base = part.stretch.series.base
        before = fills + np.cumsum(part.ints[:, Report.LOTS] != 0)
        for place in np.flatnonzero(funding_lines(part.ints)).tolist():
            told = Told(part.ints[place].tolist(), part.floats[place].tolist())
            stamp, amount = int(base.open_ns[told.ints[Report.ROW]]), funding_amount(told)
            trade, number = told.ints[Report.TRADE], int(before[place])
            kind = carried(told)
            fundings.append(Funding(event_ns=stamp, amount=amount, trade=trade, fills_before=number, kind=kind))
        fills = int(before[-1]) if len(before) else fills
    return fundings


def describe_fills(heard: Sequence[Heard], strategy: Strategy, market: Market) -> list[Fill]:
    """Return the fills with the rules behind them, in order."""
    fills, signals = [], []
    lot = strategy.instrument.lot_grid
    for part in heard:
        closes = part.stretch.series.on(part.stretch.exec).bars.close_ns
        for told in part.reports():
            if is_fill(told):
                event = fill_event(told, bars=part.stretch.series.base, lot=lot, known_ns=0, client_id=None)
                fills.append(describe(event, told, closes, strategy))
                signals.append((part.stretch.number, told.ints[Report.EXEC], told.ints[Report.SIGNAL]))
    return with_notes(fills, signals, strategy, market) if strategy.takes_notes else fills


def with_notes(
    fills: list[Fill], signals: list[tuple[int, int, int]], strategy: Strategy, market: Market
) -> list[Fill]:
    """Return the fills with what the strategy wants kept, read from its features at the bars of the decisions.

    The compiled loop keeps no values, so the features are passed once more; only strategies that take notes pay for it.
    """
    noted = list(fills)
    for stretch in market.stretches:
        features = FeatureRun(strategy.program, stretch.series)
        for place, (number, bar, signal) in enumerate(signals):
            if number != stretch.number or fills[place].event.leg is not Leg.ENTRY:
                continue
            while bar >= features.stop and features.advance():
                pass
            notes = strategy.notes(signal, features.x, features.column + bar)
            noted[place] = msgspec.structs.replace(fills[place], notes=notes)
    return noted


def describe(event: OrderFilled, told: Told, closes: Ints, strategy: Strategy) -> Fill:
    """Return a fill with the rule that led to it, from the numbers in the venue's report.

    Only what a rule decided names a bar of this stretch in EXEC; elsewhere the column may be of an earlier stretch.
    """
    by_rule = event.leg is Leg.ENTRY or event.exit_reason is ExitReason.SIGNAL
    decided = int(closes[told.ints[Report.EXEC]]) if by_rule else None
    words = strategy.signal_text(told.ints[Report.SIGNAL]) if by_rule else str(event.exit_reason)
    return Fill(event=event, trade=told.ints[Report.TRADE], decided_ns=decided, reason=words)


def death_stamp(told: Told, stretch: Stretch) -> int:
    """Return when an entry died: in the bar that refused it, by its open, or at the close at which its life ended.

    Its life ends, and a strategy withdraws it, at the close of an execution bar: where the last base bar in it is
    missing that is later than the close of the one before. A limit of the run acts at the close of a base bar.
    """
    row, base = told.ints[Report.ROW], stretch.series.base
    if told.ints[Report.POINT] != Point.CLOSE:
        return int(base.open_ns[row])
    if death_reason(told) is Reason.ENTRIES_DISABLED:
        return int(base.close_ns[row])
    execution = stretch.series.on(stretch.exec)
    return int(execution.bars.close_ns[np.searchsorted(execution.last, row)])


class EquityCurve:
    """Collects the account at each execution bar over all stretches."""

    def __init__(self) -> None:
        self._times: list[Ints] = []
        self._points: list[EquityPoints] = []
        self._last_ns = 0

    def take(self, venue: SimulatedVenue, stretch: Stretch, features: FeatureRun) -> None:
        """Take the points of a stretch, from its first decision to where the venue stands."""
        part = slice(stretch.first_exec, int(venue.book[Book.EXEC]))
        self._times.append(features.bars.bars.close_ns[part])
        self._points.append(
            EquityPoints(venue.equity[part], features.bars.last[part], venue.cash_at_open, venue.told())
        )
        row = min(int(venue.book[Book.ROW]), len(stretch.series.base)) - 1
        self._last_ns = int(stretch.series.base.close_ns[row])

    def finish(self, venue: SimulatedVenue, record: RunRecord) -> None:
        """Add the point after the last exit and write the end of the run into the record."""
        cash = int(venue.ledger[Ledger.CASH])
        last = len(self._times[-1]) and self._times[-1][-1] == self._last_ns
        if not last:
            self._times.append(np.array([self._last_ns], dtype=np.int64))
        record.times_ns = self._times[0] if len(self._times) == 1 else np.concatenate(self._times)
        record.curve = partial(_lines_of, self._points, cash, bool(last))
        record.stop_reason = STOPS.get(int(venue.ledger[Ledger.STOPPED]), StopReason.END_OF_DATA)
        record.stop_ns = self._last_ns
        record.drawdown_intrabar = venue.drawdown
        record.features_s = venue.features_s


def _lines_of(points: Sequence[EquityPoints], cash: int, replaces: bool) -> Ints:
    """Return the points of all stretches and the one after the last exit, which may replace the last of them."""
    end = np.array([[cash], [cash], [0]], dtype=np.int64)
    if len(points) > 1 or not replaces:
        lines = np.concatenate([*(part.lines() for part in points), end], axis=1)
        return np.delete(lines, -2, axis=1) if replaces else lines
    lines = points[0].lines()
    lines[:, -1:] = end
    return lines
