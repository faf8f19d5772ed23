"""What playbooks and systems share as documents: reading, unknown keys, parts that are read like a document."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import BaseModel

from evenkeel.strategies.kinds import kind_of
from evenkeel.strategies.play import sections
from evenkeel.strategies.play.block import check_version
from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.problems import PlayErrors, suggestion
from evenkeel.strategies.play.variables import apply_overrides, substitute
from evenkeel.strategies.play.yaml_source import Insert, read, read_file

HeadT = TypeVar("HeadT", bound=BaseModel)


def open_document(
    path_or_text: pathlib.Path | str, kind: str, sets: Mapping[str, str] | None
) -> tuple[dict[str, Any], ProblemLog, pathlib.Path | None]:
    """Return a document of that kind with variables written in, the log of what was wrong so far, and its folder.

    Raises:
        PlayErrors: If it is no document of that kind.
        UsageError: If the file does not exist or is not text.
        StorageError: If the disk refuses.
    """
    file = path_or_text if isinstance(path_or_text, pathlib.Path) else None
    source = read(str(path_or_text), "<text>") if file is None else read_file(file, what=kind)
    log = ProblemLog(apply_overrides(source, sets or {}))
    value = log.source.value
    if not isinstance(value, dict):
        if not log.failed:
            log.error((), f"a {kind} is a map of keys", f"begin with `kind: {kind}`")
        raise PlayErrors(log.problems())
    found = kind_of(value)
    if found != kind:
        log.error(("kind",), f"this file is a {found}, not a {kind}", f"write `kind: {kind}` if it is one", key=True)
        raise PlayErrors(log.problems())
    return substitute(value, log), log, None if file is None else file.parent


def check_head(
    document: dict[str, Any], head: type[HeadT], whole: type[BaseModel], needed: tuple[str, ...], log: ProblemLog
) -> HeadT | None:
    """Return the plain keys of a document; tell unknown and missing ones.

    Args:
        document: All of it.
        head: Model of its plain keys.
        whole: Model of all its keys.
        needed: Keys beyond the plain ones that may not be missing.
        log: Takes the problems.
    """
    known = list(whole.model_fields)
    for key in document:
        if key not in known:
            log.error((key,), f"unknown key '{key}'", suggestion(key, known), key=True)
    for key in needed:
        if key not in document:
            log.error((), f"`{key}` is missing", f"add `{key}:`")
    plain = {key: document[key] for key in head.model_fields if key in document}
    if "version" in head.model_fields:
        check_version(document.get("version"), log)
    return sections.check(head, plain, (), log)


def part_log(log: ProblemLog, key: str) -> ProblemLog:
    """Return a log for a part that is read like a document of its own; its problems keep their place in the whole."""
    source = replace(log.source, inserts={(): Insert(log.source, (key,))}, faults=(), origins={})
    part = ProblemLog(source)
    part.close_like((), log, (key,))
    return part


def warn_of_file_name(name: str, kind: str, log: ProblemLog) -> None:
    """Warn of a file that is named otherwise than what it holds."""
    path = pathlib.PurePath(log.source.name)
    if path.suffix in (".yaml", ".yml") and path.stem != name:
        log.warn(("name",), f"the {kind} is called '{name}', its file '{path.name}'", f"name the file {name}.yaml")
