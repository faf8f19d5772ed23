"""What the slow exchange keeps and hands over: orders that wait, what is held, and one record for each execution."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from reference.rules import KNOWN
from reference.terms import ZERO, Plan


@dataclass
class Fill:
    """One execution. An exit is a leg: it carries its part of the entry fee and of the funding."""

    row: int
    point: str
    leg: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    taker: bool
    slippage: Decimal
    position: int
    gross: Decimal = ZERO
    reason: str = ""
    stop: Decimal | None = None
    targets: tuple[Decimal, ...] = ()
    adverse: Decimal = ZERO
    favourable: Decimal = ZERO
    bars_held: int = 0
    number: int = 0
    entry_fee: Decimal = ZERO
    funding: Decimal = ZERO
    final_stop: Decimal | None = None

    @property
    def net(self) -> Decimal:
        """What an exit earned after everything (6.10)."""
        return self.gross - self.entry_fee - self.fee + self.funding


@dataclass
class Working:
    """An entry order that waits.

    `price` is the limit or the trigger, `limit` the limit of a stop-limit; `fired` says that its trigger was met. It is
    at the venue from the open of `live_row` on; `ahead` is the volume before it once it rests.
    """

    side: int
    kind: str
    quantity: Decimal
    price: Decimal | None
    plan: Plan
    decided_bar: int
    decided_row: int
    limit: Decimal | None = None
    live_row: int = 0
    ahead: Decimal = ZERO
    seen_a_bar: bool = False
    fired: bool = False


@dataclass
class Aim:
    """A target that waits, behind a volume of others where it rests."""

    level: Decimal
    quantity: Decimal
    ahead: Decimal = ZERO


@dataclass
class Close:
    """A close that was ordered and is carried out at the first open from `live_row` on: so much, for this reason."""

    reason: str
    units: Decimal
    leg: str
    live_row: int = 0


@dataclass
class Held:
    """A position; `quantity` has a sign, `extra` belongs to its margin, fee and funding are what is left of them.

    `arrival` is the price of the market, before slippage, at the latest fill that made it larger. `stop_fired` says
    that the stop was reached: what the bar had no room for goes on at the next open, or rests at the level where the
    stop is of type Limit. `fired` holds market targets of which the same is true.
    """

    quantity: Decimal
    entry: Decimal
    plan: Plan
    stop: Decimal | None
    aims: list[Aim]
    opened_at: int
    best: Decimal
    worst: Decimal
    arrival: Decimal
    entry_fee: Decimal
    number: int
    funding: Decimal = ZERO
    extra: Decimal = ZERO
    mover: str = "sl"
    armed: bool = False
    broke_even: bool = False
    legs: int = 0
    stop_fired: bool = False
    fired: list[Aim] = field(default_factory=list)

    @property
    def side(self) -> int:
        return 1 if self.quantity > 0 else -1

    @property
    def units(self) -> Decimal:
        return abs(self.quantity)


@dataclass
class Outcome:
    """What a simulation left behind."""

    fills: list[Fill] = field(default_factory=list)
    dead: list[tuple[int, str]] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)
    equity: dict[int, Decimal] = field(default_factory=dict)
    cash: Decimal = ZERO
    drawdown: Decimal = ZERO
    stopped: str | None = None
    starved: bool = False
    met: Counter[str] = field(default_factory=Counter)

    def note(self, rule: str, holds: bool = True) -> None:
        """Count that a rule of `reference.rules` was met."""
        assert rule in KNOWN, rule
        if holds:
            self.met[rule] += 1
