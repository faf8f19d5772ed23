"""Variables and overrides: `{{ name }}` becomes the variable's value before anything is validated.

A scalar that is one token alone takes the variable's type; a token inside a longer text is written into it. An override
(`--set`) replaces a variable by its name, or any value by its dotted path, so that a sweep needs no second file.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.problems import Path, Problem, suggestion
from evenkeel.strategies.play.yaml_source import Source, read_again

_TOKEN = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_NAME = re.compile(r"[A-Za-z_]\w*\Z")
_TEXT_LIMIT = 10_000


def apply_overrides(source: Source, sets: Mapping[str, str]) -> Source:
    """Return the source with every override in place; what cannot be set becomes a fault.

    Args:
        source: The play as read.
        sets: Variable name or dotted path to the new value as YAML text.
    """
    if not sets or not isinstance(source.value, dict):
        return source
    value = copy.deepcopy(source.value)
    faults = list(source.faults)
    origins = dict(source.origins)
    for name, text in sets.items():
        option = f"--set {name}={text}"
        given = read_again(text, option) if text.strip() else Source(option, text, "")
        path = _target(name, value)
        complaint = "" if path is not None else _unknown(name, value)
        if given.faults:
            complaint = given.faults[0].message
        elif path is not None:
            complaint = _put(value, path, copy.deepcopy(given.value))
        if complaint or path is None:
            faults.append(Problem(kind="error", file=option, path=name, message=complaint))
        else:
            origins[path] = option
    return replace(source, value=value, faults=tuple(faults), origins=origins)


def _target(name: str, value: dict[str, Any]) -> Path | None:
    if "." in name:
        return tuple(int(part) if part.isdigit() else part for part in name.split("."))
    variables = value.get("variables")
    if isinstance(variables, dict) and name in variables:
        return ("variables", name)
    return (name,) if name in value else None


def _unknown(name: str, value: dict[str, Any]) -> str:
    variables = value.get("variables")
    names = list(variables) if isinstance(variables, dict) else []
    remedy = suggestion(name, names) if names else "the play declares none"
    return f"there is no variable '{name}'; {remedy} (a dotted path such as account.slippage_bps works too)"


def _put(value: Any, path: Path, new: Any) -> str:
    """Put `new` at `path`, making the maps on the way; return a complaint or nothing."""
    place: Any = value
    for part in path[:-1]:
        if isinstance(place, dict) and isinstance(part, str):
            place = place.setdefault(part, {})
        elif _is_item(place, part):
            place = place[part]
        else:
            return f"there is no '{part}' to go into"
    if (isinstance(place, dict) and isinstance(path[-1], str)) or _is_item(place, path[-1]):
        place[path[-1]] = new
        return ""
    return f"there is no '{path[-1]}' that could be set"


def _is_item(place: Any, part: str | int) -> bool:
    return isinstance(place, list) and isinstance(part, int) and part < len(place)


def substitute(value: Any, log: ProblemLog) -> Any:
    """Return a copy of the play with every variable written in; tell unknown and unused ones."""
    if not isinstance(value, dict):
        return value
    variables = _declared(value.get("variables"), log)
    writer = Writer(variables, log)
    result = {
        key: copy.deepcopy(part) if key == "variables" else writer.write(part, (key,)) for key, part in value.items()
    }
    for name in variables:
        if name not in writer.used:
            log.warn(("variables", name), f"the variable '{name}' is never used", "remove it, or use it", key=True)
    return result


def _declared(section: Any, log: ProblemLog) -> dict[str, Any]:
    if section is None:
        return {}
    if not isinstance(section, dict):
        log.error(("variables",), "variables must be a map of name to value", "write `variables: { length: 20 }`")
        return {}
    variables: dict[str, Any] = {}
    for name, value in section.items():
        path = ("variables", name)
        if not _NAME.match(name):
            log.error(path, f"'{name}' is not a name for a variable", "use letters, digits and _", key=True)
        elif not isinstance(value, str | int | float):
            log.error(path, f"the variable '{name}' must be a number, a text, true or false")
        elif isinstance(value, str) and "{{" in value:
            log.error(path, f"the variable '{name}' uses another variable", "write the value out")
        variables[name] = value
    return variables


class Writer:
    """Writes named values into a document; what is unknown is told to the log.

    Attributes:
        used: Names that some text has used.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        log: ProblemLog,
        *,
        noun: str = "variable",
        section: str = "variables",
        open_names: frozenset[str] = frozenset(),
    ) -> None:
        """Prepare to write.

        Args:
            values: What each name stands for.
            log: Takes the problems.
            noun: What a name is called in messages.
            section: Where names are declared.
            open_names: Names without a value yet: their text stays, and nothing is told of its place.
        """
        self.used: set[str] = set()
        self._variables = values
        self._log = log
        self._noun, self._section = noun, section
        self._open = open_names

    def write(self, value: Any, path: Path) -> Any:
        """Return `value` with every token replaced."""
        if isinstance(value, dict):
            return {key: self.write(part, (*path, key)) for key, part in value.items()}
        if isinstance(value, list):
            return [self.write(part, (*path, index)) for index, part in enumerate(value)]
        if isinstance(value, str) and "{{" in value:
            return self._text(value, path)
        return value

    def _text(self, text: str, path: Path) -> Any:
        names = _TOKEN.findall(text)
        self.used.update(names)
        known = [*self._variables, *self._open]
        unknown = list(dict.fromkeys(name for name in names if name not in known))
        for name in unknown:
            remedy = suggestion(name, known) if known else f"declare it under `{self._section}`"
            self._log.error(path, f"the {self._noun} '{name}' is not declared", remedy)
        if not names:
            self._log.error(path, f"'{text[:40]}' opens a {self._noun} but names none", 'write "{{ name }}"')
        if unknown or not names or self._open.intersection(names):
            self._log.close(path)
            return text
        whole = _TOKEN.fullmatch(text.strip())
        if whole:
            return self._variables[whole.group(1)]
        written = _TOKEN.sub(lambda match: _as_text(self._variables[match.group(1)]), text)
        if len(written) > _TEXT_LIMIT:
            self._log.error(path, f"the text has {len(written)} characters; the limit is {_TEXT_LIMIT}")
        return written


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
