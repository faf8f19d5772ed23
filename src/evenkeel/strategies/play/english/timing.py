"""When a play decides, how its orders are filled, and how much history it needs first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evenkeel.data.calendar import load_calendar
from evenkeel.model.time import Timeframe
from evenkeel.strategies.play.english.phrases import bars_of, counted, listed, percent, roughly, so_many_bars
from evenkeel.strategies.play.play import Entry, Play
from evenkeel.strategies.play.sampling import session_minutes

_ONCE = {"D": "once a day, at the close", "W": "once a week, at the close", "M": "once a month, at the close"}
_TIME_IN_FORCE = {
    "GTC": "Each rests until it is filled",
    "IOC": "What does not fill at once is cancelled",
    "FOK": "Each fills whole at once or not at all",
    "PostOnly": "Each only rests: one that would take at once is dropped",
}


def timing_lines(play: Play, warmup: Mapping[Timeframe, int]) -> list[str]:
    """Return when decisions are made, on what they look, and what must be known before the first.

    Args:
        play: The play.
        warmup: Closed bars that each timeframe needs before decisions start.
    """
    intervals = play.intervals
    exec_tf = intervals.exec
    when = _ONCE.get(exec_tf.name, f"at each close of a {exec_tf} bar")
    lines = [f"It decides {when}."]
    if play.resolved["timeframes"].get("evaluate") == "intrabar":
        lines = [f"It decides at each close of a 1m bar; features keep the values of the last closed {exec_tf} bar."]
    slower = sorted({one for one in warmup if one != exec_tf})
    if slower:
        names = listed([bars_of(one).removesuffix(" bars") for one in slower])
        lines.append(f"It also looks at {names} bars, always at the last one that has closed.")
    needs = [f"{so_many_bars(bars, one)}{_about(play, one, bars)}" for one, bars in sorted(warmup.items()) if bars]
    if needs:
        lines.append(f"Before the first decision it needs {listed(needs)} of history.")
    return [*lines, *_range(play)]


def _about(play: Play, timeframe: Timeframe, bars: int) -> str:
    """Return how long so many bars are in trading time, where the count does not say it."""
    if timeframe.is_calendar:
        return ""
    minutes = bars * timeframe.minutes
    session = session_minutes(load_calendar(play.instrument.calendar))
    if play.instrument.calendar == "24/7" or minutes < session:
        return f" ({roughly(minutes)})"
    return f" (about {counted(round(minutes / session), 'session')})"


def _range(play: Play) -> list[str]:
    given: Mapping[str, Any] = play.resolved.get("backtest") or {}
    start, end = (str(given.get(key, "")).removesuffix("T00:00:00Z") for key in ("start", "end"))
    if start and end:
        return [f"A backtest runs from {start} to {end}, the end not included; the history before warms it up."]
    if start or end:
        return [f"A backtest {f'starts at {start}' if start else f'ends at {end}, not included'}."]
    return []


def order_line(entry: Entry, *, both_sides: bool, short: bool) -> str:
    """Return how an entry is ordered."""
    if entry.order_type == "MARKET":
        return "Entries are market orders: they fill at the open after the decision, with slippage."
    away = percent(100 * entry.limit_offset_fraction)
    side = "above" if short else "below"
    where = f"{away} {side} the price at the decision{' (above it for a short)' if both_sides else ''}"
    where = where if entry.limit_offset_fraction else "at the price of the decision"
    forgotten = f"; after {counted(entry.expire_after_bars, 'bar')} it is forgotten" if entry.expire_after_bars else ""
    return f"Entries are limit orders {where}. {_TIME_IN_FORCE[entry.time_in_force]}{forgotten}."
