"""What the broker of a world tells beside orders: who we are, the lease, money, markets; all that a full profile asks.

It knows nothing of the engine: its money is the book of truth of the exchange. A process that starts is told everything
anew at the next step of the market, so that for a moment it knows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from evenkeel.engine.simulation.exchange import Exchange, Market, Print
from evenkeel.engine.simulation.process import Process
from evenkeel.engine.simulation.scenario import START_MONEY, START_NS, STEP_NS, Scenario
from evenkeel.engine.simulation.wire import SECOND
from evenkeel.model.instrument import Instrument
from evenkeel.model.market_told import (
    ConditionsTold,
    InstrumentTold,
    KeyTold,
    LeaseTold,
    MarketSessionTold,
    QuoteTold,
)
from evenkeel.model.time import HOUR
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
from evenkeel.risk.limits.limits import RESEARCH_NAME

LEASE_NS = 15 * SECOND
LEVERAGE = Decimal(2)
LARGE = Decimal(1_000_000_000)
"""A volume, a permit and a buying power that no world reaches."""


@dataclass(slots=True)
class Broker:
    """The broker of a world.

    Attributes:
        scenario: What is traded, and under which limits; where those are of research it is silent.
        exchange: Its book of truth.
        process: Whom it tells.
        greeted_ns: Start of the process that was told everything.
    """

    scenario: Scenario
    exchange: Exchange
    process: Process
    greeted_ns: int = -1
    _known: tuple[int, str] = (0, "")
    _net: Decimal = Decimal(0)

    def step(self, at_ns: int) -> None:
        """Tell what there is to tell at a step of the market."""
        if not self.process.up or self.scenario.limits.name == RESEARCH_NAME:
            return
        self._lease(at_ns)
        if self.greeted_ns != self.process.up_since_ns:
            self.greeted_ns = self.process.up_since_ns
            self._greet(at_ns)
        elif (at_ns - START_NS) % HOUR < STEP_NS:
            self._instruments(at_ns)
        self.process.tell(LinkChanged(event_ns=at_ns, known_ns=at_ns, channel=Channel.ACCOUNT, link=Link.UP))
        self._money(at_ns)
        for ground in self.scenario.grounds:
            self._quote(ground.instrument, at_ns)

    def _lease(self, at_ns: int) -> None:
        self.process.tell(LeaseTold(event_ns=at_ns, known_ns=at_ns, epoch=1, for_ns=LEASE_NS))

    def _greet(self, at_ns: int) -> None:
        """Tell a process that has just started all that it needs to know."""
        tell = self.process.tell
        tell(
            KeyTold(
                event_ns=at_ns, known_ns=at_ns, key_mode="live", host_mode="live", account_mode="live",
                withdraws=False, armed=True, permit=LARGE,
            )
        )  # fmt: skip
        for channel in Channel:
            tell(LinkChanged(event_ns=at_ns, known_ns=at_ns, channel=channel, link=Link.UP))
        day = datetime.fromtimestamp(START_NS // SECOND, UTC).date()
        tell(SessionOpened(event_ns=at_ns, known_ns=at_ns, session=day, close=START_MONEY))
        realised = self._realised()
        tell(SeedTold(event_ns=at_ns, known_ns=at_ns, day=realised, week=realised, month=realised))
        tell(ClockMeasured(event_ns=at_ns, known_ns=at_ns, offset_ns=0))
        self._instruments(at_ns)

    def _instruments(self, at_ns: int) -> None:
        for ground in self.scenario.grounds:
            instrument, tell = ground.instrument.id, self.process.tell
            tell(
                InstrumentTold(
                    event_ns=at_ns, known_ns=at_ns, instrument=instrument, tradable=True, shortable=True,
                    fractionable=True, reduce_only=False, leverage=LEVERAGE, funding_rate=Decimal("0.0001"),
                )
            )  # fmt: skip
            tell(
                MarketSessionTold(
                    event_ns=at_ns, known_ns=at_ns, instrument=instrument, open=True, around_the_clock=True
                )
            )
            tell(
                ConditionsTold(
                    event_ns=at_ns, known_ns=at_ns, instrument=instrument, lockout_for_ns=0, events=(),
                    daily_volume=LARGE, value_at_risk=Decimal("0.02"), expected_shortfall=Decimal("0.03"),
                    volatility=Decimal("0.2"), drawdown=Decimal("0.1"), wash_sale=False,
                )
            )  # fmt: skip
            one = Decimal(1)
            tell(QualityTold(event_ns=at_ns, known_ns=at_ns, instrument=instrument, dvs=one, eqs=one))

    def _quote(self, instrument: Instrument, at_ns: int) -> None:
        last = self.exchange.markets[instrument.id].price
        self.process.tell(
            QuoteTold(
                event_ns=at_ns, known_ns=at_ns, instrument=instrument.id, bid=last - instrument.tick_size, ask=last,
                minute_volume=LARGE,
            )
        )  # fmt: skip

    def _money(self, at_ns: int) -> None:
        worth = [
            units * self.exchange.markets[symbol].price * self.exchange.markets[symbol].multiplier
            for symbol, units in self.exchange.own.items()
        ]
        equity = START_MONEY + self.exchange.cash + sum(worth, Decimal(0))
        used = sum(map(abs, worth), Decimal(0)) / LEVERAGE
        self.process.tell(
            EquityTold(
                event_ns=at_ns, known_ns=at_ns, equity=equity, open_pnl=equity - START_MONEY - self._realised(),
                available=equity - used, initial_used=used / equity, maintenance_used=used / equity / 10,
                buying_power=equity, settled_cash=equity,
            )
        )  # fmt: skip

    def _realised(self) -> Decimal:
        """Return what closing has brought, after fees, at average cost."""
        prints = self.exchange.prints
        known = (len(prints), prints[-1].execution_id if prints else "")
        if known != self._known:
            self._known, self._net = known, _net(prints, self.exchange.markets)
        return self._net


def _net(prints: Sequence[Print], markets: Mapping[str, Market]) -> Decimal:
    total, held = Decimal(0), dict[str, tuple[Decimal, Decimal]]()
    for one in prints:
        units, cost = held.get(one.symbol, (Decimal(0), Decimal(0)))
        closed = Decimal(0) if units * one.quantity >= 0 else min(abs(units), abs(one.quantity)).copy_sign(units)
        average = cost / units if units else Decimal(0)
        total += closed * (one.price - average) * markets[one.symbol].multiplier - one.fee
        held[one.symbol] = (units + one.quantity, cost - closed * average + (one.quantity + closed) * one.price)
    return total
