"""Lists of conditions whose parts exclude each other, or leave nothing out: `all` that never, `any` that always holds.

Each part is asked what follows from it: a range for a number, a choice of words, how two operands lie to each other.
Where what follows from two parts cannot both be, the parts cannot. Of `any` the opposites are asked: where they exclude
each other, one part always holds. Setups count as if they were spelled out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from evenkeel.strategies.play.expression import All, Any_, Compare, Condition, Literal, Not, SetupRef, Window
from evenkeel.strategies.play.plausibility import Doubt, Extents, shown
from evenkeel.strategies.play.problems import Path
from evenkeel.strategies.play.ranges import (
    IMPLIED_SIGNS,
    OPPOSITE,
    SWAPPED,
    Choice,
    Range,
    choice_of,
    implied_range,
)
from evenkeel.strategies.play.scope import Scope


class ConditionList(NamedTuple):
    """A list of conditions as it stands in a play.

    Attributes:
        is_all: Whether all must hold; else any.
        path: Where the list stands; its parts stand below.
        parts: Its conditions.
    """

    is_all: bool
    path: Path
    parts: tuple[Condition, ...]


class Signs(NamedTuple):
    """How one operand may lie to another: below (-1), at (0) or above it (+1)."""

    signs: frozenset[int]

    def common(self, other: Signs) -> Signs:
        """Return the ways that are in both."""
        return Signs(self.signs & other.signs)

    @property
    def is_empty(self) -> bool:
        """Whether there is no way left."""
        return not self.signs


About: TypeAlias = Range | Choice | Signs


class Fact(NamedTuple):
    """What follows from a condition about one subject.

    Attributes:
        subject: What it is about.
        about: What is known of it.
        text: The comparison it comes from.
        negated: Whether it comes from the opposite of that comparison.
    """

    subject: str
    about: About
    text: str
    negated: bool


class Contradictions:
    """Looks for lists whose parts contradict each other.

    Args:
        scope: Knows which outputs are whole numbers.
        setups: Conditions with a name.
    """

    def __init__(self, scope: Scope, setups: Mapping[str, Condition]) -> None:
        self._extents = Extents(scope)
        self._setups = setups
        self._known: dict[tuple[str, bool], tuple[Fact, ...]] = {}

    def doubts(self, listed: ConditionList) -> list[tuple[Path, Doubt]]:
        """Return the parts of a list that contradict an earlier one, each with its place."""
        found: list[tuple[Path, Doubt]] = []
        met: dict[tuple[str, type], tuple[About, int, str]] = {}
        for place, part in enumerate(listed.parts):
            for fact in self._facts(part, negated=not listed.is_all):
                key, told = (fact.subject, type(fact.about)), _told(fact, is_all=listed.is_all)
                about, first, text = met.get(key, (fact.about, place, told))
                common = about.common(fact.about)  # type: ignore[arg-type]
                if not common.is_empty:
                    met[key] = (common, first if common == about else place, text if common == about else told)
                elif first != place:
                    found.append(((*listed.path, place), _doubt(told, text, is_all=listed.is_all)))
                    break
        return found

    def _facts(self, condition: Condition, *, negated: bool) -> tuple[Fact, ...]:
        """Return what follows from a condition, or from its opposite."""
        match condition:
            case Compare():
                return self._of_comparison(condition, negated)
            case Not(child):
                return self._facts(child, negated=not negated)
            case All(parts) if not negated:
                return self._of_each(parts, negated)
            case Any_(parts) if negated:
                return self._of_each(parts, negated)
            case SetupRef(name):
                if (name, negated) not in self._known:
                    self._known[name, negated] = self._facts(self._setups[name], negated=negated)
                return self._known[name, negated]
            case Window(kind="holds_for") if not negated:
                return self._facts(condition.expr, negated=False)
            case Window(kind="occurred_within") if negated:
                return self._facts(condition.expr, negated=True)
        return ()

    def _of_each(self, parts: Sequence[Condition], negated: bool) -> tuple[Fact, ...]:
        return tuple(dict.fromkeys(fact for part in parts for fact in self._facts(part, negated=negated)))

    def _of_comparison(self, compare: Compare, negated: bool) -> tuple[Fact, ...]:
        text = f"{shown(compare.left)} {compare.op} {_right(compare)}"
        origin = (text, negated)
        if negated:
            if compare.op not in OPPOSITE:
                return ()
            compare = Compare(op=OPPOSITE[compare.op], left=compare.left, right=compare.right, path=compare.path)
        if isinstance(compare.left, Literal):
            swapped = SWAPPED.get(compare.op)
            if swapped is None or compare.right is None:
                return ()
            compare = Compare(op=swapped, left=compare.right, right=compare.left, path=compare.path)
        subject = repr(compare.left)
        facts: list[Fact] = []
        asked, choice = implied_range(compare), choice_of(compare)
        if asked is not None:
            facts.append(
                Fact(subject, asked.whole_numbers() if self._extents.is_whole(compare.left) else asked, *origin)
            )
        if choice is not None:
            facts.append(Fact(subject, choice, *origin))
        if compare.op in IMPLIED_SIGNS and compare.right is not None and not isinstance(compare.right, Literal):
            facts.append(_of_pair(compare, origin))
        return tuple(facts)


def _of_pair(compare: Compare, origin: tuple[str, bool]) -> Fact:
    left, right, signs = repr(compare.left), repr(compare.right), IMPLIED_SIGNS[compare.op]
    if left > right:
        left, right, signs = right, left, frozenset(-sign for sign in signs)
    return Fact(f"{left} to {right}", Signs(signs), *origin)


def _right(compare: Compare) -> str:
    if compare.op == "between":
        return f"{shown(compare.low)} and {shown(compare.high)}"
    return ", ".join(map(shown, compare.choices)) if compare.choices else shown(compare.right)


def _told(fact: Fact, *, is_all: bool) -> str:
    """Return the comparison of a fact as it stands in the list; of `any` the opposites were asked."""
    return fact.text if fact.negated is not is_all else f"not {fact.text}"


def _doubt(text: str, earlier: str, *, is_all: bool) -> Doubt:
    if is_all:
        return Doubt(f"`{text}` and `{earlier}` never hold together", "put them into `any`, or mend one of them")
    return Doubt(f"one of `{text}` and `{earlier}` always holds", "put them into `all`, or remove the list")
