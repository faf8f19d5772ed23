"""An account told everything from outside: a market, a broker, a clock, persons. Its strategies obey the test.

desk = AccountDesk()
desk.ready()
assert desk.enter() is None                 # every gate let the entry through
desk.tell(QualityTold, dvs=D("0.79"))
assert desk.enter() is Reason.DVS_TOO_LOW
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal as D
from typing import Any

import msgspec
import numpy as np

import desk as market_desk
from evenkeel.engine.account.account import Account
from evenkeel.engine.account.desk import Desk, DeskId
from evenkeel.engine.account.entry import AccountEvent, AccountStep
from evenkeel.engine.core import Core, RunFacts
from evenkeel.execution.books import Books
from evenkeel.execution.supervisor.supervisor import Identity, Supervisor
from evenkeel.execution.supervisor.venue_terms import Capabilities, Timing
from evenkeel.features.timeline import ProgramBuilder
from evenkeel.model.bar import Floats
from evenkeel.model.command import AskVenue, PlaceOrder, VenueCommand
from evenkeel.model.event import BarsClosed, Event, PriceTold, SessionBegan, TimePassed
from evenkeel.model.ids import ClientId, InstrumentId, RunId, StrategyId
from evenkeel.model.instrument import Instrument
from evenkeel.model.intent import Abstain, Direction, Enter, Intent, Leave, OrderKind
from evenkeel.model.market_told import (
    ConditionsTold,
    InstrumentTold,
    KeyTold,
    LeaseTold,
    MarketSessionTold,
    QuoteTold,
)
from evenkeel.model.order import OrderState
from evenkeel.model.reason import Reason
from evenkeel.model.report import Act, OrderReported, Outcome, SendResolved
from evenkeel.model.time import MINUTE, SECOND, Timeframe
from evenkeel.model.told import (
    Channel,
    ClockMeasured,
    EquityTold,
    Link,
    LinkChanged,
    QualityTold,
    SeedTold,
    SessionOpened,
)
from evenkeel.model.truth import Position, Truth, TruthTold
from evenkeel.risk.gates.entry import EntryGates
from evenkeel.risk.gates.facts.engine import Phase
from evenkeel.risk.gates.judged import Judged
from evenkeel.risk.gates.request import OPENS
from evenkeel.risk.limits.limits import Limits
from evenkeel.risk.limits.profiles import profile
from evenkeel.strategies.strategy import View
from evenkeel.strategies.terms import MarginTerms, SizingTerms, Terms

RESTING = (OrderState.WORKING, OrderState.PARTIAL, OrderState.CANCEL_PENDING, OrderState.REPLACE_PENDING)
START = 1_700_000_000 * SECOND
COIN, OTHER = InstrumentId("COINUSDT.VENUE"), InstrumentId("OTHERUSDT.VENUE")
TREND, RIVAL = StrategyId("trend"), StrategyId("rival")
PRICE = D(20_000)
LONG = Enter(
    direction=Direction.LONG, kind=OrderKind.LIMIT, price=PRICE, stop_distance=D(200), target_distance=D(400),
    reason="as told",
)  # fmt: skip


def coin(instrument: InstrumentId = COIN) -> Instrument:
    """Return a perpetual at 20,000 in steps of half a unit, traded by thousandths."""
    return market_desk.instrument(
        id=instrument, base="COIN", tick_size="0.5", lot_size="0.001", min_quantity="0.001", min_notional="5"
    )


def coin_terms(quantity: str = "0.002") -> Terms:
    """Return the terms of an account that trades it, with one size for every entry."""
    costs = market_desk.account(taker="0.00055", slippage="0.0001", margin=MarginTerms(liquidates=True))
    return market_desk.terms(costs, SizingTerms(model="fixed_quantity", value=D(quantity), max_leverage=D(2)))


class Obeys:
    """A strategy that wishes what it is told to, once."""

    kind, hash, kernel, wake_flat, wake_hold, takes_notes = "python", "0", None, 0, 0, False

    def __init__(self, name: StrategyId, instrument: Instrument, terms: Terms, warmup: int) -> None:
        self.name, self.instrument, self.terms = name, instrument, terms
        self.resolved: Mapping[str, Any] = {}
        builder = ProgramBuilder(Timeframe.parse("1m"))
        builder.require_bars(Timeframe.parse("1m"), warmup)
        self.program = builder.build()
        self.wish: Intent = Abstain(reason=Reason.OK)

    def decide(self, _: View) -> Intent:
        return self.wish

    def notes(self, signal: int, x: Floats, column: int) -> dict[str, Any]:
        return {}

    def signal_text(self, signal: int) -> str:
        return "as told"

    def checkpoint(self) -> dict[str, Any]:
        return {}

    def restore(self, saved: Mapping[str, Any]) -> None:
        pass


class Closes:
    """Features that are nothing but the close of the bar."""

    def __init__(self) -> None:
        self.close_ns, self.close = START, float(PRICE)

    def at(self, segment: int, bar: int) -> tuple[Floats, int, int, float]:
        return np.zeros((1, 1)), 0, self.close_ns, self.close


class AccountDesk:
    """One account and all around it.

    Attributes:
        account: The account.
        now: The time.
        commands: Everything that was to be sent.
        verdicts: Everything that the gates answered.
        answers: Whether the venue answers what it has.
        told_otherwise: What of its answer is not what the account believes, by field of `Truth`.
    """

    def __init__(
        self, limits: Limits | str = "perp_small", *, quantity: str = "0.002", warmup: int = 1, mode: str = "live",
        pairs: tuple[tuple[StrategyId, InstrumentId], ...] = ((TREND, COIN), (RIVAL, OTHER)), **changes: Any,
    ) -> None:  # fmt: skip
        found = profile(limits) if isinstance(limits, str) else limits
        self.limits = found.replaced({name.replace("__", "."): value for name, value in changes.items()})
        self.strategies: dict[tuple[StrategyId, InstrumentId], Obeys] = {}
        self.features: dict[tuple[StrategyId, InstrumentId], Closes] = {}
        self.now, self.bars = START, 0
        self.commands: list[VenueCommand] = []
        self.verdicts: list[Judged] = []
        self.answers, self.told_otherwise = True, dict[str, Any]()
        self.steps: list[AccountStep] = []
        desks = [self._desk(mode, DeskId(*pair), quantity, warmup) for pair in pairs]
        self.instruments = list(dict.fromkeys(instrument for _, instrument in pairs))
        ticks = {instrument: D("0.5") for instrument in self.instruments}
        supervisor = Supervisor(Identity(mode, RunId("r")), ticks, Capabilities(), Timing())
        books = Books(D(1000), {instrument: D(1) for instrument in self.instruments})
        self.account = Account(desks, supervisor, books, Timing(), self.limits)

    def _desk(self, mode: str, identity: DeskId, quantity: str, warmup: int) -> Desk:
        instrument, terms = coin(identity.instrument), coin_terms(quantity)
        strategy = Obeys(identity.strategy, instrument, terms, warmup)
        features = Closes()
        self.strategies[identity], self.features[identity] = strategy, features
        facts = RunFacts(mode, RunId("r"), identity.strategy, identity.instrument, D(1000))
        return Desk(identity, Core(facts, strategy, EntryGates(terms, instrument), features), instrument.tick_size)

    def ready(self) -> None:
        """Begin a session in which every gate of `perp_small` lets an entry through."""
        self.tell(SessionBegan)
        self.tell(LeaseTold, epoch=3, for_ns=15 * SECOND)
        self.tell(
            KeyTold,
            key_mode="live",
            host_mode="live",
            account_mode="live",
            withdraws=False,
            armed=True,
            permit=D(100_000),
        )
        for channel in Channel:
            self.tell(LinkChanged, channel=channel, link=Link.UP)
        self.tell(SessionOpened, session=date(2023, 11, 14), close=D(1000))
        self.tell(SeedTold, day=D(0), week=D(0), month=D(0))
        self.worth()
        self.tell(ClockMeasured, offset_ns=1_000_000)
        for instrument in self.instruments:
            self.tell(
                InstrumentTold,
                instrument,
                tradable=True,
                shortable=True,
                fractionable=True,
                reduce_only=False,
                leverage=D(2),
                funding_rate=D("0.0001"),
            )
            self.tell(MarketSessionTold, instrument, open=True, around_the_clock=True)
            self.conditions(instrument)
            self.tell(QualityTold, instrument, dvs=D(1), eqs=D(1))
        self.alive()
        for _ in range(10):
            if self.account.startup.phase is Phase.RUNNING:
                return
            self.wait(1)
        raise AssertionError(f"the session did not start: {self.account.startup.state}")

    def alive(self, *, quotes: bool = True) -> None:
        """Tell again what goes stale by itself: prices, quotes, the streams and the lease."""
        self.tell(LeaseTold, epoch=3, for_ns=15 * SECOND)
        self.tell(LinkChanged, channel=Channel.ACCOUNT, link=Link.UP)
        self._hear(self.told_worth)
        for instrument in self.instruments:
            self.price(instrument)
            if quotes:
                self.quote(instrument)

    def worth(self, equity: str = "1000", **changes: Any) -> None:
        """Tell what the account is worth."""
        told: dict[str, Any] = {
            "open_pnl": D(0), "available": D(equity), "initial_used": D("0.1"), "maintenance_used": D("0.05"),
            "buying_power": D(equity), "settled_cash": D(equity), **changes,
        }  # fmt: skip
        self.told_worth = EquityTold(event_ns=0, known_ns=0, equity=D(equity), **told)
        self._hear(self.told_worth)

    def conditions(self, instrument: InstrumentId = COIN, **changes: Any) -> None:
        """Tell what was measured of a market, harmless unless it is said otherwise."""
        told: dict[str, Any] = {
            "lockout_for_ns": 0, "events": (), "daily_volume": D(1_000_000), "value_at_risk": D("0.02"),
            "expected_shortfall": D("0.03"), "volatility": D("0.2"), "drawdown": D("0.1"), "wash_sale": False,
        }  # fmt: skip
        self.tell(ConditionsTold, instrument, **{**told, **changes})

    def instrument(self, instrument: InstrumentId = COIN, **changes: Any) -> None:
        """Tell the state of an instrument, the one it had but for the changes."""
        before = self.account.outside.state.instruments[instrument]
        self._hear(msgspec.structs.replace(before, **changes))

    def price(self, instrument: InstrumentId = COIN, last: D = PRICE) -> None:
        """Tell a last price."""
        self.tell(PriceTold, instrument, last=last)

    def quote(self, instrument: InstrumentId = COIN, **changes: Any) -> None:
        """Tell bid and ask."""
        told: dict[str, Any] = {"bid": PRICE - D("0.5"), "ask": PRICE, "minute_volume": D(10_000), **changes}
        self.tell(QuoteTold, instrument, **told)

    def wait(self, seconds: float, *, alive: bool = True) -> None:
        """Let time pass, in steps of at most four seconds; deadlines of the account are kept."""
        end = self.now + int(seconds * SECOND)
        while self.now < end:
            due = self.account.next_deadline()
            at = min(end, self.now + 4 * SECOND)
            if due is not None and self.now < due < at:
                self.now = due
                self.tell(TimePassed)
                continue
            self.now = at
            if alive:
                self.alive()
        self.tell(TimePassed)

    def tell(self, kind: type[Event], instrument: InstrumentId | None = None, **fields: Any) -> AccountStep:
        """Tell a fact."""
        return self._hear(kind(event_ns=self.now, known_ns=self.now, instrument=instrument, **fields))

    def _hear(self, event: Any) -> AccountStep:
        self.now += 1_000
        heard: AccountEvent = msgspec.structs.replace(event, event_ns=self.now, known_ns=self.now)
        step = self.account.apply(heard)
        self.steps.append(step)
        self.commands += [command for command in step.commands if not isinstance(command, AskVenue)]
        self.verdicts += [entry for entry in step.entries if isinstance(entry, Judged)]
        for command in step.commands:
            if isinstance(command, AskVenue) and self.answers:
                self.tell(TruthTold, number=command.number, truth=self.truth(command))
        return step

    def truth(self, asked: AskVenue) -> Truth:
        """Return what the venue has, which is what the account believes unless it was told otherwise."""
        orders = [order for order in self.account.supervisor.book.open.values() if order.state in RESTING]
        reports = [
            OrderReported(
                event_ns=self.now, known_ns=self.now, instrument=order.instrument, client_id=order.client_id,
                venue_id=f"v-{order.client_id}", state=OrderState.PARTIAL if order.told else OrderState.WORKING,
                quantity=abs(order.quantity), filled=order.told, price=order.price, trigger=order.trigger,
            )
            for order in orders
        ]  # fmt: skip
        books = self.account.books
        positions = {one: Position(quantity=books.position(one)) for one in self.instruments}
        truth = Truth(asked_ns=asked.asked_ns, complete=True, orders=tuple(reports), positions=positions)
        told = msgspec.structs.replace(truth, **self.told_otherwise)
        return told if asked.whole else msgspec.structs.replace(told, positions=None, cash=None)

    def wish(
        self,
        intent: Intent,
        strategy: StrategyId = TREND,
        instrument: InstrumentId = COIN,
        *,
        bar: int | None = None,
        closed_ns: int | None = None,
    ) -> Judged | None:
        """Let a strategy wish at the close of a bar; return what the gates answered to its entry, if asked."""
        key = DeskId(strategy, instrument)
        self.strategies[key].wish = intent
        self.bars += 1
        for features in self.features.values():
            features.close_ns = self.now if closed_ns is None else closed_ns
        before = len(self.verdicts)
        self.tell(BarsClosed, instrument, segment=0, bar=self.bars if bar is None else bar)
        self.strategies[key].wish = Abstain(reason=Reason.OK)
        asked = [one for one in self.verdicts[before:] if one.purpose in OPENS and one.strategy == strategy]
        return asked[-1] if asked else None

    def enter(self, strategy: StrategyId = TREND, instrument: InstrumentId = COIN, **changes: Any) -> Judged:
        """Let a strategy wish an entry; return what the gates answered."""
        verdict = self.wish(msgspec.structs.replace(LONG, **changes), strategy, instrument)
        assert verdict is not None, "the core did not ask the gates"
        return verdict

    def leave(self, strategy: StrategyId = TREND, instrument: InstrumentId = COIN) -> None:
        """Let a strategy wish to leave."""
        self.wish(Leave(reason="as told"), strategy, instrument)

    def accept(self, identity: ClientId) -> None:
        """Let the venue take an order."""
        self.resolve(identity, Outcome.ACCEPTED)
        self.report(identity, OrderState.WORKING)

    def resolve(self, identity: ClientId, outcome: Outcome, act: Act = Act.PLACE) -> None:
        """Let the venue answer a message, or not."""
        self.tell(SendResolved, client_id=identity, act=act, outcome=outcome, venue_id=f"v-{identity}")

    def report(self, identity: ClientId, state: OrderState, filled: D = D(0), at: D = PRICE) -> None:
        """Let the venue tell how an order stands."""
        order = self.account.supervisor.book.get(identity)
        assert order is not None
        self.tell(
            OrderReported,
            order.instrument,
            client_id=identity,
            venue_id=f"v-{identity}",
            state=state,
            quantity=abs(order.quantity),
            filled=filled,
            average=at if filled else None,
            price=order.price,
            trigger=order.trigger,
        )

    def fill(self, identity: ClientId, at: D = PRICE) -> None:
        """Let the venue fill an order whole, and take what protects it."""
        order = self.account.supervisor.book.get(identity)
        assert order is not None
        if order.state is OrderState.SENT:
            self.accept(identity)
        self.report(identity, OrderState.FILLED, abs(order.quantity), at)
        self.settle()

    def settle(self) -> None:
        """Let the venue take every order that is on its way."""
        for order in list(self.account.supervisor.book.open.values()):
            if order.state is OrderState.SENT and order.kind is not OrderKind.MARKET:
                self.accept(order.client_id)

    def placed(self) -> list[PlaceOrder]:
        """Return the orders that were sent."""
        return [command for command in self.commands if isinstance(command, PlaceOrder)]

    def minute(self) -> None:
        """Let a minute pass."""
        self.wait(MINUTE / SECOND)
