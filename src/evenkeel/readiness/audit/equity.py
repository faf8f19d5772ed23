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

import polars as pl

from evenkeel.readiness.audit.artifacts import Run
from evenkeel.readiness.audit.bars import NO_BARS, BaseBars
from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.curve import Curve
from evenkeel.readiness.audit.moment import DAY_NS, instant_text
from evenkeel.readiness.audit.number import FLOAT_TOLERANCE, POSTING_TOLERANCE

DRAWDOWN_TOLERANCE = 1e-12
NO_POINTS = "the run has no equity points"


def _first(table: pl.DataFrame, sentence: str) -> Iterator[str]:
    """Yield the sentence for each row of what was found wrong, its columns filled in."""
    for row in table.iter_rows(named=True):
        yield sentence.format(at=instant_text(row["time_ns"]), **row)


def equity_walk(curve: Curve) -> Check:
    """Check cash and position at each point, and that equity is cash whenever no position is open, exactly.

    While a position is open that paid funding, each payment at the border of two postings leaves 1e-8 open.
    """
    name = "EQUITY_WALK"
    points = curve.points
    if points.is_empty():
        return skipped(name, NO_POINTS)
    cash, position = curve.known("cash"), curve.known("position")
    flat = position == 0
    off = (points["cash"] - cash).abs() > curve.known("slack")
    problems = [
        *_first(_beside(points, off, cash), "at {at} cash is {cash}, the postings give {known}"),
        *_first(
            _beside(points, points["position"] != position, position),
            "at {at} the position is {position}, the fills give {known}",
        ),
        *_first(
            _beside(points, flat & (points["equity"] != cash), cash),
            "at {at} equity is {equity}, flat, with {known} in cash",
        ),
    ]
    told = len(flat) - flat.null_count()
    return judged(name, problems, f"{told} points, {flat.sum()} of them without a position; exact")


def _beside(points: pl.DataFrame, wrong: pl.Series, known: pl.Series) -> pl.DataFrame:
    """Return the points that are wrong, beside what they should know."""
    return points.filter(wrong).with_columns(known=known.filter(wrong))


def equity_final(run: Run) -> Check:
    """Check that the account ends with its start plus the net results, in the curve and in the result, exactly."""
    derived = run.final_equity
    recorded = run.result.number("account.end_equity")
    problems = []
    if recorded != derived:
        problems.append(f"the result ends with {recorded}, start and net results give {derived}")
    if not run.equity.is_empty() and run.equity["equity"][-1] != derived:
        problems.append(f"the curve ends with {run.equity['equity'][-1]}, start and net results give {derived}")
    return judged("EQUITY_FINAL", problems, f"{run.terms.start_equity} + {len(run.trades)} net results = {derived}")


def equity_points(run: Run, bars: BaseBars | None, curve: Curve) -> Check:
    """Check that there is one point at each close of an execution bar since the first that could trade."""
    name = "EQUITY_POINTS"
    if bars is None or bars.execution is None:
        return skipped(name, NO_BARS)
    first, count = run.terms.first_trade_ns, run.equity.height
    if first is None or count == 0:
        agree = first is None and count == 0
        began = "never" if first is None else f"at {instant_text(first)}"
        problems = [] if agree else [f"{count} points, though the run could first trade {began}"]
        return judged(name, problems, "none: the run never got warm")
    problems = [*_point_problems(run, curve, bars.execution["close_ns"], first)]
    return judged(name, problems, f"{count} points, one each execution bar")


def _point_problems(run: Run, curve: Curve, closes: pl.Series, first: int) -> Iterator[str]:
    recorded, times = run.equity["time_ns"], curve.points["time_ns"]
    for time in recorded.filter(recorded.diff() < 0):
        yield f"the point at {instant_text(time)} is earlier than the one before"
    end: int = recorded[-1]
    for time in times.filter((curve.place.is_null() | (times < first)) & (times != end)):
        yield f"{instant_text(time)} is no close of an execution bar"
    if run.terms.segments > 1:
        return
    due = ((closes > first) & (closes <= end)).arg_true()
    pointed = curve.place.filter((times > first) & (times <= end)).drop_nulls()
    if len(pointed) < len(due):  # each place is that of one point, so none can be missing else
        for time in closes.gather(due.filter(~due.is_in(pointed.implode()))):
            yield f"there is no point at {instant_text(time)}"
    if run.result.text("stop_reason") == "end_of_data" and not closes.is_empty() and end < closes[-1]:
        yield f"the curve ends at {instant_text(end)}, before the last execution bar"


