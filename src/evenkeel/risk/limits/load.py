"""A file of limits of one's own: a profile that ships, and what differs from it, read with line and column.

    name: my_desk
    profile: conservative
    limits:
      losses: { daily_fraction: 0.02 }
      market:
        closed_windows: ["09:30-09:45"]

Every value has the range that `docs/reference/gates.md` states. All that is wrong with a file is told at once.
"""

from __future__ import annotations

import pathlib
import types
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from evenkeel.model.errors import UsageError
from evenkeel.risk.limits.limits import GROUPS, Limits, all_rules
from evenkeel.risk.limits.market import EventWindow, Window
from evenkeel.risk.limits.profiles import PROFILES
from evenkeel.risk.limits.rule import Value
from evenkeel.risk.limits.size import Tier
from evenkeel.strategies.play.problems import Path, Problem, render, suggestion
from evenkeel.strategies.play.yaml_source import Source, read, read_file

_KEYS = ("name", "profile", "limits")


def load_limits(path: pathlib.Path) -> Limits:
    """Return the limits in a file.

    Raises:
        UsageError: If there is no such file, or something in it is wrong; each problem names line and column.
        StorageError: If the disk refuses.
    """
    return _limits(read_file(path, what="file of limits"))


def read_limits(text: str, name: str) -> Limits:
    """Return the limits in a text.

    Args:
        text: YAML.
        name: Of the file, for messages.

    Raises:
        UsageError: If something in it is wrong.
    """
    return _limits(read(text, name))


def _limits(source: Source) -> Limits:
    found = _Reader(source)
    limits = found.limits()
    if limits is None or found.problems:
        raise UsageError("\n".join(render(problem) for problem in found.problems), reason="BAD_LIMITS")
    return limits


class _Reader:
    """One pass over one file."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = list(source.faults)

    def limits(self) -> Limits | None:
        """Return the limits if nothing stands against them."""
        top = self.source.value
        if self.problems:
            return None
        if not isinstance(top, dict):
            self._wrong((), "a file of limits is a map", f"write {', '.join(_KEYS)}")
            return None
        for key in top:
            if key not in _KEYS:
                self._wrong((key,), f"'{key}' is no key of a file of limits", suggestion(key, _KEYS), key=True)
        base = PROFILES.get(str(top.get("profile")))
        if base is None:
            self._wrong(("profile",), "`profile` names the profile to start from", f"known are {', '.join(PROFILES)}")
        name = top.get("name")
        if not isinstance(name, str) or not name or name in PROFILES:
            self._wrong(("name",), "`name` is a name of its own for these limits", "write a word that no profile has")
        values = self._groups(top.get("limits"))
        if self.problems or base is None:
            return None
        try:
            return base.replaced(values, name=str(name))
        except UsageError as error:
            self._wrong(("limits",), error.message, "")
            return None

    def _groups(self, groups: Any) -> dict[str, Value]:
        if not isinstance(groups, dict):
            self._wrong(("limits",), "`limits` is a map of groups", f"known are {', '.join(GROUPS)}")
            return {}
        values: dict[str, Value] = {}
        for group, fields in groups.items():
            if group not in GROUPS:
                self._wrong(("limits", group), f"'{group}' is no group", suggestion(group, GROUPS), key=True)
            elif not isinstance(fields, dict):
                self._wrong(("limits", group), f"`{group}` is a map of limits", "write `name: value`")
            else:
                for field, value in fields.items():
                    self._field(group, field, value, values)
        return values

    def _field(self, group: str, field: str, value: Any, values: dict[str, Value]) -> None:
        path, name = ("limits", group, field), f"{group}.{field}"
        rule = all_rules().get(name)
        if rule is None:
            self._wrong(path, f"'{field}' is no limit", suggestion(field, GROUPS[group].__struct_fields__), key=True)
            return
        try:
            converted = _converted(value, _types(group)[field])
        except ValueError as error:
            self._wrong(path, str(error), f"range {rule.span or rule.unit}; {rule.meaning}")
            return
        if not rule.holds(converted):
            self._wrong(path, f"{value} does not lie in {rule.span} ({rule.unit})", "write a value inside the range")
            return
        values[name] = converted

    def _wrong(self, path: Path, message: str, remedy: str, *, key: bool = False) -> None:
        self.problems.append(self.source.problem(path, message, remedy=remedy, key=key))


@cache
def _types(group: str) -> Mapping[str, Any]:
    return get_type_hints(GROUPS[group])


def _converted(value: Any, kind: Any) -> Value:
    """Return a value of YAML as a limit has it.

    Raises:
        ValueError: If it is of another kind; the words say what was expected.
    """
    if get_origin(kind) in (Union, types.UnionType):
        if value is None:
            return None
        kind = next(part for part in get_args(kind) if part is not type(None))
    if get_origin(kind) is tuple:
        return _items(value, get_args(kind)[0])
    if kind is bool:
        if not isinstance(value, bool):
            raise ValueError(f"{value!r} is neither true nor false")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is no number")
    if kind is int:
        if isinstance(value, float):
            raise ValueError(f"{value!r} is no whole number")
        return value
    return Decimal(repr(value))


def _items(value: Any, kind: type[Window | EventWindow | Tier]) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{value!r} is no list")
    try:
        if kind is Window:
            return tuple(Window.parse(str(item)) for item in value)
        plain = [{k: str(v) if isinstance(v, float) else v for k, v in item.items()} for item in value]
        return tuple(msgspec.convert(plain, list[kind], strict=False))  # type: ignore[valid-type]
    except UsageError as error:
        raise ValueError(error.message) from None
    except (msgspec.ValidationError, AttributeError) as error:
        raise ValueError(f"an item of the list is wrong: {error}") from None
