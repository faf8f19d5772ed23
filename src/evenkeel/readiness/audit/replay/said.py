"""What the rules of a play say at each of its decisions, over all stretches of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evenkeel.readiness.audit.bars import BaseBars, Columns, scaled
from evenkeel.readiness.audit.replay.evaluate import Evaluator
from evenkeel.readiness.audit.replay.grid import Grid, Unsupported
from evenkeel.readiness.audit.replay.knowledge import Features, Knowledge
from evenkeel.readiness.audit.replay.language import Reference, Steps
from evenkeel.readiness.audit.replay.market import Market, Sides, sheet_of
from evenkeel.readiness.audit.replay.play import ENTRIES, EXITS, Play
from evenkeel.readiness.audit.replay.stages import Bools, Floats, Ints
from evenkeel.readiness.audit.replay.truth import Truth, constant


@dataclass(frozen=True, slots=True)
class Voice:
    """Where a wish may be emitted, and where it must be; the two differ at the border of a comparison only."""

    may: Bools
    must: Bools


class Stretch:
    """The decisions of one stretch of data.

    Args:
        play: What decides.
        market: The bars of the stretch.
        row: Base row of the run at which it begins.
        sides_of: What lies beside the bars.

    Attributes:
        last: Newest base row of the run at each decision.
        open_ns: When the bar opened at whose close each decision was made.
        close_ns: When each decision was made.
        row: As given.
        rows: How many base bars it has.
    """

    def __init__(self, play: Play, market: Market, row: int) -> None:
        drive = market.base if play.intrabar else play.execution
        if drive not in market.sheets:
            raise Unsupported(f"the {drive} bars were not given, at whose closes decisions are made")
        self.market, self.row, self.rows = market, row, len(market.sheets[market.base])
        last = market.sheets[drive].last
        self.last: Ints = last + row if row else last
        self.open_ns: Ints = market.sheets[drive].open_ns
        self.close_ns: Ints = market.sheets[drive].close_ns
        self._play = play
        features = Features(play, market)
        self._steps = Steps(play, features.timeframe)
        self._grid = Grid(market, drive, self._steps.all(), list(play.roles.values()))
        self._knowledge = Knowledge(play, market, features, self._grid)

    def __len__(self) -> int:
        return len(self.last)

    def value(self, name: str, field: str = "") -> Floats:
        """Return a value at each decision."""
        return self._knowledge.values(Reference(name, field, 0)).at[self._grid.decisions]

    def forget(self) -> None:
        """Let go of what was worked out; it is worked out anew where it is asked for again."""
        self._knowledge = Knowledge(self._play, self.market, Features(self._play, self.market), self._grid)

    def voices(self, leeway: int) -> list[Voice]:
        """Return where each wish of the play is emitted; `leeway` as of `Evaluator`."""
        evaluator = Evaluator(self._grid, self._steps, self._play.setups, self._knowledge.values, leeway)
        cases = [self._cases(evaluator, block) for block in self._play.blocks]
        return [self._voice(cases[wish.block], wish.case) for wish in self._play.wishes]

    def _cases(self, evaluator: Evaluator, block: Sequence[object]) -> list[Truth]:
        found = [constant(len(self._grid), value=True) if when is None else evaluator.truth(when) for when in block]
        decided = self._grid.decisions
        if len(decided) == len(self._grid):
            return found
        return [Truth(one.true[decided], one.false[decided], one.unknown[decided]) for one in found]

    def _voice(self, cases: Sequence[Truth], case: int) -> Voice:
        may, must = cases[case].true, ~cases[case].not_true
        for earlier in cases[:case]:
            may, must = may & earlier.not_true, must & ~earlier.true
        return Voice(may, must)


@dataclass(frozen=True, slots=True)
class Said:
    """What was said at every decision of a run.

    Attributes:
        last: Newest base row at each decision.
        close_ns: When.
        voices: Of each wish of the play.
    """

    last: Ints
    close_ns: Ints
    voices: Sequence[Voice]

    def entry(self, play: Play, side: int) -> Voice:
        """Return where an entry of a side is decided: asked for, and the other one not."""
        own, other = self._asked(play, side), self._asked(play, -side)
        return Voice(own.may & ~other.must, own.must & ~other.may)

    def leave(self, play: Play, side: int) -> Voice:
        """Return where a holder of a side wants to leave, in whole or in part."""
        return self._any([k for k, wish in enumerate(play.wishes) if side in EXITS.get(wish.action, ())])

    def first(self, play: Play, side: int, at: int, *, holding: bool) -> list[int]:
        """Return which wishes may be the first that counts at a decision, for one who is flat or holds a side."""
        found = []
        for number, (wish, voice) in enumerate(zip(play.wishes, self.voices, strict=True)):
            own = side in EXITS.get(wish.action, ()) if holding else ENTRIES.get(wish.action) == side
            if own and voice.may[at]:
                found.append(number)
                if voice.must[at]:
                    break
        return found

    def _asked(self, play: Play, side: int) -> Voice:
        allowed = side in play.sides
        return self._any([k for k, wish in enumerate(play.wishes) if allowed and ENTRIES.get(wish.action) == side])

    def _any(self, numbers: Sequence[int]) -> Voice:
        if not numbers:
            nothing = np.zeros(len(self.last), dtype=np.bool_)
            return Voice(nothing, nothing)
        may, must = self.voices[numbers[0]].may, self.voices[numbers[0]].must
        for number in numbers[1:]:
            may, must = may | self.voices[number].may, must | self.voices[number].must
        return Voice(may, must)


def stretches(
    play: Play, bars: BaseBars, higher: Mapping[str, Columns], sides: Sides | None, *,
    names: tuple[str, str], starts: Sequence[int], always_open: bool,
) -> list[Stretch]:  # fmt: skip
    """Return the stretches of a run.

    Args:
        play: What decides.
        bars: The base bars.
        higher: The other timeframes with their base rows.
        sides: What lies beside the bars; None where it was not given.
        names: The base timeframe and that of execution.
        starts: Base row at which each stretch begins.
        always_open: Whether the market never closes.
    """
    tables = {**higher, names[0]: {**bars.columns, "first": bars.rows, "last": bars.rows}}
    try:
        tables = {name: scaled(bars, table) for name, table in tables.items()}
    except ValueError as reason:
        raise Unsupported(str(reason)) from None
    ends = [*starts[1:], len(bars)]
    found = []
    for start, stop in zip(starts, ends, strict=True):
        sheets = {name: sheet_of(table, start, stop) for name, table in tables.items()}
        found.append(Stretch(play, Market(names[0], names[1], sheets, always_open, sides), start))
    return found


def said_by(parts: Sequence[Stretch], leeway: int) -> Said:
    """Return what was said over all stretches."""
    voices = [part.voices(leeway) for part in parts]
    if len(parts) == 1:
        return Said(parts[0].last, parts[0].close_ns, voices[0])
    return Said(
        np.concatenate([part.last for part in parts]),
        np.concatenate([part.close_ns for part in parts]),
        [Voice(np.concatenate([one.may for one in same]), np.concatenate([one.must for one in same]))
         for same in zip(*voices, strict=True)],
    )  # fmt: skip
