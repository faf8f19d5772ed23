"""Trees of conditions for a terminal: what held is green, what failed is red, what is unknown is yellow.

Colours are left out by whoever prints, where no terminal watches or nobody wants them; the marks say the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from evenkeel.strategies.play.verdict import Unfolding

if TYPE_CHECKING:
    from evenkeel.engine.explanation import Explanation, RuleVerdict
    from evenkeel.strategies.play.verdict import Verdict

_INDENT = "  "
_MARKS = {True: "[x]", False: "[ ]", None: "[?]"}
_WORDS = {True: "TRUE", False: "FALSE", None: "UNKNOWN"}
_COLOURS = {True: "green", False: "red", None: "yellow"}


def tree_lines(explanation: Explanation) -> Iterator[str]:
    """Yield the lines of the rules of a decision, each below a blank line; none where no rule could have acted."""
    if not explanation.rules:
        return
    where = explanation.moment.where
    yield f"\n{explanation.title}, close {where.close:.8g}"
    for rule in explanation.rules:
        yield ""
        yield from _rule_lines(rule)


def _rule_lines(rule: RuleVerdict) -> Iterator[str]:
    rows = [] if rule.verdict is None else list(_rows(rule.verdict, 1, Unfolding()))
    width = max([len(rule.rule.words), *(len(left) for left, _, _ in rows)])
    silent = "" if rule.spoke or rule.verdict is None or not rule.verdict.truth else "an earlier case held"
    otherwise = "else: no case before it held" if rule.verdict is None and rule.spoke else silent
    yield _line(rule.rule.words, width, rule.spoke, otherwise)
    for left, truth, found in rows:
        yield _line(left, width, truth, found)


def _rows(verdict: Verdict, depth: int, unfolding: Unfolding) -> Iterator[tuple[str, bool | None, str]]:
    """Yield mark and words, truth, and what was found, of a condition and of those inside."""
    found = [verdict.found()] if verdict.found() else []
    if unfolding.is_repeated(verdict):
        found.append("as above")
    if verdict.truth is None or verdict.reason.name == "INVALID_TOLERANCE":
        found.append(f"({verdict.reason.value})")
    yield f"{_INDENT * depth}{_MARKS[verdict.truth]} {verdict.traced.words}", verdict.truth, " ".join(found)
    for child in unfolding.children(verdict):
        yield from _rows(child, depth + 1, unfolding)


def _line(left: str, width: int, truth: bool | None, found: str) -> str:
    word = _WORDS[truth]
    padding = " " * (len(_WORDS[None]) - len(word)) if found else ""
    return f"{left.ljust(width)}  {click.style(word, fg=_COLOURS[truth])}{padding}{f'  {found}' if found else ''}"
