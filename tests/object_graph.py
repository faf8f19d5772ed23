"""Two objects compared attribute by attribute, through everything that they hold, so that a forgotten one is named."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from types import BuiltinMethodType, FunctionType, MethodType
from typing import Any

import msgspec
import numpy as np

OURS = "evenkeel."
WITHOUT_STATE = ("evenkeel.strategies.", "evenkeel.features.")
"""What a strategy remembers stands in its core, what features keep is compared by its bytes."""
CODE = (FunctionType, MethodType, BuiltinMethodType, type)


def differences(one: Any, other: Any, *, leave_out: frozenset[str] = frozenset()) -> list[str]:
    """Return the places at which two objects of one kind differ; code counts as equal.

    Args:
        one: An object.
        other: What should be the same.
        leave_out: Names of attributes that need not be alike.
    """
    return list(_walk("", one, other, leave_out, set()))


def _walk(path: str, one: Any, other: Any, leave_out: frozenset[str], seen: set[tuple[int, int]]) -> Iterator[str]:
    if (id(one), id(other)) in seen or isinstance(one, CODE):
        return
    seen.add((id(one), id(other)))
    if type(one) is not type(other):
        yield f"{path}: a {type(one).__name__} and a {type(other).__name__}"
    elif isinstance(one, np.ndarray):
        if not np.array_equal(one, other, equal_nan=one.dtype.kind == "f"):
            yield f"{path}: arrays differ"
    elif isinstance(one, msgspec.Struct | str | int | float | bytes) or one is None:
        if one != other and not (one != one and other != other):
            yield f"{path}: {one!r} and {other!r}"
    elif isinstance(one, Mapping):
        if list(one) != list(other):
            yield f"{path}: keys {list(one)[:5]} and {list(other)[:5]}"
            return
        for key in one:
            yield from _walk(f"{path}[{key!r}]", one[key], other[key], leave_out, seen)
    elif isinstance(one, list | tuple | deque):
        if len(one) != len(other):
            yield f"{path}: {len(one)} and {len(other)} values"
            return
        for place, pair in enumerate(zip(one, other, strict=True)):
            yield from _walk(f"{path}[{place}]", *pair, leave_out, seen)
    elif type(one).__module__.startswith(OURS) and not type(one).__module__.startswith(WITHOUT_STATE):
        yield from _attributes(path, one, other, leave_out, seen)
    elif not type(one).__module__.startswith(WITHOUT_STATE) and _is_value(one) and one != other:
        yield f"{path}: {one!r} and {other!r}"


def _is_value(one: Any) -> bool:
    """Whether equality means more than being the same object."""
    return "__eq__" in vars(type(one))


def _attributes(
    path: str, one: Any, other: Any, leave_out: frozenset[str], seen: set[tuple[int, int]]
) -> Iterator[str]:  # fmt: skip
    names = [name for kind in type(one).__mro__ for name in getattr(kind, "__slots__", ())]
    names += list(getattr(one, "__dict__", ()))
    for name in dict.fromkeys(names):
        if name not in leave_out and hasattr(one, name):
            yield from _walk(f"{path}.{name}", getattr(one, name), getattr(other, name, None), leave_out, seen)
