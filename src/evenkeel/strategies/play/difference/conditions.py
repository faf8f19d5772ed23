"""Two conditions compared: the smallest parts that differ, each with what it does to how often the whole holds.

An effect is claimed only where it follows from the words: a wider range, a longer list of alternatives, a window that
asks for less. `not` turns it round. Missing data changes nothing of it: what is unknown before is unknown after.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from evenkeel.strategies.play.difference.change import Effect
from evenkeel.strategies.play.difference.meaning import Meanings, needed
from evenkeel.strategies.play.english.conditions import ConditionWords
from evenkeel.strategies.play.english.phrases import listed, number
from evenkeel.strategies.play.english.values import Values
from evenkeel.strategies.play.expression import All, Any_, Compare, Condition, Not, SetupRef, Window
from evenkeel.strategies.play.play import Play
from evenkeel.strategies.play.ranges import SIGNS, SWAPPED, choice_of, range_of

_NEAR = ("near_abs", "near_pct")
_WINDOW_KINDS = {"holds_for": "on all of", "occurred_within": "on one of", "count_true": "on {} of"}


class Side(NamedTuple):
    """One of two plays.

    Attributes:
        play: The play.
        meanings: What its conditions mean.
        values: Its operands in words.
    """

    play: Play
    meanings: Meanings
    values: Values

    def words(self, condition: Condition) -> str:
        """Return a condition in words, on one line."""
        if isinstance(condition, Compare):
            return self.short(condition)
        told = ConditionWords(self.values, self.play.setups)
        inline = told.inline(condition)
        if inline is not None:
            return inline
        return " ".join(line.strip() for line in told.lines(condition))

    def short(self, compare: Compare) -> str:
        """Return a comparison as a play writes it."""
        return f"{self.values.term(compare.left)} {self.tail(compare)}"

    def tail(self, compare: Compare) -> str:
        """Return the operator of a comparison and what follows it."""
        term = self.values.term
        if compare.low is not None and compare.high is not None:
            return f"between {term(compare.low)} and {term(compare.high)}"
        if compare.choices:
            return f"in {listed([self.values.literal(choice.value) for choice in compare.choices], 'or')}"
        right = "" if compare.right is None else term(compare.right)
        if compare.op in _NEAR:
            percent = compare.op == "near_pct"
            far = number((100 if percent else 1) * (compare.tolerance or 0))
            return f"within {far}{' %' if percent else ''} of {right}"
        return f"{compare.op.replace('_', ' ')} {right}"


class Finding(NamedTuple):
    """One difference in a condition."""

    text: str
    effect: Effect


class ConditionComparison:
    """Compares conditions of two plays.

    Args:
        before: The first play.
        after: The second.
    """

    def __init__(self, before: Side, after: Side) -> None:
        self._before = before
        self._after = after

    def same(self, before: Condition, after: Condition) -> bool:
        """Whether two conditions mean the same."""
        return self._before.meanings.condition(before) == self._after.meanings.condition(after)

    def findings(self, before: Condition, after: Condition) -> list[Finding]:
        """Return the smallest parts that differ; none if the conditions mean the same."""
        if self.same(before, after):
            return []
        match before, after:
            case Compare(), Compare():
                return [self._compared(before, after)]
            case Not(inner_before), Not(inner_after):
                found = self.findings(inner_before, inner_after)
                return [Finding(f"inside a `not`, {one.text}", one.effect.flipped()) for one in found]
            case Window(), Window() if before.kind == after.kind:
                return self._windows(before, after)
            case SetupRef(name), SetupRef(other) if name == other:
                found = self.findings(self._before.play.setups[name], self._after.play.setups[name])
                return [Finding(f"in {name}, {one.text}", one.effect) for one in found]
            case (All(), _) | (_, All()):
                return self._lists(All, before, after)
            case (Any_(), _) | (_, Any_()):
                return self._lists(Any_, before, after)
        return [self._replaced(before, after)]

    def _replaced(self, before: Condition, after: Condition) -> Finding:
        return Finding(f"{self._before.words(before)} became {self._after.words(after)}", Effect.OTHER)

    def _lists(self, kind: type[All | Any_], before: Condition, after: Condition) -> list[Finding]:
        known = _setups_in(before) & _setups_in(after)
        lost, gained = self._unmatched(
            _parts(kind, before, self._before.play.setups, known), _parts(kind, after, self._after.play.setups, known)
        )
        found: list[Finding] = []
        for part in list(lost):
            partner = next((other for other in gained if self._alike(part, other)), None)
            if partner is None and len(lost) == len(gained) == 1 and type(part) is type(gained[0]):
                partner = gained[0]
            if partner is not None:
                found += self.findings(part, partner)
                lost.remove(part)
                gained.remove(partner)
        is_all = kind is All
        gone, come = ("no longer asks that", "now also asks that") if is_all else ("no longer when", "now also when")
        found += [
            Finding(f"{gone} {self._before.words(part)}", Effect.MORE if is_all else Effect.FEWER) for part in lost
        ]
        found += [
            Finding(f"{come} {self._after.words(part)}", Effect.FEWER if is_all else Effect.MORE) for part in gained
        ]
        return found

    def _unmatched(
        self, before: Sequence[Condition], after: Sequence[Condition]
    ) -> tuple[list[Condition], list[Condition]]:
        """Return the parts of each list that mean nothing of the other's."""
        was = [self._before.meanings.condition(part) for part in before]
        now = [self._after.meanings.condition(part) for part in after]
        lost = [part for part, meaning in zip(before, was, strict=True) if meaning not in now]
        gained = [part for part, meaning in zip(after, now, strict=True) if meaning not in was]
        return lost, gained

    def _alike(self, before: Condition, after: Condition) -> bool:
        """Whether one part is what became of another: the same thing looked at, in another way."""
        match before, after:
            case Compare(), Compare():
                same_left = self._before.meanings.operand(before.left) == self._after.meanings.operand(after.left)
                return same_left and (before.op == after.op or range_of(after) is not None)
            case Not(one), Not(other):
                return self._alike(one, other)
            case Window(), Window():
                return before.kind == after.kind and (
                    self.same(before.expr, after.expr) or self._alike(before.expr, after.expr)
                )
            case SetupRef(name), SetupRef(other_name):
                return name == other_name
        return False

    def _compared(self, before: Compare, after: Compare) -> Finding:
        old, new = self._before, self._after
        if old.values.term(before.left) == new.values.term(after.left):
            text = f"{old.short(before)} became {new.tail(after)}"
        else:
            text = f"{old.short(before)} became {new.short(after)}"
        return Finding(text, self._effect(before, after))

    def _effect(self, before: Compare, after: Compare) -> Effect:
        left_before, left_after = (
            self._before.meanings.operand(before.left), self._after.meanings.operand(after.left),
        )  # fmt: skip
        if left_before != left_after:
            return self._effect_of_pair(before, after)
        for measured in (range_of, choice_of):
            was, now = measured(before), measured(after)
            if was is not None and now is not None:
                return _towards(was.lies_in(now), now.lies_in(was))  # type: ignore[arg-type]
        if before.op == after.op and before.op in _NEAR and self._right(before, after):
            return _towards(
                (before.tolerance or 0) <= (after.tolerance or 0), (after.tolerance or 0) <= (before.tolerance or 0)
            )
        return self._effect_of_pair(before, after)

    def _right(self, before: Compare, after: Compare) -> bool:
        if before.right is None or after.right is None:
            return False
        return self._before.meanings.operand(before.right) == self._after.meanings.operand(after.right)

    def _effect_of_pair(self, before: Compare, after: Compare) -> Effect:
        """Return the effect of another operator between the same two operands."""
        if before.op not in SIGNS or after.op not in SIGNS or before.right is None or after.right is None:
            return Effect.OTHER
        was = [self._before.meanings.operand(operand) for operand in (before.left, before.right)]
        now = [self._after.meanings.operand(operand) for operand in (after.left, after.right)]
        op = after.op
        if was != now:
            if was != now[::-1]:
                return Effect.OTHER
            op = SWAPPED.get(op, op)
        return _towards(SIGNS[before.op] <= SIGNS[op], SIGNS[op] <= SIGNS[before.op])

    def _windows(self, before: Window, after: Window) -> list[Finding]:
        found = [
            Finding(f"inside the window, {one.text}", one.effect) for one in self.findings(before.expr, after.expr)
        ]
        was = (needed(before), before.bars, self._before.meanings.grid(before))
        now = (needed(after), after.bars, self._after.meanings.grid(after))
        if was != now:
            text = f"{_window_words(before, was[2].name)} became {_window_words(after, now[2].name)}"
            found.append(Finding(text, _window_effect(before.kind, was, now)))
        return found


