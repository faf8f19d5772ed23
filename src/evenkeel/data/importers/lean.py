"""Zip files of LEAN: one CSV without names a day, a symbol or a contract.

Equity prices are integers of a ten-thousandth; everything else is as it is. A minute bar is stamped with its open in
milliseconds since midnight, in New York for equities and in UTC elsewhere; a daily bar with its trade date. A zip of a
future holds a file for each contract, of which the one that the instrument names is taken.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evenkeel.data.importers.columns import numbers
from evenkeel.data.importers.delimited import text_frame
from evenkeel.data.importers.stamps import read_stamps
from evenkeel.data.importers.table import Place, Request, Stamps, Table
from evenkeel.model.errors import DataError
from evenkeel.model.instrument import Instrument, InstrumentKind
from evenkeel.model.time import DAY

if TYPE_CHECKING:
    import polars as pl

EQUITY_SCALE = 10_000.0
EQUITY_ZONE = "America/New_York"

MONTH_CODES = "FGHJKMNQUVXZ"
COLUMNS_MIN = 6
MILLISECOND = 1_000_000

_NOT_BARS = re.compile(r"quote|tick|openinterest|open_interest", re.IGNORECASE)
_DATE = re.compile(r"^(\d{4})(\d{2})(\d{2})(?:_|$)")
_CONTRACT = re.compile(rf"([{MONTH_CODES}])(\d{{4}}|\d{{1,2}})$")
_EXPIRY = re.compile(r"_(\d{6})(?:\d{2})?$")


def read_lean(path: Path, request: Request) -> Table:
    """Return the table of a LEAN zip.

    Raises:
        DataError: If it is damaged, or it cannot be told which of its files belongs to the instrument.
    """
    member, text = _member(path, request.instrument)
    frame = text_frame(text, f"{path.name} ({member})", has_header=False)
    place = Place(f"{path.name} ({member})", "line", 1)
    if frame.width < COLUMNS_MIN:
        raise DataError(f"{place.label} has {frame.width} columns; a LEAN file of bars has at least {COLUMNS_MIN}")
    is_scaled = request.instrument.kind is InstrumentKind.EQUITY
    columns = [numbers(frame.to_series(index), place) for index in range(1, COLUMNS_MIN)]
    stamps = _stamps(frame.to_series(0), member, path, place, zone=EQUITY_ZONE if is_scaled else "UTC")
    first, high, low, last = (price / EQUITY_SCALE if is_scaled else price for price in columns[:4])
    return Table(place, stamps, first, high, low, last, columns[4])


def _member(path: Path, instrument: Instrument) -> tuple[str, bytes]:
    """Return name and content of the file in the zip that belongs to the instrument."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
            if not names:
                raise DataError(f"{path.name} holds no CSV file, so it is no LEAN file of bars")
            if _NOT_BARS.search(path.name) or all(_NOT_BARS.search(name) for name in names):
                raise DataError(
                    f"{path.name} holds LEAN's ticks or quotes, which are not read; write them as CSV or Parquet with "
                    "the columns time, price, size or time, bid, ask, and import that with --kind trades or quotes",
                    reason="OTHER_KIND",
                )
            name = names[0] if len(names) == 1 else _of_contract(names, path, instrument)
            _require_contract(name, path, instrument)
            return name, archive.read(name)
    except (zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path.name} is a damaged zip file ({error}); fetch it again") from error


def _of_contract(names: list[str], path: Path, instrument: Instrument) -> str:
    month = contract_month(instrument)
    matches = [name for name in names if month is not None and _month_of(name) == month]
    if len(matches) != 1:
        held = ", ".join(_month_of(name) or name for name in names)
        wanted = f"none is {month} of {instrument.id}" if month else f"{instrument.id} names no contract month"
        raise DataError(
            f"{path.name} holds {len(names)} files ({held}) and {wanted}; import it with the instrument of one "
            f"contract, such as ESZ2013"
        )
    return matches[0]


def _require_contract(name: str, path: Path, instrument: Instrument) -> None:
    """Refuse the bars of one contract for another."""
    month, held = contract_month(instrument), _month_of(name)
    if month is not None and held is not None and held != month:
        raise DataError(f"{path.name} holds the contract {held}, but {instrument.id} is {month}; name its instrument")


def _month_of(name: str) -> str | None:
    match = _EXPIRY.search(name.removesuffix(".csv"))
    return match.group(1) if match else None


def contract_month(instrument: Instrument) -> str | None:
    """Return the contract month of a dated future as `YYYYMM`, from its symbol (`ESZ2013`) or its expiry."""
    if instrument.kind is not InstrumentKind.FUTURE:
        return None
    match = _CONTRACT.search(instrument.symbol)
    if match and len(match.group(2)) == 4:
        return f"{match.group(2)}{MONTH_CODES.index(match.group(1)) + 1:02d}"
    return instrument.expiry[:7].replace("-", "") if instrument.expiry else None


def _stamps(column: pl.Series, member: str, path: Path, place: Place, *, zone: str) -> Stamps:
    """Return the times: `YYYYMMDD HH:MM` as written, or milliseconds since the midnight of the day in the name."""
    if " " in column[0]:
        stamps = read_stamps(column.alias("time"), place)
        return Stamps(stamps.wall_ns, None, date_only=bool((stamps.wall_ns % DAY == 0).all()), zone=zone)
    match = _DATE.match(Path(member).name) or _DATE.match(path.stem)
    if match is None:
        raise DataError(f"{place.label} has times since midnight and no day in its name, which LEAN puts first")
    midnight = int(np.datetime64("-".join(match.groups()), "D").astype(np.int64)) * DAY
    milliseconds = numbers(column.alias("time"), place)
    return Stamps(midnight + np.rint(milliseconds).astype(np.int64) * MILLISECOND, None, zone=zone)
