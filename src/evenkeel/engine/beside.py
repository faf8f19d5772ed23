"""What lies beside the bars of a run: what is paid on a position, the mark price, and what plays read of both.

    beside = load_beside(catalogs, instrument, wanted, span)
    settlements = beside.settlements(spans, start_ns)
    carry, mark = settlements.carry(bars), beside.price_bars(SideKind.MARK, bars)

Nothing is invented: a settlement without a rate is not paid and is counted, a mark price that is not stored leaves the
bar to speak for itself, and a value that should have been followed by a newer one is missing from then on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from evenkeel.data.calendar import Calendar
from evenkeel.data.catalog import Catalog
from evenkeel.data.side import SideKind, SideSeries
from evenkeel.engine.actions import actions_due, split_scale
from evenkeel.features.instants import SideColumns
from evenkeel.model.bar import Bars, Floats, Ints
from evenkeel.model.errors import UsageError
from evenkeel.model.instrument import Instrument, InstrumentKind
from evenkeel.model.time import DAY, MINUTE
from evenkeel.venues.simulated.account_events import merged, recorded_borrow
from evenkeel.venues.simulated.carry import Carry, MarkBars, fundings

OPEN_INTEREST_LASTS = DAY
"""Venues publish it hourly or oftener: a reading that is a day old is none."""

LONGEST_HOLD = DAY
"""So long before a window values are read that may still hold in it."""


@dataclass(frozen=True, slots=True)
class Settlements:
    """The recorded funding of a run, where a position could be held.

    Attributes:
        stamps_ns: When it was settled.
        rates: What a long paid, a fraction of its notional.
        marks: The mark price; NaN where none is recorded: it is paid at the open of the bar.
        missing: Settlements that the interval of the instrument asks for and that are not recorded: nothing is paid.
    """

    stamps_ns: Ints
    rates: Floats
    marks: Floats
    missing: int

    @property
    def facts(self) -> dict[str, int]:
        """How far it reaches, in numbers."""
        unmarked = int(np.count_nonzero(np.isnan(self.marks)))
        return {"recorded": len(self.stamps_ns), "missing": self.missing, "unmarked": unmarked}

    def carry(self, bars: Bars) -> Carry:
        """Return what is due at the opens of the bars of a stretch.

        A settlement at T belongs to the first bar that opens at T or later: whoever entered at an earlier open and left
        at that one or a later one pays it (ruling 35).
        """
        first, last = _held_in(bars, self.stamps_ns, 0)
        rows = np.searchsorted(bars.open_ns, self.stamps_ns[first:last]).astype(np.int64)
        return fundings(rows, self.rates[first:last], self.marks[first:last])


@dataclass(frozen=True, slots=True)
class Beside:
    """The series beside the bars of one instrument, over the time of a run.

    Attributes:
        instrument: Whose they are.
        series: What is stored, by kind.
    """

    instrument: Instrument
    series: Mapping[SideKind, SideSeries] = field(default_factory=dict)

    @property
    def pins(self) -> dict[str, str]:
        """The revision of each series, by the name of its kind."""
        return {kind.value: self.series[kind].revision.id for kind in sorted(self.series)}

    def columns(self, base: Bars) -> SideColumns:
        """Return what plays read: instants at which something became known, and what; NaN where it grew old."""
        found: dict[str, tuple[Ints, Floats]] = {}
        rates, interest = self.series.get(SideKind.FUNDING), self.series.get(SideKind.OPEN_INTEREST)
        marks = self._fine_bars(SideKind.MARK, base)
        if rates is not None:
            lasts = self.instrument.funding_interval_ns
            found["funding_rate"] = _held_for(rates.stamps_ns, rates.columns["rate"], lasts)
        if interest is not None:
            found["open_interest"] = _held_for(interest.stamps_ns, interest.columns["value"], OPEN_INTEREST_LASTS)
        if marks is not None:
            stamps, length, columns = marks
            found["mark_price"] = _held_for(stamps + length, columns["close"], length)
        return {name: held for name, held in found.items() if _is_known(held, base)}

    def settlements(self, spans: Sequence[Bars], start_ns: int) -> Settlements | None:
        """Return the recorded funding of a run; None where no rate at all is recorded in it.

        Args:
            spans: Its bars, cut at the gaps that nothing is held over.
            start_ns: When it begins; before it nothing is held.
        """
        series = self.series.get(SideKind.FUNDING)
        if series is None or self.instrument.kind is not InstrumentKind.PERPETUAL:
            return None
        found = [slice(*_held_in(bars, series.stamps_ns, start_ns)) for bars in spans]
        stamps = np.concatenate([series.stamps_ns[part] for part in found])
        due = np.concatenate([_grid(bars, start_ns, self.instrument.funding_interval_ns) for bars in spans])
        rates = np.concatenate([series.columns["rate"][part] for part in found])
        missing = int(np.count_nonzero(~np.isin(due, stamps)))
        return Settlements(stamps, rates, self._marks_at(stamps), missing) if len(stamps) else None

    def carry(self, bars: Bars, funding: Settlements | None, calendar: Calendar) -> Carry | None:
        """Return what is due on a position over the bars of a stretch; None where nothing is recorded."""
        actions, borrow = self.series.get(SideKind.ACTIONS), self.series.get(SideKind.BORROW)
        found = [] if funding is None else [funding.carry(bars)]
        if actions is not None:
            found.append(actions_due(actions, bars))
        if borrow is not None:
            found.append(recorded_borrow(borrow.stamps_ns, borrow.columns["rate"], bars, calendar))
        return merged(found) if found else None

    def scale(self, bars: Bars, origin_ns: int) -> Floats | None:
        """Return by what features see the prices of each bar of a stretch multiplied, as `split_scale` does."""
        actions = self.series.get(SideKind.ACTIONS)
        return None if actions is None else split_scale(actions, bars, origin_ns)

    def price_bars(self, kind: SideKind, bars: Bars) -> MarkBars | None:
        """Return the mark or index price over each base bar; NaN where it is not covered whole, None without any."""
        found = self._fine_bars(kind, bars)
        if found is None:
            return None
        stamps, length, columns = found
        first = np.searchsorted(stamps, bars.open_ns)
        behind = np.searchsorted(stamps, bars.close_ns)
        whole = (behind > first) & ((behind - first) * length == bars.close_ns - bars.open_ns)
        if not whole.any():
            return None
        rows = np.flatnonzero(whole)
        prices = {name: np.full(len(bars), np.nan) for name in ("open", "high", "low")}
        prices["open"][rows] = columns["open"][first[rows]]
        # Whole bars of one length follow each other, so each pair of borders spans one base bar.
        borders = np.stack([first[rows], behind[rows]], axis=1).ravel()
        for name, extreme in (("high", np.maximum), ("low", np.minimum)):
            padded = np.append(columns[name], columns[name][-1])
            prices[name][rows] = extreme.reduceat(padded, borders)[::2]
        return MarkBars(**prices)

    def _marks_at(self, stamps: Ints) -> Floats:
        """Return the mark price at each of some instants: the open of the mark bar, or the point, that begins there."""
        found = np.full(len(stamps), np.nan)
        marks = self.series.get(SideKind.MARK)
        if marks is None or not len(marks):
            return found
        place = np.minimum(np.searchsorted(marks.stamps_ns, stamps), len(marks) - 1)
        known = marks.stamps_ns[place] == stamps
        found[known] = marks.columns["price" if marks.timeframe is None else "open"][place[known]]
        return found

    def _fine_bars(self, kind: SideKind, base: Bars) -> tuple[Ints, int, Mapping[str, Floats]] | None:
        """Return opens, length and columns of the bars of a price, if they are as fine as the base bars at least."""
        series = self.series.get(kind)
        if series is None or series.timeframe is None or series.timeframe > base.timeframe or not len(series):
            return None
        return series.stamps_ns, series.timeframe.minutes * MINUTE, series.columns


def load_beside(
    catalogs: Sequence[Catalog],
    instrument: Instrument,
    reads: frozenset[str],
    span: tuple[int, int],
    pins: Mapping[str, str] | None = None,
    *,
    source: str | None = None,
) -> Beside:
    """Load what a run uses beside its bars: what an account of that instrument is settled by, and what a play reads.

    Args:
        catalogs: Looked through in order; of each kind the first that has it is taken.
        instrument: Whose.
        reads: Side columns that the program reads.
        span: First and last instant of the run.
        pins: Revision of each kind that is to be used, and of no other; None takes the newest of each.
        source: Of the bars where they are generated: what was made with another market is not taken.

    Raises:
        UsageError: If a pinned revision is in no catalog.
        StorageError: If a file is missing or damaged.
    """
    wanted = _used_by(instrument, reads)
    if pins is not None:
        wanted = [SideKind(name) for name in pins]
    found: dict[SideKind, SideSeries] = {}
    for kind in wanted:
        pin = None if pins is None else pins[kind.value]
        series = _first(catalogs, instrument, kind, span, pin)
        if series is None and pin is not None:
            raise UsageError(
                f"revision {pin[:12]} of the {kind} of {instrument.id} is in no catalog; name the one that has it with "
                "--catalog",
                reason="REVISION_GONE",
            )
        is_ours = series is not None and source in (None, series.revision.source)
        if series is not None and is_ours and (len(series) or pin is not None):
            found[kind] = series
    return Beside(instrument, found)


def _used_by(instrument: Instrument, reads: frozenset[str]) -> list[SideKind]:
    """Return the kinds that take part in a run on an instrument."""
    match instrument.kind:
        case InstrumentKind.PERPETUAL:
            read = [SideKind.OPEN_INTEREST] if "open_interest" in reads else []
            return [SideKind.FUNDING, SideKind.MARK, SideKind.INDEX, *read]
        case InstrumentKind.EQUITY:
            return [SideKind.ACTIONS, SideKind.BORROW]
    return []


def _first(
    catalogs: Sequence[Catalog], instrument: Instrument, kind: SideKind, span: tuple[int, int], pin: str | None
) -> SideSeries | None:
    start, stop = span[0] - LONGEST_HOLD, span[1] + 1
    for catalog in catalogs:
        series = catalog.side(instrument.id, kind, start_ns=start, stop_ns=stop, revision=pin)
        if series is not None:
            return series
    return None


def _held_in(bars: Bars, stamps: Ints, start_ns: int) -> tuple[int, int]:
    """Return which instants lie where a position may be held: behind the first open of a stretch, to its last."""
    first = int(np.searchsorted(stamps, max(int(bars.open_ns[0]) + 1, start_ns)))
    return first, max(first, int(np.searchsorted(stamps, bars.open_ns[-1], side="right")))


def _grid(bars: Bars, start_ns: int, interval_ns: int) -> Ints:
    """Return the instants of an interval, counted from midnight UTC, at which a position may be held in a stretch."""
    after, last = max(int(bars.open_ns[0]) + 1, start_ns), int(bars.open_ns[-1])
    return np.arange(-(-after // interval_ns) * interval_ns, last + 1, interval_ns, dtype=np.int64)


def _held_for(known_ns: Ints, values: Floats, lasts_ns: int) -> tuple[Ints, Floats]:
    """Return values with their instants, and a missing one where nothing newer came while the last still held."""
    ends = known_ns + lasts_ns
    alone = np.append(ends[:-1] < known_ns[1:], len(ends) > 0)[: len(ends)]
    instants = np.concatenate([known_ns, ends[alone]])
    held = np.concatenate([values, np.full(int(np.count_nonzero(alone)), np.nan)])
    order = np.argsort(instants, kind="stable")
    return instants[order], held[order]


def _is_known(held: tuple[Ints, Floats], base: Bars) -> bool:
    """Whether there is a value at the close of any of the bars."""
    known_ns, values = held
    if not len(base) or not len(known_ns):
        return False
    first = max(int(np.searchsorted(known_ns, base.close_ns[0], side="right")) - 1, 0)
    last = int(np.searchsorted(known_ns, base.close_ns[-1], side="right"))
    return bool(np.isfinite(values[first:last]).any())
