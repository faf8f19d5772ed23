"""Actions: both written forms become one list of blocks, each with cases in order."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from evenkeel.strategies.play import sections
from evenkeel.strategies.play.conditions import ConditionReader
from evenkeel.strategies.play.expression import Builtin, Condition, FeatureRef, Literal
from evenkeel.strategies.play.operands import OperandReader
from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.problems import Path, suggestion
from evenkeel.strategies.play.schema import IntentSection
from evenkeel.strategies.play.vocabulary import ACTIONS, EXIT_ACTIONS

_BLOCK_KEYS = ("id", "cases", "else")
_ID = re.compile(r"[a-z][A-Za-z0-9_]{0,99}\Z", re.ASCII)
_CASE_KEYS = ("when", "emit")
_EXAMPLES = {
    "id": "id: my_block", "cases": "cases: [{ when: [close, '>', open], emit: [entry_long] }]",
    "when": "when: [close, '>', open]", "emit": "emit: [entry_long]",
}  # fmt: skip
_INTENTS = (*ACTIONS, "no_action")


class Emit(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a case wants.

    Attributes:
        action: `entry_long`, `entry_short`, `exit_long`, `exit_short`, `exit_all` or `no_action`.
        fraction: Part of the position that an exit closes; 1 is all of it.
        metadata: Name to a constant, or to a value read at the decision and kept with the trade.
        path: Place in the play.
    """

    action: str
    fraction: float = 1.0
    metadata: tuple[tuple[str, Literal | FeatureRef | Builtin], ...] = ()
    path: str = ""


class Case(msgspec.Struct, frozen=True):
    """What is wanted when a condition holds; `when` is None for `else`."""

    when: Condition | None
    emits: tuple[Emit, ...]


class Block(msgspec.Struct, frozen=True):
    """Cases in order: the first whose condition holds emits."""

    id: str
    cases: tuple[Case, ...]


