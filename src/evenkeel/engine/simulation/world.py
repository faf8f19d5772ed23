"""A world: one account behind a bad network, on a bad disk, with a process that dies, in virtual time.

The account, its journal and its supervisor are the real ones. What is simulated is everything around them: venue,
network, disk, power, and the clock, which moves from one thing that happens to the next.
"""

from __future__ import annotations

from collections.abc import Callable

from evenkeel.engine.account.account import Account
from evenkeel.engine.simulation.agenda import Agenda
from evenkeel.engine.simulation.broker import Broker
from evenkeel.engine.simulation.draw import Draws
from evenkeel.engine.simulation.exchange import Exchange, Market
from evenkeel.engine.simulation.faults import Fault, Faults
from evenkeel.engine.simulation.outside import Outside
from evenkeel.engine.simulation.overheard import Overheard
from evenkeel.engine.simulation.process import Process, Witness
from evenkeel.engine.simulation.scenario import START_MONEY, START_NS, STEP_NS, Scenario, account_of
from evenkeel.engine.simulation.wire import SECOND, Wire
from evenkeel.model.event import Operation
from evenkeel.model.ids import ClientId
from evenkeel.model.order import OrderState

CALM_S = 600
"""Seconds of a still market without faults in which everything must come to rest."""


class World:
    """One story.

    Attributes:
        scenario: What it is like.
        make: Builds the account as a process finds it before it reads its journal.
        agenda: Virtual time.
        faults: What goes wrong.
        exchange: The venue.
        wire: The network.
        process: The process.
        outside: Everything else.
    """

    def __init__(
        self, scenario: Scenario, draws: Draws, *, make: Callable[[], Overheard] | None = None,
        masked: frozenset[tuple[Fault, int]] = frozenset(), witnesses: tuple[Witness, ...] = (),
    ) -> None:  # fmt: skip
        """Open the venue and start the process.

        Args:
            scenario: What it is like.
            draws: Source of every choice.
            make: Builds the account; that of the scenario where it is left out.
            masked: Faults that do not happen though they were drawn.
            witnesses: Who looks at what the process does.
        """
        self.scenario = scenario
        self.make = make if make is not None else lambda: account_of(scenario)
        self.agenda = Agenda(START_NS)
        self.faults = Faults(draws, scenario.rates, masked)
        markets: dict[str, Market] = {
            one.instrument.id: Market(one.prices[0], one.instrument.lot_size, one.instrument.multiplier)
            for one in scenario.grounds
        }
        self.exchange = Exchange(draws("sizes"), markets, self.faults)
        self.exchange.deposit = START_MONEY
        self.wire = Wire(
            draws("delays"), self.exchange, self.faults, self.agenda.schedule,
            lambda event: self.process.tell(event), scenario.venue.visible_ns,
        )  # fmt: skip
        self.process = Process(self.make, self.agenda, self.wire, self.faults, draws("process"), witnesses)
        self.faults.clock, self.faults.states_of = lambda: self.agenda.now_ns, self._states
        self.outside = Outside(
            scenario, draws("feed"), self.faults, self.agenda, self.exchange, self.wire, self.process
        )  # fmt: skip
        self.broker = Broker(scenario, self.exchange, self.process)

    @property
    def account(self) -> Account:
        """The account of the process that lives, or of the last one."""
        return self.process.account

    def run(self, steps: int | None = None) -> None:
        """Let the market go its way, to the end or for so many steps."""
        for number in range(self.scenario.steps if steps is None else steps):
            self.outside.step(number)
            self.broker.step(self.agenda.now_ns)

    def awake(self) -> None:
        """Let time pass without faults until the process lives."""
        self.calm()
        while not self.process.up:
            self.agenda.until(self.agenda.now_ns + SECOND)

    def calm(self) -> None:
        """Let no fault happen from now on."""
        self.faults.rates = {}
        self.wire.silent_until_ns = self.wire.down_until_ns = self.wire.partial_until_ns = 0
        self.process.trouble_disk(None)

    def settle(self, seconds: int = CALM_S) -> None:
        """Let everything come to rest at a market that stands still, without faults."""
        self.calm()
        for _ in range(seconds * SECOND // STEP_NS):
            at_ns = self.agenda.now_ns + STEP_NS
            self.agenda.until(at_ns)
            for symbol, market in self.exchange.markets.items():
                self.exchange.trade_at(symbol, market.price, at_ns)
            self.outside.tell_again(at_ns)
            self.wire.tell_news(at_ns)
            self.broker.step(at_ns)

    def flatten(self) -> None:
        """Let an operator have everything closed."""
        self.process.operate(Operation.FLATTEN, self.agenda.now_ns)

    def _states(self, identity: ClientId | None) -> list[OrderState]:
        book = self.process.account.supervisor.book
        if identity is None:
            return [order.state for order in book.open.values()]
        order = book.get(identity)
        return [] if order is None else [order.state]
