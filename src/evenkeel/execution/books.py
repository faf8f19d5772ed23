"""Positions and money of an account, exact: one holding for each strategy and instrument, so they sum to the account's.

A position is kept at average cost. What is realised has one definition everywhere: for each unit closed the difference
between its price and the average entry price, times the multiplier; fees, funding and other postings stand beside it
and are part of the net.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

import msgspec

from evenkeel.model.errors import invariant
from evenkeel.model.ids import InstrumentId, StrategyId


class Posting(StrEnum):
    """Kinds of money that moves without a fill."""

    FEE = "fee"
    FUNDING = "funding"
    DIVIDEND = "dividend"
    BORROW = "borrow"
    TRANSFER = "transfer"
    ADJUSTMENT = "adjustment"


class Owner(NamedTuple):
    """Whose holding it is."""

    strategy: StrategyId
    instrument: InstrumentId


class Holding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a strategy holds of an instrument, and what it has made of it.

    Attributes:
        quantity: Signed units.
        cost: Price times signed quantity of what is held, at the average entry price.
        realised: By closing, without fees and postings; account currency.
        fees: Paid.
        postings: Funding, dividends, borrow fees and adjustments, + received.
    """

    quantity: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    realised: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    postings: Decimal = Decimal(0)

    @property
    def average(self) -> Decimal:
        """Average entry price; 0 when flat."""
        return self.cost / self.quantity if self.quantity else Decimal(0)

    @property
    def net(self) -> Decimal:
        """What was made by closing, after fees and postings."""
        return self.realised - self.fees + self.postings

    def unrealised(self, price: Decimal, multiplier: Decimal) -> Decimal:
        """Return what closing at a price would realise."""
        return (self.quantity * price - self.cost) * multiplier


def booked(holding: Holding, quantity: Decimal, price: Decimal, multiplier: Decimal) -> tuple[Holding, Decimal]:
    """Return a holding after units changed hands, and what that realised.

    Args:
        holding: Before.
        quantity: Signed units, not 0; a trade may turn a position.
        price: Per unit.
        multiplier: Money per point of price and unit.
    """
    before = holding.quantity
    closed = Decimal(0) if before * quantity >= 0 else min(abs(quantity), abs(before)).copy_sign(before)
    opened = quantity + closed
    gross = closed * (price - holding.average) * multiplier
    left = before - closed
    cost = holding.average * left + opened * price
    after = msgspec.structs.replace(
        holding, quantity=before + quantity, cost=cost if before + quantity else Decimal(0),
        realised=holding.realised + gross,
    )  # fmt: skip
    return after, gross


class SavedBooks(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Books as they are stored; the names are those of `Books`."""

    holdings: tuple[tuple[Owner, Holding], ...]
    transfers: Decimal


class Books:
    """The books of an account; they change by fills and postings only.

    Attributes:
        start: Money at the beginning.
        holdings: By owner.
        transfers: Money paid in and out since, + in.
    """

    def __init__(self, start: Decimal, multipliers: dict[InstrumentId, Decimal]) -> None:
        self.start, self._multipliers = start, multipliers
        self.holdings: dict[Owner, Holding] = {}
        self.transfers = Decimal(0)

    def saved(self) -> SavedBooks:
        """Return all of them, as they are stored."""
        return SavedBooks(holdings=tuple(self.holdings.items()), transfers=self.transfers)

    def restore(self, saved: bytes) -> None:
        """Take over what was stored."""
        state = msgspec.msgpack.decode(saved, type=SavedBooks)
        self.holdings, self.transfers = dict(state.holdings), state.transfers

    def knows(self, instrument: InstrumentId) -> bool:
        """Whether money of an instrument can be counted here; what is not known waits for reconciliation."""
        return instrument in self._multipliers

    def fill(self, owner: Owner, quantity: Decimal, value: Decimal, fee: Decimal, side: int) -> Decimal:
        """Fold a change of what an order has filled; return what it realised.

        Args:
            owner: Whose order it is.
            quantity: Signed units; 0 where only the price of what counted before became known.
            value: Price times quantity of the change; negative where less counts than before.
            fee: Positive is paid.
            side: +1 of a purchase, -1 of a sale.
        """
        holding, multiplier = self.holdings.get(owner, Holding()), self._multipliers[owner.instrument]
        if quantity:
            after, gross = booked(holding, quantity, value / (quantity * side), multiplier)
        else:
            after, gross = _corrected(holding, value, side, multiplier)
        self.holdings[owner] = msgspec.structs.replace(after, fees=after.fees + fee)
        return gross

    def post(self, kind: Posting, amount: Decimal, owner: Owner | None = None) -> None:
        """Fold money that moved without a fill; a transfer has no owner, everything else has one.

        Args:
            kind: What for.
            amount: + received.
            owner: Whose it is.
        """
        if kind is Posting.TRANSFER:
            self.transfers += amount
            return
        invariant(owner is not None, "every posting but a transfer belongs to a holding", kind=kind.value)
        if owner is None:
            return
        holding = self.holdings.get(owner, Holding())
        if kind is Posting.FEE:
            self.holdings[owner] = msgspec.structs.replace(holding, fees=holding.fees - amount)
        else:
            self.holdings[owner] = msgspec.structs.replace(holding, postings=holding.postings + amount)

    def position(self, instrument: InstrumentId) -> Decimal:
        """Return the signed units of an instrument that all strategies hold together."""
        return sum((h.quantity for owner, h in self.holdings.items() if owner.instrument == instrument), Decimal(0))

    @property
    def net(self) -> Decimal:
        """What was realised, after fees and postings."""
        return sum((holding.net for holding in self.holdings.values()), Decimal(0))

    @property
    def balance(self) -> Decimal:
        """Money at the start, transfers, and what was realised after fees and postings."""
        return self.start + self.transfers + self.net

    @property
    def cash(self) -> Decimal:
        """Money with all purchases paid for: what would be left if every position were worth nothing."""
        paid = (holding.cost * self._multipliers[owner.instrument] for owner, holding in self.holdings.items())
        return self.balance - sum(paid, Decimal(0))

    def equity(self, prices: dict[InstrumentId, Decimal]) -> Decimal | None:
        """Return the balance with every position at its price; None where the price of one is not known."""
        total = self.balance
        for owner, holding in self.holdings.items():
            if not holding.quantity:
                continue
            price = prices.get(owner.instrument)
            if price is None:
                return None
            total += holding.unrealised(price, self._multipliers[owner.instrument])
        return total


def _corrected(holding: Holding, value: Decimal, side: int, multiplier: Decimal) -> tuple[Holding, Decimal]:
    """Return a holding after the price of units that counted already became known, and what that realised."""
    if holding.quantity * side > 0:
        return msgspec.structs.replace(holding, cost=holding.cost + value * side), Decimal(0)
    gross = -value * side * multiplier
    return msgspec.structs.replace(holding, realised=holding.realised + gross), gross