def _window_words(window: Window, grid: str) -> str:
    word = _WINDOW_KINDS[window.kind].format(window.min_true)
    return f"{word} the last {window.bars} bars of {grid}"


def _window_effect(kind: str, was: tuple[int, int, object], now: tuple[int, int, object]) -> Effect:
    """Return the effect of other samples; each triple is how many must be true, of how many, on which grid."""
    if was[2] != now[2]:
        return Effect.OTHER
    if kind == "holds_for":
        return _towards(now[1] <= was[1], was[1] <= now[1])
    return _towards(now[0] <= was[0] and was[1] <= now[1], was[0] <= now[0] and now[1] <= was[1])


def _towards(more: bool, fewer: bool) -> Effect:
    """Return the effect from whether all that held before holds now, and the other way round."""
    if more == fewer:
        return Effect.OTHER
    return Effect.MORE if more else Effect.FEWER


def _parts(
    kind: type[All | Any_], condition: Condition, setups: Mapping[str, Condition], known: Collection[str]
) -> list[Condition]:
    """Return the parts of a list with lists of the same kind in it spread out; anything else is a list of one.

    Args:
        kind: Which lists.
        condition: Any.
        setups: Those that the condition may name. One that is such a list is spread out too, unless it is known.
        known: Setups that both sides name, and that are compared by name.
    """
    if isinstance(condition, SetupRef) and condition.id not in known and isinstance(setups[condition.id], kind):
        return _parts(kind, setups[condition.id], setups, known)
    if not isinstance(condition, kind):
        return [condition]
    return [part for child in condition.children for part in _parts(kind, child, setups, known)]


def _setups_in(condition: Condition) -> set[str]:
    """Return the setups that a list names directly, through lists only."""
    if isinstance(condition, SetupRef):
        return {condition.id}
    inside = condition.children if isinstance(condition, All | Any_) else ()
    return {name for child in inside for name in _setups_in(child)}


def combined(effects: Sequence[Effect]) -> Effect:
    """Return what several effects on one rule do together."""
    kinds = Counter(effects)
    return effects[0] if len(kinds) == 1 else Effect.OTHER
