"""Checks of the equity curve.

`EQUITY_WALK` (11), `EQUITY_FINAL` (12), `EQUITY_POINTS`, `EQUITY_MARK`, `DRAWDOWN_WALK`, `STOP_REASON` and `SESSIONS`.
A fill is stamped with the open of its base bar, or with the close where it happened there; so an equity point at T
knows exactly the fills stamped before T, and the last point all fills, the closing one included. Cash, and equity
without a position, must be equal to the sum of the postings to the last digit; the value of an open position is
compared to half of 1e-8 plus what float64 may lose.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import polars as pl

from evenkeel.readiness.audit.artifacts import Run
from evenkeel.readiness.audit.bars import NO_BARS, BaseBars
from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.curve import Curve, Places, session_ends
from evenkeel.readiness.audit.moment import instant_text

NO_POINTS = "the run has no equity points"


def equity_walk(curve: Curve) -> Check:
    """Check cash and position at each point, and that equity is cash whenever no position is open, exactly.

    While a position is open that paid funding, each payment at the border of two postings leaves 1e-8 open.
    """
    name = "EQUITY_WALK"
    if not curve.count:
        return skipped(name, NO_POINTS)
    return judged(name, curve.walk, f"{curve.told} points, {curve.flat} of them without a position; exact")


def equity_final(run: Run, curve: Curve) -> Check:
    """Check that the account ends with its start plus the net results, in the curve and in the result, exactly."""
    derived = run.final_equity
    recorded = run.result.number("account.end_equity")
    problems = []
    if recorded != derived:
        problems.append(f"the result ends with {recorded}, start and net results give {derived}")
    if curve.last is not None and curve.last != derived:
        problems.append(f"the curve ends with {curve.last}, start and net results give {derived}")
    return judged("EQUITY_FINAL", problems, f"{run.terms.start_equity} + {len(run.trades)} net results = {derived}")


def equity_points(run: Run, bars: BaseBars | None) -> Check:
    """Check that there is one point at each close of an execution bar since the first that could trade."""
    name = "EQUITY_POINTS"
    if bars is None or bars.execution is None:
        return skipped(name, NO_BARS)
    first, count = run.terms.first_trade_ns, len(run.equity)
    if first is None or count == 0:
        agree = first is None and count == 0
        began = "never" if first is None else f"at {instant_text(first)}"
        problems = [] if agree else [f"{count} points, though the run could first trade {began}"]
        return judged(name, problems, "none: the run never got warm")
    problems = [*_point_problems(run, Places(run.equity, bars), first)]
    return judged(name, problems, f"{count} points, one each execution bar")


def _point_problems(run: Run, places: Places, first: int) -> Iterator[str]:
    recorded, closes = run.equity.times, places.closes
    back = recorded[1:] < recorded[:-1]
    for time in recorded[1:][back].tolist():
        yield f"the point at {instant_text(time)} is earlier than the one before"
    end, times = int(recorded[-1]), np.sort(recorded) if back.any() else recorded
    row = None if places.regular and times[0] >= first else places.all()
    if row is not None:
        for time in times[((row < 0) | (times < first)) & (times != end)].tolist():
            yield f"{instant_text(time)} is no close of an execution bar"
    if run.terms.segments > 1:
        return
    due = np.searchsorted(closes, [first, end], side="right")
    pointed = np.searchsorted(times, [first, end], side="right")
    if row is not None or pointed[1] - pointed[0] < due[1] - due[0]:
        row = places.all() if row is None else row
        missing = np.setdiff1d(np.arange(due[0], due[1]), row[(times > first) & (times <= end)])
        for time in closes[missing].tolist():
            yield f"there is no point at {instant_text(time)}"
    if run.result.text("stop_reason") == "end_of_data" and len(closes) and end < closes[-1]:
        yield f"the curve ends at {instant_text(end)}, before the last execution bar"


def equity_marks(bars: BaseBars | None, curve: Curve) -> Check:
    """Check that equity is cash plus the open position valued at the close of the execution bar."""
    name = "EQUITY_MARK"
    if bars is None or bars.execution is None:
        return skipped(name, NO_BARS)
    return judged(name, curve.marks, f"{curve.open} points with an open position")


def drawdown_walk(curve: Curve) -> Check:
    """Check the drawdown at each point: the fall from the highest point so far, as a fraction of it."""
    name = "DRAWDOWN_WALK"
    if not curve.count:
        return skipped(name, NO_POINTS)
    return judged(name, curve.drawdowns, f"{curve.count} points")


def sessions(run: Run, curve: Curve) -> Check:
    """Check that the equity of each session is that of its last point: by UTC day for a 24/7 market."""
    name = "SESSIONS"
    if run.sessions is None:
        return skipped(name, "the run wrote no sessions.parquet")
    table = run.sessions
    problems = [f"session {day} does not follow the one before" for day in _not_rising_days(table["session"])]
    if not table.is_empty() and table["equity"][-1] != run.final_equity:
        problems.append(f"the last session ends with {table['equity'][-1]}, the account with {run.final_equity}")
    for day, equity, end in zip(table["session"], table["equity"], session_ends(run).tolist(), strict=True):
        if run.terms.always_open and curve.closed.get(end) != equity:
            problems.append(f"session {day} ends with {equity}, the curve with {curve.closed.get(end)}")
        elif not run.terms.always_open and equity in curve.unseen:
            problems.append(f"session {day} ends with {equity}, which no point has")
    return judged(name, problems, f"{table.height} sessions")


def _not_rising_days(days: pl.Series) -> list[object]:
    return [after for before, after in pairwise(days) if after <= before]
