"""Windows of recorded markets: which bars, from when to when, and the phase of a market that they show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from evenkeel.data.synthetic.storage import default_id
from suites.rows import FOLDER, Row, read_document

PHASES = ("accumulation", "markup", "distribution", "markdown")

TREND_MIN = 0.6
"""Share of the range that a market in a trend keeps."""

SIDEWAYS_MAX = 0.3
"""Share of the range that a market without one keeps at most."""

ARRIVAL_MIN = 0.5
"""How far price came before it went sideways, against the range."""


@dataclass(frozen=True)
class Window:
    """A window.

    Attributes:
        symbol: Instrument.
        bars: Timeframe of the recording.
        phase: What it shows.
        start: First day, ISO.
        end: Day behind the last.
        measured: `before`, `net` and `range`, in percent of the first open.
    """

    symbol: str
    bars: str
    phase: str
    start: str
    end: str
    measured: Mapping[str, float]


@cache
def windows() -> dict[str, Window]:
    """Return all windows by name."""
    found = {}
    for name, facts in read_document(FOLDER / "windows.yaml").items():
        measured = {key: float(facts.pop(key)) for key in ("before", "net", "range")}
        found[name] = Window(**facts, measured=measured)
    return found


def phase_of(measured: Mapping[str, float]) -> str | None:
    """Return the phase that a measure stands for, or None for neither."""
    kept, arrived = measured["net"] / measured["range"], measured["before"] / measured["range"]
    if abs(kept) >= TREND_MIN:
        return "markup" if kept > 0 else "markdown"
    if abs(kept) <= SIDEWAYS_MAX and abs(arrived) >= ARRIVAL_MIN:
        return "accumulation" if arrived < 0 else "distribution"
    return None


def symbol_of(row: Row) -> str:
    """Return what the play of a row trades: the instrument of its window, or the one of its regime."""
    return windows()[row.window].symbol if row.is_recorded else default_id(row.market[0])
