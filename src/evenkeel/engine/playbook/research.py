"""A play of a playbook in the research lane: its venue and its kernel, without a core and a journal.

It pauses where the engine lane pauses and takes the same orders of the playbook, so that one driver runs either.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from evenkeel.engine.backtest import Due
from evenkeel.engine.heard import Heard
from evenkeel.engine.market import Market, Stretch
from evenkeel.engine.record import EXIT_NUMBERS, DeadEntry, Described, RunRecord
from evenkeel.engine.research import EquityCurve, describe_deaths, describe_fundings, end_stretch, reported
from evenkeel.features.timeline import FeatureRun
from evenkeel.model.errors import UsageError
from evenkeel.model.event import PortfolioOrdered, PortfolioStated
from evenkeel.model.number import POSTINGS_PER_UNIT, money_from_postings, postings_from_money, to_decimal
from evenkeel.model.reason import REASONS, ExitReason, Reason, reason_number
from evenkeel.strategies.strategy import Strategy
from evenkeel.venues.simulated.book import Book, Ledger, Mark, Pause, Price, Report
from evenkeel.venues.simulated.loop import ANY_LOTS
from evenkeel.venues.simulated.venue import SimulatedVenue

_ORDERED = frozenset(
    EXIT_NUMBERS[reason]
    for reason in (
        ExitReason.SIGNAL, ExitReason.MAX_DRAWDOWN, ExitReason.EQUITY_STOP, ExitReason.REGIME, ExitReason.PLAYBOOK,
    )
)  # fmt: skip
"""Closes that somebody ordered; others are the rest of a stop that goes on."""


class Known(NamedTuple):
    """What others may know of a play: its state at the last pause that was handled.

    Attributes:
        quantity: Held, signed; else what an entry at work would hold.
        is_held: Whether there is a position.
        is_closing: Whether an order that closes it is at work.
        gained: Realised, after costs.
        entry: Price of the position.
    """

    quantity: Decimal
    is_held: bool
    is_closing: bool
    gained: Decimal
    entry: float


class ResearchAccount:
    """One play of a playbook in the research lane.

    Attributes:
        record: What has happened; whole once the pauses are through.
    """

    def __init__(self, strategy: Strategy, market: Market, *, timer: Callable[[], float] | None = None) -> None:
        """Prepare a run.

        Raises:
            UsageError: If the strategy has no kernel.
        """
        if strategy.kernel is None:
            raise UsageError(f"{strategy.name} decides in Python and runs in the engine lane only; use --lane engine")
        self._strategy, self._market = strategy, market
        self._venue = SimulatedVenue(
            strategy.terms, strategy.instrument, wake_flat=strategy.wake_flat, wake_hold=strategy.wake_hold,
            decide=strategy.kernel, timer=timer, pauses=True,
        )  # fmt: skip
        self._lot = strategy.instrument.lot_grid
        self._start = strategy.terms.account.start_equity
        self._heard: list[Heard] = []
        self._stated: PortfolioStated | None = None
        self._stretch: Stretch | None = None
        self.record = RunRecord("research")
        self._known = self._look()

    @property
    def quantity(self) -> Decimal:
        """What is held, signed; else what an entry at work would hold."""
        return self._known.quantity

    @property
    def is_held(self) -> bool:
        """Whether there is a position."""
        return self._known.is_held

    @property
    def is_closing(self) -> bool:
        """Whether an order that closes the position is at work."""
        return self._known.is_closing

    @property
    def gained(self) -> Decimal:
        """What has been realised, after costs."""
        return self._known.gained

    @property
    def entry_price(self) -> Decimal:
        """Of the position."""
        return to_decimal(self._known.entry)

    def _look(self) -> Known:
        """Return what is known now: at a pause the venue stands where others are not yet."""
        book = self._venue.book
        lots = book[Book.LOTS] or (book[Book.ENTRY_LOTS] if book[Book.ENTRY_KIND] else 0)
        return Known(
            quantity=self._lot.value(int(lots)), is_held=bool(book[Book.LOTS] != 0),
            is_closing=int(book[Book.EXIT]) in _ORDERED,
            gained=money_from_postings(int(self._venue.ledger[Ledger.CASH])) - self._start,
            entry=float(self._venue.mark[Mark.ENTRY]),
        )  # fmt: skip

    def pauses(self, *, step: bool = False) -> Iterator[Due]:
        """Run, and hand over each pause of the venue before it is handled, as the engine lane does."""
        curve, venue = EquityCurve(), self._venue
        for stretch in self._market.stretches:
            self._stretch = stretch
            features = FeatureRun(self._strategy.program, stretch.series)
            venue.open_stretch(
                features, stretch.series, first_exec=stretch.first_exec, carry=stretch.carry, mark=stretch.mark,
                index=stretch.index,
            )  # fmt: skip
            yield from self._stretch_pauses(stretch, step=step)
            yield Due(int(stretch.series.base.close_ns[-1]), Pause.END)
            curve.take(venue, stretch, features)
            unfilled = end_stretch(venue, stretch)
            self._heard.append(Heard(stretch, *venue.take_reports(), unfilled))
            self._known = self._look()
            if venue.ledger[Ledger.STOPPED] != 0:
                break
        curve.finish(venue, self.record)
        heard = self._heard
        self.record.fills = reported(heard, self._strategy, self._market)
        self.record.dead_entries = Described(lambda: describe_deaths(heard))
        self.record.fundings = Described(lambda: describe_fundings(heard))
        self.record.refusals = {REASONS[n].value: int(count) for n, count in enumerate(venue.refusals) if count}

    def _stretch_pauses(self, stretch: Stretch, *, step: bool) -> Iterator[Due]:
        closes, executions = stretch.series.base.close_ns, stretch.series.on(stretch.exec).bars.close_ns
        venue = self._venue
        book = venue.book
        while (pause := venue.advance(step=step)) is not Pause.END:
            if pause is Pause.WAKE:
                closed = int(executions[book[Book.EXEC]])
            else:
                closed = int(closes[book[Book.ROW] - (pause is Pause.TIMER)])
            yield Due(closed, pause)
            if pause is Pause.WAKE:
                self._decide()
            elif pause is Pause.LIMIT:
                self._leave(int(venue.ledger[Ledger.STOPPED]), Reason.ENTRIES_DISABLED, closed)
            elif pause is Pause.REPORT:
                self._heard.append(Heard(stretch, *venue.take_reports()))
                now = self._look()
                if venue.ledger[Ledger.STOPPED] != 0 and now.is_held and not now.is_closing:
                    self._leave(int(venue.ledger[Ledger.STOPPED]), Reason.ENTRIES_DISABLED, closed)
            self._known = self._look()

    def _decide(self) -> None:
        """Decide, with what the playbook stated before; its share is all that an entry may use.

        Nothing is decided where the playbook has just ordered the play out, or stopped.
        """
        if self._venue.ledger[Ledger.STOPPED] != 0 or self._venue.book[Book.EXIT] != 0:
            return
        stated = self._stated
        if stated is None:
            equity, room = float(self._venue.ledger[Ledger.CASH]) / POSTINGS_PER_UNIT, ANY_LOTS
            may_buy = may_sell = reason_number(Reason.OK)
        else:
            equity = float(postings_from_money(stated.equity)) / POSTINGS_PER_UNIT
            may_buy, may_sell = reason_number(stated.long), reason_number(stated.short)
            room = math.floor(stated.room / self._lot.value(1))
        self._venue.decide(equity=equity, may_buy=may_buy, may_sell=may_sell, room=room)

    def tell(self, event: PortfolioStated | PortfolioOrdered) -> None:
        """Take what the playbook says, between two pauses."""
        if isinstance(event, PortfolioStated):
            self._stated = event
            return
        why = Reason.REGIME_INACTIVE if event.reason is ExitReason.REGIME else Reason.ENTRIES_DISABLED
        if event.reason is ExitReason.PLAYBOOK:
            self._venue.stop(EXIT_NUMBERS[ExitReason.PLAYBOOK])
        self._withdraw(why, event.event_ns)
        if not event.holds and self.is_held and not self.is_closing:
            self._venue.place_exit(lots=self._held(), reason=EXIT_NUMBERS[event.reason], signal=-1)
        self._known = self._look()

    def _leave(self, reason: int, why: Reason, at_ns: int) -> None:
        """Withdraw the entry and close the position at the next open."""
        self._withdraw(why, at_ns)
        if self._held():
            self._venue.place_exit(lots=self._held(), reason=reason, signal=-1)

    def _held(self) -> int:
        return abs(int(self._venue.book[Book.LOTS]))

    def _withdraw(self, why: Reason, at_ns: int) -> None:
        book, stretch = self._venue.book, self._stretch
        if stretch is None or book[Book.ENTRY_KIND] == 0:
            return
        decided = int(stretch.series.on(stretch.exec).bars.close_ns[book[Book.ENTRY_EXEC]])
        dead = DeadEntry(event_ns=at_ns, reason=why, decided_ns=decided, rest=self._held() > 0)
        self._venue.drop_entry()
        nothing = np.zeros((0, len(Report)), dtype=np.int64), np.zeros((0, len(Price)))
        self._heard.append(Heard(stretch, *nothing, dead))
