"""Most positions proven right at once: a screen of columns before the checks that look at positions one by one.

A position passes the screen only if float64 arithmetic proves, with a bound on its own error, that every check of
single positions passes it. Whatever is not proven is looked at in `Decimal` as before, so the screen can never hide a
fault; it only spares work. Money and levels are compared as whole numbers of 1e-8, texts as texts.

Screened are positions with one leg and a market entry, that left at a signal, their stop or their target, in a run
without moving stops, ladders, impact, funding due or a playbook.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from evenkeel.readiness.audit.artifacts import Run
from evenkeel.readiness.audit.bars import BaseBars, over_ranges
from evenkeel.readiness.audit.knowledge import Knowledge
from evenkeel.readiness.audit.levels import LADDER
from evenkeel.readiness.audit.models import QUEUES, SOURCES
from evenkeel.readiness.audit.number import FLOAT_TOLERANCE, ONE
from evenkeel.readiness.audit.rule import Rule
from evenkeel.readiness.audit.tally import Bools, Floats, Ints, Tally, counts_of, tally
from evenkeel.readiness.audit.terms import Terms
from evenkeel.readiness.audit.trades import SIDES

ULP = 2.0**-52
SPARE = 64 * ULP
"""A result of a dozen roundings is known to this part of the largest figure in it, with room."""

CENT = 1e-8
HALF_CENT = 0.5e-8
PRICE_PART = 1e-12 - SPARE
NARROW = 1e-11
"""Nearer than this part of itself to a border, a figure proves nothing."""

SCREENED = {"signal": ("exit", "market"), "sl": ("stop", "stop"), "tp": ("target", "take_profit")}
"""Exit reasons of the screen, with leg and order kind of their fills."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The positions of one leg beside their fills and bars.

    Attributes:
        trades: Columns of their rows.
        entry: Columns of their entry fills.
        leave: Columns of their exit fills.
        side: +1 for long.
        decided: Base row that was closed at the decision, -1 for none; likewise the rows of entry and exit.
    """

    trades: Tally
    entry: Tally
    leave: Tally
    side: Floats
    decided: Ints
    entered: Ints
    left: Ints


def screened(run: Run, bars: BaseBars | None, known: Knowledge, due: Sequence[int]) -> Bools:
    """Return which positions of a run are proven right.

    Args:
        run: The run.
        bars: Its base bars; nothing is proven without them.
        known: Gives the ATRs that rules of stops read.
        due: Base rows at whose open funding is due.
    """
    count = len(run.positions)
    nothing = np.zeros(count, dtype=np.bool_)
    if bars is None or bars.execution is None or not count or not _is_plain(run):
        return nothing
    whole, fills = tally(run.trades), tally(run.fills)
    begins = run.positions.begins
    single = np.diff(np.append(begins, len(run.trades))) == 1
    if whole is None or fills is None or len(fills) != len(run.trades) + count:
        return nothing
    places = np.flatnonzero(single)
    entries = begins[places] + places
    rows = _beside(bars, whole, fills, begins[places], entries)
    with np.errstate(all="ignore"):
        proven = (
            _numbered(run, rows, places)
            & _of_fills(rows)
            & _money(run.terms, rows)
            & _entered(run, rows, bars)
            & _sized(run, rows, bars, places)
            & _levels(run.terms, rows, bars, known)
            & _left(run.terms, rows, bars)
            & _held(run.terms, rows, bars)
            & _undisturbed(run, rows, bars, due)
        )
    nothing[places[proven]] = True
    return nothing & _apart(whole, begins, bars)


def _is_plain(run: Run) -> bool:
    """Whether the terms of a run are ones that the screen knows."""
    terms = run.terms
    of_target = None if terms.target_rule is None else terms.target_rule.kind
    moving = terms.trailing is not None or terms.break_even is not None or of_target == LADDER
    brokered = terms.account_kind in ("futures", "margin") or (terms.account_kind == "cash" and not terms.always_open)
    shared = brokered or run.shares is not None or run.manifest.has("portfolio")
    other = shared or terms.entry_is_limit or not terms.is_play or terms.schedule.intrabar
    margined = terms.margin.beyond == "adjust" or bool(terms.margin.tiers)
    sizes = terms.size_model in ("fixed_quantity", "percent_equity", "fixed_usdt")
    grids = all((step.scaleb(8) % 1) == 0 for step in (terms.tick, terms.lot))
    return sizes and grids and _fills_plainly(terms) and not (moving or other or margined)


def _fills_plainly(terms: Terms) -> bool:
    """Whether orders take at the next open, and what rests fills at a touch of the last price."""
    models = terms.models
    rests = terms.target_is_limit and (models.queue != QUEUES[0] or models.half_spread > 0)
    later = terms.delay > 0 or models.trigger != SOURCES[0] or models.stop_is_limit
    return not (rests or later) and terms.impact.mode == "disabled"


def _part(found: Tally, rows: Ints) -> Tally:
    return Tally(
        found.texts[rows],
        {name: column[rows] for name, column in found.counts.items()},
        {name: column[rows] for name, column in found.exact.items()},
        {name: column[rows] for name, column in found.numbers.items()},
        {name: column[rows] for name, column in found.times.items()},
    )


def _beside(bars: BaseBars, whole: Tally, fills: Tally, rows: Ints, entries: Ints) -> Rows:
    trades = _part(whole, rows)
    times = trades.times
    return Rows(
        trades, _part(fills, entries), _part(fills, entries + 1),
        np.where(trades.word("side", "long"), 1.0, -1.0),
        bars.decision_rows(times["decided_time"], times["entry_time"]),
        bars.rows_at(times["entry_time"]), bars.rows_at(times["exit_time"]),
    )  # fmt: skip


def _numbered(run: Run, rows: Rows, places: Ints) -> Bools:
    """Whether the position has the number of its place, symbol and side of the run, and an order of its kind."""
    texts, terms = rows.trades.texts, run.terms
    found: Bools = (texts["trade"] == pl.Series(places + 1).cast(pl.String)).to_numpy()
    found &= rows.trades.word("symbol", *terms.symbols) & (texts["leg"].fill_null("1") == "1").to_numpy()
    sides = SIDES.get(terms.side_policy, ())
    return found & np.isin(rows.side, sides) & rows.trades.word("entry_kind", "market")


def _of_fills(rows: Rows) -> Bools:
    """Whether row and fills say the same."""
    texts, entry, leave = rows.trades.texts, rows.entry, rows.leave
    long = rows.trades.word("side", "long")
    found: Bools = entry.word("side", "buy") == long
    found &= leave.word("side", "sell") == long
    for fill, prefix in ((entry, "entry"), (leave, "exit")):
        for mine, its in ((f"{prefix}_time", "time"), (f"{prefix}_price", "price"), (f"{prefix}_point", "point"),
                          (f"{prefix}_liquidity", "liquidity"), ("qty", "qty"), ("symbol", "symbol"),
                          ("trade", "trade")):  # fmt: skip
            found &= fill.same(its, texts[mine])
        found &= fill.counts["fee"] == rows.trades.counts[f"{prefix}_fee"]
    found &= entry.word("leg", "entry") & entry.word("order_kind", "market")
    of_reason = np.zeros(len(found), dtype=np.bool_)
    for reason, (leg, kind) in SCREENED.items():
        of_reason |= rows.trades.word("exit_reason", reason) & leave.word("leg", leg) & leave.word("order_kind", kind)
    memo = entry.counts["slippage"] + leave.counts["slippage"]
    same: Bools = rows.trades.counts["slippage"] == memo
    return found & of_reason & same


def _money(terms: Terms, rows: Rows) -> Bools:
    """Whether fees, gross and net result follow from prices, to half of 1e-8."""
    money, numbers = rows.trades.counts, rows.trades.numbers
    units = numbers["qty"] * float(terms.multiplier)
    moved = rows.side * (numbers["exit_price"] - numbers["entry_price"])
    large = units * (numbers["exit_price"] + numbers["entry_price"])
    found = _posted(money["gross_pnl"], units * moved, large)
    found &= (money["gross_pnl"] * np.sign(moved) >= 0) & (moved != 0)
    found &= money["fees"] == money["entry_fee"] + money["exit_fee"]
    found &= money["net_pnl"] == money["gross_pnl"] + money["funding"] - money["fees"]
    for fill in (rows.entry, rows.leave):
        rate = np.where(fill.word("liquidity", "maker"), float(terms.maker), float(terms.taker))
        fee = units * fill.numbers["price"] * rate + numbers["qty"] * float(terms.per_contract)
        found &= _posted(fill.counts["fee"], fee, fee)
    net = -sum(fill.counts["fee"] for fill in (rows.entry, rows.leave)) + money["gross_pnl"]
    free: Bools = found & (money["funding"] == 0) & (net == money["net_pnl"])
    return free


def _posted(count: Ints, derived: Floats, large: Floats) -> Bools:
    """Whether a posting is an amount rounded to 1e-8: `derived` is known to 8 units in the last place of `large`."""
    found: Bools = np.abs(count / 1e8 - derived) <= HALF_CENT + (float(FLOAT_TOLERANCE) - 8 * ULP) * np.abs(large)
    return found


def _entered(run: Run, rows: Rows, bars: BaseBars) -> Bools:
    """Whether the entry was at the open of the first bar after a decision that could be made, with slippage."""
    times, price = rows.trades.times, rows.trades.numbers["entry_price"]
    first = run.terms.first_trade_ns
    decided, entered = rows.decided, rows.entered
    there = (decided >= 0) & (entered == decided + 1)
    at = np.searchsorted(bars.lasts, decided)
    decides = (at < len(bars.lasts)) & (np.append(bars.lasts, -1)[np.minimum(at, len(bars.lasts))] == decided)
    closed = bars.closes[np.maximum(decided, 0)] == times["decided_time"]
    opened = bars.column("open")[np.maximum(entered, 0)]
    slipped = opened * (1 + rows.side * float(run.terms.taken))
    warm = times["decided_time"] >= (np.iinfo(np.int64).max if first is None else first)
    found: Bools = there & decides & closed & warm & (np.abs(price - slipped) <= PRICE_PART * slipped)
    units = rows.trades.numbers["qty"] * float(run.terms.multiplier)
    found &= _posted(rows.entry.counts["slippage"], units * np.abs(slipped - opened), units * price)
    return found & rows.trades.word("entry_point", "open") & rows.trades.word("entry_liquidity", "taker")


def _sized(run: Run, rows: Rows, bars: BaseBars, places: Ints) -> Bools:
    """Whether the quantity is that of the sizing model with its caps, and what the account could carry."""
    terms, quantity = run.terms, rows.trades.numbers["qty"]
    price = bars.column("close")[np.maximum(rows.decided, 0)]
    equity = float(terms.start_equity) + np.array(run.gained)[places] * CENT
    leverage, unit = float(terms.leverage), price * float(terms.multiplier)
    sides = 2 if terms.include_close_fee else 1
    fee = float(terms.taker) + float(terms.per_contract) / unit
    cap = np.minimum(equity * float(terms.position_equity_max), equity / (1 + sides * fee * leverage)) * leverage
    for limit, factor in ((terms.notional_max, 1.0), (terms.margin_max, leverage)):
        cap = cap if limit is None else np.minimum(cap, float(limit) * factor)
    wanted = _wanted(terms, equity, unit)
    lots, lot = quantity / float(terms.lot), float(terms.lot)
    if terms.size_model == "fixed_quantity":
        found = (quantity == float(terms.size_value)) & (wanted <= cap * (1 - NARROW))
    else:
        ideal = np.minimum(wanted, cap) / unit / lot
        found = (np.floor(ideal * (1 - NARROW)) == np.rint(lots)) & (np.floor(ideal * (1 + NARROW)) == np.rint(lots))
    counts, exact = counts_of(rows.trades.texts["qty"])
    found &= exact & (counts % int(terms.lot.scaleb(8)) == 0) & (quantity >= float(terms.quantity_min))
    found &= quantity <= (np.inf if terms.quantity_max is None else float(terms.quantity_max))
    notional = quantity * unit
    found &= notional >= float(terms.notional_min) * (1 + NARROW)
    needed = notional / leverage + sides * notional * float(terms.taker)
    carried: Bools = found & (needed <= equity * (1 - NARROW))
    return carried


def _wanted(terms: Terms, equity: Floats, unit: Floats) -> Floats:
    """Return the notional that the model asks for."""
    value = float(terms.size_value)
    if terms.size_model == "fixed_quantity":
        return value * unit
    if terms.size_model == "percent_equity":
        return equity * (value / 100 * float(terms.leverage))
    return np.full(len(unit), value * (1.0 if terms.size_notional else float(terms.leverage)))


def _levels(terms: Terms, rows: Rows, bars: BaseBars, known: Knowledge) -> Bools:
    """Whether stop and target are on the grid, on their sides, and at the distances of their rules."""
    found = rows.trades.same("final_stop", rows.trades.texts["stop_price"])
    price = bars.column("close")[np.maximum(rows.decided, 0)]
    stop = _distance(terms, terms.stop_rule, price, rows.decided, known)
    target = _distance(terms, terms.target_rule, price, rows.decided, known)
    of_target = terms.target_rule
    if of_target is not None and of_target.kind == "rr_ratio" and stop is not None and of_target.value is not None:
        target = stop * float(of_target.value)
    found &= _level(terms, rows, "stop_price", terms.stop_rule, stop, -1)
    return found & _level(terms, rows, "target_price", of_target, target, 1)


def _distance(terms: Terms, rule: Rule | None, price: Floats, rows: Ints, known: Knowledge) -> Floats | None:
    """Return the distances of a rule; None where the screen does not know it."""
    if rule is None or rule.value is None:
        return None
    value = float(rule.value)
    if rule.kind == "fixed_points":
        return np.full(len(price), value)
    if rule.kind == "percent":
        return price * (value / 100 / (float(terms.leverage) if rule.of_margin else 1.0))
    average = known.average_ranges(rule.feature, rows) if rule.kind == "atr_multiple" else None
    return None if average is None else average * value + price * float(rule.buffer)


def _level(terms: Terms, rows: Rows, name: str, rule: Rule | None, distance: Floats | None, side: int) -> Bools:
    """Whether a level lies between its distance and up to one tick less; without a rule there is none."""
    counts, exact = rows.trades.counts[name], rows.trades.exact[name]
    if rule is None:
        without: Bools = counts == 0
        return without
    if distance is None:
        return np.zeros(len(counts), dtype=np.bool_)
    tick = int(terms.tick.scaleb(8))
    away = side * rows.side * (counts * CENT - rows.trades.numbers["entry_price"])
    slack = 2e-9 * distance + NARROW * rows.trades.numbers["entry_price"]
    within = (away <= distance - slack) & (away > distance - tick * CENT + slack) & (away > slack)
    found: Bools = exact & (counts > 0) & (counts % tick == 0) & within
    return found


def _left(terms: Terms, rows: Rows, bars: BaseBars) -> Bools:
    """Whether the exit was where its bar allowed it, at the price of the rules, and at its turn within that bar."""
    texts, numbers, left = rows.trades, rows.trades.numbers, np.maximum(rows.left, 0)
    opened, closed, best, worst = _prices(rows, bars, left)
    stop = _or_far(rows.trades.counts["stop_price"], -rows.side)
    target = _or_far(rows.trades.counts["target_price"], rows.side)
    inside = texts.word("exit_point", "inside")
    at_open = texts.word("exit_point", "open") & (rows.left > rows.entered)
    gap_down, gap_up = rows.side * (opened - stop) <= 0, rows.side * (opened - target) >= 0
    stopped, reached = rows.side * (worst - stop) <= 0, rows.side * (best - target) >= 0
    by_signal, by_stop, by_target = (texts.word("exit_reason", reason) for reason in SCREENED)
    decided = np.isin(rows.left - 1, bars.lasts)
    fine = by_signal & at_open & decided & ~gap_down & ~gap_up & (terms.exit_policy != "sl_tp_only")
    gapped = rows.left > rows.entered
    fine |= by_stop & np.where(inside, stopped & ~(gap_down | gap_up) & gapped, at_open & gap_down)
    fine |= by_target & np.where(
        inside, reached & ~stopped & ~(gap_down | gap_up) & gapped, at_open & gap_up & ~gap_down
    )
    if terms.exit_shares is not None:
        whole = np.where(rows.side > 0, ONE in terms.exit_shares[1], ONE in terms.exit_shares[-1])
        fine &= whole | ~by_signal
    resting = by_target & terms.target_is_limit
    base = np.where(inside, np.where(by_stop, stop, target), opened)
    slipped = base * (1 - rows.side * np.where(resting, 0.0, float(terms.taken)))
    fine &= np.isfinite(base) & (np.abs(numbers["exit_price"] - slipped) <= PRICE_PART * slipped)
    units = numbers["qty"] * float(terms.multiplier)
    fine &= _posted(rows.leave.counts["slippage"], units * np.abs(slipped - base), units * numbers["exit_price"])
    fine &= (texts.word("exit_liquidity", "maker") == resting) & (closed > 0)
    return fine & _before(rows, bars, stop, target)


def _or_far(counts: Ints, side: Floats) -> Floats:
    """Return levels as prices, those that are not there infinitely far away."""
    found: Floats = np.where(counts == 0, side * np.inf, counts * CENT)
    return found


def _prices(rows: Rows, bars: BaseBars, at: Ints) -> tuple[Floats, Floats, Floats, Floats]:
    """Return open, close, best and worst price of bars for the side of each position."""
    high, low = bars.column("high")[at], bars.column("low")[at]
    long = rows.side > 0
    return bars.column("open")[at], bars.column("close")[at], np.where(long, high, low), np.where(long, low, high)


def _extremes(bars: BaseBars, first: Ints, behind: Ints) -> tuple[Floats, Floats]:
    """Return lowest and highest price of ranges of bars; infinitely far apart the wrong way where one is empty."""
    some, behind = behind > first, np.maximum(behind, first + 1)
    lows = over_ranges(np.minimum, bars.column("low"), first, behind)
    highs = over_ranges(np.maximum, bars.column("high"), first, behind)
    return np.where(some, lows, np.inf), np.where(some, highs, -np.inf)


def _before(rows: Rows, bars: BaseBars, stop: Floats, target: Floats) -> Bools:
    """Whether no bar before that of the exit had reached stop or target."""
    fits = (rows.entered >= 0) & (rows.left >= rows.entered)
    low, high = _extremes(bars, np.where(fits, rows.entered, 0), np.where(fits, rows.left, 0))
    long = rows.side > 0
    worst, best = np.where(long, low, high), np.where(long, high, low)
    empty = rows.left == rows.entered
    untouched = (rows.side * (worst - stop) > 0) & (rows.side * (best - target) < 0)
    found: Bools = fits & (untouched | empty)
    return found


def _held(terms: Terms, rows: Rows, bars: BaseBars) -> Bools:
    """Whether length and excursions are those of the bars held, and none of these came near a liquidation."""
    numbers, fits = rows.trades.numbers, (rows.entered >= 0) & (rows.left > rows.entered)
    entered, left = np.where(fits, rows.entered, 0), np.where(fits, rows.left, 0)
    count = np.searchsorted(bars.lasts, left) - np.searchsorted(bars.lasts, entered)
    low, high = _extremes(bars, entered, left)
    widest_low, widest_high = _extremes(bars, entered, left + 1)
    entry, side, leave = numbers["entry_price"], rows.side, numbers["exit_price"]
    found = fits & (numbers["bars_held"] == count)
    for word, way in (("mae", -side), ("mfe", side)):
        least = np.maximum(0.0, way * (np.where(way > 0, high, low) / entry - 1))
        most = np.maximum(0.0, way * (np.where(way > 0, widest_high, widest_low) / entry - 1))
        most = np.maximum(most, way * (leave / entry - 1))
        found &= (numbers[word] >= least - 1e-10) & (numbers[word] <= most + 1e-10)
    held: Bools = found
    return held & _solvent(terms, rows, bars, widest_low, widest_high)


def _solvent(terms: Terms, rows: Rows, bars: BaseBars, low: Floats, high: Floats) -> Bools:
    """Whether neither a bar held nor the exit went near the liquidation, and the entry kept its distance."""
    if not terms.margin.liquidates:
        return np.ones(len(low), dtype=np.bool_)
    margin, numbers = terms.margin, rows.trades.numbers
    rate, side = float(margin.maintenance + margin.taker), rows.side
    units = numbers["qty"] * float(terms.multiplier)

    def level(price: Floats) -> Floats:
        spare = units * price / float(terms.leverage) + float(margin.deduction)
        return (units * price - side * spare) / (units * (1 - side * rate))

    at, reference = level(numbers["entry_price"]), bars.column("close")[np.maximum(rows.decided, 0)]
    if bars.marked:
        highs, lows = (bars.columns[name] for name in bars.names("MarkPrice"))
        low, high = (np.minimum(low, lows.min()), np.maximum(high, highs.max()))
    worst = np.where(side > 0, low, high)
    away = side * (worst - at) > 1e-9 * numbers["entry_price"]
    per_unit = numbers["entry_price"] / float(terms.leverage)
    ruin = (numbers["entry_price"] - side * per_unit) / (1 - side * float(margin.liquidation))
    solvent = side * (numbers["exit_price"] - ruin) > 1e-9 * numbers["entry_price"]
    room = side * (reference - level(reference))
    far = room >= float(margin.distance_min) * reference * (1 + NARROW)
    stop = rows.trades.counts["stop_price"] * CENT
    distance = np.where(stop == 0, 0.0, np.abs(numbers["entry_price"] - stop) + float(terms.tick))
    inside = distance <= room * (1 - 0.001) * (1 - NARROW)
    return away & solvent & far & (inside | (margin.beyond == "warn"))


def _undisturbed(run: Run, rows: Rows, bars: BaseBars, due: Sequence[int]) -> Bools:
    """Whether no funding was due while it was held, and it left before the last bar of its stretch."""
    rows_due = np.asarray(due, dtype=np.int64)
    paid = np.searchsorted(rows_due, rows.left, side="right") - np.searchsorted(rows_due, rows.entered, side="right")
    starts = np.array(sorted(int(np.searchsorted(bars.opens, end)) for end in run.terms.gap_ends_ns))
    stretch = np.searchsorted(starts, rows.entered, side="right") == np.searchsorted(starts, rows.left, side="right")
    found: Bools = (paid == 0) & stretch & (rows.left >= 0)
    return found


def _apart(whole: Tally, begins: Ints, bars: BaseBars) -> Bools:
    """Whether a position was decided when the one before it was known to have ended, and ended before the next one."""
    times = whole.times
    ended = np.maximum.reduceat(times["exit_time"], begins)
    last_rows = bars.rows_at(ended)
    known = np.where(last_rows >= 0, bars.closes[np.maximum(last_rows, 0)], np.iinfo(np.int64).max)
    decided, entered = times["decided_time"][begins], times["entry_time"][begins]
    before = np.append(np.iinfo(np.int64).min, known[:-1])
    after = np.append(entered[1:], np.iinfo(np.int64).max)
    found: Bools = (decided <= entered) & (entered <= ended) & (decided >= before) & (ended < after)
    return found & (entered > np.append(np.iinfo(np.int64).min, ended[:-1]))
