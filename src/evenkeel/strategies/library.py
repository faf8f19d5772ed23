"""Where files that name each other are found: beside the one that names, in the user's home, among those that ship.

A *name* is looked up in each of these places in turn, folders below included; the first place that has one wins, and
two in one place are an error. A *path* is taken from the folder of the file that names it and never leads out of it, so
that a strategy taken from somewhere reads nothing but its own folder.

    Library(home).find("trend_filter", kind="block", beside=Path("plays"))
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Literal

from evenkeel import examples
from evenkeel.model.errors import UsageError

Kind = Literal["block", "play", "playbook"]

NAME_LENGTH_MAX = 200
"""Longest name or path of a file in a strategy, in characters."""

SUFFIX = ".yaml"
_NAME = re.compile(r"[A-Za-z]\w*\Z", re.ASCII)


@dataclass(frozen=True)
class Library:
    """The places that do not depend on who asks.

    Attributes:
        home: The user's home, whose folders `blocks`, `plays` and `playbooks` are looked through; None leaves it out.
        shipped: The folder of what ships.
    """

    home: Path | None = None
    shipped: Path = examples.FOLDER

    def find(self, text: str, *, kind: Kind, beside: Path | None) -> Path:
        """Return the file that a name or a path means.

        Args:
            text: A name, or a path with its suffix.
            kind: What is looked for.
            beside: Folder of the file that names it; None if it was no file.

        Raises:
            UsageError: If there is none, or more than one, or the path leads out of the folder.
        """
        if len(text) > NAME_LENGTH_MAX or not text.isprintable():
            raise UsageError(f"'{text[:40]}' cannot name a {kind}: at most {NAME_LENGTH_MAX} printable characters")
        if "/" in text or "\\" in text or text.endswith(SUFFIX):
            return _by_path(text, kind, beside)
        if not _NAME.match(text):
            raise UsageError(f"'{text}' is not a name; use letters, digits and _, or a path that ends in {SUFFIX}")
        for place in self._places(kind, beside):
            found = [path for path in place if path.stem == text]
            if len(found) > 1:
                raise UsageError(f"the {kind} '{text}' exists more than once: {_listed(found)}; rename all but one")
            if found:
                return found[0]
        names = sorted({path.stem for place in self._places(kind, beside) for path in place})
        near = get_close_matches(text, names, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(names[:12]) or 'none'}"
        raise UsageError(f"there is no {kind} '{text}'; {hint}")

    def _places(self, kind: Kind, beside: Path | None) -> Iterator[list[Path]]:
        """Yield the files of each place, nearest first."""
        folder = f"{kind}s"
        if beside is not None:
            yield [*sorted(beside.glob(f"*{SUFFIX}")), *_below(beside / folder)]
        if self.home is not None:
            yield _below(self.home / folder)
        yield examples.files(kind, self.shipped)


def _by_path(text: str, kind: Kind, beside: Path | None) -> Path:
    if beside is None:
        raise UsageError(f"'{text}' is a path, but the text that names it is no file; name the {kind} without a path")
    path = PurePosixPath(text)
    root = beside.resolve()
    target = (beside / path).resolve()
    if "\\" in text or path.is_absolute() or ".." in path.parts or not target.is_relative_to(root):
        raise UsageError(
            f"'{text}' leads out of the folder of the file that names it; put the {kind} below that folder, write / "
            f"between folders, or name it without a path to have it looked up in `{kind}s` of the home"
        )
    if not target.is_file():
        raise UsageError(f"there is no file '{beside / path}'")
    return beside / path


def _below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob(f"*{SUFFIX}") if path.is_file()) if folder.is_dir() else []


def _listed(paths: list[Path]) -> str:
    return " and ".join(str(path) for path in paths)
