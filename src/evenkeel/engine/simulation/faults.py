"""Faults: which there are, how likely each is, which happened, and in what state each found the orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from evenkeel.engine.simulation.draw import Draw, Draws
from evenkeel.model.ids import ClientId
from evenkeel.model.order import OrderState


class Fault(StrEnum):
    """What can go wrong; the words are those of the stories."""

    LOST_REQUEST = "a request is lost"
    LATE_REQUEST = "a request is late"
    REPEATED_REQUEST = "a request arrives twice"
    RATE_LIMIT = "the venue has had too many requests"
    LOST_ANSWER = "an answer is lost"
    LATE_ANSWER = "an answer is late"
    REPEATED_ANSWER = "an answer arrives twice"
    LOST_LOOKUP = "a question is lost"
    LATE_LOOKUP = "an answer to a question is late"
    PARTIAL_PAGE = "answers are not complete for a while"
    BLIND = "an answer lacks an order that is there"
    STALE_ANSWER = "an answer shows an order as it was before"
    LOST_TRUTH = "a question for everything is lost"
    PARTIAL_TRUTH = "an answer with everything lacks a page"
    HIDDEN = "a list of open orders lacks one that is there"
    STALE_POSITION = "a list of positions is from before the last fills"
    LOST_NEWS = "a message of the stream is lost"
    LATE_NEWS = "a message of the stream is late"
    REPEATED_NEWS = "a message of the stream arrives twice"
    SILENT_STREAM = "the stream is silent, its heartbeat goes on"
    DISCONNECT = "the connection is gone"
    PARTIAL_FILL = "an order fills in part"
    REJECT = "the venue rejects an order"
    REJECT_STOP = "the venue rejects a stop"
    VENUE_CANCEL = "the venue cancels an order by itself"
    VENUE_EXPIRE = "the venue lets an order expire"
    BUST = "the venue takes an execution back"
    RESET_IDS = "the venue counts its ids from the start again"
    CRASH_BEFORE_JOURNAL = "the process dies before a step is written"
    CRASH_IN_WRITE = "the power fails while a step is written"
    CRASH_IN_SYNC = "the power fails before what was written is safe"
    CRASH_BEFORE_SEND = "the process dies between journal and send"
    CRASH_AFTER_SEND = "the process dies after a command left"
    CRASH_AT_REST = "the process dies while it waits"
    STOP = "the process is stopped in order and started again"
    DISK_FULL = "the disk is full"
    READ_ONLY = "the disk takes no change"
    CLOCK_AHEAD = "the wall clock jumps ahead"
    CLOCK_BACK = "the wall clock jumps back"
    STALE_PRICES = "no price arrives for a while"
    GARBAGE_PRICE = "a price arrives that cannot be"
    MISSING_BAR = "a bar is missing"
    REPEATED_BAR = "a bar arrives twice"
    LATE_BAR = "a bar arrives late"
    OPERATOR = "an operator asks for something"
    OPERATOR_AT_SEND = "an operator asks for something between journal and send"
    MANUAL_CANCEL = "a person cancels an order of the engine at the venue"
    MANUAL_ORDER = "a person places an order at the venue"
    MANUAL_TRADE = "a person trades at the venue"


class Mishap(NamedTuple):
    """A fault that happened.

    Attributes:
        fault: Which.
        number: At which of its chances, from 1: masking it lets that chance pass.
        at_ns: When.
        identity: Whose order it met; None where it met no certain one.
    """

    fault: Fault
    number: int
    at_ns: int
    identity: ClientId | None

    @property
    def key(self) -> tuple[Fault, int]:
        """What names it when the seed is run again."""
        return (self.fault, self.number)


StatesOf = Callable[[ClientId | None], Iterable[OrderState]]
"""Returns the state of an order as the engine has it, or those of all orders at work for None."""


@dataclass(slots=True)
class Faults:
    """Decides what goes wrong.

    Attributes:
        draws: Source of every choice; one stream a fault.
        rates: Probability of each at one chance.
        masked: Chances that pass though they would have been taken: a story is made shorter so.
        happened: What went wrong, in order.
        states: How often each met an order in each state.
        clock: Returns virtual time.
        states_of: Returns the states of an order, or of all at work.
    """

    draws: Draws
    rates: Mapping[Fault, float]
    masked: frozenset[tuple[Fault, int]] = frozenset()
    happened: list[Mishap] = field(default_factory=list)
    states: Counter[tuple[Fault, OrderState]] = field(default_factory=Counter)
    clock: Callable[[], int] = lambda: 0
    states_of: StatesOf = lambda _: ()
    _streams: dict[Fault, Draw] = field(default_factory=dict)
    _chances: Counter[Fault] = field(default_factory=Counter)

    def strikes(self, fault: Fault, identity: ClientId | None = None) -> float | None:
        """Return how badly a fault happens now, from 0 to below 1; None: it does not."""
        rate = self.rates.get(fault, 0.0)
        if not rate:
            return None
        stream = self._streams.get(fault)
        if stream is None:
            stream = self._streams[fault] = self.draws(fault.name)
        self._chances[fault] += 1
        drawn = stream.random()
        if drawn >= rate or (fault, self._chances[fault]) in self.masked:
            return None
        self.happened.append(Mishap(fault, self._chances[fault], self.clock(), identity))
        self.states.update((fault, state) for state in self.states_of(identity))
        return drawn / rate

    def counts(self) -> Counter[Fault]:
        """Return how often each happened."""
        return Counter(mishap.fault for mishap in self.happened)
