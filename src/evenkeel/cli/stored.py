"""Stored bars as commands name them: an instrument, a catalog, and the timeframe where there is a choice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from evenkeel.cli.home import current_home
from evenkeel.cli.running import catalog_folder
from evenkeel.model.errors import UsageError

if TYPE_CHECKING:
    from evenkeel.data.calendar import Calendar
    from evenkeel.data.sources import Sources
    from evenkeel.model.instrument import Instrument
    from evenkeel.model.time import Timeframe


def instrument_and_calendar(name: str) -> tuple[Instrument, Calendar]:
    """Return the instrument of that id or unique symbol, and the calendar of its market."""
    from evenkeel.data.calendar import load_calendar
    from evenkeel.data.definitions import Definitions

    instrument = Definitions.load(current_home().root).find(name)
    return instrument, load_calendar(instrument.calendar)


def sources_under(folder: Path | None) -> Sources:
    """Return where bars are looked for; a catalog that is named must exist."""
    from evenkeel.data.sources import Sources

    return Sources.of(catalog_folder(folder))


def timeframe_of(sources: Sources, instrument: Instrument, text: str | None) -> Timeframe:
    """Return the timeframe that is named, or the only one that is stored."""
    from evenkeel.model.time import Timeframe

    if text is not None:
        return Timeframe.parse(text)
    stored = sources.timeframes(instrument.id)
    if len(stored) == 1:
        return stored[0]
    known = ", ".join(str(timeframe) for timeframe in stored)
    if not stored:
        raise UsageError(f"no bars of {instrument.id} are stored; `keel data list` shows what is", reason="NO_DATA")
    raise UsageError(f"{instrument.id} is stored as {known}; choose one with --tf")
