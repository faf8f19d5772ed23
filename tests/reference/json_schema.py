"""JSON Schema, draft 2020-12, as far as our schemas use it: a second reading of them that knows nothing of plays.

A keyword that is not known here is refused, so that no rule of a schema goes unread.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

Schema = dict[str, Any] | bool
ANNOTATIONS = {"$schema", "$defs", "title", "description", "default", "examples", "enumDescriptions"}


def complaints(schema: Schema, value: Any, root: dict[str, Any] | None = None, where: str = "$") -> list[str]:
    """Return what the schema says against the value, each with its place; nothing if it is valid."""
    return list(_complaints(schema, value, root if root is not None else _as_root(schema), where))


def _as_root(schema: Schema) -> dict[str, Any]:
    return schema if isinstance(schema, dict) else {}


def _complaints(schema: Schema, value: Any, root: dict[str, Any], where: str) -> Iterator[str]:
    if isinstance(schema, bool):
        if not schema:
            yield f"{where}: nothing may stand here"
        return
    for keyword, rule in schema.items():
        if keyword in ANNOTATIONS or keyword in ("then", "else"):
            continue
        if keyword not in KEYWORDS:
            raise ValueError(f"the keyword {keyword} is not known")
        yield from KEYWORDS[keyword](schema, rule, value, root, where)


def _holds(schema: Schema, value: Any, root: dict[str, Any]) -> bool:
    return next(_complaints(schema, value, root, ""), None) is None


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


IS = {
    "null": lambda v: v is None,
    "boolean": lambda v: isinstance(v, bool),
    "number": is_number,
    "integer": lambda v: is_number(v) and float(v).is_integer(),
    "string": lambda v: isinstance(v, str),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
}


def _same(left: Any, right: Any) -> bool:
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _simple(applies: Callable[[Any], bool], holds: Callable[[Any, Any], bool], words: str) -> Any:
    def check(schema: Any, rule: Any, value: Any, root: Any, where: str) -> Iterator[str]:
        if applies(value) and not holds(value, rule):
            yield f"{where}: {value!r:.60} is not {words} {rule!r:.200}"

    return check


def _all_of(schema: Any, rule: Any, value: Any, root: Any, where: str) -> Iterator[str]:
    for part in rule:
        yield from _complaints(part, value, root, where)


def _any_of(schema: Any, rule: Any, value: Any, root: Any, where: str) -> Iterator[str]:
    if not any(_holds(part, value, root) for part in rule):
        yield f"{where}: {value!r:.60} fits none of {len(rule)} alternatives"


def _if(schema: Any, rule: Any, value: Any, root: Any, where: str) -> Iterator[str]:
    branch = schema.get("then" if _holds(rule, value, root) else "else", True)
    yield from _complaints(branch, value, root, where)


def _ref(schema: Any, rule: Any, value: Any, root: Any, where: str) -> Iterator[str]:
    head, _, name = rule.rpartition("/")
    if head != "#/$defs":
        raise ValueError(f"the reference {rule} is not known")
    yield from _complaints(root["$defs"][name], value, root, where)


def _not(schema: Any, rule: Any, value: Any, root: Any, where: str) -> Iterator[str]:
    if _holds(rule, value, root):
        yield f"{where}: it is what it must not be"


def _properties(schema: Any, rule: Any, value: Any, root: Any, where: str) -> Iterator[str]:
    for key in value if isinstance(value, dict) else ():
        if key in rule:
            yield from _complaints(rule[key], value[key], root, f"{where}.{key}")


def _additional(schema: Any, rule: Any, value: Any, root: Any, where: str) -> Iterator[str]:
    for key in value if isinstance(value, dict) else ():
        if key not in schema.get("properties", {}):
            yield from _complaints(rule, value[key], root, f"{where}.{key}")


def _property_names(schema: Any, rule: Any, value: Any, root: Any, where: str) -> Iterator[str]:
    for key in value if isinstance(value, dict) else ():
        yield from _complaints(rule, key, root, f"{where}.{key}")


def _prefix_items(schema: Any, rule: Any, value: Any, root: Any, where: str) -> Iterator[str]:
    for index, (part, one) in enumerate(zip(rule, value if isinstance(value, list) else (), strict=False)):
        yield from _complaints(part, one, root, f"{where}[{index}]")


def _items(schema: Any, rule: Any, value: Any, root: Any, where: str) -> Iterator[str]:
    first = len(schema.get("prefixItems", ()))
    for index, one in enumerate(value[first:] if isinstance(value, list) else ()):
        yield from _complaints(rule, one, root, f"{where}[{first + index}]")


def _type_holds(value: Any, rule: Any) -> bool:
    return any(IS[name](value) for name in ([rule] if isinstance(rule, str) else rule))


def _always(value: Any) -> bool:
    return True


KEYWORDS: dict[str, Any] = {
    "$ref": _ref,
    "type": _simple(_always, _type_holds, "of type"),
    "enum": _simple(_always, lambda v, r: any(_same(v, one) for one in r), "one of"),
    "const": _simple(_always, _same, "equal to"),
    "minimum": _simple(is_number, lambda v, r: v >= r, "at least"),
    "maximum": _simple(is_number, lambda v, r: v <= r, "at most"),
    "exclusiveMinimum": _simple(is_number, lambda v, r: v > r, "above"),
    "exclusiveMaximum": _simple(is_number, lambda v, r: v < r, "below"),
    "minLength": _simple(IS["string"], lambda v, r: len(v) >= r, "of length at least"),
    "maxLength": _simple(IS["string"], lambda v, r: len(v) <= r, "of length at most"),
    "pattern": _simple(IS["string"], lambda v, r: re.search(r, v) is not None, "like"),
    "minItems": _simple(IS["array"], lambda v, r: len(v) >= r, "of length at least"),
    "maxItems": _simple(IS["array"], lambda v, r: len(v) <= r, "of length at most"),
    "minProperties": _simple(IS["object"], lambda v, r: len(v) >= r, "of size at least"),
    "maxProperties": _simple(IS["object"], lambda v, r: len(v) <= r, "of size at most"),
    "required": _simple(IS["object"], lambda v, r: all(key in v for key in r), "holding each of"),
    "allOf": _all_of,
    "anyOf": _any_of,
    "if": _if,
    "not": _not,
    "properties": _properties,
    "additionalProperties": _additional,
    "propertyNames": _property_names,
    "prefixItems": _prefix_items,
    "items": _items,
}
