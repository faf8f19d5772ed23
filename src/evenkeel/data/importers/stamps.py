"""Reading times as files write them: ISO 8601, compact dates, numbers of seconds to nanoseconds, typed columns.

A date in an order that depends on the country (01/02/2014) is refused rather than guessed. A time without a zone stays
without one here; `placement` asks for it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from evenkeel.data.importers.table import Place, Stamp, Stamps
from evenkeel.model.bar import Ints
from evenkeel.model.errors import DataError
from evenkeel.model.time import DAY, HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    import polars as pl

_CLOCK = (
    r"(?:[T ]+(?P<hour>\d{1,2}):?(?P<minute>\d{2})(?::?(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?)?"
    r"\s*(?P<zone>Z|UTC|GMT|(?:UTC|GMT)?[+-]\d{2}:?\d{2})?$"
)
_YEAR_FIRST = r"^(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})" + _CLOCK
_COMPACT = r"^(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})" + _CLOCK
_DAY_FIRST = r"^(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})" + _CLOCK
_FORMS = (_COMPACT, _YEAR_FIRST, _DAY_FIRST)
_NUMBER = r"^\d{9,19}(?:\.\d*)?$"
_AMBIGUOUS = r"^\d{1,2}[/-]\d{1,2}[/-]\d{2,4}"

EPOCH_UNITS = ((10**11, SECOND), (10**14, 1_000_000), (10**17, 1_000), (2**63, 1))
"""Numbers below the first are in units of the second, in nanoseconds: seconds, milli-, micro-, nanoseconds."""

YEAR_MIN, YEAR_MAX = 1800, 2200
"""Nanoseconds since 1970 reach from 1678 to 2262."""

COMPACT_DATE_MIN, COMPACT_DATE_MAX = 19000101, 22001231
"""Integers between these are dates such as 20140131, not seconds."""


def read_stamps(column: pl.Series, place: Place, *, is_utc: bool = False, end: Stamp | None = None) -> Stamps:
    """Return the times of a column of text, numbers, dates or date-times.

    Args:
        is_utc: Whether the column's name says that its times are UTC.
        end: Which end of a bar its name says that they are.

    Raises:
        DataError: If a value is missing or is no time that can be read without guessing.
    """
    import polars as pl

    missing = column.is_null().arg_true()
    if len(missing):
        raise DataError(f"{place.of(int(missing[0]))}: the column {column.name} is empty; correct or remove the row")
    kind = column.dtype
    if isinstance(kind, pl.Datetime):
        return _typed(column, aware=kind.time_zone is not None, is_utc=is_utc, end=end)
    if kind == pl.Date:
        return Stamps(column.cast(pl.Int64).to_numpy() * DAY, None, date_only=True, end=end)
    if kind.is_numeric():
        return _numeric(column, place, end=end)
    if kind != pl.String:
        raise DataError(f"{place.label}: the column {column.name} holds {kind}, not times")
    text = column.str.strip_chars()
    if re.match(_NUMBER, text[0]):
        return _numeric(_as_numbers(text, place), place, end=end)
    return _textual(text, place, is_utc=is_utc, end=end)


def read_date_and_time(dates: pl.Series, times: pl.Series, place: Place) -> Stamps:
    """Return the times that a column of dates and a column of times of day give together."""
    import polars as pl

    joined = dates.cast(pl.String).str.strip_chars() + " " + times.cast(pl.String).str.strip_chars()
    return read_stamps(joined.alias(f"{dates.name} and {times.name}"), place)


def _typed(column: pl.Series, *, aware: bool, is_utc: bool, end: Stamp | None) -> Stamps:
    import polars as pl

    instants = column.dt.cast_time_unit("ns").cast(pl.Int64).to_numpy()
    if not aware:
        return Stamps(instants, instants if is_utc else None, end=end)
    wall = column.dt.replace_time_zone(None).dt.cast_time_unit("ns").cast(pl.Int64).to_numpy()
    return Stamps(wall, instants, end=end)


def _as_numbers(text: pl.Series, place: Place) -> pl.Series:
    import polars as pl

    whole = not text.str.contains(".", literal=True).any()
    values = text.cast(pl.Int64 if whole else pl.Float64, strict=False)
    _require_all(values.is_null(), text, place)
    return values


def _numeric(column: pl.Series, place: Place, *, end: Stamp | None) -> Stamps:
    """Read dates such as 20140131, or times since 1970 in the unit that their size shows."""
    import polars as pl

    if COMPACT_DATE_MIN <= column[0] <= COMPACT_DATE_MAX:
        return _textual(column.cast(pl.Int64).cast(pl.String), place, is_utc=False, end=end)
    sizes = np.searchsorted([bound for bound, _ in EPOCH_UNITS], np.abs(column.to_numpy()), side="right")
    _require_all(pl.Series(sizes != sizes[0]), column, place, said="is not in the unit of the times before it")
    unit = EPOCH_UNITS[int(sizes[0])][1]
    if column.dtype.is_integer():
        instants = column.cast(pl.Int64).to_numpy() * unit
    else:
        instants = np.rint(column.cast(pl.Float64).to_numpy() * unit).astype(np.int64)
    return Stamps(instants, instants, end=end)


def _textual(text: pl.Series, place: Place, *, is_utc: bool, end: Stamp | None) -> Stamps:
    form = next((known for known in _FORMS if re.match(known, text[0])), None)
    if form is None:
        _refuse_form(text, place)
    parts = text.str.extract_groups(str(form)).struct.unnest()
    unread = parts["year"].is_null()
    _require_all(unread, text, place)
    wall, valid = _wall_clock(parts)
    _require_all(~valid, text, place)
    if parts["hour"].is_null().all():
        return Stamps(wall, None, date_only=True, end=end)
    if parts["zone"].is_null().all():
        return Stamps(wall, wall if is_utc else None, end=end)
    _require_all(parts["zone"].is_null(), text, place, said="has no zone, as other rows have")
    return Stamps(wall, wall - _offsets(parts["zone"]), end=end)


def _wall_clock(parts: pl.DataFrame) -> tuple[Ints, pl.Series]:
    """Return the time that the groups spell, and whether it exists in a calendar and on a clock."""
    import polars as pl

    def number(name: str) -> Ints:
        values: Ints = parts[name].cast(pl.Int64).fill_null(0).to_numpy()
        return values

    year, month, day = number("year"), number("month"), number("day")
    hour, minute, second = number("hour"), number("minute"), number("second")
    fraction = parts["fraction"].fill_null("0").str.pad_end(9, "0").cast(pl.Int64).to_numpy()
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1).astype("timedelta64[D]")
    valid = (month >= 1) & (month <= 12) & (day >= 1) & (days.astype("datetime64[M]") == months)
    valid &= (hour < 24) & (minute < 60) & (second < 60) & (year >= YEAR_MIN) & (year <= YEAR_MAX)
    clock = hour * HOUR + minute * MINUTE + second * SECOND + fraction
    return days.astype(np.int64) * DAY + clock, pl.Series(valid)


def _offsets(zones: pl.Series) -> Ints:
    """Return the offset from UTC of each zone as written."""
    import polars as pl

    parts = zones.str.extract_groups(r"(?P<sign>[+-])?(?P<hours>\d{2})?:?(?P<minutes>\d{2})?$").struct.unnest()
    hours = parts["hours"].cast(pl.Int64).fill_null(0).to_numpy()
    minutes = parts["minutes"].cast(pl.Int64).fill_null(0).to_numpy()
    sign = np.where((parts["sign"] == "-").fill_null(False).to_numpy(), -1, 1)
    offsets: Ints = sign * (hours * HOUR + minutes * MINUTE)
    return offsets


def _require_all(bad: pl.Series, text: pl.Series, place: Place, said: str = "is not a time that can be read") -> None:
    rows = bad.arg_true()
    if len(rows):
        row = int(rows[0])
        raise DataError(f"{place.of(row)}: '{text[row]}' in the column {text.name} {said}; correct or remove the row")


def _refuse_form(text: pl.Series, place: Place) -> None:
    if re.match(_AMBIGUOUS, text[0]):
        raise DataError(
            f"{place.of(0)}: '{text[0]}' in the column {text.name} can be read with the day or the month first; write "
            f"dates as 2014-01-31"
        )
    raise DataError(
        f"{place.of(0)}: '{text[0]}' in the column {text.name} is not a time that can be read; write 2014-01-31, "
        f"2014-01-31 14:30:00, 2014-01-31T14:30:00Z or a number of seconds or milliseconds since 1970"
    )
