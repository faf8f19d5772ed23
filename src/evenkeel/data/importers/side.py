"""The way of files into data beside bars: read, judge, place in time; refuse or report, never patch.

    request = SideRequest(instrument, calendar, SideKind.FUNDING)
    imported = import_side([Path("funding.csv")], request)
    catalog.shelf.merge(instrument.id, imported.batch, source=imported.source, imported_ns=now)

Files are Parquet, delimited text (also gzipped) or feather. A mark or an index price comes as bars where a timeframe
is named. Without one it comes as points: a price for each instant, or the open of a bar that begins there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evenkeel.data.calendar import Calendar
from evenkeel.data.importers.columns import VALUE_NAMES, normal_names, numbers, stamps_of
from evenkeel.data.importers.delimited import read_bytes, text_frame
from evenkeel.data.importers.detect import Format, detect, head_of
from evenkeel.data.importers.factor import FACTOR_NAMES, from_factor
from evenkeel.data.importers.freqtrade import json_frame
from evenkeel.data.importers.placement import STEPS_JUDGED_MIN, instants_of
from evenkeel.data.importers.side_columns import NAMES, TIMES, columns_of
from evenkeel.data.importers.side_sanity import require_order, require_sane
from evenkeel.data.importers.stamps import read_stamps
from evenkeel.data.importers.table import Place, Stamps
from evenkeel.data.side import SideBatch, SideKind
from evenkeel.data.side.kind import PRICE_BAR
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.errors import DataError, require
from evenkeel.model.instrument import Instrument
from evenkeel.model.time import DAY, MINUTE, SECOND, Timeframe, format_time

if TYPE_CHECKING:
    import polars as pl

JITTER = SECOND
"""Venues stamp a settlement up to so long after its minute; it is stored on the minute, and the import says so."""

FILES_NAMED_MAX = 3


@dataclass(frozen=True, slots=True)
class SideRequest:
    """What a file beside bars is to be imported as.

    Attributes:
        instrument: Whom it is about.
        calendar: The instrument's.
        kind: What it holds.
        timeframe: Interval of a price that comes as bars; None where it comes as points, and for other kinds.
        zone: IANA zone of times without one; None where the file says it.
        newest_first: Whether the rows run backwards in time.
        from_factor: Whether actions follow from the adjustment factor of a file of daily bars.
    """

    instrument: Instrument
    calendar: Calendar
    kind: SideKind
    timeframe: Timeframe | None = None
    zone: str | None = None
    newest_first: bool = False
    from_factor: bool = False


@dataclass(frozen=True, slots=True)
class SideImported:
    """The rows of one or more files, in order of time.

    Attributes:
        batch: Judged and placed.
        source: The files, for people.
        notes: What a person should know.
    """

    batch: SideBatch
    source: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SideTable:
    """One file, read and not judged."""

    place: Place
    stamps_ns: Ints
    columns: dict[str, Floats]
    notes: tuple[str, ...]


def import_side(
    paths: Sequence[Path], request: SideRequest, *, on_file: Callable[[], None] | None = None
) -> SideImported:
    """Return the rows of files about one instrument and of one kind.

    Args:
        paths: In any order; their times must not overlap.
        request: What they are to be imported as.
        on_file: Called after each file.

    Raises:
        DataError: If a file is not acceptable or two overlap; the message names file and row.
        StorageError: If a file cannot be read.
    """
    require(bool(paths), "there is no file to import")
    parts: list[tuple[Path, SideBatch]] = []
    notes: list[str] = []
    for path in paths:
        table = _read(path, request)
        require_order(table.place, table.stamps_ns, request.kind)
        require_sane(table.place, table.columns, request.kind)
        parts.append((path, SideBatch(request.kind, table.stamps_ns, table.columns, request.timeframe)))
        notes += table.notes
        if on_file is not None:
            on_file()
    parts.sort(key=lambda part: int(part[1].stamps_ns[0]))
    for (earlier_path, earlier), (path, batch) in pairwise(parts):
        if batch.stamps_ns[0] <= earlier.stamps_ns[-1]:
            raise DataError(
                f"{path.name} begins at {format_time(int(batch.stamps_ns[0]))}, before {earlier_path.name} ends at "
                f"{format_time(int(earlier.stamps_ns[-1]))}; files that are imported together must not overlap or "
                "divide an instant. Import them one after the other: equal rows are recognised"
            )
    names = [path.name for path in sorted(paths)]
    more = f" and {len(names) - FILES_NAMED_MAX} more" if len(names) > FILES_NAMED_MAX else ""
    joined = _joined([batch for _, batch in parts])
    return SideImported(joined, ", ".join(names[:FILES_NAMED_MAX]) + more, tuple(dict.fromkeys(notes)))


def _joined(parts: Sequence[SideBatch]) -> SideBatch:
    if len(parts) == 1:
        return parts[0]
    columns = {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns}
    stamps = np.concatenate([part.stamps_ns for part in parts])
    return SideBatch(parts[0].kind, stamps, columns, parts[0].timeframe)


def read_frame(path: Path) -> tuple[pl.DataFrame, Place]:
    """Return the columns of a file and where its rows stand.

    Raises:
        DataError: If it is damaged, empty or of an unknown format.
        StorageError: If it cannot be read.
    """
    import polars as pl

    form = detect(path)
    try:
        if form is Format.PARQUET:
            frame, place = pl.read_parquet(path), Place(path.name, "row", 1)
        elif form is Format.FREQTRADE:
            is_json = not head_of(path).startswith(b"ARROW1")
            frame, place = json_frame(path) if is_json else pl.read_ipc(path), Place(path.name, "row", 1)
        elif form is Format.CSV:
            text = read_bytes(path).rstrip(b"\r\n")
            frame, place = text_frame(text, path.name, has_header=True), Place(path.name, "line", 2)
        else:
            raise DataError(
                f"{path.name} is no Parquet, CSV, feather or JSON file; what lies beside bars comes as one of those"
            )
    except (OSError, pl.exceptions.PolarsError) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DataError(f"{path.name} is a damaged {form} file ({said}); fetch it again") from error
    if not frame.height:
        raise DataError(f"{path.name} holds no rows of data")
    return frame, place


def _read(path: Path, request: SideRequest) -> SideTable:
    frame, place = read_frame(path)
    names = normal_names(frame, place)
    if request.kind is SideKind.FUNDING and "rate" not in names and _is_freqtrade_funding(path, names):
        names = {**names, "rate": names["open"]}
    if request.newest_first:
        frame, place = frame.reverse(), Place(place.label, place.noun, place.first + frame.height - 1, -1)
    notes: list[str] = []
    stamps = _instants(frame, names, place, request, notes)
    if request.timeframe is not None:
        columns = _price_bars(frame, names, place, stamps, request)
    else:
        if request.kind.is_price and "open" in names and "price" not in names:
            names = {**names, "price": names["open"]}
            notes.append("without --tf the open of each bar is stored, as the price at its instant")
        columns = _points(frame, names, place, request, notes)
    if request.kind is SideKind.ACTIONS:
        return _with_actions(SideTable(place, stamps, columns, tuple(notes)))
    return SideTable(place, stamps, columns, tuple(notes))


def _points(
    frame: pl.DataFrame, names: Mapping[str, str], place: Place, request: SideRequest, notes: list[str]
) -> dict[str, Floats]:
    if request.kind is not SideKind.ACTIONS:
        return columns_of(frame, names, request.kind, place)
    if request.from_factor:
        found, told = from_factor(frame, names, place)
        notes += told
        return found
    known = {name for spelled in NAMES[SideKind.ACTIONS].values() for name in spelled}
    if known.isdisjoint(names) and not set(FACTOR_NAMES).isdisjoint(names):
        raise DataError(
            f"{place.label} names no splits or dividends, but has a factor; --from-factor derives them from it and the "
            "raw prices"
        )
    return columns_of(frame, names, request.kind, place)


def _with_actions(table: SideTable) -> SideTable:
    """Leave out the rows of a file of bars on which nothing happened: a split of 1 or 0, a dividend of 0."""
    split, dividend = table.columns["split"], table.columns["dividend"]
    split = np.where((split == 1.0) | (split == 0.0), np.nan, split)
    dividend = np.where(dividend == 0.0, np.nan, dividend)
    rows = np.flatnonzero(~(np.isnan(split) & np.isnan(dividend)))
    idle = len(split) - len(rows)
    if not len(rows):
        raise DataError(f"{table.place.label} holds no action: no row has a split or a dividend")
    notes = (*table.notes, f"{idle:,} rows without a split or a dividend are left out") if idle else table.notes
    columns = {"split": split[rows], "dividend": dividend[rows]}
    return SideTable(table.place, table.stamps_ns[rows], columns, notes)


def _is_freqtrade_funding(path: Path, names: Mapping[str, str]) -> bool:
    """Whether it is freqtrade's file of funding rates, which writes the rate as the open of a candle."""
    return "-funding_rate." in path.name and "open" in names


