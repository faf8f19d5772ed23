"""The log that collects every problem of one play while it is read.

It takes `PROBLEMS_MAX` problems and then gives up on the file, and as many warnings and then counts them only: a file
made by a program that went wrong must not keep anybody waiting.
"""

from __future__ import annotations

from collections.abc import Iterable

from evenkeel.model.gaps import GAPS
from evenkeel.strategies.play.problems import PROBLEMS_MAX, Path, PlayErrors, Problem
from evenkeel.strategies.play.yaml_source import Source


class ProblemLog:
    """Collects problems; one mistake is told once.

    A path that is *closed* takes no further problems: what lies under a mistake that has been told already would only
    repeat it in other words.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._problems: list[Problem] = list(source.faults)
        self._closed: set[Path] = set()
        self._wrong = sum(problem.kind != "warning" for problem in self._problems)
        self._warnings = 0

    def error(self, path: Path, message: str, remedy: str = "", *, key: bool = False) -> None:
        """Tell what is wrong with the value at `path`, or with its key."""
        self._add(path, message, kind="error", remedy=remedy, key=key)

    def unavailable(self, path: Path, gap: str, *, key: bool = True) -> None:
        """Refuse a thing of `evenkeel.model.gaps` by name and close its path."""
        self.unavailable_thing(path, GAPS[gap], key=key)

    def unavailable_thing(self, path: Path, thing: str, *, key: bool = True) -> None:
        """Refuse a specified but missing thing in the words of `evenkeel.model.gaps` and close its path."""
        name, _, because = thing.partition(": ")
        if name.count("`") % 2:
            name, because = thing, ""
        message = f"{name} is not available yet{f' ({because})' if because else ''}"
        self._add(path, message, kind="unavailable", remedy="`keel doctor --gaps` lists all such", key=key)
        self.close(path)

    def warn(self, path: Path, message: str, remedy: str = "", *, key: bool = False) -> None:
        """Tell what loads but is probably not meant."""
        self._add(path, message, kind="warning", remedy=remedy, key=key)

    def close(self, path: Path) -> None:
        """Take no more problems at `path` and below."""
        self._closed.add(path)

    def is_closed(self, path: Path) -> bool:
        """Whether `path` or something above it is closed."""
        return any(path[:length] in self._closed for length in range(len(path) + 1))

    def close_like(self, path: Path, other: ProblemLog, place: Path) -> None:
        """Close below `path` what another log has closed below `place`: the same part, under another name."""
        for closed in other._closed:
            if closed[: len(place)] == place:
                self.close((*path, *closed[len(place) :]))

    def adopt(self, problems: Iterable[Problem]) -> None:
        """Take over what was told of another file."""
        fresh = [problem for problem in problems if problem not in self._problems]
        self._problems += fresh
        self._wrong += sum(problem.kind != "warning" for problem in fresh)

    @property
    def failed(self) -> bool:
        """Whether anything but warnings was told."""
        return self._wrong > 0

    def problems(self) -> tuple[Problem, ...]:
        """Return everything told, in the order of the file; the command line's first, of other files last."""
        return (*sorted(self._problems, key=self._order), *self._left_out())

    def _left_out(self) -> list[Problem]:
        name = self.source.name
        if self._wrong >= PROBLEMS_MAX:
            message = f"these are {PROBLEMS_MAX} problems; the file was not looked at any further"
            return [Problem(kind="error", file=name, message=message, remedy="mend these first")]
        more = self._warnings - PROBLEMS_MAX
        if more <= 0:
            return []
        remedy = "mend these first"
        return [Problem(kind="warning", file=name, message=f"there are {more} further warnings", remedy=remedy)]

    def raise_if_failed(self) -> None:
        """Raise everything at once.

        Raises:
            PlayErrors: If anything but warnings was told.
        """
        if self.failed:
            raise PlayErrors(self.problems())

    def _order(self, problem: Problem) -> tuple[str, int, int, str, str, str]:
        elsewhere = problem.line > 0 and problem.file != self.source.name
        file = problem.file if elsewhere else ""
        return file, problem.line, problem.column, problem.kind, problem.path, problem.message

    def _add(self, path: Path, message: str, *, kind: str, remedy: str, key: bool) -> None:
        if self.is_closed(path):
            return
        if kind == "warning" and self._warnings >= PROBLEMS_MAX:
            self._warnings += 1
            return
        problem = self.source.problem(path, message, kind=kind, remedy=remedy, key=key)
        if problem in self._problems:
            return
        self._problems.append(problem)
        if kind == "warning":
            self._warnings += 1
            return
        self._wrong += 1
        if self._wrong >= PROBLEMS_MAX:
            self.raise_if_failed()
