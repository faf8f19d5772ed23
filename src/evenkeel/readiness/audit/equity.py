"""Checks of the equity curve.

`EQUITY_WALK` (11), `EQUITY_FINAL` (12), `EQUITY_POINTS`, `EQUITY_MARK`, `DRAWDOWN_WALK`, `STOP_REASON` and `SESSIONS`.
A fill is stamped with the open of its base bar, or with the close where it happened there; so an equity point at T
knows exactly the fills stamped before T, and the last point all fills, the closing one included. Cash, and equity
without a position, must be equal to the sum of the postings to the last digit; the value of an open position is
compared to half of 1e-8 plus what float64 may lose.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

import polars as pl

from evenkeel.readiness.audit.artifacts import Run
from evenkeel.readiness.audit.bars import NO_BARS, BaseBars
from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.moment import DAY_NS, instant_text
from evenkeel.readiness.audit.number import FLOAT_TOLERANCE, POSTING_TOLERANCE

MONEY = pl.Decimal(38, 8)
DRAWDOWN_TOLERANCE = 1e-12
NO_POINTS = "the run has no equity points"


def account_states(run: Run) -> pl.DataFrame:
    """Return the account after each fill, in the order of the trades: `stamp_ns, cash, position, units, entry`.

    The first row is the start, then follow two for each trade.

    `units` is the signed quantity times the multiplier, `entry` the price of the open position, both float64.
    """
    rows: list[tuple[int, Decimal, float, float, float]] = [(-(2**62), run.terms.start_equity, 0.0, 0.0, 0.0)]
    cash = run.terms.start_equity
    for trade in run.trades:
        size = trade.sign * trade.quantity
        cash -= trade.entry_fee
        entered = (float(size), float(size * run.terms.multiplier), float(trade.entry_price))
        rows.append((trade.entry_ns, cash, *entered))
        cash += trade.gross + trade.funding - trade.exit_fee
        rows.append((trade.exit_ns, cash, 0.0, 0.0, 0.0))
    schema: dict[str, pl.DataType] = {
        "stamp_ns": pl.Int64(), "cash": MONEY, "position": pl.Float64(), "units": pl.Float64(), "entry": pl.Float64(),
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def _with_states(run: Run, bars: BaseBars | None) -> pl.DataFrame:
    """Return the equity points beside the account that the fills known at each make; the last point knows all.

    With bars a fill is known once its base bar is among those of the execution bar that closes at the point. Without,
    it is known after its stamp; points of a market with sessions at the very stamp of a fill are left out then, since
    only bars tell whether a closing auction came before.
    """
    is_last = pl.int_range(pl.len()) == pl.len() - 1
    states = account_states(run).rename({"cash": "cash_known", "position": "position_known"})
    points = run.equity.sort("time_ns", maintain_order=True)
    if bars is None or bars.execution is None:
        points = points.with_columns(knows=pl.col("time_ns") - (~is_last).cast(pl.Int64))
        states = states.with_columns(key=pl.col("stamp_ns"))
        if not run.terms.always_open:
            points = points.filter(is_last | ~pl.col("time_ns").is_in(states["stamp_ns"].implode()))
    else:
        places = _numbered(bars.execution.select(time_ns="close_ns", knows=pl.col("last") * 2))
        points = _numbered(points).join(places, on=["time_ns", "nth"], how="left", maintain_order="left")
        points = points.with_columns(knows=pl.when(is_last).then(2 * len(bars)).otherwise(pl.col("knows")))
        points = points.filter(pl.col("knows").is_not_null())
        states = states.with_columns(key=_fill_places(run, bars)).sort("key", maintain_order=True)
    return points.join_asof(states, left_on="knows", right_on="key", strategy="backward", check_sortedness=False)


def _numbered(table: pl.DataFrame) -> pl.DataFrame:
    """Number the rows of equal `time_ns`: a closing auction ends at the instant at which the bar before it ended."""
    return table.with_columns(nth=pl.int_range(pl.len()).over("time_ns"))


def _fill_places(run: Run, bars: BaseBars) -> pl.Series:
    """Return for each account state twice the row of its fill, one more for an exit at the close."""
    places = [-1]
    for trade in run.trades:
        entry, leave = bars.row_at(trade.entry_ns), bars.exit_row(trade.exit_ns, trade.exit_point)
        nowhere = len(bars)
        places.append(2 * (nowhere if entry is None else entry))
        places.append(2 * (nowhere if leave is None else leave) + (trade.exit_point == "close"))
    return pl.Series(places, dtype=pl.Int64)


def _first(table: pl.DataFrame, sentence: str) -> Iterator[str]:
    """Yield the sentence for each row of what was found wrong, its columns filled in."""
    for row in table.iter_rows(named=True):
        yield sentence.format(at=instant_text(row["time_ns"]), **row)


def equity_walk(run: Run, bars: BaseBars | None) -> Check:
    """Check cash and position at each point, and that equity is cash whenever no position is open, exactly."""
    name = "EQUITY_WALK"
    if run.equity.is_empty():
        return skipped(name, NO_POINTS)
    points = _with_states(run, bars)
    flat = points.filter(pl.col("position_known") == 0)
    problems = [
        *_first(
            points.filter(pl.col("cash") != pl.col("cash_known")),
            "at {at} cash is {cash}, the postings give {cash_known}",
        ),
        *_first(
            points.filter(pl.col("position") != pl.col("position_known")),
            "at {at} the position is {position}, the fills give {position_known}",
        ),
        *_first(
            flat.filter(pl.col("equity") != pl.col("cash_known")),
            "at {at} equity is {equity}, flat, with {cash_known} in cash",
        ),
    ]
    return judged(name, problems, f"{points.height} points, {flat.height} of them without a position; exact")


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


def equity_points(run: Run, bars: BaseBars | None) -> Check:
    """Check that there is one point at each close of an execution bar since the first that could trade."""
    name = "EQUITY_POINTS"
    if bars is None or bars.execution is None:
        return skipped(name, NO_BARS)
    first, points = run.terms.first_trade_ns, run.equity.select("time_ns")
    if first is None or points.is_empty():
        agree = first is None and points.is_empty()
        began = "never" if first is None else f"at {instant_text(first)}"
        problems = [] if agree else [f"{points.height} points, though the run could first trade {began}"]
        return judged(name, problems, "none: the run never got warm")
    problems = [*_point_problems(run, points, bars.execution.select(time_ns="close_ns"), first)]
    return judged(name, problems, f"{points.height} points, one each execution bar")


def _point_problems(run: Run, points: pl.DataFrame, closes: pl.DataFrame, first: int) -> Iterator[str]:
    for time in points.filter(pl.col("time_ns").diff() < 0)["time_ns"]:
        yield f"the point at {instant_text(time)} is earlier than the one before"
    end: int = points["time_ns"][-1]
    points, closes = _numbered(points), _numbered(closes)
    keys = ["time_ns", "nth"]
    for time in points.join(closes.filter(pl.col("time_ns") >= first), on=keys, how="anti")["time_ns"]:
        if time != end:
            yield f"{instant_text(time)} is no close of an execution bar"
    if run.terms.segments > 1:
        return
    due = closes.filter((pl.col("time_ns") > first) & (pl.col("time_ns") <= end))
    for time in due.join(points, on=keys, how="anti")["time_ns"]:
        yield f"there is no point at {instant_text(time)}"
    if run.result.text("stop_reason") == "end_of_data" and not closes.is_empty() and end < closes["time_ns"][-1]:
        yield f"the curve ends at {instant_text(end)}, before the last execution bar"


def equity_marks(run: Run, bars: BaseBars | None) -> Check:
    """Check that equity is cash plus the open position valued at the close of the execution bar."""
    name = "EQUITY_MARK"
    if bars is None or bars.execution is None:
        return skipped(name, NO_BARS)
    closes = _numbered(bars.execution.select(time_ns="close_ns", mark="close"))
    points = _with_states(run, bars).filter(pl.col("position_known") != 0)
    held = points.join(closes, on=["time_ns", "nth"], how="left")
    open_value = (pl.col("equity") - pl.col("cash")).cast(pl.Float64)
    derived = pl.col("units") * (pl.col("mark") - pl.col("entry"))
    largest = pl.col("units").abs() * (pl.col("mark") + pl.col("entry")) + pl.col("equity").abs().cast(pl.Float64)
    allowed = float(POSTING_TOLERANCE) + float(FLOAT_TOLERANCE) * largest
    wrong = held.with_columns(derived=derived).filter(~((open_value - derived).abs() <= allowed).fill_null(value=False))
    problems = _first(wrong, "at {at} equity is {equity} with {cash} in cash; the position is worth {derived:.8f}")
    return judged(name, problems, f"{held.height} points with an open position")


def drawdown_walk(run: Run) -> Check:
    """Check the drawdown at each point: the fall from the highest point so far, as a fraction of it."""
    name = "DRAWDOWN_WALK"
    if run.equity.is_empty():
        return skipped(name, NO_POINTS)
    walked = drawdowns(run)
    off = run.equity.with_columns(walked=walked).filter((pl.col("drawdown") - walked).abs() > DRAWDOWN_TOLERANCE)
    problems = _first(off, "at {at} the drawdown is {drawdown}, the curve gives {walked}")
    return judged(name, problems, f"{run.equity.height} points")


def drawdowns(run: Run) -> pl.Series:
    """Return the drawdown at each equity point, a fraction; the start counts as the first peak."""
    return falls(run.equity["equity"].cast(pl.Float64), float(run.terms.start_equity))


def falls(marks: pl.Series, start: float) -> pl.Series:
    """Return how far each mark lies below the highest so far (at least `start`), as a fraction of that."""
    peaks = marks.cum_max().clip(lower_bound=start)
    return (peaks - marks) / peaks


def sessions(run: Run) -> Check:
    """Check that the equity of each session is that of its last point: by UTC day for a 24/7 market."""
    name = "SESSIONS"
    if run.sessions is None:
        return skipped(name, "the run wrote no sessions.parquet")
    table = run.sessions.with_columns(end_ns=pl.col("session").cast(pl.Datetime("ns")).dt.epoch("ns") + DAY_NS)
    problems = [f"session {day} does not follow the one before" for day in _not_rising_days(table["session"])]
    if not table.is_empty() and table["equity"][-1] != run.final_equity:
        problems.append(f"the last session ends with {table['equity'][-1]}, the account with {run.final_equity}")
    if run.terms.always_open:
        last = run.equity.select(end_ns="time_ns", closed="equity").sort("end_ns", maintain_order=True)
        beside = table.sort("end_ns").join_asof(last, on="end_ns", strategy="backward")
        wrong = beside.filter((pl.col("equity") != pl.col("closed")).fill_null(value=True))
        problems += [f"session {row['session']} ends with {row['equity']}, the curve with {row['closed']}"
                     for row in wrong.iter_rows(named=True)]  # fmt: skip
    else:
        known = set(run.equity["equity"].to_list())
        problems += [f"session {row['session']} ends with {row['equity']}, which no point has"
                     for row in table.iter_rows(named=True) if row["equity"] not in known]  # fmt: skip
    return judged(name, problems, f"{table.height} sessions")


def _not_rising_days(days: pl.Series) -> list[object]:
    return [after for before, after in pairwise(days) if after <= before]
