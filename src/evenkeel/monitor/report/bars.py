"""The bars of a finished run, found again in a catalog by what its manifest says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from evenkeel.data.aggregate import aggregate
from evenkeel.data.calendar import load_calendar
from evenkeel.data.catalog import Catalog
from evenkeel.model.bar import Bars
from evenkeel.model.errors import DataError, UsageError
from evenkeel.model.ids import InstrumentId
from evenkeel.model.time import Timeframe, parse_time


class _Instrument(msgspec.Struct, frozen=True):
    id: str
    calendar: str


class _Data(msgspec.Struct, frozen=True):
    revision: str
    base_tf: str
    exec_tf: str
    start: str
    end: str


class _Pin(msgspec.Struct, frozen=True):
    instrument: _Instrument
    data: _Data


def bars_of_run(folder: Path, catalogs: Sequence[Catalog]) -> Bars:
    """Return the execution bars of the run in `folder`, from the revision that it pinned.

    Args:
        folder: With `manifest.json`.
        catalogs: Looked through in order; the first that has the revision is taken.

    Raises:
        UsageError: If no catalog has them; the message is that of the last one.
        DataError: If the manifest does not say which bars they were.
    """
    pin = _pin(folder / "manifest.json")
    calendar = load_calendar(pin.instrument.calendar)
    return aggregate(_read(pin, catalogs), Timeframe.parse(pin.data.exec_tf), calendar).bars


def _pin(path: Path) -> _Pin:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Pin)
    except (OSError, msgspec.MsgspecError) as error:
        raise DataError(f"{path} does not say which bars the run used: {error}") from None


def _read(pin: _Pin, catalogs: Sequence[Catalog]) -> Bars:
    window: dict[str, Any] = {"start_ns": parse_time(pin.data.start), "stop_ns": parse_time(pin.data.end)}
    refusal = UsageError("there is no catalog to look for the bars of the run")
    for catalog in catalogs:
        try:
            base = Timeframe.parse(pin.data.base_tf)
            return catalog.read(InstrumentId(pin.instrument.id), base, revision=pin.data.revision, **window).bars
        except UsageError as error:
            refusal = error
    raise refusal
