"""The account valued at every base bar: `STOP_REASON` and `METRIC_DRAWDOWN_INTRABAR`.

The walk is in float64 and compared to 1e-9: it decides nothing about money, only when a limit was reached.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evenkeel.readiness.audit.artifacts import Run
from evenkeel.readiness.audit.bars import NO_BARS, BaseBars
from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.course import Course
from evenkeel.readiness.audit.curve import falls, last_not_after
from evenkeel.readiness.audit.liquidation import LIQUIDATION
from evenkeel.readiness.audit.moment import instant_text
from evenkeel.readiness.audit.number import CENT, HUNDRED, exact, same_statistic
from evenkeel.readiness.audit.states import States
from evenkeel.readiness.audit.tally import Bools, Floats

LIMIT_TOLERANCE = 1e-12
BLOCK = 1 << 16
"""Base bars that are valued at once."""

STOPS = ("max_drawdown", "equity_stop")
LIQUIDATED = "liquidated"
OF_NO_LIMIT = ("end_of_data", "playbook")
"""How a run ends that met no limit of its own: with its data, or with the playbook that it is a part of."""


class Marks:
    """The account at every base bar: its falls, and where it first reached a limit.

    Args:
        run: Has the limits.
        bars: The base bars.
        states: The account after each posting.

    Attributes:
        count: How many marks there are: one each base bar and the final account.
        largest: The largest fall, a fraction.
    """

    def __init__(self, run: Run, bars: BaseBars, states: States) -> None:
        self.count = len(bars) + 1
        self.largest = 0.0
        self._first: dict[tuple[str, bool], int] = {}
        terms, highest = run.terms, float(run.terms.start_equity)
        stop, largest = float(terms.stop_equity), float(terms.drawdown_max)
        for begin, marks in _valued(bars, states):
            fallen, highest = falls(marks, highest)
            self.largest = max(self.largest, float(fallen.max()))
            for certain, slack in ((False, LIMIT_TOLERANCE), (True, -LIMIT_TOLERANCE)):
                self._note(STOPS[0], begin, fallen >= largest - slack, certain=certain)
                self._note(STOPS[1], begin, marks <= stop + slack * max(1.0, abs(stop)), certain=certain)
        last = float(run.final_equity)
        self.largest = max(self.largest, (max(highest, last) - last) / max(highest, last))

    def _note(self, reason: str, begin: int, reached: Bools, *, certain: bool) -> None:
        if (reason, certain) not in self._first and reached.any():
            self._first[reason, certain] = begin + int(np.argmax(reached))

    def first(self, reason: str, *, certain: bool) -> int | None:
        """Return the first base bar that reached a limit; unless `certain` also what lies just short of it counts."""
        return self._first.get((reason, certain))

    def before(self, row: int) -> Iterator[str]:
        """Yield the limits that a base bar before this one certainly reached."""
        for reason in STOPS:
            first = self.first(reason, certain=True)
            if first is not None and first < row:
                yield reason


def _valued(bars: BaseBars, states: States) -> Iterator[tuple[int, Floats]]:
    """Yield what the account is worth at the close of each base bar, before any exit at that close, in blocks."""
    stamps = states.stamp_ns + states.late
    order = np.argsort(stamps, kind="stable")
    ordered, stamps = states.at(order), stamps[order]
    cash = ordered.cash / 1e8
    for begin in range(0, len(bars), BLOCK):
        state = last_not_after(stamps, bars.opens[begin : begin + BLOCK])
        close = bars.column("close")[begin : begin + BLOCK]
        yield begin, cash[state] + ordered.units[state] * (close - ordered.entry[state])


def intrabar_drawdown(run: Run, marks: Marks | None, courses: list[Course | None] | None) -> Check:
    """Check the largest drawdown over the closes of all base bars and the final account, in percent."""
    name = "METRIC_DRAWDOWN_INTRABAR"
    if marks is None:
        return skipped(name, NO_BARS)
    recorded = run.result.optional_number("metrics.max_drawdown_intrabar_pct")
    largest = exact(marks.largest) * HUNDRED
    # the engine values the account to 1e-8; each payment of funding at the border of two postings leaves as much open
    unsure = max((sum(paid.unsure for paid in course.payments) for course in courses or () if course), default=0)
    rounding = HUNDRED * (2 + unsure) * CENT / run.terms.start_equity
    agrees = same_statistic(recorded, largest) or (recorded is not None and abs(recorded - largest) <= rounding)
    problems = [] if agrees else [f"max_drawdown_intrabar_pct is {recorded}, the base bars give {largest:.9f}"]
    return judged(name, problems, f"{largest:.6f} percent over {marks.count} marks")


def stop_reason(run: Run, bars: BaseBars | None, marks: Marks | None) -> Check:
    """Check that the run ended for the reason given: at the first base bar that reached a limit, or with the data."""
    name = "STOP_REASON"
    if run.manifest.has("portfolio"):
        return skipped(name, "the limits are those of an account that others share; PORTFOLIO_STOP looks at them")
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
        problems += _unheeded(bars, marks)
    elif recorded in STOPS:
        problems += _stopped(run, bars, marks, recorded)
    else:
        problems.append(f"{recorded!r} is no reason for the end of a run")
    return judged(name, problems, f"{recorded}; both limits at every base bar")


def _unheeded(bars: BaseBars, marks: Marks) -> Iterator[str]:
    """Report a limit that was reached before the last bar without ending the run."""
    for reason in marks.before(len(bars) - 1):
        at = instant_text(int(bars.opens[marks.first(reason, certain=True) or 0]))
        yield f"the base bar of {at} reached the limit {reason}, but the run went on"


def _liquidated(run: Run, bars: BaseBars, marks: Marks) -> Iterator[str]:
    """Report a trade after the first liquidation, or a limit that had been reached before it."""
    first = next((number for number, trade in enumerate(run.trades) if trade.exit_reason == LIQUIDATION), None)
    if first is None:
        return
    for trade in run.trades[first + 1 :]:
        yield f"{trade.label} comes after the liquidation that ended the run"
    row = bars.exit_row(run.trades[first].exit_ns, run.trades[first].exit_point)
    for reason in marks.before(row or 0):
        yield f"the run ended by {LIQUIDATED}, but an earlier base bar had reached the limit {reason}"


def _stopped(run: Run, bars: BaseBars, marks: Marks, reason: str) -> Iterator[str]:
    """Report whatever goes on beyond the open of the base bar after the one that reached the limit."""
    row = marks.first(reason, certain=False)
    if row is None:
        yield f"the run ended by {reason}, but no base bar reached that limit"
        return
    for other in marks.before(row):
        yield f"the run ended by {reason}, but an earlier base bar had reached the limit {other}"
    reached_ns = int(bars.opens[row])
    last = min(row + 1 + run.terms.delay, len(bars) - 1)
    for trade in run.trades:
        left = bars.exit_row(trade.exit_ns, trade.exit_point)
        if trade.entry_ns > reached_ns or left is None or left > last:
            yield f"{trade.label} goes on after {instant_text(reached_ns)}, where the limit {reason} was reached"
        elif trade.exit_reason == reason and left != last:
            yield f"{trade.label} ended by {reason}, but not at the open after {instant_text(reached_ns)}"
