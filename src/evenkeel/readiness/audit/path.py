"""Checks that walk the base bars of each trade, from its decision to its exit.

`ENTRY_TIME` (27), `EXIT_TIME`, `EXCURSION` and `BARS_HELD`. The walk over the bars held compares prices as they are; no
arithmetic takes part in it, so float64 loses nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from evenkeel.readiness.audit.artifacts import Run, Trade
from evenkeel.readiness.audit.bars import NO_BARS, BaseBars
from evenkeel.readiness.audit.broker import margin_calls
from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.course import Course
from evenkeel.readiness.audit.held import NO_REACH, Held, Reach
from evenkeel.readiness.audit.moment import MINUTE_NS, TIMEFRAME_MINUTES, instant_text
from evenkeel.readiness.audit.number import ONE, ZERO, exact
from evenkeel.readiness.audit.rules import limit_prices, reaches
from evenkeel.readiness.audit.terms import Terms

EXCURSION_TOLERANCE = Decimal("1e-9")


def entry_times(run: Run, bars: BaseBars | None) -> Check:
    """Check that each entry happened in the first base bar after its decision that allowed it."""
    name = "ENTRY_TIME"
    if bars is None:
        return skipped(name, NO_BARS)
    problems: list[str] = []
    for place, position in zip(run.doubtful, run.doubtful_positions, strict=True):
        previous = run.positions[place - 1].last if place else None
        problems += _decision_problems(run.terms, position.entry, previous, bars)
        problems += _entry_problems(run.terms, position.entry, bars)
    problems += _crowded(run, bars)
    return judged(name, problems, f"{len(run.positions)} entries, first possible base bar after the decision")


def _crowded(run: Run, bars: BaseBars) -> Iterator[str]:
    """Report more entries than one execution bar may decide."""
    schedule = run.terms.schedule
    if not schedule.intrabar or bars.execution is None:
        return
    decided = Counter(bars.execution_bar_of(position.entry.decided_ns) for position in run.positions)
    for position in run.positions:
        count = decided.pop(bars.execution_bar_of(position.entry.decided_ns), 0)
        if count > schedule.entries_max:
            yield f"trade {position.number}: its execution bar decided {count} entries, at most {schedule.entries_max}"


def _decision_problems(terms: Terms, trade: Trade, previous: Trade | None, bars: BaseBars) -> Iterator[str]:
    label = f"trade {trade.number}"
    if not bars.decides(trade.decided_ns, intrabar=terms.schedule.intrabar):
        kind = "base" if terms.schedule.intrabar else "execution"
        yield f"{label}: no {kind} bar closed at its decision, {instant_text(trade.decided_ns)}"
    if terms.first_trade_ns is None or trade.decided_ns < terms.first_trade_ns:
        yield f"{label} was decided at {instant_text(trade.decided_ns)}, before the run was warmed up"
    row = None if previous is None else bars.exit_row(previous.exit_ns, previous.exit_point)
    if row is not None and trade.decided_ns < bars.bar(row).close_ns:
        yield f"{label} was decided before the exit of the trade before it was known"


def _entry_problems(terms: Terms, trade: Trade, bars: BaseBars) -> Iterator[str]:
    label = f"trade {trade.number}"
    decided, row = bars.decision_row(trade.decided_ns, trade.entry_ns), bars.row_at(trade.entry_ns)
    if decided is None or row is None or decided + 1 + terms.delay >= len(bars):
        yield f"{label}: no base bar opens at {instant_text(trade.entry_ns)}"
        return
    first = decided + 1 + terms.delay
    if trade.entry_kind == "market" and row != first:
        expected = instant_text(bars.bar(first).open_ns)
        yield f"{label} was entered at {instant_text(trade.entry_ns)}, the first base bar opens at {expected}"
    if trade.entry_kind != "limit":
        return
    limits = limit_prices(terms, trade, bars)
    if all(_filled_before(terms, trade, bars, limit, first, row) for limit in limits):
        yield f"{label}: an earlier base bar already reached the limit {limits[0]}"
    if _expired(terms, trade, bars):
        yield f"{label}: the limit order had expired after {terms.expire_after_bars} execution bars"


def _filled_before(terms: Terms, trade: Trade, bars: BaseBars, limit: Decimal, first: int, row: int) -> bool:
    """Whether a base bar from `first` to before `row` must have filled the limit."""
    if first >= row:
        return False
    waited = bars.column("low" if trade.sign > 0 else "high")[first:row]
    extreme = exact(float(waited.min() if trade.sign > 0 else waited.max()))
    at_once = trade.sign * (limit - terms.quoted(bars.bar(first).open, trade.sign)) >= 0
    return at_once or reaches(terms, trade.sign, limit, extreme)


def _expired(terms: Terms, trade: Trade, bars: BaseBars) -> bool:
    """Whether the order was dead both by the clock and by the count of execution bars."""
    if not terms.expire_after_bars:
        return False
    minutes = TIMEFRAME_MINUTES.get(terms.execution_timeframe)
    by_clock = minutes is None or (trade.entry_ns >= trade.decided_ns + terms.expire_after_bars * minutes * MINUTE_NS)
    if bars.execution is None:
        return by_clock and minutes is not None
    gone = bars.execution_bars_between(trade.decided_ns, trade.entry_ns)
    return by_clock and gone >= terms.expire_after_bars


def exit_times(run: Run, bars: BaseBars | None, courses: list[Course | None] | None) -> Check:
    """Check that exits by signal follow a decision at once, and that the data ends or breaks where an exit says so."""
    name = "EXIT_TIME"
    if bars is None or courses is None:
        return skipped(name, NO_BARS)
    trades = run.doubtful_trades
    rows = [bars.exit_row(trade.exit_ns, trade.exit_point) for trade in trades]
    delay = run.terms.delay
    follows = bars.closing_execution_bar([-1 if row is None else row - 1 - delay for row in rows])
    problems = [
        problem
        for trade, row, decided in zip(trades, rows, follows, strict=True)
        for problem in _exit_problems(trade, bars, row, decided=decided or run.terms.schedule.intrabar)
    ]
    problems += margin_calls(run, bars, courses)
    return judged(name, problems, f"{len(run.trades)} exits")


def _exit_problems(trade: Trade, bars: BaseBars, row: int | None, *, decided: bool) -> Iterator[str]:
    """Report an exit at the bar of `row`; `decided` says that the strategy decided at the close of the bar before."""
    label = f"{trade.label}: {trade.exit_reason} at {instant_text(trade.exit_ns)}"
    if row is None:
        yield f"{label}, but no base bar opens there"
    elif trade.exit_reason == "end_of_data" and row != len(bars) - 1:
        yield f"{label}, but the data goes on"
    elif trade.exit_point == "close" and not _gap_after(bars, row):
        yield f"{label}, at the close, but the next base bar follows at once"
    elif trade.exit_point == "open" and trade.exit_reason == "signal":
        held_before = row > bars.opened_before(trade.entry_ns)
        if not (decided and held_before):
            yield f"{label}, which is not the first base bar after the close of an execution bar"


def _gap_after(bars: BaseBars, row: int) -> bool:
    return row == len(bars) - 1 or bars.bar(row + 1).open_ns > bars.bar(row).close_ns


def excursions(run: Run, held: Held | None) -> Check:
    """Check that adverse and favourable excursions lie between what was certainly and what was possibly held."""
    name = "EXCURSION"
    if held is None:
        return skipped(name, NO_BARS)
    reach = held.reach()
    problems: list[str] = []
    number = 0
    for position in run.doubtful_positions:
        for place, trade in enumerate(position.legs):
            prices = [leg.exit_price for leg in position.legs[: place + 1]]
            problems += _excursion_problems(trade, prices, reach.get(number, NO_REACH))
            number += 1
    return judged(name, problems, f"the excursions of {len(run.trades)} trades")


def _excursion_problems(trade: Trade, exits: list[Decimal], reach: Reach) -> Iterator[str]:
    """Report excursions that the bars do not allow; `exits` are the prices of the exits of the position so far."""
    possible, certain = (reach.low, reach.high), (reach.certain_low, reach.certain_high)
    if trade.sign < 0:
        possible, certain = possible[::-1], certain[::-1]
    for word, recorded, end, side in (("mae", trade.mae, 0, -trade.sign), ("mfe", trade.mfe, 1, trade.sign)):
        least, most = _away(trade, side, certain[end]), _away(trade, side, possible[end])
        most = max(most, *(side * (price / trade.entry_price - ONE) for price in exits))
        if not least - EXCURSION_TOLERANCE <= recorded <= most + EXCURSION_TOLERANCE:
            yield f"{trade.label}: {word} is {recorded}, its bars allow {least:.9f} to {most:.9f}"


def _away(trade: Trade, side: int, price: float | None) -> Decimal:
    """Return how far the price went to one side of the entry, as a fraction of it, at least 0."""
    return ZERO if price is None else max(ZERO, side * (exact(price) / trade.entry_price - ONE))


def bars_held(run: Run, bars: BaseBars | None) -> Check:
    """Check the length of each trade: how many execution bars closed while the position was held."""
    name = "BARS_HELD"
    if bars is None or bars.execution is None:
        return skipped(name, NO_BARS)
    problems = []
    trades = run.doubtful_trades
    entries = [bars.row_at(trade.entry_ns) for trade in trades]
    ends = [_end_of_holding(trade, bars) for trade in trades]
    before_entry = bars.execution_bars_before([row or 0 for row in entries])
    before_end = bars.execution_bars_before([row or 0 for row in ends])
    for trade, entry, end, first, last in zip(trades, entries, ends, before_entry, before_end, strict=True):
        if entry is None or end is None:
            problems.append(f"{trade.label}: no base bar opens at its entry or its exit")
        elif trade.bars_held != last - first:
            problems.append(f"{trade.label}: bars_held is {trade.bars_held}, {last - first} closed while held")
    return judged(name, problems, f"{len(run.trades)} trades")


def _end_of_holding(trade: Trade, bars: BaseBars) -> int | None:
    """Return the row after the last base bar that was held to its close, or None."""
    row = bars.exit_row(trade.exit_ns, trade.exit_point)
    return None if row is None else row + (trade.exit_point == "close")
