"""What must hold after every step of a world, and what must hold once everything has come to rest."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from evenkeel.engine.account.account import Account
from evenkeel.engine.account.desk import DeskId
from evenkeel.engine.account.entry import AccountStep, OfDesk
from evenkeel.engine.simulation.exchange import Exchange, Ticket
from evenkeel.engine.simulation.faults import Faults
from evenkeel.engine.simulation.process import CrashPoint, Process, Violation
from evenkeel.engine.simulation.scenario import START_MONEY, Scenario
from evenkeel.engine.simulation.whims import SHARE
from evenkeel.engine.simulation.wire import SECOND
from evenkeel.execution.supervisor.supervisor import CloseTrade, TradeKey
from evenkeel.model.command import CancelOrder, PlaceOrder, VenueCommand
from evenkeel.model.decision import EntryApproved
from evenkeel.model.halt import Act, HaltLevel, permits
from evenkeel.model.ids import ClientId, InstrumentId, Leg
from evenkeel.model.order import OrderState, VenueOrder

SAMPLED = 61
"""Every so many steps the costly checks are made."""
RESTING = (OrderState.WORKING, OrderState.PARTIAL, OrderState.REPLACE_PENDING)
DOUBTFUL = (OrderState.SENT, OrderState.UNKNOWN, OrderState.CANCEL_PENDING, OrderState.REPLACE_PENDING)
LOOKUP_NS = 21 * SECOND
"""An order in doubt is looked up at least so often (operations.md 4.5)."""
NAKED_NS = 6 * SECOND
"""After so long a position without its stop must be on its way out (operations.md 1.9)."""
ENTRY_MAX = Decimal(SHARE) * START_MONEY * 2
"""No entry may be worth more: its share of the money, with room for what was won since."""
CENT = Decimal("1e-9")
CLOSING_NS = 600 * SECOND
HALTED_NS = 31 * SECOND
"""So long an entry may rest at a halt: a cancel that was refused is asked for again after half a minute at most."""
CAUSE_NS = 300 * SECOND
"""So long after a fault what it led to may come."""


class Safety:
    """A witness that looks at every step, and raises what does not hold."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self.exchange: Exchange | None = None
        self.faults: Faults | None = None
        self._count = 0
        self._level = HaltLevel.NORMAL
        self._closing: dict[tuple[TradeKey, int], int] = {}
        self._sent: set[ClientId] = set()
        self._decided: dict[DeskId, int] = {}
        self._multipliers = {one.instrument.id: one.instrument.multiplier for one in scenario.grounds}

    def stepped(self, process: Process, step: AccountStep) -> None:
        """Look at a step that was folded and written."""
        account = process.account
        self._count += 1
        self._no_silent_doubt(account)
        self._not_naked(account)
        self._positions_agree(account)
        self._nothing_dead_lives(account)
        self._closes_in_time(process)
        self._halt_stays(account)
        self._no_entry_at_a_halt(account)
        if step.entries:
            self._one_decision_a_bar(step)
            self._no_alarm_without_a_cause(process, step)
        if self._count % SAMPLED == 0:
            self.look_closely(account)

    def sent(self, process: Process, command: VenueCommand) -> None:
        """Look at a command that leaves."""
        if isinstance(command, CancelOrder):
            self._stop_rests_on(process.account, command)
        if not isinstance(command, PlaceOrder):
            return
        order = command.order
        if order.client_id in self._sent:
            raise Violation("duplicate id", f"{order.client_id} is sent a second time")
        self._sent.add(order.client_id)
        account = process.account
        if order.leg is Leg.ENTRY:
            if not permits(process.flag.level, Act.ENTRY):
                raise Violation("halted entry", f"an entry leaves at level {process.flag.level}")
            self._entry_within_limits(account, command)
            return
        self._not_turned(account, order)
        held = account.supervisor.held(order.instrument)
        if held * order.quantity >= 0 or abs(order.quantity) > abs(held):
            raise Violation("oversized exit", f"{order.leg.value} of {order.quantity} though {held} is held")

    def ended(self, process: Process, point: CrashPoint) -> None:
        """Look at an account whose process ends."""
        del point
        self.look_closely(process.account)

    def started(self, process: Process) -> None:
        """Compare an account that was stopped in order with what its journal gives."""
        before = process.stopped
        if before is None:
            return
        after = process.account.state()
        changed = [name for name, part in after.items() if part != before[name]]
        if changed:
            raise Violation("recovery", f"a restart changes {', '.join(changed)}")

    def look_closely(self, account: Account) -> None:
        """Compare the account with the venue's book of truth, as far as the account can know that."""
        if self.exchange is None:
            return
        sums: dict[InstrumentId, Decimal] = defaultdict(Decimal)
        money = START_MONEY
        book = account.supervisor.book
        whole = True
        for order in (*book.closed.values(), *book.open.values()):
            ticket = self.exchange.find(order.client_id)
            truly = Decimal(0) if ticket is None else ticket.filled
            if max(order.told, order.seen) > truly:
                raise Violation("phantom fill", f"{order.client_id} counts {order.filled} of {truly} filled")
            whole = whole and order.seen == truly
            sums[order.instrument] += order.filled * order.sign
            money -= order.value * order.sign * self._multipliers[order.instrument] + order.fees
        for symbol, held in sums.items():
            if held != account.books.position(symbol):
                raise Violation(
                    "fill lost", f"orders of {symbol} filled {held}, books {account.books.position(symbol)}"
                )
        prices = {symbol: market.price for symbol, market in self.exchange.markets.items()}
        worth = sum((held * prices[symbol] * self._multipliers[symbol] for symbol, held in sums.items()), money)
        equity = account.books.equity({InstrumentId(symbol): price for symbol, price in prices.items()})
        if equity is None or abs(equity - worth) > CENT:
            raise Violation("cash", f"the books have {equity}, the orders make {worth}")

    def _entry_within_limits(self, account: Account, command: PlaceOrder) -> None:
        order = command.order
        if self.exchange is None:
            return
        worth = abs(order.quantity) * self.exchange.markets[order.instrument].price
        worth *= self._multipliers[order.instrument]
        if worth > ENTRY_MAX:
            raise Violation("limit", f"an entry of {order.instrument} is worth {worth:.2f}, at most {ENTRY_MAX} may be")
        if account.supervisor.held(order.instrument):
            raise Violation("limit", f"an entry of {order.instrument} leaves while a position is held")
        for ticket in self.exchange.open_tickets():
            other = account.supervisor.book.get(ClientId(ticket.client_id))
            if ticket.symbol == order.instrument and other is not None and other.leg is Leg.ENTRY:
                raise Violation("double entry", f"{order.client_id} leaves while {ticket.client_id} is at work")

    def _no_silent_doubt(self, account: Account) -> None:
        for order in account.supervisor.book.open.values():
            due = order.lookup_ns
            if order.state in DOUBTFUL and (due is None or due > account.now_ns + LOOKUP_NS):
                raise Violation(
                    "silent doubt", f"{order.client_id} is {order.state.value} and nobody asks before {due}"
                )

    def _not_naked(self, account: Account) -> None:
        for key, bracket in account.supervisor.brackets.items():
            since = bracket.naked_ns
            if since is not None and account.now_ns > since + NAKED_NS and bracket.closing is None:
                seconds = (account.now_ns - since) // SECOND
                raise Violation("naked", f"{key} is without its stop for {seconds} s and is not being closed")

    def _nothing_dead_lives(self, account: Account) -> None:
        """No order is over for us while it is open at the venue: what ends one is the venue's word."""
        tickets = () if self.exchange is None else self.exchange.open_tickets()
        for ticket in tickets:
            order = account.supervisor.book.get(ClientId(ticket.client_id))
            if order is not None and order.state.is_final:
                raise Violation("dead order lives", f"{order.client_id} is {order.state.value}, and open at the venue")

    def _not_turned(self, account: Account, order: VenueOrder) -> None:
        """Where orders cannot turn a position, and none was taken back, none is of the wrong side."""
        bracket = account.supervisor.bracket_of(order)
        if bracket is None or not self._scenario.venue.reduce_only or self.exchange is None or self.exchange.busted:
            return
        if bracket.held * bracket.direction < 0:
            raise Violation("turned", f"{order.client_id} closes {bracket.held} of a trade to the other side")

    def _closes_in_time(self, process: Process) -> None:
        """What is to be closed is closed within minutes, whatever goes wrong meanwhile."""
        closing: dict[tuple[TradeKey, int], int] = {}
        for key, bracket in process.account.supervisor.brackets.items():
            if bracket.closing is not None and bracket.held:
                wish = (key, bracket.closing.since_ns)
                since_ns = closing[wish] = self._closing.get(wish, process.now_ns)
                if process.now_ns - since_ns > CLOSING_NS:
                    raise Violation("close", f"{key} is being closed for {CLOSING_NS // SECOND} s: {bracket.closing}")
        self._closing = closing

    def _positions_agree(self, account: Account) -> None:
        for ground in self._scenario.grounds:
            symbol = ground.instrument.id
            trades, booked = account.supervisor.held(symbol), account.books.position(symbol)
            if trades != booked:
                raise Violation("books", f"trades of {symbol} hold {trades}, the books {booked}")

    def _halt_stays(self, account: Account) -> None:
        """What halts is not lifted by itself; nobody in these worlds knows the procedure that lifts it."""
        if account.halt.level < self._level:
            raise Violation("halt", f"level {int(self._level)} became {int(account.halt.level)} by itself")
        if account.halt.level >= HaltLevel.HALTED:
            self._level = account.halt.level

    def _no_entry_at_a_halt(self, account: Account) -> None:
        """From level 3 on no entry rests: each is withdrawn at once."""
        if account.halt.level < HaltLevel.HALTED:
            return
        since_ns = min(reason.at_ns for reason in account.halt.reasons if reason.level >= HaltLevel.HALTED)
        for order in account.supervisor.book.open.values():
            quiet_ns = account.now_ns - max(order.moved_ns, since_ns)
            resting = order.state in (OrderState.WORKING, OrderState.PARTIAL)
            if order.leg is Leg.ENTRY and resting and quiet_ns > HALTED_NS:
                raise Violation("entry at a halt", f"{order.client_id} rests for {quiet_ns // SECOND} s")

    def _stop_rests_on(self, account: Account, command: CancelOrder) -> None:
        """Where an order can be kept from turning a position, its last stop rests until nothing is held."""
        order = account.supervisor.book.get(command.client_id)
        venue = self._scenario.venue
        if order is None or order.leg is not Leg.STOP or not venue.reduce_only or venue.reserves:
            return
        held = account.supervisor.held(order.instrument)
        others = [
            one
            for one in account.supervisor.book.open.values()
            if one.leg is Leg.STOP and one.instrument == order.instrument and one.state in RESTING
        ]
        if held * order.quantity < 0 and not others:
            raise Violation("stop withdrawn", f"{order.client_id} is withdrawn while {held} is held")

    def _no_alarm_without_a_cause(self, process: Process, step: AccountStep) -> None:
        """A position is closed with an alarm only where something went wrong within the last minutes."""
        if self.faults is None:
            return
        last_ns = self.faults.happened[-1].at_ns if self.faults.happened else -CAUSE_NS
        for entry in step.entries:
            if isinstance(entry, CloseTrade) and entry.alarm and process.now_ns - last_ns > CAUSE_NS:
                raise Violation("alarm", f"{entry.key} is closed though nothing went wrong: {entry.why}")

    def _one_decision_a_bar(self, step: AccountStep) -> None:
        for entry in step.entries:
            if isinstance(entry, OfDesk) and isinstance(entry.what, EntryApproved) and entry.what.bar is not None:
                last = self._decided.get(entry.desk, -1)
                if entry.what.bar <= last:
                    raise Violation("double signal", f"{entry.desk} enters on bar {entry.what.bar}, after {last}")
                self._decided[entry.desk] = entry.what.bar


