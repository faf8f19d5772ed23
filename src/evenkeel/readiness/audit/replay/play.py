"""The play of a run as its manifest holds it, resolved: what it looks at, its rules, and what they want."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from evenkeel.readiness.audit.document import Document
from evenkeel.readiness.audit.replay.grid import Unsupported

Json = Any
"""A part of a play: maps, lists, texts, numbers and flags."""

ENTRIES = {"entry_long": 1, "entry_short": -1}
EXITS = {"exit_long": (1,), "exit_short": (-1,), "exit_all": (1, -1)}
SIDES = {"long_only": (1,), "short_only": (-1,), "long_short": (1, -1)}


@dataclass(frozen=True, slots=True)
class Wish:
    """An intent of a play.

    Attributes:
        action: `entry_long`, `exit_all`, ...
        share: The part of a position that an exit closes.
        block: Place of the block that emits it.
        case: Place of the case within the block.
        name: What a trade says of it: the id of the block or the action of the short form, with the case if there are
            several.
    """

    action: str
    share: Decimal
    block: int
    case: int
    name: str


@dataclass(frozen=True, slots=True)
class Play:
    """What decides.

    Attributes:
        execution: Timeframe of decisions.
        roles: Timeframe by role.
        intrabar: Whether each base close decides.
        features: By id.
        structures: Role and declaration, in order.
        setups: Conditions by id.
        blocks: Of each block the conditions of its cases, in order; None for `else`.
        wishes: What is wanted, in the order in which it is asked for.
        sides: The sides that may be entered.
    """

    execution: str
    roles: Mapping[str, str]
    intrabar: bool
    features: Mapping[str, Json]
    structures: Sequence[tuple[str, Json]]
    setups: Mapping[str, Json]
    blocks: Sequence[Sequence[Json]]
    wishes: Sequence[Wish]
    sides: tuple[int, ...]


def plain(value: object) -> Json:
    """Return a part of a document with its numbers as `int` and `float`."""
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        return int(value) if isinstance(exponent, int) and exponent >= 0 else float(value)
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


def read_play(manifest: Document) -> Play:
    """Return the play of a manifest.

    Raises:
        Unsupported: If there is none.
    """
    if manifest.text("strategy.kind") != "play":
        raise Unsupported("the strategy decides in Python; only the rules of plays are read again")
    if not all(manifest.has(f"strategy.resolved.{section}") for section in ("actions", "timeframes")):
        raise Unsupported("the manifest holds no rules")
    return _read(plain(manifest.value("strategy.resolved")))


def _read(document: Json) -> Play:
    frames = document["timeframes"]
    roles = {role: frames[role] for role in ("low_tf", "med_tf", "high_tf")}
    roles["exec"] = roles[frames["exec"]]
    actions = document["actions"]
    if isinstance(actions, dict):
        actions = [{"id": name, "cases": [{"when": when, "emit": [name]}]} for name, when in actions.items()]
    blocks = [_cases(block) for block in actions]
    return Play(
        execution=roles["exec"],
        roles=roles,
        intrabar=frames.get("evaluate", "bar_close") == "intrabar",
        features=document.get("features") or {},
        structures=[(role, one) for role, many in (document.get("structures") or {}).items() for one in many],
        setups=document.get("setups") or {},
        blocks=[[when for when, _ in cases] for cases in blocks],
        wishes=list(_wishes(actions, blocks)),
        sides=SIDES[document["position_policy"]["mode"]],
    )


def _cases(block: Json) -> list[tuple[Json, Json]]:
    cases = [(case["when"], case["emit"]) for case in block["cases"]]
    return [*cases, (None, block["else"]["emit"])] if "else" in block else cases


def _wishes(actions: Json, blocks: Sequence[Sequence[tuple[Json, Json]]]) -> Iterator[Wish]:
    for place, (block, cases) in enumerate(zip(actions, blocks, strict=True)):
        for number, (_, emits) in enumerate(cases):
            name = block["id"] if len(cases) == 1 else f"{block['id']}, case {number + 1}"
            for emit in emits:
                told = {"action": emit} if isinstance(emit, str) else emit
                if told["action"] != "no_action":
                    share = Decimal(str(told.get("percent", 100))) / 100
                    yield Wish(told["action"], share, place, number, name)