def equity_marks(bars: BaseBars | None, curve: Curve) -> Check:
    """Check that equity is cash plus the open position valued at the close of the execution bar."""
    name = "EQUITY_MARK"
    if bars is None or bars.execution is None:
        return skipped(name, NO_BARS)
    position = curve.known("position")
    points = (position != 0).arg_true()
    row, place = curve.state.gather(points), curve.place.gather(points)
    held = curve.points.select("time_ns", "equity", "cash")[points].with_columns(
        units=curve.states["units"].gather(row),
        entry=curve.states["entry"].gather(row),
        mark=bars.execution["close"].gather(place),
    )
    open_value = (pl.col("equity") - pl.col("cash")).cast(pl.Float64)
    derived = pl.col("units") * (pl.col("mark") - pl.col("entry"))
    largest = pl.col("units").abs() * (pl.col("mark") + pl.col("entry")) + pl.col("equity").abs().cast(pl.Float64)
    allowed = float(POSTING_TOLERANCE) + float(FLOAT_TOLERANCE) * largest
    wrong = held.filter(~((open_value - derived).abs() <= allowed).fill_null(value=False)).with_columns(derived=derived)
    problems = _first(wrong, "at {at} equity is {equity} with {cash} in cash; the position is worth {derived:.8f}")
    return judged(name, problems, f"{held.height} points with an open position")


def drawdown_walk(run: Run, curve: Curve) -> Check:
    """Check the drawdown at each point: the fall from the highest point so far, as a fraction of it."""
    name = "DRAWDOWN_WALK"
    if run.equity.is_empty():
        return skipped(name, NO_POINTS)
    wrong = (run.equity["drawdown"] - curve.falls).abs() > DRAWDOWN_TOLERANCE
    off = _beside(run.equity, wrong, curve.falls)
    problems = _first(off, "at {at} the drawdown is {drawdown}, the curve gives {known}")
    return judged(name, problems, f"{run.equity.height} points")


def sessions(run: Run, curve: Curve) -> Check:
    """Check that the equity of each session is that of its last point: by UTC day for a 24/7 market."""
    name = "SESSIONS"
    if run.sessions is None:
        return skipped(name, "the run wrote no sessions.parquet")
    table = run.sessions.with_columns(end_ns=pl.col("session").cast(pl.Datetime("ns")).dt.epoch("ns") + DAY_NS)
    problems = [f"session {day} does not follow the one before" for day in _not_rising_days(table["session"])]
    if not table.is_empty() and table["equity"][-1] != run.final_equity:
        problems.append(f"the last session ends with {table['equity'][-1]}, the account with {run.final_equity}")
    if run.terms.always_open:
        table = table.sort("end_ns")
        last = curve.points["time_ns"].search_sorted(table["end_ns"], side="right").cast(pl.Int64) - 1
        reached = pl.select(pl.when(last >= 0).then(last)).to_series()
        beside = table.with_columns(closed=curve.points["equity"].gather(reached))
        wrong = beside.filter((pl.col("equity") != pl.col("closed")).fill_null(value=True))
        problems += [f"session {row['session']} ends with {row['equity']}, the curve with {row['closed']}"
                     for row in wrong.iter_rows(named=True)]  # fmt: skip
    else:
        nowhere = table.join(run.equity.select("equity"), on="equity", how="anti", maintain_order="left")
        problems += [f"session {row['session']} ends with {row['equity']}, which no point has"
                     for row in nowhere.iter_rows(named=True)]  # fmt: skip
    return judged(name, problems, f"{table.height} sessions")


def _not_rising_days(days: pl.Series) -> list[object]:
    return [after for before, after in pairwise(days) if after <= before]
