"""The condition language as JSON Schema: conditions, comparisons, windows and operands, each a definition by name.

Lists are described by `prefixItems` with a least and a greatest length, and by alternatives rather than by `if`: an
editor that does not know `prefixItems` then checks less, and refuses nothing that is right.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from evenkeel.model.time import TIMEFRAMES
from evenkeel.strategies.play.vocabulary import (
    ARITHMETIC,
    BAR_COLUMNS,
    CROSS_OPERATORS,
    EQUALITY_OPERATORS,
    FORMING_COLUMNS,
    MINUTE_PRICES,
    NEAR_OPERATORS,
    NUMERIC_OPERATORS,
    OFFSET_MAX,
    SIDE_RATES,
    WINDOW_MAX,
)

Schema: TypeAlias = dict[str, Any]

TOKEN: Schema = {
    "type": "string",
    "pattern": r"\{\{[^{}]+\}\}",
    "description": 'A variable in quotes: "{{ name }}".',
}
"""A text that a variable is written into before anything else looks at it."""

_OPERATORS = {
    ">": "above",
    "<": "below",
    ">=": "at or above",
    "<=": "at or below",
    "==": "equal: whole numbers, true and false, words",
    "!=": "not equal: whole numbers, true and false, words",
    "between": "within [low, high], both ends included",
    "near_abs": "no further away than the tolerance, in units of the operands",
    "near_pct": "no further away than the tolerance, in percent of the right side",
    "in": "one of a list of whole numbers or words",
    "cross_above": "above now, and not above one bar before",
    "cross_below": "below now, and not below one bar before",
}
_NODES = {
    "all": "Every condition of the list must hold.",
    "any": "At least one condition of the list must hold.",
    "not": "The condition must not hold; over missing data this never holds either.",
    "setup": "The condition of `setups` with this name.",
}
ROLE_WORDS = {
    "exec": "the execution timeframe",
    "low_tf": "the fastest timeframe",
    "med_tf": "the middle timeframe",
    "high_tf": "the slowest timeframe",
}
_TIMEFRAMES = {
    **ROLE_WORDS,
    **dict.fromkeys(TIMEFRAMES, "if it is one of the three"),
}
_WINDOWS = {
    "holds_for": "True on every sample of the window.",
    "occurred_within": "True on at least one sample of the window.",
    "count_true": "True on at least `min_true` samples of the window.",
}


def ref(name: str) -> Schema:
    """Return the reference to a definition."""
    return {"$ref": f"#/$defs/{name}"}


def or_token(part: Schema) -> Schema:
    """Return a value or a variable in its place; what is said about the value is said about both."""
    words: Schema = {key: part[key] for key in ("description", "default", "examples") if key in part}
    bare = {key: value for key, value in part.items() if key not in words}
    alternatives = bare["anyOf"] if set(bare) == {"anyOf"} else [bare]
    return {**words, "anyOf": [*alternatives, ref("variable")]}


def choice(meanings: dict[str, str], description: str = "") -> Schema:
    """Return an enumeration whose members each have a meaning."""
    part: Schema = {"enum": list(meanings), "enumDescriptions": list(meanings.values())}
    return {"description": description, **part} if description else part


def condition_definitions(outputs: dict[str, str]) -> dict[str, Schema]:
    """Return every definition that conditions need, by name.

    Args:
        outputs: Names of all outputs there are, with their meaning: what an editor offers behind `field`.
    """
    return {
        "variable": TOKEN,
        "condition": {
            "description": "A comparison [left, operator, right], a list of conditions of which all must hold, or a "
            "map with `all`, `any`, `not`, `setup` or a window such as `holds_for`.",
            "anyOf": [ref("comparison_list"), ref("conditions"), ref("condition_map")],
        },
        "conditions": {
            "description": "Conditions; all of them where nothing else is said.",
            "type": "array",
            "minItems": 1,
            "items": ref("condition"),
        },
        "comparison_list": _comparison_list(),
        "condition_map": _condition_map(),
        **_windows(),
        "operand": _operand(),
        "operand_or_number": {"anyOf": [{"type": "number"}, ref("operand")]},
        "reference": _reference(outputs),
        "range": _range(),
        "words": {
            "description": "The values that count.",
            "type": "array",
            "minItems": 1,
            "items": {"type": ["string", "number", "boolean"]},
        },
        "timeframe": or_token(choice(_TIMEFRAMES)),
        "tolerance": or_token(
            {"type": "number", "minimum": 0, "description": "near_pct: percent; near_abs: units of the operands."}
        ),
    }


def _operators(*groups: tuple[str, ...]) -> Schema:
    names = [name for group in groups for name in group]
    return choice({name: _OPERATORS[name] for name in names}, "How left and right are compared.")


def _comparison_list() -> Schema:
    forms = [
        (ref("operand"), _operators(NUMERIC_OPERATORS), ref("operand_or_number")),
        (ref("operand_or_number"), _operators(CROSS_OPERATORS), ref("operand_or_number")),
        (ref("operand"), _operators(EQUALITY_OPERATORS), _discrete()),
        (ref("operand"), _operators(("between",)), ref("range")),
        (ref("operand"), _operators(("in",)), ref("words")),
        (ref("operand"), _operators(NEAR_OPERATORS), ref("operand_or_number"), ref("tolerance")),
        (ref("operand_or_number"), ref("variable"), {}),
        (ref("operand_or_number"), ref("variable"), {}, ref("tolerance")),
    ]
    return {
        "description": "[left, operator, right]; with near_abs and near_pct [left, operator, right, tolerance].",
        "type": "array",
        "anyOf": [{"prefixItems": list(form), "minItems": len(form), "maxItems": len(form)} for form in forms],
    }


def _discrete() -> Schema:
    return {"anyOf": [{"type": ["number", "boolean"]}, ref("operand")]}


def _condition_map() -> Schema:
    windows = {
        f"{name}{suffix}": {**ref(f"{name}{suffix}"), "description": meaning}
        for name, meaning in _WINDOWS.items()
        for suffix in ("", "_duration")
    }
    nodes = {
        "all": {**ref("conditions"), "description": _NODES["all"]},
        "any": {**ref("conditions"), "description": _NODES["any"]},
        "not": {**ref("condition"), "description": _NODES["not"]},
        "setup": {"type": "string", "description": _NODES["setup"]},
        **windows,
    }
    sides = {
        "lhs": {**ref("operand_or_number"), "description": "Left side."},
        "op": or_token(_operators(tuple(_OPERATORS))),
        "rhs": {"description": "Right side: a number, an operand, a word, a range or a list."},
        "tolerance": {"anyOf": [ref("tolerance"), {"type": "null"}], "description": "For near_abs and near_pct."},
    }
    return {
        "type": "object",
        "properties": {**nodes, **sides},
        "additionalProperties": False,
        "minProperties": 1,
        "if": {"anyOf": [{"required": [key]} for key in ("lhs", "op", "rhs")]},
        "then": {
            "required": ["lhs", "op", "rhs"],
            "properties": dict.fromkeys(nodes, False),
            "allOf": [_right_of(names, right) for names, right in _RIGHT_SIDES],
        },
        "else": {"maxProperties": 1, "properties": {"tolerance": False}},
    }


_RIGHT_SIDES: list[tuple[tuple[str, ...], Schema]] = [
    ((*NUMERIC_OPERATORS, *CROSS_OPERATORS), {"rhs": ref("operand_or_number"), "tolerance": {"type": "null"}}),
    (EQUALITY_OPERATORS, {"rhs": _discrete(), "tolerance": {"type": "null"}}),
    (("between",), {"rhs": ref("range"), "tolerance": {"type": "null"}}),
    (("in",), {"rhs": ref("words"), "tolerance": {"type": "null"}}),
    (NEAR_OPERATORS, {"rhs": ref("operand_or_number"), "tolerance": ref("tolerance")}),
]
"""Operators to what stands on their right, and whether a tolerance does."""


def _right_of(names: tuple[str, ...], right: Schema) -> Schema:
    then: Schema = {"properties": right}
    if names == NEAR_OPERATORS:
        then["required"] = ["tolerance"]
    return {"if": {"properties": {"op": {"enum": list(names)}}}, "then": then}


def _windows() -> dict[str, Schema]:
    bars = {"type": "integer", "minimum": 1, "maximum": WINDOW_MAX, "description": "Samples, back from now."}
    duration = {
        "type": "string",
        "pattern": r"^[0-9]{1,5}[mhdMHD]$",
        "description": "Length of the window: 45m, 6h, 1d; at most 24 hours.",
    }
    least = {"type": "integer", "minimum": 1, "maximum": WINDOW_MAX, "description": "Samples that must be true."}
    anchor = {
        "description": "Timeframe of the samples; default: the execution timeframe.",
        "anyOf": [ref("timeframe"), {"type": "null"}],
    }
    found: dict[str, Schema] = {}
    for name, meaning in _WINDOWS.items():
        more = {"min_true": or_token(least)} if name == "count_true" else {}
        for suffix, length in (("", {"bars": or_token(bars)}), ("_duration", {"duration": or_token(duration)})):
            on_grid = {} if suffix else {"anchor_tf": anchor}
            needed = {**length, **more, "expr": {**ref("condition"), "description": "What is looked at."}}
            found[f"{name}{suffix}"] = {
                "description": meaning,
                "type": "object",
                "properties": {**needed, **on_grid},
                "required": list(needed),
                "additionalProperties": False,
            }
    return found


def _operand() -> Schema:
    names = {
        **dict.fromkeys(BAR_COLUMNS, "of the execution bar"),
        **dict.fromkeys(FORMING_COLUMNS, "of the execution bar that is forming"),
        **dict.fromkeys(MINUTE_PRICES, "close of the minute that ends at the instant"),
        **dict.fromkeys(SIDE_RATES, "as known at the instant; missing where the data has none"),
    }
    operands = {"prefixItems": [ref("operand_or_number")] * 2, "minItems": 2, "maxItems": 2, "type": "array"}
    return {
        "description": "A built-in, the id of a feature or structure, one of its outputs behind a dot, or arithmetic.",
        "anyOf": [
            choice(names),
            {"type": "string", "minLength": 1, "examples": ["ema_20", "macd_1.signal", "fib.level[0.618]"]},
            {
                "type": "array",
                "prefixItems": [
                    ref("operand_or_number"),
                    or_token({"enum": list(ARITHMETIC)}),
                    ref("operand_or_number"),
                ],
                "minItems": 3,
                "maxItems": 3,
            },
            {
                "type": "object",
                "properties": {op: {**operands, "description": f"left {op} right"} for op in ARITHMETIC},
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
            },
            ref("reference"),
        ],
    }


def _reference(outputs: dict[str, str]) -> Schema:
    offset = {
        "type": "integer", "minimum": 0, "maximum": OFFSET_MAX, "default": 0,
        "description": "Bars back, of the feature's own timeframe.",
    }  # fmt: skip
    return {
        "description": "A feature with its output, some bars ago.",
        "type": "object",
        "properties": {
            "feature_id": {"type": "string", "description": "A feature, a structure or a built-in."},
            "field": {
                "anyOf": [choice(outputs), {"type": ["string", "null"]}],
                "description": "Output; default: the primary one.",
            },
            "offset": or_token(offset),
        },
        "required": ["feature_id"],
        "additionalProperties": False,
    }


def _range() -> Schema:
    ends = {"low": ref("operand_or_number"), "high": ref("operand_or_number")}
    return {
        "description": "[low, high] or { low: …, high: … }, both ends included.",
        "anyOf": [
            {"type": "array", "prefixItems": list(ends.values()), "minItems": 2, "maxItems": 2},
            {"type": "object", "properties": ends, "required": list(ends), "additionalProperties": False},
        ],
    }
