"""The equity curve beside the account that the fills make: walked once, in blocks, for all checks of the curve.

Each point gets two row numbers, that of the last account state it may know and that of the execution bar it stands
for. Everything else is then a comparison of columns.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from evenkeel.readiness.audit.artifacts import Run
from evenkeel.readiness.audit.bars import BaseBars
from evenkeel.readiness.audit.moment import DAY_NS, instant_text
from evenkeel.readiness.audit.number import FLOAT_TOLERANCE, POSTING_TOLERANCE, ZERO
from evenkeel.readiness.audit.points import Block, Points, sorted_in_time
from evenkeel.readiness.audit.states import States
from evenkeel.readiness.audit.tally import Floats, Ints

DRAWDOWN_TOLERANCE = 1e-12


@dataclass(slots=True)
class Curve:
    """What the points of a run say, and what they say wrong.

    Attributes:
        count: How many points there are.
        last: Equity of the last one; None without points.
        held: How many have an open position.
        told: Of how many the account is known; `flat` of them have no position, `open` one that was valued.
        peak: The highest equity, or start, before the deepest fall as a fraction; `low` is the equity there.
        deepest: The largest fall in money.
        closed: By instant in `ends` the equity of the last point before it; None before the first point.
        unseen: Equities in `wanted` that no point has.
        walk: What is wrong of cash, position and equity without one.
        marks: What is wrong of the value of open positions.
        drawdowns: What is wrong of the drawdowns.
    """

    count: int = 0
    last: Decimal | None = None
    held: int = 0
    told: int = 0
    flat: int = 0
    open: int = 0
    peak: Decimal = ZERO
    low: Decimal = ZERO
    deepest: Decimal = ZERO
    closed: dict[int, Decimal] = field(default_factory=dict)
    unseen: set[Decimal] = field(default_factory=set)
    walk: list[str] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    drawdowns: list[str] = field(default_factory=list)


def read_curve(run: Run, bars: BaseBars | None, states: States) -> Curve:
    """Return the curve of a run; `states` are those of its account.

    With bars a fill is known once its base bar is among those of the execution bar that closes at the point. Without,
    it is known after its stamp; points of a market with sessions at the very stamp of a fill are left out then, since
    only bars tell whether a closing auction came before. The last point knows all.
    """
    points = run.equity
    found = Curve(count=len(points))
    falls, known = _Falls(run, found), _Known(run, bars, states, found)
    in_order = bool((np.diff(points.times) >= 0).all())
    for block in points.blocks():
        falls.see(block)
        if in_order:
            known.see(block)
    for block in () if in_order else sorted_in_time(points):
        known.see(block)
    falls.end()
    known.end()
    return found


def money(count: int) -> Decimal:
    """Return a whole number of 1e-8 as an amount."""
    return Decimal(count).scaleb(-8)


class _Falls:
    """The points as the file has them: their falls, and which equities there are."""

    def __init__(self, run: Run, found: Curve) -> None:
        self._found = found
        self._start = run.terms.start_equity
        self._peak = float(self._start)
        self._highest = int(self._start.scaleb(8))
        self._worst = -1.0
        equities = () if run.sessions is None or run.terms.always_open else run.sessions["equity"].to_list()
        self._wanted = {int(one.scaleb(8)): one for one in equities}

    def see(self, block: Block) -> None:
        """Take the next points."""
        found, equity = self._found, block.equity
        highest = np.maximum(np.maximum.accumulate(equity), self._highest)
        fallen, self._peak = falls(equity / 1e8, self._peak)
        wrong = np.abs(block.drawdown - fallen) > DRAWDOWN_TOLERANCE
        for place in np.flatnonzero(wrong).tolist():
            when = instant_text(int(block.time_ns[place]))
            found.drawdowns.append(
                f"at {when} the drawdown is {block.drawdown[place]}, the curve gives {fallen[place]}"
            )
        worst = int(np.argmax(fallen))
        if fallen[worst] > self._worst:
            self._worst = float(fallen[worst])
            found.peak, found.low = max(self._start, money(int(highest[worst]))), money(int(equity[worst]))
        found.deepest = max(found.deepest, money(int((highest - equity).max())))
        found.held += int(np.count_nonzero(block.position))
        self._highest = int(highest[-1])
        found.last = money(int(equity[-1]))
        if self._wanted:
            for count in set(self._wanted) & set(equity.tolist()):
                del self._wanted[count]

    def end(self) -> None:
        """Note what no point had."""
        self._found.unseen = set(self._wanted.values())


class _Known:
    """The points in order of time, each beside the account that it knows."""

    def __init__(self, run: Run, bars: BaseBars | None, states: States, found: Curve) -> None:
        self._found = found
        self._count = found.count
        self._states = states.at(np.argsort(_keys(bars, states), kind="stable"))
        self._keys = _keys(bars, self._states)
        self._bars = None if bars is None or bars.execution is None else bars
        self._always_open = run.terms.always_open
        self._places = None if self._bars is None else Places(run.equity, self._bars)
        self._all_known = bool(states.known.all())
        self._off: tuple[list[str], ...] = ([], [], [])
        self._ends = _session_ends(run)
        self._last_equity: int | None = None

    def see(self, block: Block) -> None:
        """Take the next points."""
        self._sessions(block)
        place = None if self._places is None else self._places.of(block)
        state = self._state(block, place)
        known = state >= 0
        if not self._all_known:
            known &= self._states.known[state]
        if not known.all():
            there = np.flatnonzero(known)
            block, state, place = block.ordered(there), state[there], None if place is None else place[there]
        position = self._states.position[state]
        self._found.told += len(state)
        self._found.flat += len(state) - int(np.count_nonzero(position))
        self._walked(block, state, position)
        if place is not None:
            held = np.flatnonzero(position)
            self._found.open += len(held)
            self._valued(block, held, self._states.at(state[held]), place[held])

    def _state(self, block: Block, place: Ints | None) -> Ints:
        """Return the last state that each point knows; -1 where files alone do not tell."""
        nothing = np.zeros(len(block.time_ns), dtype=np.bool_)
        if place is None or self._bars is None:
            knows = block.time_ns - 1
            if not self._always_open:
                nothing = np.isin(block.time_ns, self._states.stamp_ns)
        else:
            nothing = place < 0
            knows = self._bars.lasts[np.maximum(place, 0)] * 2
        last = block.begin + len(knows) == self._count
        if last:
            knows = np.append(knows[:-1], 2**62)
            nothing = np.append(nothing[:-1], False)
        return np.where(nothing, -1, last_not_after(self._keys, knows))

    def _walked(self, block: Block, state: Ints, position: Floats) -> None:
        cash = self._states.cash[state]
        off = np.flatnonzero(block.cash != cash)
        for place in off[np.abs(block.cash - cash)[off] > self._states.slack[state[off]]].tolist():
            said = f"cash is {money(int(block.cash[place]))}, the postings give {money(int(cash[place]))}"
            self._off[0].append(f"at {_when(block, place)} {said}")
        for place in np.flatnonzero(block.position != position).tolist():
            said = f"the position is {block.position[place]}, the fills give {position[place]}"
            self._off[1].append(f"at {_when(block, place)} {said}")
        for place in np.flatnonzero((position == 0) & (block.equity != cash)).tolist():
            said = f"equity is {money(int(block.equity[place]))}, flat, with {money(int(cash[place]))} in cash"
            self._off[2].append(f"at {_when(block, place)} {said}")

    def _valued(self, block: Block, held: Ints, states: States, place: Ints) -> None:
        execution = None if self._bars is None else self._bars.execution
        if execution is None:
            return
        mark = np.where(place >= 0, execution["close"][np.maximum(place, 0)], np.nan)
        equity = block.equity[held]
        value, derived = (equity - block.cash[held]) / 1e8, states.units * (mark - states.entry)
        largest = np.abs(states.units) * (mark + states.entry) + np.abs(equity / 1e8)
        allowed = float(POSTING_TOLERANCE) + float(FLOAT_TOLERANCE) * largest
        for at in np.flatnonzero(~(np.abs(value - derived) <= allowed)).tolist():
            point, worth = int(held[at]), f"the position is worth {derived[at]:.8f}"
            said = f"equity is {money(int(equity[at]))} with {money(int(block.cash[point]))} in cash; {worth}"
            self._found.marks.append(f"at {_when(block, point)} {said}")

    def _sessions(self, block: Block) -> None:
        """Note the equity at the ends of sessions that lie within a block."""
        while self._ends and (not len(block.time_ns) or self._ends[-1] <= block.time_ns[-1]):
            self._end_session(block)
        self._last_equity = int(block.equity[-1])

    def _end_session(self, block: Block | None) -> None:
        end = self._ends.pop()
        place = -1 if block is None else int(np.searchsorted(block.time_ns, end, side="right")) - 1
        last = self._last_equity if place < 0 or block is None else int(block.equity[place])
        if last is not None:
            self._found.closed[end] = money(last)

    def end(self) -> None:
        """Note what is left when all points were seen."""
        while self._ends:
            self._end_session(None)
        self._found.walk = [problem for kind in self._off for problem in kind]


def _session_ends(run: Run) -> list[int]:
    """Return when the sessions of a market that never closes end, the last one first."""
    if run.sessions is None or not run.terms.always_open:
        return []
    return sorted(session_ends(run).tolist(), reverse=True)


def session_ends(run: Run) -> Ints:
    """Return when each session ends, by UTC days."""
    days = () if run.sessions is None else run.sessions["session"].to_physical().to_list()
    return (np.array(days, dtype=np.int64) + 1) * DAY_NS


def _when(block: Block, place: int) -> str:
    return instant_text(int(block.time_ns[place]))


def _keys(bars: BaseBars | None, states: States) -> Ints:
    return states.stamp_ns if bars is None or bars.execution is None else states.key


class Places:
    """Which execution bar each point stands for.

    Args:
        points: The points.
        bars: Has the execution bars.
    """

    def __init__(self, points: Points, bars: BaseBars) -> None:
        self._times = points.times if (np.diff(points.times) >= 0).all() else np.sort(points.times)
        self.closes: Ints = np.zeros(0, dtype=np.int64) if bars.execution is None else bars.execution["close_ns"]
        self._start = int(np.searchsorted(self.closes, self._times[0])) if len(self._times) else 0
        part = self.closes[self._start : self._start + len(self._times)]
        self.regular = np.array_equal(part, self._times)
        """The rule: one point at each close, from the first on."""

    def of(self, block: Block) -> Ints:
        """Return the row of the close at the time of each point, the nth for the nth; -1 where there is none.

        A closing auction ends at the instant at which the bar before it ended, so one time may stand for two bars.
        """
        number = np.arange(block.begin, block.begin + len(block.time_ns))
        if self.regular:
            number += self._start
            return number
        nth = number - np.searchsorted(self._times, block.time_ns)
        row = np.searchsorted(self.closes, block.time_ns) + nth
        there = (row < len(self.closes)) & (
            np.append(self.closes, -1)[np.minimum(row, len(self.closes))] == block.time_ns
        )
        return np.where(there, row, -1)

    def all(self) -> Ints:
        """Return the rows of all points in order of time."""
        nothing = np.zeros(0)
        return self.of(Block(0, self._times, nothing.astype(np.int64), nothing.astype(np.int64), nothing, nothing))


def last_not_after(keys: Ints, values: Ints) -> Ints:
    """Return for each value the last of the rising keys that is not above it; -1 where there is none."""
    if not len(values) or (np.diff(values) < 0).any():
        return np.searchsorted(keys, values, side="right") - 1
    begin, end = np.searchsorted(keys, values[[0, -1]], side="right").tolist()
    edges = np.searchsorted(values, keys[begin:end])
    return np.repeat(np.arange(begin - 1, end), np.diff(edges, prepend=0, append=len(values)))


def falls(marks: Floats, peak: float) -> tuple[Floats, float]:
    """Return how far each mark lies below the highest so far (at least `peak`), as a fraction of it; and that."""
    peaks = np.maximum(np.maximum.accumulate(marks), peak)
    return (peaks - marks) / peaks, float(peaks[-1])
