"""What a soak has met: moves of orders, faults by the state of the order, and places at which journals ended."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from evenkeel.engine.account.entry import AccountStep
from evenkeel.engine.simulation.faults import Fault
from evenkeel.engine.simulation.process import CrashPoint, Process, kind_of
from evenkeel.execution.order_life import NEXT_STATES
from evenkeel.model.command import VenueCommand
from evenkeel.model.ids import ClientId
from evenkeel.model.order import OrderState

Move = tuple[OrderState, OrderState]


@dataclass(slots=True)
class Tally:
    """Counters of one seed or of many; they add up.

    Attributes:
        events: Facts that accounts folded.
        entries: Entries that journals got, by kind.
        moves: Changes of the state of an order, from one step to the next.
        pairs: Faults by the state in which they found an order.
        faults: How often each happened.
        ends: Where journals ended.
        trades: Trades that were opened.
        sessions: Processes that were started.
        virtual_ns: Virtual time that passed.
    """

    events: int = 0
    entries: Counter[str] = field(default_factory=Counter)
    moves: Counter[Move] = field(default_factory=Counter)
    pairs: Counter[tuple[Fault, OrderState]] = field(default_factory=Counter)
    faults: Counter[Fault] = field(default_factory=Counter)
    ends: Counter[CrashPoint] = field(default_factory=Counter)
    neighbours: Counter[CrashPoint] = field(default_factory=Counter)
    trades: int = 0
    sessions: int = 0
    virtual_ns: int = 0

    def add(self, other: Tally) -> None:
        """Add what another one counted."""
        self.events += other.events
        self.trades += other.trades
        self.sessions += other.sessions
        self.virtual_ns += other.virtual_ns
        self.entries.update(other.entries)
        self.moves.update(other.moves)
        self.pairs.update(other.pairs)
        self.faults.update(other.faults)
        self.ends.update(other.ends)
        self.neighbours.update(other.neighbours)


class Counting:
    """A witness that counts.

    Attributes:
        tally: What it counted.
    """

    def __init__(self) -> None:
        self.tally = Tally()
        self._states: dict[ClientId, OrderState] = {}
        self._last = "nothing"

    def stepped(self, process: Process, step: AccountStep) -> None:
        """Count a step."""
        tally = self.tally
        tally.events += 1
        for entry in (step.event, *step.entries):
            kind = kind_of(entry)
            tally.entries[kind] += 1
            tally.neighbours[CrashPoint(self._last, kind)] += 1
            self._last = kind
        self._moves(process)

    def sent(self, process: Process, command: VenueCommand) -> None:
        """Count nothing."""

    def ended(self, process: Process, point: CrashPoint) -> None:
        """Count where the journal ended."""
        del process
        self.tally.ends[point] += 1
        self._last = point.last

    def started(self, process: Process) -> None:
        """Begin with the orders as they were recovered."""
        self.tally.sessions += 1
        self._states = {order.client_id: order.state for order in process.account.supervisor.book.open.values()}

    def _moves(self, process: Process) -> None:
        book = process.account.supervisor.book
        for identity, was in list(self._states.items()):
            if identity not in book.open:
                order = book.get(identity)
                del self._states[identity]
                if order is not None:
                    self.tally.moves[was, order.state] += 1
        for identity, order in book.open.items():
            was_open = self._states.get(identity, OrderState.INTENDED)
            if was_open is not order.state:
                self.tally.moves[was_open, order.state] += 1
                self._states[identity] = order.state


def possible_moves() -> list[Move]:
    """Return the moves of the table of orders."""
    return [(before, after) for before, others in NEXT_STATES.items() for after in sorted(others)]
