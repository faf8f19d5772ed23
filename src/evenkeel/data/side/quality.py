"""Judging data beside bars: what is missing, impossible or odd, each finding in a sentence; nothing is mended."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evenkeel.data.calendar import Calendar
from evenkeel.data.side.kind import SideKind
from evenkeel.data.side.series import SideSeries
from evenkeel.model.bar import Bars, Floats, Ints
from evenkeel.model.instrument import Instrument
from evenkeel.model.time import MINUTE, format_time

RATE_ODD = 0.01
"""A rate beyond 1 % for one settlement is remarked upon: venues cap it at about that."""

DIVIDEND_ODD = 0.25
"""A dividend beyond this share of the last close is remarked upon."""

SPLIT_JUDGED_MIN = 1.5
"""Smaller splits than three for two may hide in an ordinary move."""

PREMIUM_ODD = 0.02
"""So far from the last price a mark or an index price is remarked upon."""


@dataclass(frozen=True, slots=True)
class SideFinding:
    """Something about a series.

    Attributes:
        is_fault: Whether it is missing or cannot be true; else it is odd and may be.
        rows: How many rows or instants it is about.
        sentence: For a person.
    """

    is_fault: bool
    rows: int
    sentence: str


@dataclass(frozen=True, slots=True)
class SideReport:
    """What is known of a series: its findings, faults first."""

    series: SideSeries
    findings: tuple[SideFinding, ...]

    @property
    def faults(self) -> list[SideFinding]:
        """What is missing or cannot be true."""
        return [finding for finding in self.findings if finding.is_fault]

    @property
    def remarks(self) -> list[SideFinding]:
        """What is odd and may be true."""
        return [finding for finding in self.findings if not finding.is_fault]


def check_side(series: SideSeries, instrument: Instrument, calendar: Calendar, bars: Bars | None) -> SideReport:
    """Return the report of a series with at least one row.

    Args:
        series: What to judge.
        instrument: Whose.
        calendar: The instrument's.
        bars: Its bars, where there are some: prices are compared with theirs.
    """
    match series.kind:
        case SideKind.FUNDING:
            found = [*_off_interval(series, instrument), *_odd_rates(series)]
        case SideKind.MARK | SideKind.INDEX:
            found = [*_missing_bars(series), *_premium(series, bars)]
        case SideKind.TRADES:
            found = [*_outside(series, calendar), *_zero_sizes(series), *_strays(series, bars)]
        case SideKind.QUOTES:
            found = [*_outside(series, calendar), *_crossed(series)]
        case SideKind.ACTIONS:
            found = list(_odd_actions(series, bars))
        case SideKind.OPEN_INTEREST | SideKind.BORROW:
            found = []
    return SideReport(series, tuple(sorted(found, key=lambda finding: not finding.is_fault)))


def _counted(is_fault: bool, stamps: Ints, said: str) -> Iterator[SideFinding]:
    if len(stamps):
        sentence = f"{len(stamps):,} {said}; the first is {format_time(int(stamps[0]))}"
        yield SideFinding(is_fault, len(stamps), sentence)


def _off_interval(series: SideSeries, instrument: Instrument) -> Iterator[SideFinding]:
    interval, stamps = instrument.funding_interval_ns, series.stamps_ns
    hours = f"{instrument.funding_interval_minutes / 60:g} hours"
    due = np.arange(-(-int(stamps[0]) // interval) * interval, int(stamps[-1]) + 1, interval, dtype=np.int64)
    missing = due[~np.isin(due, stamps)]
    borders = np.flatnonzero(np.diff(missing) > interval)
    for run in np.split(missing, borders + 1) if len(missing) else ():
        first, last = format_time(int(run[0])), format_time(int(run[-1]))
        sentence = f"{len(run):,} settlements of every {hours} are missing from {first} to {last}"
        yield SideFinding(True, len(run), sentence)
    off = stamps[stamps % interval != 0]
    yield from _counted(False, off, f"settlements lie beside every {hours}, the interval of {instrument.id}")


def _odd_rates(series: SideSeries) -> Iterator[SideFinding]:
    rate = series.columns["rate"]
    odd = np.abs(rate) > RATE_ODD
    largest = f"{float(np.abs(rate[odd]).max()):.4%}" if odd.any() else ""
    yield from _counted(False, series.stamps_ns[odd], f"rates are beyond {RATE_ODD:.0%}, the largest {largest}")


def _missing_bars(series: SideSeries) -> Iterator[SideFinding]:
    if series.timeframe is None:
        return
    length = series.timeframe.minutes * MINUTE
    steps = np.diff(series.stamps_ns)
    holes = np.flatnonzero(steps > length)
    missing = int((steps[holes] // length - 1).sum())
    if missing:
        first = format_time(int(series.stamps_ns[holes[0]]) + length)
        yield SideFinding(True, missing, f"{missing:,} {series.timeframe} bars are missing; the first is {first}")


def _premium(series: SideSeries, bars: Bars | None) -> Iterator[SideFinding]:
    """Compare prices with the bars that open at the same instants."""
    if bars is None:
        return
    price = series.columns["open" if series.timeframe is not None else "price"]
    place = np.minimum(np.searchsorted(bars.open_ns, series.stamps_ns), len(bars) - 1)
    same = bars.open_ns[place] == series.stamps_ns
    apart = np.abs(price[same] / bars.open[place[same]] - 1.0)
    far = apart > PREMIUM_ODD
    said = f"prices lie more than {PREMIUM_ODD:.0%} from the last price, the farthest {apart.max(initial=0.0):.2%}"
    yield from _counted(False, series.stamps_ns[same][far], said)


def _outside(series: SideSeries, calendar: Calendar) -> Iterator[SideFinding]:
    outside = calendar.session_of(series.stamps_ns) < 0
    yield from _counted(False, series.stamps_ns[outside], f"lie outside the sessions of {calendar.name}")


def _zero_sizes(series: SideSeries) -> Iterator[SideFinding]:
    zero = series.columns["size"] == 0
    yield from _counted(False, series.stamps_ns[zero], "trades have no size: they move prices and no volume")


def _strays(series: SideSeries, bars: Bars | None) -> Iterator[SideFinding]:
    """Trades whose price lies outside the bar that they fall into: the bars were made of others."""
    if bars is None:
        return
    place = np.searchsorted(bars.open_ns, series.stamps_ns, side="right") - 1
    inside = (place >= 0) & (series.stamps_ns < bars.close_ns[np.maximum(place, 0)])
    price, row = series.columns["price"][inside], place[inside]
    stray = (price > bars.high[row]) | (price < bars.low[row])
    said = f"trades lie outside the high and low of their {bars.timeframe} bar"
    yield from _counted(False, series.stamps_ns[inside][stray], said)


def _crossed(series: SideSeries) -> Iterator[SideFinding]:
    bid, ask = series.columns["bid"], series.columns["ask"]
    yield from _counted(True, series.stamps_ns[bid > ask], "quotes are crossed: the bid is above the ask")
    yield from _counted(False, series.stamps_ns[bid == ask], "quotes are locked: bid and ask are equal")
    one = np.isnan(bid) | np.isnan(ask)
    yield from _counted(False, series.stamps_ns[one], "quotes hold one side of the book only")


def _odd_actions(series: SideSeries, bars: Bars | None) -> Iterator[SideFinding]:
    if bars is None:
        return
    before = np.searchsorted(bars.close_ns, series.stamps_ns, side="right") - 1
    after = np.searchsorted(bars.open_ns, series.stamps_ns)
    known = (before >= 0) & (after < len(bars))
    close = bars.close[np.maximum(before, 0)]
    opened = bars.open[np.minimum(after, len(bars) - 1)]
    yield from _counted(False, series.stamps_ns[~known], "actions lie outside the bars")
    large = known & (series.columns["dividend"] > DIVIDEND_ODD * close)
    yield from _counted(False, series.stamps_ns[large], f"dividends are beyond {DIVIDEND_ODD:.0%} of the close before")
    unseen = known & _is_unseen(series.columns["split"], close, opened)
    yield from _counted(True, series.stamps_ns[unseen], "splits do not show in the bars: their prices are adjusted")


def _is_unseen(split: Floats, close: Floats, opened: Floats) -> npt.NDArray[np.bool_]:
    """Whether the price did not move by a split: what is left of the move is more than half of the split."""
    expected = np.log(split)
    left: npt.NDArray[np.bool_] = np.abs(np.log(opened / close) + expected) > np.abs(expected) / 2
    return left & (np.abs(expected) >= math.log(SPLIT_JUDGED_MIN))
