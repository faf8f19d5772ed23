"""The simulated venue of several instruments on one account: one walk over all of them, in one order of time.

venue = PortfolioVenue(seats)
venue.open_stretch(0, features, series, first_exec=warm)
while (pause := venue.advance()) is not Pause.OVER:
    venue.desk        # the instrument that the pause is about
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from evenkeel.features.timeline import FeatureRun, Series
from evenkeel.kernel import compiled
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.instrument import Instrument
from evenkeel.model.number import postings_from_money
from evenkeel.model.time import Timeframe
from evenkeel.strategies.strategy import DecideKernel
from evenkeel.strategies.terms import Terms
from evenkeel.venues.simulated import portfolio
from evenkeel.venues.simulated.book import Ledger, Pause, new_ledger
from evenkeel.venues.simulated.carry import Carry, MarkBars
from evenkeel.venues.simulated.desks import Clock, Desk, Point, PointLine, Purse
from evenkeel.venues.simulated.venue import ReportSpace, SimulatedVenue

WINDOW_COLUMNS = [Desk.COLUMN, Desk.STOP_EXEC]
"""What changes in the table of instruments with each block of features."""

POINT_LINES = 16_384
"""Equity points kept before they are handed over."""


@dataclass(frozen=True, slots=True)
class Seat:
    """An instrument of a portfolio and what trades it.

    Attributes:
        instrument: What is traded.
        terms: Costs, limits and sizing; money and limits of the account are those of the first seat.
        wake_flat: Row of the execution graph that wakes a flat strategy.
        wake_hold: Row that wakes one with a position.
        base: Timeframe of its base bars.
        exec: Its execution timeframe.
        decide: With it the walk decides by itself; without it, it pauses.
    """

    instrument: Instrument
    terms: Terms
    wake_flat: int
    wake_hold: int
    base: Timeframe
    exec: Timeframe
    decide: DecideKernel | None = None


class PortfolioVenue:
    """Several instruments on one account.

    Attributes:
        ledger: The money of the account, see `Ledger`.
        desks: The venue of each instrument: its book and orders.
        desk: Number of the instrument that the last pause was about.
    """

    def __init__(self, seats: Sequence[Seat], *, timer: Callable[[], float] | None = None) -> None:
        """Prepare a venue.

        Args:
            seats: The instruments, in the order of their ids.
            timer: Seconds on a monotonic clock, to tell the time of features from that of matching.
        """
        compiled(portfolio.walk, portfolio.WALK_SIGNATURE)
        self.ledger = new_ledger(postings_from_money(seats[0].terms.account.start_equity))
        self._space = ReportSpace()
        self.desks = [
            SimulatedVenue(
                seat.terms, seat.instrument, wake_flat=seat.wake_flat, wake_hold=seat.wake_hold, decide=seat.decide,
                timer=timer, space=self._space, ledger=self.ledger, number=number,
            )
            for number, seat in enumerate(seats)
        ]  # fmt: skip
        self._pausing = seats[0].decide is None
        self._lines = np.zeros((len(seats), len(Desk)), dtype=np.int64)
        self._lines[:, Desk.OVER] = 1
        numbers = range(len(seats))
        self._turns = np.array(
            [
                sorted(numbers, key=lambda k: (-seats[k].base.minutes, k)),
                sorted(numbers, key=lambda k: (-seats[k].exec.minutes, k)),
            ],
            dtype=np.int64,
        )
        self._due = np.zeros(len(seats), dtype=np.int64)
        self._clock = np.zeros(len(Clock), dtype=np.int64)
        self._times = np.zeros(POINT_LINES, dtype=np.int64)
        self._points = np.zeros((int(Point.FIRST) + len(seats) * len(PointLine), POINT_LINES), dtype=np.int64)
        self._purses = np.full((len(seats), len(Purse)), self.ledger[Ledger.CASH], dtype=np.int64)
        self._start_cash = self.ledger[Ledger.CASH].copy()
        self.desk = 0

    @property
    def now_ns(self) -> int:
        """The instant of the last pause."""
        return int(self._clock[Clock.NOW])

    @property
    def stopped_ns(self) -> int:
        """When the run stopped; 0 while it has not."""
        return int(self._clock[Clock.STOPPED_NS])

    @property
    def features_s(self) -> float:
        """Seconds spent in features, where a timer was given."""
        return sum(desk.features_s for desk in self.desks)

    @property
    def drawdown(self) -> float:
        """Deepest fall of the account from its peak at any close of a base bar, as a fraction."""
        return self.desks[0].drawdown

    def open_stretch(
        self, number: int, features: FeatureRun, series: Series, *, first_exec: int, carry: Carry | None = None,
        mark: MarkBars | None = None, index: MarkBars | None = None,
    ) -> None:  # fmt: skip
        """Let an instrument stand before the first decision of an unbroken stretch of its bars."""
        self.desks[number].open_stretch(features, series, first_exec=first_exec, carry=carry, mark=mark, index=index)
        self._lines[number] = self.desks[number].line()

    def leave(self, number: int) -> None:
        """Let an instrument take no further part: its data is over."""
        self._lines[number, Desk.OVER] = 1

    def advance(self) -> Pause:
        """Go on to the next pause; OVER means that all data is over, or that the run has stopped."""
        self._settle_purse()
        while True:
            pause = Pause(
                portfolio.walk(
                    self._lines, self._turns, self._due, self._clock, self.ledger, self._space.ints,
                    self._space.floats, self._times, self._points, self._purses, self._pausing,
                )
            )  # fmt: skip
            self.desk = int(self._clock[Clock.DESK])
            self.desks[self.desk].refuse_fault(pause)
            if pause is not Pause.BLOCK:
                return pause
            self._lines[self.desk, WINDOW_COLUMNS] = self.desks[self.desk].next_block()

    def _settle_purse(self) -> None:
        """Give an instrument what closing it at the end of its data brought: that happens between two walks."""
        start = int(self._start_cash)
        own = int(np.sum(self._purses[:, Purse.CASH] - start))
        rest = int(self.ledger[Ledger.CASH]) - start - own
        if rest:
            purse = self._purses[self.desk]
            purse[Purse.CASH] += rest
            value = float(purse[Purse.CASH])
            if (purse[Purse.PEAK] - value) / purse[Purse.PEAK] > self.own_drawdown(self.desk):
                purse[Purse.DEEP_PEAK], purse[Purse.DEEP_VALUE] = purse[Purse.PEAK], purse[Purse.CASH]

    def own_cash(self, number: int) -> int:
        """Return what the account would have if only this instrument had traded, as a count of 1e-8."""
        self._settle_purse()
        return int(self._purses[number, Purse.CASH])

    def own_drawdown(self, number: int) -> float:
        """Return the deepest fall at any base close if only this instrument had traded, as a fraction of its peak."""
        peak, value = float(self._purses[number, Purse.DEEP_PEAK]), float(self._purses[number, Purse.DEEP_VALUE])
        return (peak - value) / peak

    def take_reports(self) -> tuple[Ints, Floats]:
        """Hand over the reports written since the last call as two tables, by `Report` and by `Price`."""
        return self.desks[0].take_reports()

    def take_points(self) -> tuple[Ints, Ints]:
        """Hand over the equity points since the last call: instants, and lines by `Point` and `PointLine`."""
        count = int(self._clock[Clock.POINTS])
        self._clock[Clock.POINTS] = 0
        return self._times[:count].copy(), self._points[:, :count].copy()

    @property
    def has_stopped(self) -> bool:
        """Whether the run must open nothing more."""
        return bool(self.ledger[Ledger.STOPPED] != 0)
