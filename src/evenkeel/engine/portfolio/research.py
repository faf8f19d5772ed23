"""The research lane of several instruments: one compiled walk over all of them, every decision inside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from evenkeel.engine.heard import Heard
from evenkeel.engine.market import Stretch
from evenkeel.engine.portfolio.instance import Instance, Places, in_order, seat_of
from evenkeel.engine.portfolio.record import PortfolioRecord, line_of
from evenkeel.engine.record import STOPS, DeadEntry, Described, RunRecord
from evenkeel.engine.research import Progress, describe_deaths, describe_fundings, end_stretch, reported
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.errors import UsageError
from evenkeel.model.reason import REASONS, Reason, StopReason
from evenkeel.venues.simulated.book import Ledger, Pause, Price, Report
from evenkeel.venues.simulated.desks import Point, PointLine
from evenkeel.venues.simulated.portfolio_venue import PortfolioVenue


def run_portfolio_research(
    instances: Sequence[Instance], *, progress: Progress | None = None, timer: Callable[[], float] | None = None
) -> PortfolioRecord:
    """Run several instruments on one account in one compiled walk.

    Args:
        instances: The instruments with what trades them; their order means nothing.
        progress: Told of base bars passed.
        timer: Seconds on a monotonic clock.

    Raises:
        UsageError: If a strategy has no kernel, or they cannot share an account.
    """
    ordered = in_order(instances)
    for one in ordered:
        if one.strategy.kernel is None:
            raise UsageError(
                f"{one.strategy.name} decides in Python and runs in the engine lane only; use --lane engine"
            )
    venue = PortfolioVenue([seat_of(one, decides=True) for one in ordered], timer=timer)
    places = Places(ordered, venue)
    ears = Ears(places.stretches)
    points = EquityPoints(venue, ordered)
    while (pause := venue.advance()) is not Pause.OVER:
        points.take()
        ears.hear(places.stretches, *venue.take_reports())
        if pause is Pause.END:
            number, stretches = venue.desk, places.stretches
            unfilled = end_stretch(venue.desks[number], stretches[number])
            ears.hear(stretches, *venue.take_reports())
            ears.note(number, stretches[number], unfilled)
            if progress is not None:
                progress(len(stretches[number].series.base))
            places.turn_to_next(number)
    ears.hear(places.stretches, *venue.take_reports())
    record = PortfolioRecord(
        "research", instruments=tuple(one.id for one in ordered), order=ears.order,
        parts=tuple(part_of(number, one, venue, ears) for number, one in enumerate(ordered)),
    )  # fmt: skip
    points.finish(record)
    return record


class Ears:
    """Takes down the reports of the walk, those of each instrument apart."""

    def __init__(self, stretches: Sequence[Stretch]) -> None:
        self.heard = [[Heard(stretch, *_silence())] for stretch in stretches]
        self._order: list[list[Ints]] = [[] for _ in stretches]
        self._fills = 0

    def hear(self, stretches: Sequence[Stretch], ints: Ints, floats: Floats) -> None:
        """Take down reports, each of the stretch in which its instrument is."""
        filled = ints[:, Report.LOTS] != 0
        numbers = self._fills + np.cumsum(filled) - 1
        self._fills += int(np.count_nonzero(filled))
        for number in np.unique(ints[:, Report.INSTRUMENT]).tolist():
            own = ints[:, Report.INSTRUMENT] == number
            self.heard[number].append(Heard(stretches[number], ints[own], floats[own]))
            self._order[number].append(numbers[own & filled])

    def note(self, number: int, stretch: Stretch, unfilled: DeadEntry | None) -> None:
        """Take down that the end of a stretch withdrew an entry."""
        if unfilled is not None:
            self.heard[number].append(Heard(stretch, *_silence(), unfilled))

    @property
    def order(self) -> tuple[Ints, ...]:
        """Numbers in the run of the fills of each instrument."""
        return tuple(np.concatenate([np.zeros(0, dtype=np.int64), *parts]) for parts in self._order)


def _silence() -> tuple[Ints, Floats]:
    """Return no reports."""
    return np.zeros((0, len(Report)), dtype=np.int64), np.zeros((0, len(Price)))


def part_of(number: int, instance: Instance, venue: PortfolioVenue, ears: Ears) -> RunRecord:
    """Return the record of one instrument."""
    heard, stopped_ns, refusals = ears.heard[number], venue.stopped_ns, venue.desks[number].refusals
    record = RunRecord("research")
    record.fills = reported(heard, instance.strategy, instance.market)
    record.dead_entries = Described(lambda: _deaths(heard, stopped_ns))
    record.fundings = Described(lambda: describe_fundings(heard))
    record.refusals = {REASONS[n].value: int(count) for n, count in enumerate(refusals) if count}
    return record


def _deaths(heard: Sequence[Heard], stopped_ns: int) -> list[DeadEntry]:
    """Return the dead entries; what the stop of the run withdrew died when it stopped, between bars of its own."""
    return [
        msgspec.structs.replace(dead, event_ns=stopped_ns) if dead.reason is Reason.ENTRIES_DISABLED else dead
        for dead in describe_deaths(heard)
    ]


class EquityPoints:
    """Collects the equity points of a portfolio: one for each instant at which an execution bar closes."""

    def __init__(self, venue: PortfolioVenue, instances: Sequence[Instance]) -> None:
        self._venue, self._instances = venue, instances
        self._times: list[Ints] = []
        self._lines: list[Ints] = []

    def take(self) -> None:
        """Take the points written since the last call."""
        times, lines = self._venue.take_points()
        self._times.append(times)
        self._lines.append(lines)

    def finish(self, record: PortfolioRecord) -> None:
        """Add the point after the last exit and write the end of the run into the record."""
        self.take()
        venue = self._venue
        times, lines = np.concatenate(self._times), np.concatenate(self._lines, axis=1)
        if len(times) and times[-1] == venue.now_ns:
            times, lines = times[:-1], lines[:, :-1]
        last = np.zeros((len(lines), 1), dtype=np.int64)
        last[[Point.EQUITY, Point.CASH]] = venue.ledger[Ledger.CASH]
        for number in range(len(record.parts)):
            last[line_of(number, PointLine.CASH)] = venue.own_cash(number)
        record.times_ns = np.append(times, np.int64(venue.now_ns))
        record.curve = np.concatenate([lines, last], axis=1)
        record.stop_reason = STOPS.get(int(venue.ledger[Ledger.STOPPED]), StopReason.END_OF_DATA)
        record.stop_ns = venue.now_ns
        record.drawdown_intrabar = venue.drawdown
        record.features_s = venue.features_s
        for number, (part, instance) in enumerate(zip(record.parts, self._instances, strict=True)):
            own_curve(record, number, part, instance)
            part.drawdown_intrabar = venue.own_drawdown(number)


def own_curve(record: PortfolioRecord, number: int, part: RunRecord, instance: Instance) -> None:
    """Write into the record of an instrument its equity as if nothing else had traded, at its own execution bars."""
    market = instance.market
    closes = [stretch.series.on(stretch.exec).bars.close_ns[stretch.first_exec :] for stretch in market.stretches]
    own = np.concatenate(closes)
    places = np.minimum(np.searchsorted(record.times_ns, own), len(record.times_ns) - 1)
    mine = np.zeros(len(record.times_ns), dtype=np.bool_)
    mine[places[record.times_ns[places] == own]] = True
    mine[-1] = True
    lots, opened, cash = (record.curve[line_of(number, line)][mine] for line in PointLine)
    part.times_ns, part.curve = record.times_ns[mine], np.stack([cash + opened, cash, lots])
    part.stop_reason, part.stop_ns = record.stop_reason, record.stop_ns
