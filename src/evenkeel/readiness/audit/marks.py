"""The account valued at every base bar: `STOP_REASON` and `METRIC_DRAWDOWN_INTRABAR`.

The walk is in float64 and compared to 1e-9: it decides nothing about money, only when a limit was reached.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from evenkeel.readiness.audit.artifacts import Run
from evenkeel.readiness.audit.bars import NO_BARS, BaseBars
from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.course import Course
from evenkeel.readiness.audit.curve import falls
from evenkeel.readiness.audit.liquidation import LIQUIDATION
from evenkeel.readiness.audit.moment import instant_text
from evenkeel.readiness.audit.number import CENT, HUNDRED, exact, same_statistic

LIMIT_TOLERANCE = 1e-12
STOPS = ("max_drawdown", "equity_stop")
LIQUIDATED = "liquidated"
OF_NO_LIMIT = ("end_of_data", "playbook")
"""How a run ends that met no limit of its own: with its data, or with the playbook that it is a part of."""


def intrabar_drawdown(run: Run, marks: pl.Series | None, courses: list[Course | None] | None) -> Check:
    """Check the largest drawdown over the closes of all base bars and the final account, in percent."""
    name = "METRIC_DRAWDOWN_INTRABAR"
    if marks is None:
        return skipped(name, NO_BARS)
    recorded = run.result.optional_number("metrics.max_drawdown_intrabar_pct")
    marks = pl.concat([marks, pl.Series([float(run.final_equity)])])
    largest = exact(float(falls(marks, float(run.terms.start_equity)).max() or 0.0)) * HUNDRED  # type: ignore[arg-type]
    # the engine values the account to 1e-8; each payment of funding at the border of two postings leaves as much open
    unsure = max((sum(paid.unsure for paid in course.payments) for course in courses or () if course), default=0)
    rounding = HUNDRED * (2 + unsure) * CENT / run.terms.start_equity
    agrees = same_statistic(recorded, largest) or (recorded is not None and abs(recorded - largest) <= rounding)
    problems = [] if agrees else [f"max_drawdown_intrabar_pct is {recorded}, the base bars give {largest:.9f}"]
    return judged(name, problems, f"{largest:.6f} percent over {len(marks)} marks")


def base_marks(bars: BaseBars, states: pl.DataFrame) -> pl.Series:
    """Return what the account is worth at the close of each base bar, before any exit at that close."""
    states = states.with_row_index("order")
    states = states.with_columns(stamp_ns=pl.col("stamp_ns") + pl.col("late").cast(pl.Int64))
    states = states.sort("stamp_ns", "order")
    state = states["stamp_ns"].search_sorted(bars.table["open_ns"], side="right") - 1
    money, units, entry = (states[name].cast(pl.Float64).gather(state) for name in ("cash", "units", "entry"))
    return money + units * (bars.table["close"] - entry)


def stop_reason(run: Run, bars: BaseBars | None, marks: pl.Series | None) -> Check:
    """Check that the run ended for the reason given: at the first base bar that reached a limit, or with the data."""
    name = "STOP_REASON"
    if run.manifest.has("portfolio"):
        return skipped(name, "the limits are those of an account that other instruments share")
    if bars is None or marks is None:
        return skipped(name, NO_BARS)
    recorded = run.result.text("stop_reason")
    reasons = set(run.trades.values("exit_reason", "exit_reason").unique())
    liquidated = LIQUIDATION in reasons and not run.terms.margin.goes_on
    problems = [
        f"a trade ended by {reason}, the run by {recorded}" for reason in STOPS if reason in reasons - {recorded}
    ]
    if liquidated != (recorded == LIQUIDATED):
        problems.append(f"the run ended by {recorded}; it ends at a liquidation, if it is not to go on after it")
    if recorded == LIQUIDATED:
        problems += _liquidated(run, bars, marks)
    elif recorded in OF_NO_LIMIT:
        problems += _unheeded(run, bars, marks)
    elif recorded in STOPS:
        problems += _stopped(run, bars, marks, recorded)
    else:
        problems.append(f"{recorded!r} is no reason for the end of a run")
    return judged(name, problems, f"{recorded}; both limits at every base bar")


def _unheeded(run: Run, bars: BaseBars, marks: pl.Series) -> Iterator[str]:
    """Report a limit that was reached before the last bar without ending the run."""
    for reason in STOPS:
        reached = _reached(run, marks, reason, slack=-LIMIT_TOLERANCE)[:-1]
        if reached.any():
            at = instant_text(bars.table["open_ns"][reached.arg_max() or 0])
            yield f"the base bar of {at} reached the limit {reason}, but the run went on"


def _liquidated(run: Run, bars: BaseBars, marks: pl.Series) -> Iterator[str]:
    """Report a trade after the first liquidation, or a limit that had been reached before it."""
    first = next((number for number, trade in enumerate(run.trades) if trade.exit_reason == LIQUIDATION), None)
    if first is None:
        return
    for trade in run.trades[first + 1 :]:
        yield f"{trade.label} comes after the liquidation that ended the run"
    row = bars.exit_row(run.trades[first].exit_ns, run.trades[first].exit_point)
    for reason in STOPS if row is not None else ():
        if _reached(run, marks, reason, slack=-LIMIT_TOLERANCE)[:row].any():
            yield f"the run ended by {LIQUIDATED}, but an earlier base bar had reached the limit {reason}"


def _stopped(run: Run, bars: BaseBars, marks: pl.Series, reason: str) -> Iterator[str]:
    """Report whatever goes on beyond the open of the base bar after the one that reached the limit."""
    reached = _reached(run, marks, reason, slack=LIMIT_TOLERANCE)
    row = reached.arg_max()
    if row is None or not reached[row]:
        yield f"the run ended by {reason}, but no base bar reached that limit"
        return
    for other in STOPS:
        if _reached(run, marks, other, slack=-LIMIT_TOLERANCE)[:row].any():
            yield f"the run ended by {reason}, but an earlier base bar had reached the limit {other}"
    reached_ns = bars.table["open_ns"][row]
    last = min(row + 1 + run.terms.delay, len(bars) - 1)
    for trade in run.trades:
        left = bars.exit_row(trade.exit_ns, trade.exit_point)
        if trade.entry_ns > reached_ns or left is None or left > last:
            yield f"{trade.label} goes on after {instant_text(reached_ns)}, where the limit {reason} was reached"
        elif trade.exit_reason == reason and left != last:
            yield f"{trade.label} ended by {reason}, but not at the open after {instant_text(reached_ns)}"


def _reached(run: Run, marks: pl.Series, reason: str, *, slack: float) -> pl.Series:
    """Return at which base bars a limit was reached; a positive slack counts what lies just short of it."""
    if reason == "max_drawdown":
        return falls(marks, float(run.terms.start_equity)) >= float(run.terms.drawdown_max) - slack
    stop = float(run.terms.stop_equity)
    return marks <= stop + slack * max(1.0, abs(stop))
