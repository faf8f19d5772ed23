"""`NO_LOOKAHEAD` (32): a decision is the same when all data after its instant is taken away.

Decisions are a sample, spread evenly over the entries, the exits by signal and all others; how many depends on how
much there is to compute again for each.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evenkeel.readiness.audit.artifacts import Run
from evenkeel.readiness.audit.bars import BaseBars
from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.moment import instant_text
from evenkeel.readiness.audit.replay.play import Play
from evenkeel.readiness.audit.replay.said import Said, Stretch, said_by
from evenkeel.readiness.audit.replay.stages import Ints

NAME = "NO_LOOKAHEAD"
ROWS_MAX = 3_000_000
"""So many base bars are computed again in all, over all samples."""

SAMPLES_MAX, SAMPLES_MIN = 24, 3


def truncated(run: Run, bars: BaseBars, play: Play, parts: list[Stretch], first: list[int]) -> Check:
    """Check a sample of decisions against the data that there was when they were made."""
    decisions = sum(len(part) - start for part, start in zip(parts, first, strict=True))
    if not decisions:
        return skipped(NAME, "the run never got warm, so it decided nothing")
    wanted = max(SAMPLES_MIN, min(SAMPLES_MAX, ROWS_MAX // max(len(bars), 1)))
    whole = said_by(parts, 1)
    entries, exits = _entered(run, bars, whole), _left(run, bars, whole)
    offsets = np.cumsum([0, *(len(part) for part in parts)])
    warm = np.concatenate([np.arange(a + start, b) for a, b, start in zip(offsets, offsets[1:], first, strict=False)])
    acted = {*_spread(entries, -(-wanted // 2)), *_spread(exits, wanted // 3)}
    sample = sorted(acted | {*_spread(warm, max(wanted - len(acted), 1))})
    problems = [problem for at in sample for problem in _problems(run, play, parts, offsets, whole, at)]
    told = f"{len(sample)} of {decisions} decisions on truncated data, {len(acted)} of them entries or exits by signal"
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


def _spread(values: Ints, count: int) -> list[int]:
    """Return so many of the values, evenly spread, the last one included."""
    if len(values) <= count:
        return [int(value) for value in values]
    return [int(value) for value in values[np.linspace(0, len(values) - 1, count).round().astype(np.int64)]]


def _problems(run: Run, play: Play, parts: list[Stretch], offsets: Ints, whole: Said, at: int) -> Iterator[str]:
    number = int(np.searchsorted(offsets, at, side="right")) - 1
    part, place = parts[number], at - int(offsets[number])
    rows = int(part.last[place]) - part.row + 1
    then = Stretch(play, part.market.cut(rows), part.row)
    when = instant_text(int(part.close_ns[place]))
    if len(then) != place + 1:
        yield f"at {when} there is no decision without the data after it"
        return
    for wish, early, late in zip(play.wishes, then.voices(1), whole.voices, strict=True):
        impossible = (early.must[place] and not late.may[at]) or (late.must[at] and not early.may[place])
        if impossible:
            yield f"at {when} the data after it changes whether {wish.name!r} asks for {wish.action}"
    yield from _against_record(run, play, then, place, when)


def _against_record(run: Run, play: Play, then: Stretch, place: int, when: str) -> Iterator[str]:
    """Report an entry of the run that the data up to its decision does not ask for."""
    said = said_by([then], 1)
    decided = run.times_of_positions("decided_time", "decided_ns")
    for number in np.flatnonzero(decided == then.close_ns[place]).tolist():
        position = run.positions[number]
        if not said.entry(play, position.sign).may[place]:
            yield f"trade {position.number}: at {when} the data up to then asks for no such entry"