def _price_bars(
    frame: pl.DataFrame, names: Mapping[str, str], place: Place, stamps: Ints, request: SideRequest
) -> dict[str, Floats]:
    if not request.kind.is_price:
        raise DataError(f"{place.label}: {request.kind} has no interval; leave --tf {request.timeframe} out")
    require_order(place, stamps, request.kind)
    _require_step(place, stamps, request)
    found = {}
    for column in PRICE_BAR:
        name = next((names[each] for each in VALUE_NAMES[column] if each in names), None)
        if name is None:
            raise DataError(
                f"{place.label} has no column for {column}; found {', '.join(frame.columns)}. A file of one price for "
                "each instant is imported without --tf"
            )
        found[column] = numbers(frame[name], place)
    return found


def _require_step(place: Place, stamps: Ints, request: SideRequest) -> None:
    """Refuse bars of another interval than the one that is named, and those that are too slow to be of use."""
    timeframe = request.timeframe
    if timeframe is None or timeframe.is_calendar:
        raise DataError(f"{place.label}: bars of the {request.kind} price are shorter than a day, not {timeframe}")
    steps = np.diff(stamps)
    finest = int(steps.min()) if len(steps) else timeframe.nanoseconds
    if finest != timeframe.nanoseconds and (finest < timeframe.nanoseconds or len(steps) >= STEPS_JUDGED_MIN):
        raise DataError(
            f"{place.label}: its rows are {finest / MINUTE:g} minutes apart, so they are not {timeframe} bars; give "
            "the right --tf",
            reason="WRONG_TIMEFRAME",
        )


