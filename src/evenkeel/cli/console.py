"""Tables and progress: colours and bars for a terminal, plain text for a pipe.

Rich is imported only where a terminal watches.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from evenkeel.cli.output import note, say


class Advance(Protocol):
    """Moves a progress bar."""

    def __call__(self, steps: float = 1) -> None:
        """Say that so many further steps are done."""


@contextmanager
def progress(description: str, total: float | None = None) -> Iterator[Advance]:
    """Show a bar on standard error while the body runs, if a terminal watches; it vanishes at the end.

    Args:
        description: What is being done, as a participle: "importing".
        total: Steps until done; None where that is not known.
    """
    if not sys.stderr.isatty():
        yield _no_bar
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=total)

        def advance(steps: float = 1) -> None:
            bar.advance(task, steps)

        yield advance


def announce_compilation() -> None:
    """Say on standard error when kernels are compiled for the first time; call it before anything computes."""
    from evenkeel import kernel

    kernel.announce = note


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Collection[str] = ()) -> None:
    """Print a table on standard output.

    Args:
        columns: Headings.
        rows: One text for each column.
        right: Headings of the columns that are aligned to the right: the numbers.
    """
    if sys.stdout.isatty():
        _rich_table(columns, rows, right)
    else:
        for line in plain_table(columns, rows, right):
            say(line)


def plain_table(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[str] = ()) -> list[str]:
    """Return the lines of a table: columns two spaces apart, nothing cut off, no trailing blanks."""
    widths = [max(len(row[index]) for row in (columns, *rows)) for index in range(len(columns))]
    aligned = [name in right for name in columns]
    return [
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, aligned, strict=True)
        ).rstrip()
        for row in (columns, *rows)
    ]


def _rich_table(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[str]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(Text(name), justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def _no_bar(steps: float = 1) -> None:
    """Without a terminal nothing is shown."""
