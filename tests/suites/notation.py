"""The short notation of features and structures in the tables of the suites.

    ema 20                      an indicator and its parameters in declared order
    ema 20 of hl2 on med_tf     what it reads, and its timeframe
    bbands 20 std=2.5           parameters by name
    swing 4 4                   a structure; a fractal's left and right bars
    zone demand 1.0 atr_key=atr_14 of sw on high_tf

A play has the long form; `entry` makes one from the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evenkeel.features.node import Node, Param
from evenkeel.features.registry import all_indicators, all_structures
from evenkeel.strategies.play.vocabulary import SOURCES

_TRUTH = {"true": True, "false": False}
_SWING = ("left", "right")
"""What the first numbers of a swing mean: its mode, declared before them, is rarely written."""


def feature(text: str) -> dict[str, Any]:
    """Return a feature of a play from its short form."""
    words, of, on = _parts(text)
    node = all_indicators()[words[0]]
    found: dict[str, Any] = {"indicator": node.name}
    if params := _params(node, words[1:]):
        found["params"] = params
    if on:
        found["tf"] = on
    if of:
        found["source"] = of[0] if of[0] in SOURCES else f"indicator:{of[0]}"
    return found


def structure(key: str, text: str) -> tuple[str, dict[str, Any]]:
    """Return the role and the structure of a play from its short form."""
    words, of, on = _parts(text)
    node = all_structures()[words[0]]
    found: dict[str, Any] = {"type": node.name, "key": key}
    if of:
        found["uses"] = of[0] if len(of) == 1 else of
    if params := _params(node, words[1:]):
        found["params"] = params
    return on or "exec", found


def _parts(text: str) -> tuple[list[str], list[str], str | None]:
    """Return the words before `of` and `on`, what stands behind `of`, and what behind `on`."""
    words = text.split()
    on = words[words.index("on") + 1] if "on" in words else None
    words = words[: words.index("on")] if "on" in words else words
    of = words[words.index("of") + 1].split(",") if "of" in words else []
    return words[: words.index("of")] if "of" in words else words, of, on


def _params(node: Node, words: Sequence[str]) -> dict[str, Any]:
    kinds = {param.name: param for param in node.params}
    places = _SWING if node.name == "swing" else tuple(kinds)
    found: dict[str, Any] = {}
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        if not equals:
            name, value = places[place], word
        found[name] = _value(kinds.get(name), value)
    return found


def _value(param: Param | None, word: str) -> Any:
    if param is not None and param.type is list:
        return [_number(one) for one in word.split(",")]
    if param is None or param.type is str or word.startswith("{{"):
        return word.replace("{{", "{{ ").replace("}}", " }}")
    return _TRUTH[word] if param.type is bool else _number(word)


def _number(word: str) -> int | float:
    return float(word) if "." in word or "e" in word else int(word)
