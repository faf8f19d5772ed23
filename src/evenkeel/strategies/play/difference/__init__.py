"""What an edit of a play changes in behaviour: two plays compared part by part, each difference in words.

    found = compare(before, after, warmup_before, warmup_after)
    found.is_equal, [change.line() for change in found.changes]

Two plays are equal in behaviour when every decision, order and limit is the same on the same bars. Names, order where
it decides nothing, descriptions and features that nothing reads are told as notes. Plays whose parts mean the same are
equal; plays that are told apart may still decide alike, because what two conditions have in common in the end is not
always provable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from evenkeel.model.time import Timeframe
from evenkeel.strategies.play.difference.change import Change, Effect
from evenkeel.strategies.play.difference.conditions import Side
from evenkeel.strategies.play.difference.features import compare_features
from evenkeel.strategies.play.difference.meaning import Meanings, Pairing
from evenkeel.strategies.play.difference.rules import compare_rules
from evenkeel.strategies.play.difference.settings import compare_settings, compare_symbols, compare_warmup
from evenkeel.strategies.play.english.values import Values
from evenkeel.strategies.play.play import Play

__all__ = ["Change", "Comparison", "Effect", "compare"]


class Comparison(msgspec.Struct, frozen=True):
    """What differs between two plays.

    Attributes:
        changes: Of behaviour.
        notes: What differs and decides nothing.
    """

    changes: list[Change]
    notes: list[str]

    @property
    def is_equal(self) -> bool:
        """Whether both behave alike."""
        return not self.changes


def compare(
    before: Play,
    after: Play,
    warmup_before: Mapping[Timeframe, int],
    warmup_after: Mapping[Timeframe, int],
    symbols: tuple[Sequence[str], Sequence[str]] = ((), ()),
) -> Comparison:
    """Return what differs between two plays.

    Args:
        before: The first.
        after: The second.
        warmup_before: Closed bars that each timeframe of the first needs before decisions start.
        warmup_after: The same of the second.
        symbols: All instruments that each file names, where it names several; the plays are those of one of them.
    """
    pairing = Pairing(before, after)
    was = _side(before, pairing.before, pairing.misleading, "as it was")
    now = _side(after, pairing.after, pairing.misleading, "as it is now")
    rules = compare_rules(was, now)
    features = compare_features(before, after, pairing)
    changes = [_sober(change, before, after, features.shaken) for change in rules.changes]
    changes += [*features.changes, *compare_settings(before, after, pairing)]
    changes += [*compare_symbols(*symbols), *compare_warmup(warmup_before, warmup_after)]
    return Comparison(changes, [*rules.notes, *features.notes, *_setups(was, now), *_names(before, after)])


def _sober(change: Change, before: Play, after: Play, shaken: set[str]) -> Change:
    """Return a change of a rule without its claim, where the rule looks at other bars or other features than before."""
    same_bars = before.intervals.exec == after.intervals.exec and before.instrument == after.instrument
    block = change.where.partition(", case ")[0].partition(" (")[0]
    if change.effect is None or (same_bars and block not in shaken):
        return change
    return Change(change.part, change.where, change.text, Effect.OTHER)


def _side(play: Play, keys: Mapping[str, str], misleading: set[str], marked: str) -> Side:
    renamed = {name: f"{name} ({marked})" for name in misleading}
    return Side(play, Meanings(play, keys), Values(play, renamed))


def _names(before: Play, after: Play) -> list[str]:
    keys = (
        ("name", "description")
        if before.name == before.id and after.name == after.id
        else ("name", "id", "description")
    )
    notes = [f"the {key} is another one" for key in keys if before.resolved.get(key) != after.resolved.get(key)]
    if before.resolved.get("variables") != after.resolved.get("variables"):
        notes.append("the variables are other ones; what they are written into is compared by itself")
    return notes


def _setups(before: Side, after: Side) -> list[str]:
    """Return setups that came or went, and those that only have another name."""
    gone = [name for name in before.play.setups if name not in after.play.setups]
    new = [name for name in after.play.setups if name not in before.play.setups]
    notes = []
    for name in gone:
        meaning = before.meanings.condition(before.play.setups[name])
        twin = next((one for one in new if after.meanings.condition(after.play.setups[one]) == meaning), None)
        if twin is not None:
            new.remove(twin)
        notes.append(f"the setup {name} is now called {twin}" if twin else f"the setup {name} is gone")
    return notes + [f"the setup {name} is new" for name in new]
