"""The backtest of a playbook: one venue and one core for each play, and one order of time over all of them.

Each play is an ordinary engine-lane run on a sub-account of its own. The driver always handles the pause that is
earliest in time, so that whatever is shared is as it was at that instant. At one instant the order is:

    1. what happened: fills, funding, expiries, limits, ends of data
    2. the detector's close, the shares, the drawdown of the playbook
    3. decisions and closes of base bars, by play in the order of the file

Before a flat play decides it is told, as a fact of its own journal, its share and what the others leave it, so a
replay of its run needs nothing of the others. What the playbook orders reaches a play at the close of the base bar it
is in, and is carried out at the next open, as every order is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Protocol

import msgspec

from evenkeel.engine.backtest import Due
from evenkeel.engine.market import Market
from evenkeel.engine.playbook.regimes import Sightings
from evenkeel.engine.playbook.shares import Allotment
from evenkeel.model.event import PortfolioOrdered, PortfolioStated
from evenkeel.model.instrument import Instrument
from evenkeel.model.number import to_decimal
from evenkeel.model.reason import ExitReason
from evenkeel.risk.correlation import Closes, correlation
from evenkeel.risk.portfolio import Holding, standing
from evenkeel.strategies.playbook.playbook import Playbook
from evenkeel.venues.simulated.book import Pause

_DECISIONS = (Pause.WAKE, Pause.TIMER)
"""Pauses at which a play stands between two base bars and may be given orders."""

_UNIT = Decimal("0.00000001")


class Runner(Protocol):
    """One play as the driver sees it, in either lane."""

    @property
    def quantity(self) -> Decimal:
        """What is held, signed; else what an entry at work would hold."""

    @property
    def is_held(self) -> bool:
        """Whether there is a position."""

    @property
    def is_closing(self) -> bool:
        """Whether an order that closes the position is at work."""

    @property
    def gained(self) -> Decimal:
        """What has been realised, after costs."""

    @property
    def entry_price(self) -> Decimal:
        """Of the position."""

    def pauses(self, *, step: bool = False) -> Iterator[Due]:
        """Run, and hand over each pause before it is handled."""

    def tell(self, event: PortfolioStated | PortfolioOrdered) -> None:
        """Take what the playbook says, between two pauses."""


@dataclass(slots=True)
class _Account:
    """The sub-account of a play.

    Attributes:
        driver: Its run.
        closes: Its market.
        instrument: What it trades.
        pauses: Its pauses to come.
        due: Its next pause; None once it has ended.
        order: What the playbook has ordered and the play has not yet been told, or has not yet carried out.
    """

    driver: Runner
    closes: Closes
    instrument: Instrument
    pauses: Iterator[Due]
    due: Due | None
    order: PortfolioOrdered | None = None

    @property
    def quantity(self) -> Decimal:
        """What is held, signed; else what an entry at work would hold."""
        return self.driver.quantity

    def result(self, time_ns: int) -> Decimal:
        """Return what the account has gained at an instant, the open position included."""
        driver, price = self.driver, self.closes.at(time_ns)
        if not driver.is_held or price is None:
            return driver.gained
        opened = driver.quantity * (to_decimal(price) - driver.entry_price) * self.instrument.multiplier
        return driver.gained + opened

    def notional(self, quantity: Decimal, time_ns: int) -> float:
        """Return the worth of a quantity at the last price known, unsigned."""
        price = self.closes.at(time_ns) or 0.0
        return float(abs(quantity) * self.instrument.multiplier) * price


class PlaybookDriver:
    """One backtest of a playbook.

    Attributes:
        allotment: Regimes, turns and shares over time.
        deepest: Deepest fall of the playbook from its peak at any close of a base bar, as a fraction.
        stopped_ns: When the playbook met its largest drawdown; None if it did not.
    """

    def __init__(
        self, playbook: Playbook, runs: Sequence[tuple[Runner, Market]], sightings: Sightings, start_ns: int
    ) -> None:
        """Prepare a run.

        Args:
            playbook: What decides who may trade.
            runs: The run of each play and its market, in the order of the members.
            sightings: What the detector sees.
            start_ns: Start of the run.
        """
        self._playbook = playbook
        self._accounts = [
            _Account(
                driver, Closes.of(*(stretch.series.base for stretch in market.stretches)), market.instrument,
                driver.pauses(step=True), None,
            )
            for driver, market in runs
        ]  # fmt: skip
        self.allotment = Allotment(playbook, sightings, start_ns)
        self._opened_ns = self._ended_ns = start_ns - 1
        self._peak = playbook.capital
        self.deepest = 0.0
        self.stopped_ns: int | None = None

    def run(self) -> None:
        """Run every play to the end of its data or to the stop of the playbook."""
        for account in self._accounts:
            account.due = next(account.pauses, None)
        while (number := self._earliest()) is not None:
            account = self._accounts[number]
            due = account.due
            if due is not None and due.pause in _DECISIONS:
                if due.time_ns > self._opened_ns:
                    self._open(due.time_ns)
                self._before_a_decision(number, due)
            held = account.driver.is_held
            account.due = next(account.pauses, None)
            if due is not None and held and not account.driver.is_held:
                self.allotment.trade_closed(number, due.time_ns)
            self._ended_ns = self._ended_ns if due is None else max(self._ended_ns, due.time_ns)
        self.allotment.look_on(self._ended_ns)

    def _earliest(self) -> int | None:
        """Return the number of the account whose pause is handled next."""
        waiting = [
            (account.due.time_ns, account.due.pause in _DECISIONS, number)
            for number, account in enumerate(self._accounts)
            if account.due is not None
        ]
        return min(waiting)[2] if waiting else None

    def _open(self, time_ns: int) -> None:
        """Work out what is shared, once all that happened up to an instant is known and before anything is decided."""
        self._opened_ns = time_ns
        before = self.allotment.shares
        self.allotment.look_on(time_ns)
        if self.stopped_ns is None:
            self._take_out(before, time_ns)
            self._watch(time_ns)

    def _take_out(self, before: tuple[Decimal, ...], time_ns: int) -> None:
        """Order what a play that has lost its share must leave; take back what one that has a share was ordered."""
        holds = self._playbook.on_regime_exit == "hold"
        for account, old, new in zip(self._accounts, before, self.allotment.shares, strict=True):
            if new != 0:
                account.order = None
            elif old != 0 and account.quantity != 0:
                account.order = PortfolioOrdered(event_ns=time_ns, known_ns=0, reason=ExitReason.REGIME, holds=holds)

    def _watch(self, time_ns: int) -> None:
        """Mark the playbook at the last prices, and stop all plays at its largest drawdown."""
        equity = self._equity(time_ns)
        self._peak = max(self._peak, equity)
        fall = float((self._peak - equity) / self._peak)
        self.deepest = max(self.deepest, fall)
        limit = self._playbook.risk.max_drawdown
        if limit >= 1.0 or fall < limit:
            return
        self.stopped_ns = time_ns
        for account in self._accounts:
            account.order = PortfolioOrdered(event_ns=time_ns, known_ns=0, reason=ExitReason.PLAYBOOK)
            if account.quantity == 0 and account.due is not None:
                account.driver.tell(account.order)
                account.order = None

    def _equity(self, time_ns: int) -> Decimal:
        return self._playbook.capital + sum((account.result(time_ns) for account in self._accounts), Decimal(0))

    def _before_a_decision(self, number: int, due: Due) -> None:
        """Give a play that stands between two bars its orders; tell one that is to decide on an entry what it may."""
        account = self._accounts[number]
        if account.quantity == 0:
            account.order = None
        order = account.order
        if order is not None and not account.driver.is_closing:
            account.driver.tell(msgspec.structs.replace(order, event_ns=due.time_ns))
            account.order = None if order.holds else order
        if due.pause is Pause.WAKE and account.quantity == 0:
            account.driver.tell(self._statement(number, due.time_ns))

    def _statement(self, number: int, time_ns: int) -> PortfolioStated:
        account, share = self._accounts[number], self.allotment.shares[number]
        price = account.closes.at(time_ns)
        holdings = [
            Holding(
                instrument=other.instrument.id, side=1 if other.quantity > 0 else -1,
                notional=other.notional(other.quantity, time_ns),
                correlation=correlation(account.closes, other.closes, time_ns),
            )
            for other in self._accounts
            if other is not account and other.quantity != 0
        ]  # fmt: skip
        may = standing(
            has_share=share > 0, instrument=account.instrument.id, holdings=holdings,
            equity=float(self._equity(time_ns)), limits=self._playbook.risk,
        )  # fmt: skip
        worth = account.notional(Decimal(1), time_ns)
        room = to_decimal(may.room / worth) if price and worth > 0 else Decimal(0)
        return PortfolioStated(
            event_ns=time_ns, known_ns=0, equity=share, long=may.long, short=may.short,
            room=room.quantize(_UNIT, rounding=ROUND_DOWN),
        )  # fmt: skip
