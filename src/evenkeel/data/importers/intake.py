"""The way of files into bars: each is read, judged and placed; several are joined in order of time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import assert_never

import numpy as np

from evenkeel.data.importers.delimited import read_delimited
from evenkeel.data.importers.detect import Format, detect, head_of
from evenkeel.data.importers.freqtrade import read_feather, read_json
from evenkeel.data.importers.lean import read_lean
from evenkeel.data.importers.parquet import read_parquet
from evenkeel.data.importers.placement import place
from evenkeel.data.importers.sanity import require_sane_values
from evenkeel.data.importers.table import Request, Table
from evenkeel.data.revision import COLUMNS
from evenkeel.model.bar import Bars
from evenkeel.model.errors import DataError, require
from evenkeel.model.instrument import InstrumentKind
from evenkeel.model.time import format_time

WITHOUT_VOLUME = frozenset({InstrumentKind.FX, InstrumentKind.INDEX})
"""Kinds that are quoted rather than traded in one place: their files often have no volume."""

FILES_NAMED_MAX = 3
"""So many files are named as the source of a revision; more are counted."""


@dataclass(frozen=True, slots=True)
class Imported:
    """The bars of one or more files, in order of time.

    Attributes:
        bars: Judged and placed.
        source: The files, for people.
        notes: What a person should know; nothing of it was mended.
    """

    bars: Bars
    source: str
    notes: tuple[str, ...]


def import_files(
    paths: Sequence[Path], request: Request, *, form: Format = Format.AUTO, on_file: Callable[[], None] | None = None
) -> Imported:
    """Return the bars of files of one instrument and timeframe.

    Args:
        paths: In any order.
        request: What they are to be imported as.
        form: Their format; `AUTO` looks at each.
        on_file: Called after each file.

    Raises:
        DataError: If a file is not acceptable or two overlap; the message names file and row.
        StorageError: If a file cannot be read.
    """
    require(bool(paths), "there is no file to import")
    parts: list[tuple[Path, Bars]] = []
    tables: list[Table] = []
    for path in paths:
        table = read_table(path, request, form=form)
        parts.append((path, place(table, request)))
        tables.append(table)
        if on_file is not None:
            on_file()
    parts.sort(key=lambda part: int(part[1].open_ns[0]))
    _require_no_overlap(parts)
    bars = _joined([part for _, part in parts])
    return Imported(bars, _source(paths), tuple(_notes(tables, bars, request)))


def read_table(path: Path, request: Request, *, form: Format = Format.AUTO) -> Table:
    """Return the rows of one file, oldest first, with sane values and without a judgement of their times.

    Raises:
        DataError: If the file is not what `form` says or its values are not acceptable.
    """
    found = detect(path)
    if form not in (Format.AUTO, found):
        raise DataError(
            f"{path.name} is a file of the format {found}, not {form}; leave --format out to let it be found"
        )
    table = _read(path, request, found)
    require_sane_values(table)
    return table.reversed() if request.newest_first else table


def _read(path: Path, request: Request, form: Format) -> Table:
    volume_optional = request.instrument.kind in WITHOUT_VOLUME
    match form:
        case Format.PARQUET:
            return read_parquet(path, volume_optional=volume_optional)
        case Format.LEAN:
            return read_lean(path, request)
        case Format.FREQTRADE:
            is_json = not head_of(path).startswith(b"ARROW1")
            return (read_json if is_json else read_feather)(path, volume_optional=volume_optional)
        case Format.CSV | Format.AUTO:
            return read_delimited(path, volume_optional=volume_optional)
        case _:
            assert_never(form)


def _require_no_overlap(parts: Sequence[tuple[Path, Bars]]) -> None:
    for (earlier_path, earlier), (path, bars) in pairwise(parts):
        if bars.open_ns[0] <= earlier.open_ns[-1]:
            raise DataError(
                f"{path.name} begins at {format_time(int(bars.open_ns[0]))}, before {earlier_path.name} ends at "
                f"{format_time(int(earlier.open_ns[-1]))}; files that are imported together must not overlap. Import "
                f"them one after the other: equal bars are recognised, differing ones are refused"
            )


def _joined(parts: Sequence[Bars]) -> Bars:
    if len(parts) == 1:
        return parts[0]
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS]
    return Bars(parts[0].timeframe, *columns)


def _source(paths: Sequence[Path]) -> str:
    names = [path.name for path in sorted(paths)]
    more = f" and {len(names) - FILES_NAMED_MAX} more" if len(names) > FILES_NAMED_MAX else ""
    return ", ".join(names[:FILES_NAMED_MAX]) + more


def _notes(tables: Sequence[Table], bars: Bars, request: Request) -> list[str]:
    """Return what the files leave a person to know."""
    notes = []
    silent = [table.place.label for table in tables if not table.has_volume]
    if silent:
        notes.append(f"{silent[0]} has no volume; 0 is stored")
    called = sorted({table.symbol for table in tables if table.symbol is not None})
    if called:
        notes.append(f"the file calls the instrument {' and '.join(called)}; it is stored as {request.instrument.id}")
    outside = np.flatnonzero(request.calendar.session_of(bars.open_ns) < 0)
    if len(outside):
        notes.append(
            f"{len(outside):,} of {len(bars):,} bars open outside the sessions of {request.calendar.name}, the first "
            f"at {format_time(int(bars.open_ns[outside[0]]))}; they are stored and belong to no higher bar"
        )
    return notes + _grid_notes(bars, request)


def _grid_notes(bars: Bars, request: Request) -> list[str]:
    if bars.timeframe.is_calendar:
        return []
    opens, closes = request.calendar.bucket_of(bars.open_ns, bars.timeframe)
    off = np.flatnonzero((opens >= 0) & (opens != bars.open_ns) & (bars.open_ns < closes))
    if not len(off):
        return []
    return [
        f"{len(off):,} bars do not begin at a multiple of {bars.timeframe} after the session's open, the first at "
        f"{format_time(int(bars.open_ns[off[0]]))}; some higher timeframes cannot be made of them"
    ]