def look_at_rest(account: Account, exchange: Exchange) -> None:
    """Raise what does not hold once everything has come to rest.

    Raises:
        Violation: If something is in doubt, differs from the venue's, or is not protected.
    """
    book = account.supervisor.book
    for order in book.open.values():
        if order.state not in (OrderState.WORKING, OrderState.PARTIAL):
            raise Violation("at rest: doubt", f"{order.client_id} is still {order.state.value}")
        if order.leg is Leg.ENTRY:
            raise Violation("at rest: entry", f"{order.client_id} still rests, long after its life")
        if account.supervisor.held(order.instrument) * order.quantity >= 0:
            raise Violation("at rest: orphan", f"{order.client_id} rests, and there is nothing that it could close")
    known = {order.client_id for order in book.open.values()}
    theirs = {ticket.client_id for ticket in exchange.open_tickets()}
    if known != theirs:
        raise Violation("at rest: orders", f"we have {sorted(known - theirs)}, the venue {sorted(theirs - known)}")
    for symbol in exchange.markets:
        _positions_at_rest(account, exchange, InstrumentId(symbol))
    money = START_MONEY + exchange.cash
    for symbol, held in exchange.own.items():
        money += held * exchange.markets[symbol].price * exchange.markets[symbol].multiplier
    equity = account.books.equity({InstrumentId(name): market.price for name, market in exchange.markets.items()})
    if equity is None or abs(equity - money) > CENT:
        raise Violation("at rest: cash", f"the books are worth {equity}, the venue says {money}")


