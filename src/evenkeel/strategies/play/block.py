"""Blocks: named, parameterised bundles of features, structures and setups that plays include.

A block decides nothing and risks nothing: it has no actions, no risk and no account.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from evenkeel.strategies.kinds import kind_of
from evenkeel.strategies.play import sections
from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.problems import Path, suggestion
from evenkeel.strategies.play.schema import (
    SCHEMA_VERSION,
    Expression,
    FeatureSection,
    IncludeSection,
    PlayDocument,
    Section,
    StructureSection,
)
from evenkeel.strategies.play.vocabulary import ROLES

PARTS = ("features", "structures", "setups")
"""What a block brings into a play."""

_NAME = re.compile(r"[A-Za-z_]\w*\Z", re.ASCII)


class BlockHead(Section):
    """What the block is."""

    kind: Literal["block"] = Field(description="Says that the file is a block.")
    version: str = Field(description=f'Version of the format: "{SCHEMA_VERSION}".')
    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[a-z][a-z0-9_]*$")] = Field(
        description="Name in snake_case, the same as the file's."
    )
    description: str = Field(default="", description="Free text for people.")


class BlockDocument(BlockHead):
    """A block: features, structures and setups with parameters, for plays to include."""

    params: dict[str, str | float | bool | None] = Field(
        default_factory=dict, description="Name to default; without a default it must be given."
    )
    include: list[str | IncludeSection] = Field(default_factory=list, description="Blocks that this one is made of.")
    features: dict[str, FeatureSection] = Field(default_factory=dict)
    structures: dict[Literal["exec", "low_tf", "med_tf", "high_tf"], list[StructureSection]] = Field(
        default_factory=dict
    )
    setups: dict[str, Expression] = Field(default_factory=dict)


@dataclass(frozen=True)
class Block:
    """A block as read: its head and its parameters are checked, its parts are not.

    Attributes:
        name: As in the file.
        params: Name to default; None must be given.
        parts: Its sections `include`, `features`, `structures` and `setups`, as written.
    """

    name: str
    params: dict[str, Any]
    parts: dict[str, Any]

    @property
    def required(self) -> frozenset[str]:
        """Parameters without a default."""
        return frozenset(name for name, default in self.params.items() if default is None)


def read_block(log: ProblemLog) -> Block | None:
    """Return the block in the log's source; None if it is none, after telling why."""
    document = log.source.value
    if not isinstance(document, dict):
        if not log.failed:
            log.error((), "a block is a map of keys", "begin with `kind: block`")
        return None
    kind = kind_of(document)
    if "kind" in document and kind != "block":
        log.error(("kind",), f"this file is a {kind}, not a block", "a block says `kind: block`")
        return None
    _refuse_keys(document, log)
    sections.check(BlockHead, {key: document[key] for key in BlockHead.model_fields if key in document}, (), log)
    check_version(document.get("version"), log)
    name = document.get("name")
    if not any(document.get(key) for key in ("include", *PARTS)):
        log.error((), "a block needs a feature, a structure or a setup", "add `features:`")
    params = _params(document.get("params"), log)
    return Block(name if isinstance(name, str) else "block", params, _parts(document, log))


def _parts(document: dict[str, Any], log: ProblemLog) -> dict[str, Any]:
    """Return the sections that have the shape they should have; tell of the others."""
    parts = {key: document[key] for key in ("include", *PARTS) if document.get(key) is not None}
    for key, held in (
        ("features", "id to indicator"),
        ("structures", "role to a list"),
        ("setups", "name to condition"),
    ):
        if not isinstance(parts.get(key, {}), dict):
            log.error((key,), f"{key} must be a map of {held}")
            del parts[key]
    for role, items in list(parts.get("structures", {}).items()):
        if role not in ROLES:
            log.error(("structures", role), f"unknown key '{role}'", suggestion(role, ROLES), key=True)
        elif not isinstance(items, list):
            log.error(("structures", role), "it must be a list of structures", "write `- { type: swing, key: sw }`")
        else:
            continue
        parts["structures"] = {known: value for known, value in parts["structures"].items() if known != role}
    return parts


def check_version(version: Any, log: ProblemLog) -> None:
    """Refuse a document of another major version of the format."""
    if isinstance(version, str) and version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
        log.error(("version",), f"version '{version}' is not read", f'write version: "{SCHEMA_VERSION}"')


def _refuse_keys(document: dict[str, Any], log: ProblemLog) -> None:
    known = list(BlockDocument.model_fields)
    for key in document:
        if key in known:
            continue
        if key == "variables":
            log.error((key,), "a block has no variables", "declare `params`, which the play may set", key=True)
        elif key in PlayDocument.model_fields:
            log.error((key,), f"`{key}` belongs to the play, not to a block", "move it there", key=True)
        else:
            log.error((key,), f"unknown key '{key}'", suggestion(key, known), key=True)
        log.close((key,))


def _params(section: Any, log: ProblemLog) -> dict[str, Any]:
    if section is None:
        return {}
    if not isinstance(section, dict):
        log.error(("params",), "params must be a map of name to default", "write `params: { length: 20 }`")
        return {}
    params: dict[str, Any] = {}
    for name, default in section.items():
        path: Path = ("params", name)
        if not _NAME.match(name):
            log.error(path, f"'{name}' is not a name for a parameter", "use letters, digits and _", key=True)
        elif default is not None and not is_scalar(default):
            log.error(path, f"the default of '{name}' must be a number, a text, true or false")
        elif isinstance(default, str) and "{{" in default:
            log.error(path, f"the default of '{name}' uses a parameter", "write the value out")
        params[name] = default
    return params


def is_scalar(value: Any) -> bool:
    """Whether a value may be given to a parameter."""
    return isinstance(value, str | int | float)
