"""Problems of a play: what is wrong, where, and what to do, rendered in one place.

>>> problem = Problem(kind="error", file="a.yaml", line=3, column=7, width=4, path="entry.order_type",
...                   message="'LIMT' is not an order type", remedy="did you mean 'LIMIT'?")
>>> render(problem)
"a.yaml:3:7: entry.order_type: 'LIMT' is not an order type; did you mean 'LIMIT'?"
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

import msgspec

from evenkeel.model.errors import UsageError

Path: TypeAlias = tuple[str | int, ...]
"""Where a value stands in a document: keys and list positions from the top."""

PROBLEMS_MAX = 500
"""So many problems of a file are told, and as many warnings: nobody mends more at once, and looking further costs."""

_NAMES_MAX = 1000
_LENGTHS_APART = 2
"""Among more names than this only those that begin alike and are about as long are compared: comparing is slow."""

_LINE_MAX = 160
_BEFORE = 60
"""Of a longer line so much is shown, and so much of it before the offending text."""

Kind: TypeAlias = Literal["error", "unavailable", "warning"]


class Span(msgspec.Struct, frozen=True):
    """A place in a text.

    Attributes:
        line: From 1.
        column: From 1.
        end_line: Line of the character after the last.
        end_column: Column of the character after the last.
    """

    line: int
    column: int
    end_line: int
    end_column: int


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong, or worth a warning.

    Attributes:
        kind: `error` is wrong, `unavailable` is right but not built yet, `warning` loads all the same.
        file: Name of the file; for a value given on the command line, the option.
        line: From 1; 0 where there is no line.
        column: From 1; 0 where there is no line.
        width: How many characters to underline; 0 for none.
        path: Dotted path of the key or value.
        message: What is wrong.
        remedy: What to do; may be empty.
        excerpt: The line of the file.
    """

    kind: Kind
    file: str
    line: int = 0
    column: int = 0
    width: int = 0
    path: str = ""
    message: str
    remedy: str = ""
    excerpt: str = ""


class PlayErrors(UsageError):
    """A play that cannot be used, with every reason at once.

    Attributes:
        problems: In the order of the file; warnings included.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        wrong = [problem for problem in self.problems if problem.kind != "warning"]
        only_gaps = all(problem.kind == "unavailable" for problem in wrong)
        super().__init__(_summary(wrong), reason="NOT_AVAILABLE" if only_gaps else "BAD_PLAY")


def _summary(wrong: Sequence[Problem]) -> str:
    if len(wrong) == 1:
        return render(wrong[0])
    lines = "\n".join(f"  {render(problem)}" for problem in wrong)
    return f"{wrong[0].file}: {len(wrong)} problems\n{lines}"


def render(problem: Problem) -> str:
    """Return one line: place, path, message and remedy."""
    where = f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file
    path = f" {problem.path}:" if problem.path else ""
    kind = " warning:" if problem.kind == "warning" else ""
    remedy = f"; {problem.remedy}" if problem.remedy else ""
    return f"{where}:{kind}{path} {problem.message}{remedy}"


def render_with_excerpt(problem: Problem) -> str:
    """Return the line of `render`, then the source line with a caret under the offending text."""
    if not problem.excerpt:
        return render(problem)
    text, start = problem.excerpt, 0
    if len(text) > _LINE_MAX:
        start = max(0, problem.column - 1 - _BEFORE)
        end = start + _LINE_MAX
        text = f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
        start -= 1 if start else 0
    gutter = f"{problem.line:>6} | "
    at = problem.column - 1 - start
    under = " " * (len(gutter) - 2) + "| " + " " * at + "^" * max(1, min(problem.width, len(text) - at))
    return f"{render(problem)}\n{gutter}{text}\n{under}"


def dotted(path: Path) -> str:
    """Return a path as people write it: `actions.entry_long.all[0]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def nearest(name: object, known: Iterable[str]) -> str | None:
    """Return the known name most like `name`, or None if none is close."""
    names = list(known)
    text = str(name)[:80]
    if len(names) > _NAMES_MAX:
        alike = (one for one in names if one[:1] == text[:1] and abs(len(one) - len(text)) <= _LENGTHS_APART)
        names = list(itertools.islice(alike, _NAMES_MAX))
    by_lower = {candidate.lower(): candidate for candidate in names}
    found = difflib.get_close_matches(text.lower(), by_lower, n=1, cutoff=0.55)
    return by_lower[found[0]] if found else None


def suggestion(name: object, known: Iterable[str], *, limit: int = 12) -> str:
    """Return the remedy for an unknown name: the nearest one, else all that are known."""
    names = list(known)
    near = nearest(name, names)
    if near is not None:
        return f"did you mean '{near}'?"
    if not names:
        return "none is declared"
    shown = ", ".join(names[:limit])
    return f"known are {shown}{', …' if len(names) > limit else ''}"
