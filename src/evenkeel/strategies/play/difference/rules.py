"""The blocks of two plays compared: rules that changed, came or went, and whether their order matters.

Where every block is one rule and exits close the whole position, the order of blocks decides nothing: an entry needs a
flat account and an exit a position, and a long and a short entry at once cancel out. Then blocks are compared as a
set. Otherwise the first that can act wins, and their order is part of what they mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from evenkeel.strategies.play.actions import Block, Case, Emit
from evenkeel.strategies.play.difference.change import Change, Effect
from evenkeel.strategies.play.difference.conditions import ConditionComparison, Side
from evenkeel.strategies.play.english.phrases import listed, number

PART = "rules"


class RuleDifference(NamedTuple):
    """What differs between the blocks of two plays.

    Attributes:
        changes: Of decisions.
        notes: Of names and of values kept with trades, which decide nothing.
    """

    changes: list[Change]
    notes: list[str]


def compare_rules(before: Side, after: Side) -> RuleDifference:
    """Return what differs between the blocks of two plays."""
    return _RuleComparison(before, after).difference()


class _RuleComparison:
    def __init__(self, before: Side, after: Side) -> None:
        self._before = before
        self._after = after
        self._conditions = ConditionComparison(before, after)
        self._changes: list[Change] = []
        self._notes: list[str] = []

    def difference(self) -> RuleDifference:
        was, now = list(self._before.play.actions), list(self._after.play.actions)
        ordered = not (_order_is_free(was) and _order_is_free(now))
        signs_before = [self._sign(self._before, block) for block in was]
        signs_after = [self._sign(self._after, block) for block in now]
        if ordered and sorted(signs_before) == sorted(signs_after) and signs_before != signs_after:
            text = "the blocks stand in another order, and the first that can act wins"
            self._changes.append(Change(PART, "order of blocks", text, Effect.OTHER))
        lost, gained = self._match(list(zip(signs_before, was, strict=True)), list(zip(signs_after, now, strict=True)))
        for block in list(lost):
            partner = _partner(block, gained, lost)
            if partner is not None:
                self._blocks(block, partner)
                lost.remove(block)
                gained.remove(partner)
        effects = (Effect.OTHER, Effect.OTHER) if ordered else (Effect.FEWER, Effect.MORE)
        self._changes += [Change(PART, _name(block), "the rule is gone", effects[0]) for block in lost]
        self._changes += [
            Change(PART, _name(block), f"a new rule: {self._told(block)}", effects[1]) for block in gained
        ]
        return RuleDifference(self._changes, self._notes)

    def _sign(self, side: Side, block: Block) -> str:
        """Return what a block decides, as a text; its name and what it keeps with trades are left out."""
        return repr(
            [
                (
                    "" if case.when is None else side.meanings.condition(case.when),
                    [(emit.action, emit.fraction) for emit in case.emits],
                )
                for case in block.cases
            ]
        )

    def _match(
        self, before: list[tuple[str, Block]], after: list[tuple[str, Block]]
    ) -> tuple[list[Block], list[Block]]:
        """Return the blocks without a partner of the same meaning; note what differs between partners."""
        gained = list(after)
        lost: list[Block] = []
        for sign, block in before:
            twins = [item for item in gained if item[0] == sign]
            twin = next((item for item in twins if item[1].id == block.id), twins[0] if twins else None)
            if twin is None:
                lost.append(block)
            else:
                gained.remove(twin)
                self._note(block, twin[1])
        return lost, [block for _, block in gained]

    def _note(self, before: Block, after: Block) -> None:
        if before.id != after.id:
            self._notes.append(f"the rule {before.id} is now called {after.id} in reports")
        if [self._kept(self._before, case) for case in before.cases] != [
            self._kept(self._after, case) for case in after.cases
        ]:
            self._notes.append(f"the rule {after.id} keeps other values with its trades")

    def _kept(self, side: Side, case: Case) -> list[tuple[str, str]]:
        return [(name, side.meanings.operand(value)) for emit in case.emits for name, value in emit.metadata]

    def _blocks(self, before: Block, after: Block) -> None:
        self._note(before, after)
        if len(before.cases) != len(after.cases):
            text = f"{len(before.cases)} cases became {len(after.cases)}"
            self._changes.append(Change(PART, _name(after), text, Effect.OTHER))
            return
        earlier = False
        for place, (was, now) in enumerate(zip(before.cases, after.cases, strict=True), start=1):
            where = _name(after) if len(after.cases) == 1 else f"{_name(after)}, case {place}"
            found = self._cases(was, now, where)
            if earlier:
                found = [Change(one.part, one.where, one.text, Effect.OTHER) for one in found]
            if found and not earlier and place < len(after.cases):
                text = "an earlier case changed, so the cases behind it speak on other bars"
                found.append(Change(PART, _name(after), text, Effect.OTHER))
            earlier = earlier or bool(found)
            self._changes += found

    def _cases(self, before: Case, after: Case, where: str) -> list[Change]:
        found: list[Change] = []
        was, now = ([(emit.action, emit.fraction) for emit in case.emits] for case in (before, after))
        if was != now:
            text = f"{_wishes(before.emits)} became {_wishes(after.emits)}"
            found.append(Change(PART, where, text, Effect.OTHER))
        if before.when is None or after.when is None:
            if before.when is not after.when:
                found.append(Change(PART, where, "`else` and a case changed places", Effect.OTHER))
            return found
        findings = self._conditions.findings(before.when, after.when)
        return found + [Change(PART, where, finding.text, finding.effect) for finding in findings]

    def _told(self, block: Block) -> str:
        told = [
            f"{_wishes(case.emits)} {'otherwise' if case.when is None else f'when {self._after.words(case.when)}'}"
            for case in block.cases
        ]
        return "; ".join(told)


def _order_is_free(blocks: Sequence[Block]) -> bool:
    return all(
        len(block.cases) == 1 and len(block.cases[0].emits) == 1 and block.cases[0].emits[0].fraction == 1
        for block in blocks
    )


def _partner(block: Block, gained: list[Block], lost: list[Block]) -> Block | None:
    """Return the block that another has become: the one of its name, else the only one left that wants the same."""
    named = next((other for other in gained if other.id == block.id), None)
    if named is not None:
        return named
    alike = [other for other in gained if _wanted(other) == _wanted(block)]
    rivals = [other for other in lost if _wanted(other) == _wanted(block)]
    return alike[0] if len(alike) == len(rivals) == 1 else None


def _wanted(block: Block) -> list[tuple[str, float]]:
    return [(emit.action, emit.fraction) for case in block.cases for emit in case.emits]


def _name(block: Block) -> str:
    actions = {emit.action for case in block.cases for emit in case.emits}
    return block.id if block.id in actions or len(actions) != 1 else f"{block.id} ({actions.pop()})"


def _wishes(emits: Sequence[Emit]) -> str:
    return listed(
        [emit.action if emit.fraction == 1 else f"{emit.action} of {number(100 * emit.fraction)} %" for emit in emits],
        "then",
    )
