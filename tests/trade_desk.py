"""A supervisor with one trade, told message by message: the venue is the test, and says what it likes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from commands import commanded
from evenkeel.execution.findings import Finding, FindingCode
from evenkeel.execution.supervisor.bracket import Bracket, Closing
from evenkeel.execution.supervisor.levels import Rules
from evenkeel.execution.supervisor.supervisor import CloseTrade, Heard, Identity, Supervisor, TradeKey
from evenkeel.execution.supervisor.venue_terms import Capabilities, Timing
from evenkeel.model.command import PlaceOrder, VenueCommand
from evenkeel.model.ids import ClientId, InstrumentId, Leg, RunId, StrategyId, client_id
from evenkeel.model.intent import OrderKind
from evenkeel.model.order import OrderState, VenueOrder
from evenkeel.model.reason import ExitReason
from evenkeel.model.report import Act, Executed, LookedUp, OrderReported, Outcome, SendResolved

D = Decimal
S = OrderState
SECOND = 1_000_000_000
SYMBOL = InstrumentId("BTCUSDT.BYBIT")
STRATEGY = StrategyId("s")
KEY = TradeKey(STRATEGY, SYMBOL, 1)


class Desk:
    """A supervisor with one trade: a purchase at 100 with its stop 10 below and its target 20 above."""

    def __init__(
        self, quantity: int = 10, venue: Capabilities | None = None, *, target: bool = True, placed_s: int = 0,
        rules: Rules | None = None, until_bar: int | None = None, stop: bool = True,
    ) -> None:  # fmt: skip
        self.supervisor = Supervisor(Identity("live", RunId("r")), {SYMBOL: D(1)}, venue or Capabilities(), Timing())
        self.now = placed_s * SECOND
        self.findings: list[Finding] = []
        self.alarms: list[str] = []
        self.executions = 0
        self.entry = order_id(Leg.ENTRY)
        order = VenueOrder(
            client_id=self.entry, strategy=STRATEGY, instrument=SYMBOL, trade=1, leg=Leg.ENTRY, kind=OrderKind.LIMIT,
            quantity=D(quantity), price=D(100), placed_ns=placed_s * SECOND, moved_ns=placed_s * SECOND,
            expires_ns=(placed_s + 90) * SECOND,
        )  # fmt: skip
        bracket = Bracket(
            strategy=STRATEGY, instrument=SYMBOL, trade=1, direction=1, stop_distance=D(10) if stop else None,
            target_distance=D(20) if target else None, entry=self.entry,
            rules=rules or Rules(), entry_until_bar=until_bar,
        )  # fmt: skip
        self.supervisor.open_trade(bracket, order)
        self.supervisor.fold_command(PlaceOrder(order=order), order.placed_ns)

    @property
    def bracket(self) -> Bracket:
        return self.supervisor.brackets[KEY]

    def order(self, identity: ClientId) -> VenueOrder:
        order = self.supervisor.book.get(identity)
        assert order is not None
        return order

    def at(self, seconds: float) -> list[VenueCommand]:
        self.now = int(seconds * SECOND)
        return self.act()

    def act(self) -> list[VenueCommand]:
        """Return what is commanded now, folded."""
        self.findings += self.supervisor.watch(self.now)
        commands: list[VenueCommand] = []
        for _ in range(20):
            need = next(self.supervisor.needs(self.now), None)
            if need is None:
                return commands
            if isinstance(need, CloseTrade):
                self.alarms += [need.why] if need.alarm else []
                self.supervisor.close_trade(need.key, need.closing)
            else:
                command = commanded(need)
                commands.append(command)
                self.note(self.supervisor.fold_command(command, self.now))
            self.findings += self.supervisor.watch(self.now)
        raise AssertionError("it never comes to rest")

    def note(self, heard: Heard) -> None:
        self.findings += heard.findings

    def resolve(self, identity: ClientId, outcome: Outcome, act: Act = Act.PLACE) -> list[VenueCommand]:
        self.note(
            self.supervisor.fold(
                SendResolved(event_ns=self.now, known_ns=self.now, client_id=identity, act=act, outcome=outcome)
            )
        )
        return self.act()

    def told(
        self, identity: ClientId, state: OrderState, filled: int | Decimal = 0, at: int = 100, **other: Any
    ) -> list[VenueCommand]:
        """Tell how an order stands; `other` are more fields of the report."""
        event = msgspec.structs.replace(self.report(identity, state, filled, at), **other)
        self.note(self.supervisor.fold(event))
        return self.act()

    def report(self, identity: ClientId, state: OrderState, filled: int | Decimal = 0, at: int = 100) -> OrderReported:
        order = self.supervisor.book.get(identity)
        return OrderReported(
            event_ns=self.now, known_ns=self.now, instrument=SYMBOL, client_id=identity, venue_id=f"v-{identity}",
            state=state, quantity=D(10) if order is None else abs(order.quantity), filled=D(filled),
            average=D(at) if filled else None,
        )  # fmt: skip

    def executed(
        self, identity: ClientId, quantity: int | Decimal, price: int = 100, execution: str | None = None, **other: Any
    ) -> list[VenueCommand]:
        """Tell an execution; `other` are more of its fields."""
        self.executions += 1
        fields = {
            "event_ns": self.now, "known_ns": self.now, "instrument": SYMBOL, "client_id": identity,
            "venue_id": f"v-{identity}", "execution_id": execution or f"x{self.executions}",
            "quantity": D(quantity), "price": D(price), "fee": D(1), **other,
        }  # fmt: skip
        self.note(self.supervisor.fold(Executed(**fields)))
        return self.act()

    def looked_up(
        self, identity: ClientId, found: OrderReported | None, *, complete: bool = True
    ) -> list[VenueCommand]:
        self.note(
            self.supervisor.fold(
                LookedUp(
                    event_ns=self.now,
                    known_ns=self.now,
                    client_id=identity,
                    asked_ns=self.now,
                    found=found,
                    complete=complete,
                )
            )
        )
        return self.act()

    def hold(self, quantity: int = 10) -> tuple[ClientId, ClientId]:
        """Fill the entry and let stop and target rest; return their ids."""
        self.resolve(self.entry, Outcome.ACCEPTED)
        (stop,) = self.executed(self.entry, quantity)
        assert isinstance(stop, PlaceOrder)
        (target,) = self.resolve(stop.order.client_id, Outcome.ACCEPTED)
        assert isinstance(target, PlaceOrder)
        self.resolve(target.order.client_id, Outcome.ACCEPTED)
        return stop.order.client_id, target.order.client_id

    def closes(self, seconds: float, close: float) -> list[VenueCommand]:
        """Let a base bar close at an instant."""
        self.now = int(seconds * SECOND)
        self.supervisor.base_closed(SYMBOL, D(str(close)), self.now)
        return self.act()

    def leave(self, part: Decimal | None = None) -> None:
        """Wish the position closed, or a part of it, as a strategy does."""
        closing = Closing(
            reason=ExitReason.SIGNAL, leg=Leg.EXIT, client_id=order_id(Leg.EXIT), quantity=part, since_ns=self.now
        )
        self.supervisor.close_trade(KEY, closing)

    def codes(self) -> list[FindingCode]:
        return [finding.code for finding in self.findings]


def order_id(leg: Leg, attempt: int = 1) -> ClientId:
    return client_id("live", run=RunId("r"), strategy=STRATEGY, instrument=SYMBOL, trade=1, leg=leg, attempt=attempt)


def placed(commands: list[VenueCommand]) -> list[tuple[Leg, OrderKind, Decimal]]:
    """Return leg, kind and quantity of the orders that commands place; nothing else may be among them."""
    assert all(isinstance(command, PlaceOrder) for command in commands), commands
    return [(c.order.leg, c.order.kind, c.order.quantity) for c in commands if isinstance(c, PlaceOrder)]