class ActionReader:
    """Reads the `actions` section; tells what is wrong to the log.

    Attributes:
        wanted: Every action that some case wants, with its place, also of blocks with something wrong in them.
    """

    def __init__(self, conditions: ConditionReader, operands: OperandReader, log: ProblemLog) -> None:
        self.wanted: list[tuple[str, Path]] = []
        self._conditions = conditions
        self._operands = operands
        self._log = log

    def read(self, section: Any) -> tuple[Block, ...]:
        """Return the blocks of the section in file order."""
        path: Path = ("actions",)
        if not isinstance(section, dict | list) or not section:
            remedy = "write `entry_long: [close, '>', open]`, or a list of blocks"
            self._log.error(path, "actions must be a map of action to condition, or a list of blocks", remedy)
            return ()
        if isinstance(section, dict):
            blocks = [self._short(action, value, (*path, action)) for action, value in section.items()]
        else:
            blocks = [self._block(value, (*path, index)) for index, value in enumerate(section)]
        found = [block for block in blocks if block is not None]
        self._refuse_twins(found)
        return tuple(found)

    def _short(self, action: str, value: Any, path: Path) -> Block | None:
        if action not in ACTIONS:
            self._log.error(path, f"'{action}' is not an action", suggestion(action, ACTIONS), key=True)
            return None
        when = self._conditions.read(value, path)
        self.wanted.append((action, path))
        emit = Emit(action=action, path=".".join(map(str, path)))
        return None if when is None else Block(action, (Case(when, (emit,)),))

    def _block(self, value: Any, path: Path) -> Block | None:
        if not isinstance(value, dict):
            self._log.error(path, "a block must be a map", "write `- id: …` with `cases:` below it")
            return None
        if "include" in value:
            remedy = "include it at the top of the play, and use its setups here"
            self._log.error((*path, "include"), "a block is not included among the actions", remedy, key=True)
            return None
        self._check_keys(value, _BLOCK_KEYS, ("id", "cases"), path)
        name, cases = value.get("id"), value.get("cases", [])
        if not isinstance(name, str) or not _ID.match(name):
            remedy = "begin with a lower-case letter; use letters, digits and _"
            self._log.error((*path, "id"), f"'{str(name)[:60]}' is not the id of a block", remedy)
        if not isinstance(cases, list) or (not cases and "cases" in value):
            self._log.error((*path, "cases"), "`cases` must be a list with at least one case")
            cases = []
        found = [self._case(case, (*path, "cases", index)) for index, case in enumerate(cases)]
        if "else" in value:
            found.append(self._otherwise(value["else"], (*path, "else")))
        right = [case for case in found if case is not None]
        return Block(str(name), tuple(right)) if right and len(right) == len(found) else None

    def _case(self, value: Any, path: Path) -> Case | None:
        if not isinstance(value, dict):
            self._log.error(path, "a case must be a map", "write `- when: …` with `emit:` below it")
            return None
        self._check_keys(value, _CASE_KEYS, _CASE_KEYS, path)
        when = self._conditions.read(value["when"], (*path, "when")) if "when" in value else None
        emits = self._emits(value.get("emit"), (*path, "emit")) if "emit" in value else None
        return None if when is None or emits is None else Case(when, emits)

    def _otherwise(self, value: Any, path: Path) -> Case | None:
        if not isinstance(value, dict):
            self._log.error(path, "`else` must be a map", "write { emit: [no_action] }")
            return None
        self._check_keys(value, ("emit",), ("emit",), path)
        emits = self._emits(value.get("emit"), (*path, "emit")) if "emit" in value else None
        return None if emits is None else Case(None, emits)

    def _emits(self, value: Any, path: Path) -> tuple[Emit, ...] | None:
        if not isinstance(value, list) or not value:
            self._log.error(path, "`emit` must be a list with at least one intent", "write [entry_long]")
            return None
        found = [self._emit(intent, (*path, index)) for index, intent in enumerate(value)]
        emits = tuple(emit for emit in found if emit is not None)
        return emits if len(emits) == len(found) else None

    def _emit(self, value: Any, path: Path) -> Emit | None:
        given = {"action": value} if isinstance(value, str) else value
        if isinstance(value, str) and value not in _INTENTS:
            self._log.error(path, f"'{value}' is not an action", suggestion(value, _INTENTS))
            return None
        intent = sections.check(IntentSection, given, path, self._log)
        if intent is None:
            return None
        if intent.action != "no_action":
            self.wanted.append((intent.action, path))
        if not self._percent_fits(intent, path):
            return None
        metadata = [(name, self._metadata(part, (*path, "metadata", name))) for name, part in intent.metadata.items()]
        kept = tuple((name, operand) for name, operand in metadata if operand is not None)
        fraction = 1.0 if intent.percent is None else intent.percent / 100
        return Emit(action=intent.action, fraction=fraction, metadata=kept, path=".".join(map(str, path)))

    def _percent_fits(self, intent: IntentSection, path: Path) -> bool:
        if intent.percent is None or intent.action in EXIT_ACTIONS:
            return True
        self._log.error((*path, "percent"), "`percent` belongs to exits only", "set the size under `risk`", key=True)
        return False

    def _metadata(self, value: Any, path: Path) -> Literal | FeatureRef | Builtin | None:
        if isinstance(value, dict):
            read = self._operands.read(value, path)
            if isinstance(read.operand, FeatureRef | Builtin):
                return read.operand
            if read.operand is not None:
                self._log.error(path, "metadata takes a constant or one reference", "write { feature_id: … }")
            return None
        if isinstance(value, str | bool | int | float):
            read = self._operands.literal(value, path)
            return read.operand if isinstance(read.operand, Literal) else None
        self._log.error(path, "metadata takes a constant or { feature_id: … }")
        return None

    def _check_keys(self, value: dict[str, Any], known: tuple[str, ...], needed: tuple[str, ...], path: Path) -> None:
        for key in value:
            if key not in known:
                self._log.error((*path, key), f"unknown key '{key}'", suggestion(key, known), key=True)
        for key in needed:
            if key not in value:
                self._log.error(path, f"`{key}` is missing", f"add for example `{_EXAMPLES[key]}`", key=True)
                self._log.close((*path, key))

    def _refuse_twins(self, blocks: list[Block]) -> None:
        seen: set[str] = set()
        for index, block in enumerate(blocks):
            if block.id in seen:
                self._log.error(("actions", index, "id"), f"the block id '{block.id}' stands twice", "rename one")
            seen.add(block.id)
