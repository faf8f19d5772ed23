"""What every reader returns: the columns of one file, with the place of each row for messages.

A reader knows its format; nothing behind it knows which format a table came from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from evenkeel.data.calendar import Calendar
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.instrument import Instrument
from evenkeel.model.time import Timeframe


class Stamp(StrEnum):
    """Which end of its bar a time in a file names."""

    OPEN = "open"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Request:
    """What a file is to be imported as.

    Attributes:
        instrument: Whose bars these are.
        calendar: The instrument's.
        timeframe: Their interval.
        stamp: Which end of a bar the times name; None is the open, if the file does not look otherwise.
        zone: IANA zone of times without one; None where the file or its format says it.
        newest_first: Whether the rows run backwards in time.
    """

    instrument: Instrument
    calendar: Calendar
    timeframe: Timeframe
    stamp: Stamp | None = None
    zone: str | None = None
    newest_first: bool = False


@dataclass(frozen=True, slots=True)
class Stamps:
    """The times of a table as the file has them.

    Attributes:
        wall_ns: As written, read as if it were UTC.
        instants_ns: UTC, where the file says the zone or the offset; else None.
        date_only: Whether there are only dates.
        zone: Zone that the format prescribes for times without one.
        end: Which end of a bar they name, where the file says so.
    """

    wall_ns: Ints
    instants_ns: Ints | None
    date_only: bool = False
    zone: str | None = None
    end: Stamp | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where rows stand, for messages.

    Attributes:
        label: The file, and the member of an archive.
        noun: What a person counts there: `line` or `row`.
        first: Number of the first row.
        step: From a row to the next; -1 in a table that was turned round.
    """

    label: str
    noun: str
    first: int
    step: int = 1

    def of(self, row: int) -> str:
        """Return the place of a row, counted from 0."""
        return f"{self.label}, {self.noun} {self.first + self.step * row}"


@dataclass(frozen=True, slots=True)
class Table:
    """One file, read but not judged.

    Attributes:
        place: Where its rows stand.
        stamps: Their times.
        open: First price.
        high: Highest price.
        low: Lowest price.
        close: Last price.
        volume: Traded units; zeros where the file has none.
        has_volume: Whether the file has volume.
        symbol: What a column of the file calls the instrument, if it has one.
    """

    place: Place
    stamps: Stamps
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    has_volume: bool = True
    symbol: str | None = None

    def __len__(self) -> int:
        return len(self.open)

    def reversed(self) -> Table:
        """Return the rows in the opposite order; each still knows its place in the file."""
        stamps = self.stamps
        turned = replace(
            stamps,
            wall_ns=stamps.wall_ns[::-1],
            instants_ns=None if stamps.instants_ns is None else stamps.instants_ns[::-1],
        )
        return replace(
            self,
            place=replace(self.place, first=self.place.first + len(self) - 1, step=-1),
            stamps=turned,
            **{name: getattr(self, name)[::-1].copy() for name in ("open", "high", "low", "close", "volume")},
        )
