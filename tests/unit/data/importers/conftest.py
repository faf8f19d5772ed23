"""Files made by hand for the importers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from evenkeel.data.calendar import load_calendar
from evenkeel.data.definitions import Definitions
from evenkeel.data.importers import Request, Stamp
from evenkeel.model.time import Timeframe

DEFINITIONS = Definitions.load()


@pytest.fixture
def text_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes lines into a file."""

    def write(*lines: str, name: str = "bars.csv") -> Path:
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


@pytest.fixture
def request_for() -> Callable[..., Request]:
    """Makes a request for an instrument by name."""

    def make(
        name: str, timeframe: str, *, stamp: Stamp | None = None, zone: str | None = None, newest_first: bool = False
    ) -> Request:
        instrument = DEFINITIONS.find(name)
        calendar = load_calendar(instrument.calendar)
        tf = Timeframe.parse(timeframe)
        return Request(instrument, calendar, tf, stamp=stamp, zone=zone, newest_first=newest_first)

    return make
