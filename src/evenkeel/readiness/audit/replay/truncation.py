"""`NO_LOOKAHEAD` (32): a decision is the same when all data after its instant is taken away.

Decisions are a sample of the entries, the exits by signal and all others. Where computing again all the data before
each of 24 of them takes too long, each lies at a quarter of the one after it, so that all of them together take little
more than the data of the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from evenkeel.readiness.audit.artifacts import Run
from evenkeel.readiness.audit.bars import BaseBars
from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.moment import instant_text
from evenkeel.readiness.audit.replay.play import Play
from evenkeel.readiness.audit.replay.said import Said, Stretch, said_by
from evenkeel.readiness.audit.replay.stages import Ints

NAME = "NO_LOOKAHEAD"
ROWS_MAX = 1_500_000
"""So many base bars are computed again in all for a sample that is spread evenly."""

SAMPLES_MAX = 24


def truncated(run: Run, bars: BaseBars, play: Play, parts: list[Stretch], whole: Said, first: list[int]) -> Check:
    """Check a sample of decisions against the data that there was when they were made."""
    decisions = sum(len(part) - start for part, start in zip(parts, first, strict=True))
    if not decisions:
        return skipped(NAME, "the run never got warm, so it decided nothing")
    offsets = np.cumsum([0, *(len(part) for part in parts)])
    acted = _entered(run, bars, whole), _left(run, bars, whole)
    even = SAMPLES_MAX * len(bars) // 2 <= ROWS_MAX
    sample = sorted({
        at if kind < len(acted) else _warm(at, offsets, first)
        for kind, at in (_evenly if even else _quartering)((*acted, range(decisions)))
    })  # fmt: skip
    count = int(np.isin(sample, np.concatenate(acted)).sum())
    problems = [problem for at in sample for problem in _problems(run, play, parts, offsets, whole, at)]
    told = f"{len(sample)} of {decisions} decisions on truncated data, {count} of them entries or exits by signal"
    return judged(NAME, problems, told)


def _entered(run: Run, bars: BaseBars, said: Said) -> Ints:
    entered = run.times_of_positions("entry_time", "entry_ns")
    rows = bars.decision_rows(run.times_of_positions("decided_time", "decided_ns"), entered)
    return _decisions(said, rows[rows >= 0])


def _left(run: Run, bars: BaseBars, said: Said) -> Ints:
    signal = run.trades.values("exit_reason", "exit_reason") == "signal"
    opened = run.trades.values("exit_point", "exit_point") == "open"
    rows = bars.rows_at(run.trades.times("exit_time", "exit_ns").filter(signal & opened).to_numpy())
    return _decisions(said, rows[rows > 0] - 1)


def _decisions(said: Said, rows: Ints) -> Ints:
    """Return the decisions made at the close of base bars."""
    place = np.searchsorted(said.last, rows)
    known = said.last[np.minimum(place, len(said.last) - 1)] == rows
    return np.unique(place[known]) if len(rows) else np.zeros(0, dtype=np.int64)


def _evenly(kinds: Sequence[Sequence[int] | Ints]) -> Iterator[tuple[int, int]]:
    """Yield kind and value of a sample: half of the first kind, a third of the next, others, each spread evenly."""
    wanted = SAMPLES_MAX
    for kind, (values, most) in enumerate(zip(kinds, (SAMPLES_MAX // 2, SAMPLES_MAX // 3, SAMPLES_MAX), strict=True)):
        count = min(len(values), most, wanted)
        wanted -= count
        for place in np.linspace(0, len(values) - 1, count).round().astype(np.int64).tolist():
            yield kind, int(values[place])


def _quartering(kinds: Sequence[Sequence[int] | Ints]) -> Iterator[tuple[int, int]]:
    """Yield kind and value of a sample at the end, at a quarter, at a quarter of that and so on, the kinds in turn."""
    for power in range(SAMPLES_MAX):
        kind = power % len(kinds)
        values = kinds[kind] if len(kinds[kind]) else kinds[-1]
        place = (len(values) - 1) >> (2 * power)
        yield (kind if values is kinds[kind] else len(kinds) - 1), int(values[place])
        if not place:
            return


def _warm(number: int, offsets: Ints, first: Sequence[int]) -> int:
    """Return the decision of a number among those that were warmed up."""
    for begin, end, start in zip(offsets.tolist(), offsets[1:].tolist(), first, strict=False):
        count = end - begin - start
        if number < count:
            return int(begin + start + number)
        number -= max(count, 0)
    raise IndexError(number)


def _problems(run: Run, play: Play, parts: list[Stretch], offsets: Ints, whole: Said, at: int) -> Iterator[str]:
    number = int(np.searchsorted(offsets, at, side="right")) - 1
    part, place = parts[number], at - int(offsets[number])
    rows = int(part.last[place]) - part.row + 1
    then = Stretch(play, part.market.cut(rows), part.row)
    when = instant_text(int(part.close_ns[place]))
    if len(then) != place + 1:
        yield f"at {when} there is no decision without the data after it"
        return
    said = said_by([then], 1)
    for wish, early, late in zip(play.wishes, said.voices, whole.voices, strict=True):
        impossible = (early.must[place] and not late.may[at]) or (late.must[at] and not early.may[place])
        if impossible:
            yield f"at {when} the data after it changes whether {wish.name!r} asks for {wish.action}"
    yield from _against_record(run, play, then, said, place, when)


def _against_record(run: Run, play: Play, then: Stretch, said: Said, place: int, when: str) -> Iterator[str]:
    """Report an entry of the run that the data up to its decision does not ask for."""
    decided = run.times_of_positions("decided_time", "decided_ns")
    for number in np.flatnonzero(decided == then.close_ns[place]).tolist():
        position = run.positions[number]
        if not said.entry(play, position.sign).may[place]:
            yield f"trade {position.number}: at {when} the data up to then asks for no such entry"
