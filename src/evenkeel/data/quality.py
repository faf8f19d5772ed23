"""How good a series is: what is missing, what is broken, and what looks odd.

A *fault* is what a backtest must not run over: a missing interval where the instrument trades around the clock, a
whole missing session elsewhere (ruling 15), and anything that the importer would have refused. A *remark* is odd and
may be true: a jump, a print that came straight back, prices off the tick. Nothing is mended here.

    report = check(bars, instrument, calendar)
    report.score, [finding.sentence for finding in report.faults]
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from evenkeel.data.calendar import Calendar
from evenkeel.data.oddity import NO_ODDITIES, Oddities, find_oddities
from evenkeel.model.bar import Bars, Ints
from evenkeel.model.instrument import Instrument
from evenkeel.model.number import plain
from evenkeel.model.time import TIMEFRAMES, Timeframe, format_time

DAILY = TIMEFRAMES["D"]


class FindingKind(StrEnum):
    """What is wrong or odd."""

    ORDER = "order"
    OHLC = "ohlc"
    GAP = "gap"
    MISSING_SESSION = "missing_session"
    OUTSIDE_SESSION = "outside_session"
    OUTLIER = "outlier"
    GHOST_PRINT = "ghost_print"
    ZERO_VOLUME = "zero_volume"
    OFF_TICK = "off_tick"


FAULT_KINDS = frozenset({FindingKind.ORDER, FindingKind.OHLC, FindingKind.GAP, FindingKind.MISSING_SESSION})
"""Findings that are faults; the others are remarks."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Bars that should be there and are not.

    Attributes:
        start_ns: Where the missing time begins.
        stop_ns: Where it ends.
        missing: Missing bars; missing sessions where a bar in every interval is not expected.
    """

    start_ns: int
    stop_ns: int
    missing: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or odd.

    Attributes:
        kind: Which.
        first_ns: Where it begins.
        last_ns: Where it ends.
        bars: How many bars, or missing sessions, it concerns.
        sentence: For a person.
    """

    kind: FindingKind
    first_ns: int
    last_ns: int
    bars: int
    sentence: str


@dataclass(frozen=True, slots=True)
class QualityReport:
    """What `check` found.

    Attributes:
        instrument: Id.
        timeframe: Interval of the bars.
        rows: Bars.
        first_ns: When the first opened.
        last_ns: When the last closed.
        missing: Bars or sessions that should be there and are not.
        missing_share: Their share of what should be there.
        outside_share: Share of bars that open outside every session of the calendar.
        odd_share: Share of bars that are outliers or ghost prints.
        zero_volume_share: Share of bars without volume.
        off_tick_share: Share of the prices that are not on the instrument's tick.
        score: 0 to 100: the share of bars that are there times the share that is not odd; 0 where order or prices
            are broken. Trading after hours, volume and tick do not count: good sources differ in them.
        findings: Faults and remarks, in order of time within each kind.
    """

    instrument: str
    timeframe: Timeframe
    rows: int
    first_ns: int
    last_ns: int
    missing: int
    missing_share: float
    outside_share: float
    odd_share: float
    zero_volume_share: float
    off_tick_share: float
    score: float
    findings: tuple[Finding, ...]

    @property
    def faults(self) -> list[Finding]:
        """What a backtest must not run over."""
        return [finding for finding in self.findings if finding.kind in FAULT_KINDS]

    @property
    def remarks(self) -> list[Finding]:
        """What is odd and may be true."""
        return [finding for finding in self.findings if finding.kind not in FAULT_KINDS]


def check(bars: Bars, instrument: Instrument, calendar: Calendar) -> QualityReport:
    """Return the quality report of a series that has at least one bar.

    Args:
        calendar: The instrument's.
    """
    gaps = faults(bars, calendar, instrument)
    outside = calendar.session_of(bars.open_ns) < 0
    broken = _broken(bars)
    odd = NO_ODDITIES if broken else find_oddities(bars, instrument, calendar)
    missing = sum(gap.missing for gap in gaps)
    missing_share = missing / (missing + _expected_units(bars, calendar, instrument))
    odd_share = len(np.union1d(odd.outliers, odd.ghosts)) / len(bars)
    sound = (1 - missing_share) * (1 - odd_share)
    return QualityReport(
        instrument=instrument.id, timeframe=bars.timeframe, rows=len(bars),
        first_ns=int(bars.open_ns[0]), last_ns=int(bars.close_ns[-1]),
        missing=missing, missing_share=missing_share, outside_share=float(outside.mean()), odd_share=odd_share,
        zero_volume_share=float((bars.volume == 0).mean()), off_tick_share=odd.off_tick_share,
        score=0.0 if broken else round(100 * sound, 2),
        findings=(*broken, *_gap_findings(gaps, instrument), *_remarks(bars, instrument, np.flatnonzero(outside), odd)),
    )  # fmt: skip


def faults(bars: Bars, calendar: Calendar, instrument: Instrument) -> list[Gap]:
    """Return the gaps that a backtest must not run over, in order of time (ruling 15).

    Where the instrument calls absence a fault these are the missing intervals inside sessions, else the missing whole
    sessions (for bars of a day or more: missing bars).
    """
    if not len(bars):
        return []
    if instrument.absence_is_fault and not bars.timeframe.is_calendar:
        return _missing_intervals(bars, calendar)
    return _missing_periods(bars, calendar, bars.timeframe if bars.timeframe.is_calendar else DAILY)


