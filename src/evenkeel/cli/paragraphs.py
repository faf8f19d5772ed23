"""Prose on a terminal: a heading, and lines broken at a width that reads well, each under its own beginning."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from evenkeel.cli.output import say

WIDTH = 100
"""Columns of prose."""

_BEGINNING = re.compile(r" *(?:- |\d+\. |\S+ {2,})?")
_UNIT = re.compile(r"(\d) (?=%|[A-Z]{3,5}\b)")
"""The gap between a number and its percent sign or currency, where no line breaks."""

_HELD = "\u00a0"
_MARGIN = "  "


def say_section(title: str, lines: Sequence[str]) -> None:
    """Print a heading and its lines.

    A line that begins with `- `, with a number or with a word and a gap goes on under what follows that beginning.
    """
    say(title)
    for line in lines:
        for part in broken(line):
            say(f"{_MARGIN}{part}".rstrip())


def broken(line: str) -> list[str]:
    """Return a line as lines no longer than the width; an empty one stays."""
    found = _BEGINNING.match(line)
    hanging = " " * (found.end() if found else 0)
    room = WIDTH - len(_MARGIN)
    held = _UNIT.sub(lambda match: f"{match[1]}{_HELD}", line)
    parts = textwrap.wrap(held, room, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False)
    return [part.replace(_HELD, " ") for part in parts] or [""]
