"""Wrong plays by the thousand: damage to texts and to trees, each drawn from a seed.

    text = damaged_text(random.Random(7), text)
    tree = damaged_tree(random.Random(7), tree)

Damage is what people, editors and copying do to files (lines lost, doubled, moved, wrongly indented, tabs, stray
characters), what YAML allows and a play must not contain (anchors by the thousand, merge keys, duplicate keys, tags,
depth, huge numbers), and what a hurried author does to values (wrong kinds, exchanged values, misspelt keys).
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

WORDS = (
    "close", "ema_fast_20", "sw", "sw.low_level", "tr.direction", "atr_14", "bullish", "==", ">", "cross_above", "in",
    "between", "near_pct", "all", "not", "setup", "holds_for", "{{ fast }}", "{{ nope }}", "{{", "percent", "structure",
    "LIMIT", "exec", "1h", "2024-01-01", "indicator:obv", "vwap_d", "fib.level[0.618]", "", "é", "-", "\x00", "\ud7ff",
    "null", "~", "yes", "0x10", "1e400", "-0", ".nan", "<<", "!!python/object:os.system", "&a", "*a", "\u2028",
    "\ufeff",
)  # fmt: skip
NUMBERS = (
    0, -1, 1, 2, 500, 501, 1000, 1001, 2**53, 2**53 + 1, -(2**70), 10**30, 0.0, -0.0, 1e-300, 5e-324, 1e308,
    float("inf"), float("-inf"), float("nan"), 99.999999, 0.1,
)  # fmt: skip
CHARACTERS = "[]{}:,-#&*!|>'\"%@`~?\n\t \r\u00e9\u2028\x00\x070.e+<=\ufeff\U0001f600\ud800"

Place = tuple[Any, Any]


def containers(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield every map and list of a tree with its path, outermost first."""
    if isinstance(tree, dict | list):
        yield path, tree
        for key, part in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from containers(part, (*path, key))


def places(tree: Any) -> list[Place]:
    """Return every container with each of its keys or positions."""
    return [
        (container, key)
        for _, container in containers(tree)
        for key in (list(container) if isinstance(container, dict) else range(len(container)))
    ]


def misspelt(rng: random.Random, key: str) -> str:
    """Return a key that looks like another."""
    at = rng.randrange(len(key) + 1)
    match rng.randrange(5):
        case 0:
            return key[:at] + key[at + 1 :] if at < len(key) else key + "s"
        case 1:
            return key[:at] + rng.choice("abcdefghijklmnopqrstuvwxyz_") + key[at:]
        case 2:
            return (
                key[: at - 1] + key[at : at + 1] + key[at - 1 : at] + key[at + 1 :] if 0 < at < len(key) else f"{key}_x"
            )
        case 3:
            return key.upper() if key.upper() != key else key.lower()
        case _:
            return f"{key} "


def any_value(rng: random.Random, depth: int = 0) -> Any:
    """Return a value of any kind."""
    match rng.randrange(9 if depth < 3 else 6):
        case 0 | 1:
            return rng.choice(WORDS)
        case 2 | 3:
            return rng.choice(NUMBERS)
        case 4:
            return rng.choice((True, False, None))
        case 5:
            return rng.uniform(-100, 200)
        case 6:
            return [any_value(rng, depth + 1) for _ in range(rng.randrange(5))]
        case 7:
            return {rng.choice(WORDS): any_value(rng, depth + 1) for _ in range(rng.randrange(4))}
        case _:
            return {}


def damaged_tree(rng: random.Random, tree: Any, others: list[Any] | None = None) -> Any:
    """Return a copy of a document with one to four things wrong, or at least different.

    Args:
        rng: Where chance comes from.
        tree: Left as it is.
        others: Documents to take parts from.
    """
    tree = copy.deepcopy(tree)
    for _ in range(rng.randint(1, 4)):
        found = places(tree)
        if not found:
            break
        container, key = rng.choice(found)
        _damage_place(rng, container, key, found, others or [tree])
    return tree


def _damage_place(rng: random.Random, container: Any, key: Any, found: list[Place], others: list[Any]) -> None:
    match rng.randrange(8):
        case 0:
            container[key] = any_value(rng)
        case 1:
            del container[key]
        case 2 if isinstance(container, dict):
            container[misspelt(rng, key)] = container.pop(key)
        case 3 if isinstance(container, dict):
            container[rng.choice((*WORDS, "extra"))] = any_value(rng)
        case 4:
            other, its_key = rng.choice(found)
            container[key], other[its_key] = copy.deepcopy(other[its_key]), copy.deepcopy(container[key])
        case 5 if isinstance(container, list):
            container.insert(rng.randrange(len(container) + 1), copy.deepcopy(container[key]))
        case 6:
            donor, its_key = rng.choice(places(rng.choice(others)))
            container[key] = copy.deepcopy(donor[its_key])
        case 7 if isinstance(container, list):
            rng.shuffle(container)
        case _:
            container[key] = str(container[key])


def damaged_text(rng: random.Random, text: str) -> str:
    """Return a text with one to three kinds of damage."""
    for _ in range(rng.randint(1, 3)):
        text = rng.choice(DAMAGES)(rng, text)
    return text