def _missing_intervals(bars: Bars, calendar: Calendar) -> list[Gap]:
    ends, begins = bars.close_ns[:-1], bars.open_ns[1:]
    step = bars.timeframe.nanoseconds
    gaps = []
    for row in np.flatnonzero(begins > ends):
        opens, closes = calendar.open_intervals(int(ends[row]), int(begins[row]))
        opens, closes = np.maximum(opens, ends[row]), np.minimum(closes, begins[row])
        if len(opens):
            missing = int(np.sum(-((opens - closes) // step)))
            gaps.append(Gap(int(opens[0]), int(closes[-1]), missing))
    return gaps


def _missing_periods(bars: Bars, calendar: Calendar, unit: Timeframe) -> list[Gap]:
    """Return the runs of sessions, weeks or months between the first and the last bar that hold no bar."""
    days = calendar.session_of(bars.open_ns)
    days = days[days >= 0]
    if not len(days):
        return []
    opens, _ = calendar.session_bounds(calendar.trading_days(int(days.min()), int(days.max())))
    expected = np.unique(calendar.bucket_of(opens, unit)[0])
    present = np.unique(calendar.bucket_of(bars.open_ns, unit)[0])
    absent = np.flatnonzero(~np.isin(expected, present))
    runs = np.split(absent, np.flatnonzero(np.diff(absent) > 1) + 1) if len(absent) else []
    closes = calendar.bucket_of(expected, unit)[1]
    return [Gap(int(expected[run[0]]), int(closes[run[-1]]), len(run)) for run in runs]


def _expected_units(bars: Bars, calendar: Calendar, instrument: Instrument) -> int:
    """Return how many bars, or sessions with bars, stand against the missing ones."""
    if instrument.absence_is_fault or bars.timeframe.is_calendar:
        return len(bars)
    days = np.unique(calendar.session_of(bars.open_ns))
    return max(1, int((days >= 0).sum()))


def _broken(bars: Bars) -> list[Finding]:
    """Return what an import would have refused; in a catalog there is none of it."""
    order = np.flatnonzero(np.diff(bars.open_ns) <= 0) + 1
    prices = (bars.open, bars.high, bars.low, bars.close)
    sane = np.all([np.isfinite(price) & (price > 0) for price in prices], axis=0)
    sane &= (bars.high >= np.maximum(bars.open, bars.close)) & (bars.low <= np.minimum(bars.open, bars.close))
    sane &= np.isfinite(bars.volume) & (bars.volume >= 0)
    return [
        *_counted(bars, FindingKind.ORDER, order, "bars repeat or go back in time"),
        *_counted(bars, FindingKind.OHLC, np.flatnonzero(~sane), "bars have impossible prices or volume"),
    ]


def _gap_findings(gaps: list[Gap], instrument: Instrument) -> list[Finding]:
    kind = FindingKind.GAP if instrument.absence_is_fault else FindingKind.MISSING_SESSION
    noun = "bar" if instrument.absence_is_fault else "session"
    return [
        Finding(
            kind, gap.start_ns, gap.stop_ns, gap.missing,
            f"{gap.missing:,} {noun}{'s are' if gap.missing > 1 else ' is'} missing from {format_time(gap.start_ns)} "
            f"to {format_time(gap.stop_ns)}",
        )
        for gap in gaps
    ]  # fmt: skip


def _remarks(bars: Bars, instrument: Instrument, outside: npt.NDArray[np.intp], odd: Oddities) -> list[Finding]:
    off_tick = (
        f"bars have prices off the tick of {plain(instrument.tick_size)} ({odd.off_tick_share:.2%} of all prices)"
    )
    return [
        *_counted(
            bars, FindingKind.OUTSIDE_SESSION, outside, f"bars open outside the sessions of {instrument.calendar}"
        ),
        *_each(bars, FindingKind.OUTLIER, odd.outliers, "jumps far more than the bars before it"),
        *_each(bars, FindingKind.GHOST_PRINT, odd.ghosts, "holds a print that came straight back"),
        *_counted(bars, FindingKind.ZERO_VOLUME, np.flatnonzero(bars.volume == 0), "bars have no volume"),
        *_counted(bars, FindingKind.OFF_TICK, odd.off_tick, off_tick),
    ]


def _counted(bars: Bars, kind: FindingKind, rows: npt.NDArray[np.integer], said: str) -> list[Finding]:
    """Return one finding for all rows together, or none."""
    if not len(rows):
        return []
    first, last = int(bars.open_ns[rows[0]]), int(bars.open_ns[rows[-1]])
    sentence = f"{len(rows):,} {said}; the first is {format_time(first)}"
    return [Finding(kind, first, last, len(rows), sentence)]


def _each(bars: Bars, kind: FindingKind, rows: Ints, said: str) -> list[Finding]:
    return [
        Finding(
            kind, int(bars.open_ns[row]), int(bars.close_ns[row]), 1,
            f"the bar of {format_time(int(bars.open_ns[row]))} {said}: {_prices(bars, int(row))}",
        )
        for row in rows
    ]  # fmt: skip


def _prices(bars: Bars, row: int) -> str:
    before = f" after {bars.close[row - 1]}" if row else ""
    return f"{bars.open[row]} / {bars.high[row]} / {bars.low[row]} / {bars.close[row]}{before}"
