"""Sets run together: one union of their programs, and for each block of bars each set's loop, one after the other.

Every set has a venue of its own and runs through the same loop as a backtest of it. What a run would keep, the curve
and the reports, is written into space that all sets share, and added to the set's sums before the next set is run.
A block is one call of `walk`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from evenkeel.engine.market import Market
from evenkeel.engine.metrics import figures, session_returns
from evenkeel.engine.record import STOPS
from evenkeel.engine.research import end_stretch
from evenkeel.engine.sweep import tally
from evenkeel.engine.sweep.outcome import Outcome
from evenkeel.engine.sweep.union import Member, UnionRun, merge, shape_of
from evenkeel.engine.sweep.walk import ALL_PASSED, SEAT_COLUMNS, WALK_SIGNATURE, walk
from evenkeel.engine.trials import look_of
from evenkeel.features.graph import RUN_SIGNATURE, run_block
from evenkeel.features.lean import lean_program
from evenkeel.kernel import compiled
from evenkeel.model.bar import Ints
from evenkeel.model.errors import InvariantBroken
from evenkeel.model.number import postings_from_money
from evenkeel.model.reason import StopReason
from evenkeel.strategies.strategy import DecideKernel, Strategy, decision_rows
from evenkeel.venues.simulated.book import Book, Ledger, Pause
from evenkeel.venues.simulated.venue import ReportSpace, SimulatedVenue

BLOCK_BARS = 2048
"""Bars of a block: what the sets read stays in the cache of a core while one after the other reads it."""

_NEVER = np.iinfo(np.int64).max

Told = Callable[[float], None]
"""Called with the number of base bars just passed, counted once for each set."""


@dataclass(frozen=True, slots=True)
class Job:
    """A set to be run.

    Attributes:
        number: Its place among all sets.
        strategy: With its values.
        market: What it runs on.
    """

    number: int
    strategy: Strategy
    market: Market


def alike(job: Job) -> object:
    """Return what jobs must have in common to run together: the bars, when they decide, and that a kernel decides."""
    spans = tuple(id(stretch.series) for stretch in job.market.stretches)
    return spans, shape_of(job.strategy.program)


def run_together(
    jobs: Sequence[Job], *, told: Told, stopped: Callable[[], bool], block: int = BLOCK_BARS
) -> Iterator[tuple[int, Outcome]]:
    """Run jobs that are alike, and yield what each brought; nothing once `stopped` says so.

    Args:
        jobs: At least one.
        told: Of progress.
        stopped: Whether to give up, asked before each block.
        block: Bars of a block; it changes no result.
    """
    union = merge([lean_program(job.strategy.program, decision_rows(job.strategy)) for job in jobs])
    market = jobs[0].market
    space = _Space(market, len(jobs))
    runs = [_SetRun(job, member, space) for job, member in zip(jobs, union.members, strict=True)]
    for number, stretch in enumerate(market.stretches):
        features = union.start(stretch.series, block)
        space.open(number)
        going = [run for run in runs if run.goes_on]
        for run in going:
            run.open(number, features)
        seats = _Seats(going, features, space)
        while going and features.advance():
            if stopped():
                return
            seats.advance()
            told(len(runs) * float(features.bars.last[features.stop - 1] - features.bars.first[features.start] + 1))
        for run in going:
            run.close()
    for run in runs:
        yield run.job.number, run.outcome()


class _Space:
    """What the sets of a group write into, one after the other, their sums, and the sessions of their bars.

    Attributes:
        reports: For reports of fills.
        equity: For the points of a block.
        days: Session in which each execution bar ends, by stretch.
        ends: Execution bars that are the last of theirs, of the stretch that is open.
        sums: See `tally.Sum`, a line a set.
        deepest: Deepest fall over the points, of each set.
        sessions: Equity at the end of each session of the stretch that is open, a line a set.
    """

    def __init__(self, market: Market, sets: int) -> None:
        compiled(tally.add, tally.ADD_SIGNATURE)
        compiled(tally.finish, tally.FINISH_SIGNATURE)
        self.reports = ReportSpace()
        closes = [stretch.series.on(stretch.exec).bars.close_ns for stretch in market.stretches]
        self.equity: Ints = np.zeros(max(map(len, closes)), dtype=np.int64)
        self.days = [np.maximum.accumulate(market.calendar.session_of(times - 1)).astype(np.int64) for times in closes]
        self._ends = [np.flatnonzero(np.diff(days, append=_NEVER)) for days in self.days]
        self.sums, self.deepest = tally.new_sums(sets), np.zeros(sets)

    def open(self, number: int) -> None:
        """Stand before a stretch."""
        self.ends = self._ends[number]
        self.sessions: Ints = np.zeros((len(self.sums), len(self.ends)), dtype=np.int64)
        self.sums[:, [tally.Sum.SEEN, tally.Sum.OPENED]] = 0


class _Seats:
    """The sets that go on, as the compiled walk reads them."""

    def __init__(self, runs: Sequence[_SetRun], features: UnionRun, space: _Space) -> None:
        compiled(run_block, RUN_SIGNATURE)
        compiled(walk, WALK_SIGNATURE)
        self._runs, self._features, self._space = runs, features, space
        lines = [[*run.venue.line(), *features.seat(run.member, run.venue.ledger)] for run in runs]
        self._table = np.array(lines, dtype=np.int64).reshape(len(lines), SEAT_COLUMNS)

    def advance(self) -> None:
        """Pass the block that the features hold with each set.

        Raises:
            InvariantBroken: If the books of one of them break.
        """
        features, graph, space = self._features, self._features.graph, self._space
        broken = walk(
            self._table, graph.plan, graph.p, graph.s, graph.r, graph.x, features.kept, features.history,
            space.reports.ints, space.reports.floats, space.equity, space.ends, space.sessions, space.sums,
            space.deepest, features.column, features.start, features.stop,
        )  # fmt: skip
        if broken != ALL_PASSED:
            self._runs[broken].venue.refuse_fault(Pause.FAULT)


class _SetRun:
    """One set on its way.

    Attributes:
        job: The set.
        member: Its place in the union.
        venue: Where it trades.
    """

    def __init__(self, job: Job, member: Member, space: _Space) -> None:
        strategy, rows = job.strategy, member.rows
        self.job, self.member, self._space = job, member, space
        self.venue = SimulatedVenue(
            strategy.terms, strategy.instrument, wake_flat=rows[strategy.wake_flat],
            wake_hold=rows[strategy.wake_hold], decide=_placed(strategy.kernel, member), space=space.reports,
        )  # fmt: skip
        self._sums, self._deepest = space.sums[member.number], space.deepest[member.number : member.number + 1]
        self._days: list[Ints] = []
        self._equity: list[Ints] = []
        self._first_ns: int | None = None
        self._point_ns = self._last_ns = 0

    @property
    def goes_on(self) -> bool:
        """Whether no limit has stopped it."""
        return bool(self.venue.ledger[Ledger.STOPPED] == 0)

    def open(self, number: int, features: UnionRun) -> None:
        """Stand before the first decision of a stretch."""
        self._stretch, self._features = self.job.market.stretches[number], features
        stretch = self._stretch
        self.venue.open_stretch(
            features, stretch.series, first_exec=stretch.first_exec, carry=stretch.carry, mark=stretch.mark,
            index=stretch.index, equity=self._space.equity,
        )  # fmt: skip

    def close(self) -> None:
        """Take the points of the stretch, and leave it flat."""
        venue, stretch, space = self.venue, self._stretch, self._space
        first, stop = stretch.first_exec, int(venue.book[Book.EXEC])
        closes, days = self._features.bars.bars.close_ns, space.days[stretch.number]
        if first < stop:
            passed = (space.ends >= first) & (space.ends < stop)
            self._days += [days[space.ends[passed]], days[stop - 1 : stop]]
            self._equity += [
                space.sessions[self.member.number, passed], self._sums[tally.Sum.LAST : tally.Sum.LAST + 1].copy()
            ]  # fmt: skip
            self._first_ns = int(closes[first]) if self._first_ns is None else self._first_ns
            self._point_ns = int(closes[stop - 1])
        row = min(int(venue.book[Book.ROW]), len(stretch.series.base)) - 1
        self._last_ns = int(stretch.series.base.close_ns[row])
        end_stretch(venue, stretch)
        ledger = venue.ledger
        tally.add(
            space.equity, 0, 0, self._features.bars.last, space.ends, space.sessions[self.member.number],
            space.reports.ints, int(ledger[Ledger.REPORTS]), self._sums, self._deepest,
        )  # fmt: skip
        ledger[Ledger.REPORTS] = 0

    def outcome(self) -> Outcome:
        """Return what the set brought."""
        venue, account, market = self.venue, self.job.strategy.terms.account, self.job.market
        cash = int(venue.ledger[Ledger.CASH])
        tally.finish(cash, self._point_ns == self._last_ns, self._sums, self._deepest)
        first_ns = self._last_ns if self._first_ns is None else self._first_ns
        sums = tally.as_sums(
            self._sums, deepest=float(self._deepest[0]), deepest_intrabar=venue.drawdown, end=cash,
            duration_ns=self._last_ns - first_ns,
        )  # fmt: skip
        days, sessions = self._session_ends(cash)
        found = figures(
            sums, start_equity=account.start_equity, sessions=sessions, per_year=market.calendar.sessions_per_year
        )
        returns = session_returns(postings_from_money(account.start_equity), sessions)
        return Outcome(
            metrics=found, result_hash=None, trades=sums.trades, returns=returns,
            stop_reason=STOPS.get(int(venue.ledger[Ledger.STOPPED]), StopReason.END_OF_DATA).value,
            look=look_of(self.job.strategy, market, days, returns, found, "sweep"),
        )  # fmt: skip

    def _session_ends(self, cash: int) -> tuple[list[int], list[int]]:
        """Return trading days and the equity at the end of each, as `session_equity` does for a record.

        The point after the last exit belongs to the last of them.
        """
        last = self.job.market.calendar.session_of(np.array([self._last_ns - 1]))
        days = np.maximum.accumulate(np.concatenate([*self._days, last]))
        equity = np.concatenate([*self._equity, np.array([cash])])
        ends = np.flatnonzero(np.diff(days, append=_NEVER))
        known = ends[days[ends] >= 0]
        return days[known].tolist(), equity[known].tolist()


def _placed(kernel: DecideKernel | None, member: Member) -> DecideKernel:
    """Return a decide kernel that reads its rows where they stand in the union."""
    if kernel is None:
        raise InvariantBroken("only sets with a kernel are run together")
    return DecideKernel(kernel.node, kernel.params, tuple(member.rows[row] for row in kernel.rows))