def damaged_bytes(rng: random.Random, text: str) -> bytes:
    """Return the bytes of a text, some of them changed: no longer a text, perhaps."""
    data = bytearray(damaged_text(rng, text).encode("utf-8", "surrogatepass"))
    for _ in range(rng.randint(1, 4)):
        if data:
            data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


def _line(rng: random.Random, text: str) -> tuple[list[str], int]:
    lines = text.split("\n")
    return lines, rng.randrange(len(lines))


def lose_line(rng: random.Random, text: str) -> str:
    lines, at = _line(rng, text)
    return "\n".join(lines[:at] + lines[at + 1 :])


def double_line(rng: random.Random, text: str) -> str:
    lines, at = _line(rng, text)
    return "\n".join(lines[: at + 1] + lines[at:])


def swap_lines(rng: random.Random, text: str) -> str:
    lines, at = _line(rng, text)
    other = rng.randrange(len(lines))
    lines[at], lines[other] = lines[other], lines[at]
    return "\n".join(lines)


def indent_otherwise(rng: random.Random, text: str) -> str:
    lines, at = _line(rng, text)
    last = min(len(lines), at + rng.randint(1, 6))
    by = rng.choice((" ", "  ", "\t", "   ", "\u00a0"))
    for index in range(at, last):
        lines[index] = lines[index][1:] if rng.random() < 0.3 else by + lines[index]
    return "\n".join(lines)


def put_characters(rng: random.Random, text: str) -> str:
    start = rng.randrange(len(text) + 1)
    end = min(len(text), start + rng.randrange(12))
    return text[:start] + "".join(rng.choice(CHARACTERS) for _ in range(rng.randrange(5))) + text[end:]


def cut_off(rng: random.Random, text: str) -> str:
    return text[: rng.randrange(len(text) + 1)]


def bomb(rng: random.Random, text: str) -> str:
    """Aliases of aliases: each level ten times the one before."""
    levels = rng.randint(2, 12)
    lines = ["bomb0: &b0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"bomb{n}: &b{n} [{', '.join([f'*b{n - 1}'] * 10)}]" for n in range(1, levels)]
    return text + "\n" + "\n".join(lines) + "\n"


def anchor(rng: random.Random, text: str) -> str:
    """An anchor at one value, its alias in place of another; at times inside itself."""
    lines, at = _line(rng, text)
    head, colon, rest = lines[at].partition(": ")
    lines[at] = f"{head}{colon}&a {rest}"
    other = rng.randrange(len(lines))
    key, colon, _ = lines[other].partition(": ")
    lines[other] = f"{key}{colon}*a" if other != at else f"{key}{colon}&a [*a]"
    return "\n".join(lines)


def huge_number(rng: random.Random, text: str) -> str:
    digits = [index for index, character in enumerate(text) if character.isdigit()]
    if not digits:
        return text
    at = rng.choice(digits)
    number = rng.choice(
        ("9" * rng.randint(20, 5000), "1e999999999", "-" + "1" * 400, "0x" + "f" * 300, "1" + "_0" * 50)
    )
    return text[:at] + number + text[at + 1 :]


def nest(rng: random.Random, text: str) -> str:
    lines, at = _line(rng, text)
    depth = rng.choice((3, 20, 70, 2000, 20000))
    if rng.random() < 0.5:
        key, colon, _ = lines[at].partition(": ")
        lines[at] = f"{key}{colon}{'[' * depth}x{']' * depth}"
    else:
        key = rng.choice(("not", "all", "x"))
        lines[at] = f"setups: {{ deep: {f'{{ {key}: ' * depth}[close, '>', open]{' }' * depth} }}"
    return "\n".join(lines)


def put_structure(rng: random.Random, text: str) -> str:
    """A line that YAML knows and a play must not hold, or not twice."""
    line = rng.choice(
        (
            "<<: { a: 1 }", "? [a, b]\n: c", "name: again", "version: 3", "---", "...", "%YAML 1.1", "!!set {a, b}",
            "account: !!map {}", "1: one", "null: x", "{{ x }}: 1", "features: &f { <<: *f }", "- list", "|\n  text",
            "key: >\n\n\n", "a: 'open", 'b: "open', "\ttab: 1", "true: false", "? ", ": ", "@x: 1", "`y`: 2", "*z : 1",
        )
    )  # fmt: skip
    lines, at = _line(rng, text)
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())] if rng.random() < 0.7 else ""
    return "\n".join([*lines[:at], *(indent + part for part in line.split("\n")), *lines[at:]])


def replace_word(rng: random.Random, text: str) -> str:
    parts = text.split(" ")
    parts[rng.randrange(len(parts))] = str(rng.choice((*WORDS, *NUMBERS)))
    return " ".join(parts)


DAMAGES: tuple[Callable[[random.Random, str], str], ...] = (
    lose_line, double_line, swap_lines, indent_otherwise, put_characters, cut_off, bomb, anchor, huge_number, nest,
    put_structure, replace_word,
)  # fmt: skip