def _positions_at_rest(account: Account, exchange: Exchange, symbol: InstrumentId) -> None:
    truly = exchange.own.get(symbol, Decimal(0))
    for name, held in (("trades", account.supervisor.held(symbol)), ("books", account.books.position(symbol))):
        if held != truly:
            raise Violation("at rest: position", f"the {name} hold {held} of {symbol}, the venue {truly}")
    for desk in account.desks.values():
        waits = set(desk.core.state.orders) - set(account.supervisor.book.open)
        if waits:
            raise Violation("at rest: strategy", f"{desk.id} waits for {sorted(waits)}, which are over")
    desks = sum((desk.position for desk in account.desks.values() if desk.id.instrument == symbol), Decimal(0))
    if desks != truly:
        raise Violation("at rest: position", f"the strategy holds {desks} of {symbol}, the venue {truly}")
    stops = [t for t in exchange.open_tickets() if t.symbol == symbol and _leg(account, t) is Leg.STOP]
    covered = sum((ticket.left for ticket in stops), Decimal(0))
    if covered != abs(truly) or any(ticket.sign * truly >= 0 for ticket in stops):
        raise Violation("at rest: protection", f"stops for {covered} of {symbol} rest, {truly} is held")


def look_flat(account: Account, exchange: Exchange) -> None:
    """Raise what does not hold after all was to be closed.

    Raises:
        Violation: If something is held or at work.
    """
    held = {symbol: quantity for symbol, quantity in exchange.own.items() if quantity}
    if held or exchange.open_tickets():
        raise Violation("flat", f"after a flatten {held} is held and {len(exchange.open_tickets())} orders are at work")
    look_at_rest(account, exchange)


def _leg(account: Account, ticket: Ticket) -> Leg | None:
    order = account.supervisor.book.get(ClientId(ticket.client_id))
    return None if order is None else order.leg
