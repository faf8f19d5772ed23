"""The command line as a person uses it, in this process: a home of its own, what it said, and how it ended."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from evenkeel.cli.entry import run


@dataclass(frozen=True)
class Said:
    """What a command left behind.

    Attributes:
        code: Exit code.
        out: Standard output.
        err: Standard error.
    """

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on standard output; anything beside it is an error."""
        found: dict[str, Any] = msgspec.json.decode(self.out.encode())
        return found

    @property
    def message(self) -> str:
        """The one error sentence, which may go on over several lines; the hint behind it is part of it."""
        assert self.err.count("error: ") == 1, self.err
        return self.err.partition("error: ")[2].strip()


class Keel:
    """`keel` with a home in a folder of the test."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(self, *arguments: object) -> Said:
        """Run one command; a traceback anywhere fails the test, whatever the exit code."""
        streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2)]
        with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
            code = run(["--home", str(self.home), *(str(argument) for argument in arguments)])
        out, err = (stream.buffer.getvalue().decode() for stream in streams)
        assert "Traceback" not in out + err
        assert "unexpected fault" not in err
        return Said(code, out, err)

    def ok(self, *arguments: object) -> Said:
        """Run a command that must succeed."""
        said = self(*arguments)
        assert said.code == 0, f"{arguments}: exit code {said.code}\n{said.out}\n{said.err}"
        return said


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its bytes, and every empty folder with none."""
    return dict(_walk(folder)) if folder.is_dir() else {}


def _walk(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path, folders, files in os.walk(folder):
        here = Path(path)
        for name in files:
            yield str((here / name).relative_to(folder)), (here / name).read_bytes()
        if not folders and not files and here != folder:
            yield f"{here.relative_to(folder)}{os.sep}", b""
