"""The engine lane of several instruments: one inbox and one journal, a core for each instrument, the walk in between.

    pause of the walk -> event of an instrument -> its core -> journal -> commands carried out -> the walk goes on

Every event names its instrument, so the steps of one are those of a run of it, and whoever explains or replays them
needs nothing of the others: what a decision may know of the account, equity and free margin, is in the event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

import numpy as np

from evenkeel.engine.backtest import BacktestDriver, Joint, Place, StepLog
from evenkeel.engine.core import RunFacts, Step
from evenkeel.engine.portfolio.instance import Instance, Places, in_order, seat_of
from evenkeel.engine.portfolio.record import PortfolioRecord
from evenkeel.engine.portfolio.research import EquityPoints
from evenkeel.engine.research import Progress
from evenkeel.model.command import Command
from evenkeel.model.decision import Decision
from evenkeel.model.errors import invariant
from evenkeel.model.number import money_from_postings
from evenkeel.venues.simulated.book import Ledger, Pause
from evenkeel.venues.simulated.portfolio_venue import PortfolioVenue


class PortfolioDriver:
    """One engine-lane backtest of several instruments on one account.

    Attributes:
        drivers: What tells the core of each instrument and carries out its commands.
    """

    def __init__(
        self,
        facts: Sequence[RunFacts],
        instances: Sequence[Instance],
        *,
        log: StepLog | None = None,
        recorded: Sequence[Step] = (),
        on_command: Callable[[Command], None] | None = None,
        timer: Callable[[], float] | None = None,
    ) -> None:
        """Prepare a run.

        Args:
            facts: Ids and start equity, of each instance.
            instances: The instruments with what trades them, in the order of their ids.
            log: Where new steps are written; None keeps no journal.
            recorded: Steps of an earlier session, to be folded before anything is decided.
            on_command: Told of each new command as it leaves for the venue.
            timer: Seconds on a monotonic clock.
        """
        self._instances = in_order(instances)
        self._venue = PortfolioVenue([seat_of(one, decides=False) for one in self._instances], timer=timer)
        joint = Joint(recorded)
        self._start_equity = facts[0].start_equity
        self.drivers = [
            BacktestDriver(
                fact, one.strategy, one.market, log=log, on_command=on_command,
                place=Place(venue=desk, instrument=one.id, joint=joint),
            )
            for fact, one, desk in zip(facts, self._instances, self._venue.desks, strict=True)
        ]  # fmt: skip

    @property
    def decisions(self) -> list[tuple[int, Decision]]:
        """Every decision with the time of its event, in order of time, then of the instruments."""
        found = [one for driver in self.drivers for one in driver.decisions]
        return sorted(found, key=lambda one: one[0])

    def run(self, progress: Progress | None = None) -> PortfolioRecord:
        """Run to the end of the data or to the stop of the run."""
        venue, points = self._venue, EquityPoints(self._venue, self._instances)
        places = Places(self._instances, venue)
        for number, driver in enumerate(self.drivers):
            driver.open_stretch(places.stretches[number], places.features[number])
        while (pause := venue.advance()) is not Pause.OVER:
            points.take()
            number = venue.desk
            if pause is Pause.LIMIT:
                self._limit()
            elif pause is Pause.END:
                stretch = places.stretches[number]
                self.drivers[number].end_stretch(stretch)
                if progress is not None:
                    progress(len(stretch.series.base))
                if places.turn_to_next(number):
                    self.drivers[number].open_stretch(places.stretches[number], places.features[number])
            elif pause is not Pause.FULL:
                self.drivers[number].handle(pause, venue.now_ns, places.stretches[number])
        self._check_books()
        return self._record(points)

    def _limit(self) -> None:
        """Tell every core that the run has stopped, those that know aside; each withdraws its entry and leaves."""
        for driver in self.drivers:
            if driver.core.state.stopped is None:
                driver.limit(self._venue.now_ns)

    def _record(self, points: EquityPoints) -> PortfolioRecord:
        record = PortfolioRecord(
            "engine", instruments=tuple(one.id for one in self._instances),
            parts=tuple(driver.record for driver in self.drivers),
            order=tuple(np.array(driver.order, dtype=np.int64) for driver in self.drivers),
        )  # fmt: skip
        points.finish(record)
        return record

    def _check_books(self) -> None:
        """The cores' cash and the venue's are the same postings; anything else is a fault of ours."""
        gained = sum((driver.core.state.cash - self._start_equity for driver in self.drivers), Decimal(0))
        venue = money_from_postings(int(self._venue.ledger[Ledger.CASH]))
        invariant(self._start_equity + gained == venue, "cores and venue disagree about cash", cores=gained)