def _instants(
    frame: pl.DataFrame, names: Mapping[str, str], place: Place, request: SideRequest, notes: list[str]
) -> Ints:
    known = next((names[name] for name in TIMES.get(request.kind, ()) if name in names), None)
    stamps = stamps_of(frame, dict(names), place) if known is None else read_stamps(frame[known], place)
    if request.kind is SideKind.ACTIONS:
        return _ex_dates(stamps, place, request)
    instants = instants_of(stamps, place, request.zone)
    if request.kind in (SideKind.FUNDING, SideKind.OPEN_INTEREST):
        late = instants % MINUTE
        near = np.where(late <= JITTER, late, 0)
        if near.any():
            notes.append(
                f"{int(np.count_nonzero(near)):,} stamps lie up to {int(near.max()) // 1_000_000} ms behind their "
                "minute; they are stored on it"
            )
            instants = instants - near
    return instants


def _ex_dates(stamps: Stamps, place: Place, request: SideRequest) -> Ints:
    """Return the opens of the sessions that actions count from; dates and times are taken for their day."""
    days = stamps.wall_ns // DAY
    if stamps.instants_ns is not None and not (stamps.wall_ns % DAY == 0).all():
        days = request.calendar.session_of(stamps.instants_ns)
    opens = request.calendar.session_bounds(np.maximum(days, 0))[0]
    closed = np.flatnonzero((days < 0) | (opens < 0))
    if len(closed):
        row = int(closed[0])
        raise DataError(
            f"{place.of(row)}: {format_time(int(stamps.wall_ns[row]))[:10]} is no trading day of "
            f"{request.calendar.name}, which covers {request.calendar.first_day} to {request.calendar.last_day} "
            f"({len(closed):,} such rows in all); correct or remove the row"
        )
    return opens
