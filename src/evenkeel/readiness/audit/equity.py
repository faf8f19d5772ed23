"""Checks of the equity curve.

`EQUITY_WALK` (11), `EQUITY_FINAL` (12), `EQUITY_POINTS`, `EQUITY_MARK`, `DRAWDOWN_WALK`, `STOP_REASON` and `SESSIONS`.
A fill is stamped with the open of its base bar, so an equity point at T knows exactly the fills stamped before T. Cash
and equity without a position must be equal to the sum of the postings to the last digit; the value of an open position
is compared to half of 1e-8 plus what float64 may lose.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

import polars as pl

from evenkeel.readiness.audit.artifacts import Run
from evenkeel.readiness.audit.bars import NO_BARS
from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.moment import DAY_NS, instant_text
from evenkeel.readiness.audit.number import FLOAT_TOLERANCE, POSTING_TOLERANCE

MONEY = pl.Decimal(38, 8)
DRAWDOWN_TOLERANCE = 1e-12
NO_POINTS = "the run has no equity points"


def account_states(run: Run) -> pl.DataFrame:
    """Return the account after each fill: `stamp_ns, cash, position, units, entry`; the first row is the start.

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
    return pl.DataFrame(rows, schema=schema, orient="row").sort("stamp_ns", maintain_order=True)


def _with_states(run: Run) -> pl.DataFrame:
    """Return the equity points beside the account that the fills stamped before them make."""
    states = account_states(run).rename({"cash": "cash_known", "position": "position_known"})
    points = run.equity.sort("time_ns", maintain_order=True)
    return points.join_asof(
        states, left_on="time_ns", right_on="stamp_ns", strategy="backward", allow_exact_matches=False
    )


def _first(table: pl.DataFrame, sentence: str) -> Iterator[str]:
    """Yield the sentence for each row of what was found wrong, its columns filled in."""
    for row in table.iter_rows(named=True):
        yield sentence.format(at=instant_text(row["time_ns"]), **row)


def equity_walk(run: Run) -> Check:
    """Check cash and position at each point, and that equity is cash whenever no position is open, exactly."""
    name = "EQUITY_WALK"
    if run.equity.is_empty():
        return skipped(name, NO_POINTS)
    points = _with_states(run)
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


def equity_points(run: Run, execution: pl.DataFrame | None) -> Check:
    """Check that there is one point at each close of an execution bar since the first that could trade."""
    name = "EQUITY_POINTS"
    if execution is None:
        return skipped(name, NO_BARS)
    times = run.equity["time_ns"]
    problems = [f"the point at {instant_text(t)} does not follow the one before" for t in _not_rising(times)]
    first = run.terms.first_trade_ns
    if first is None or times.is_empty():
        if (first is None) != times.is_empty():
            problems.append(f"{len(times)} points, but the first instant of trading is {first and instant_text(first)}")
        return judged(name, problems, "none: the run never got warm")
    closes = execution["close_ns"]
    due = closes.filter((closes > first) & (closes <= times[-1])).to_list()
    got = times.to_list()
    allowed = {*closes.filter(closes >= first).to_list(), got[-1]}
    problems += [f"{instant_text(time)} is no close of an execution bar" for time in got if time not in allowed]
    if run.terms.segments == 1:
        problems += [f"there is no point at {instant_text(time)}" for time in sorted(set(due) - set(got))]
        if run.result.text("stop_reason") == "end_of_data" and len(closes) and got[-1] < closes[-1]:
            problems.append(f"the curve ends at {instant_text(got[-1])}, before the last execution bar")
    return judged(name, problems, f"{len(got)} points, one each execution bar")


def _not_rising(times: pl.Series) -> list[int]:
    return times.filter((times.diff() <= 0).fill_null(value=False)).to_list()


def equity_marks(run: Run, execution: pl.DataFrame | None) -> Check:
    """Check that equity is cash plus the open position valued at the close of the execution bar."""
    name = "EQUITY_MARK"
    if execution is None:
        return skipped(name, NO_BARS)
    closes = execution.select(time_ns=pl.col("close_ns"), mark=pl.col("close"))
    held = _with_states(run).filter(pl.col("position_known") != 0).join(closes, on="time_ns", how="left")
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
