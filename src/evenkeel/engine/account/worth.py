"""What an account holds and has at work, in money: None where a price or a definition that it takes is not known."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from evenkeel.model.ids import InstrumentId, Leg, StrategyId
from evenkeel.model.instrument import Instrument, InstrumentKind
from evenkeel.model.order import VenueOrder
from evenkeel.risk.gates.facts.account import Holding

if TYPE_CHECKING:
    from evenkeel.engine.account.account import Account

ZERO = Decimal(0)


def holdings(account: Account) -> tuple[Holding, ...] | None:
    """Return positions and entries at work, by strategy; an order is at work from its command on."""
    found = []
    for owner, holding in account.books.holdings.items():
        if holding.quantity:
            unit = _unit(account, owner.instrument, account.prices.get(owner.instrument))
            if unit is None:
                return None
            found.append(_holding(account, owner.instrument, owner.strategy, holding.quantity * unit))
    for order in entries_at_work(account):
        unit = _unit(account, order.instrument, order_price(account, order))
        if unit is None:
            return None
        notional = order.left.copy_sign(order.quantity) * unit
        found.append(_holding(account, order.instrument, order.strategy, notional))
    return tuple(found)


def entries_at_work(account: Account) -> list[VenueOrder]:
    """Return the entries that can still fill."""
    return [order for order in account.supervisor.book.open.values() if order.leg is Leg.ENTRY and order.left]


def order_price(account: Account, order: VenueOrder) -> Decimal | None:
    """Return the price at which an entry is valued; None is not known."""
    return order.price or order.trigger or account.prices.get(order.instrument)


def open_profit(account: Account) -> Decimal | None:
    """Return what closing all positions at their last prices would realise."""
    total = ZERO
    for owner, holding in account.books.holdings.items():
        if holding.quantity:
            definition, price = account.definition(owner.instrument), account.prices.get(owner.instrument)
            if definition is None or price is None:
                return None
            total += holding.unrealised(price, definition.multiplier)
    return total


def open_risk(account: Account) -> Decimal | None:
    """Return what the equity would lose if every stop were met: those of positions from the last price, of entries too.

    A trade without a stop can lose all that it is worth.
    """
    total = ZERO
    for key, bracket in account.supervisor.brackets.items():
        definition, price = account.definition(key.instrument), account.prices.get(key.instrument)
        if not bracket.held:
            continue
        if definition is None or price is None:
            return None
        lost = price if bracket.stop_price is None else (price - bracket.stop_price) * bracket.direction
        total += max(lost, ZERO) * abs(bracket.held) * definition.multiplier
    for order in entries_at_work(account):
        definition, at = account.definition(order.instrument), order_price(account, order)
        bracket_of = account.supervisor.bracket_of(order)
        if definition is None or at is None or bracket_of is None:
            return None
        distance = at if bracket_of.stop_distance is None else bracket_of.stop_distance
        total += distance * order.left * definition.multiplier
    return total


def margin_used(account: Account) -> dict[InstrumentId, Decimal] | None:
    """Return what positions and entries at work tie up, by instrument."""
    used: dict[InstrumentId, Decimal] = {}
    found = [(o.instrument, h.quantity, account.prices.get(o.instrument)) for o, h in account.books.holdings.items()]
    found += [(order.instrument, order.left, order_price(account, order)) for order in entries_at_work(account)]
    for instrument, quantity, price in found:
        if quantity:
            tied = _tied(account, instrument, abs(quantity), price)
            if tied is None:
                return None
            used[instrument] = used.get(instrument, ZERO) + tied
    return used


def _tied(account: Account, instrument: InstrumentId, units: Decimal, price: Decimal | None) -> Decimal | None:
    definition, told = account.definition(instrument), account.outside.state.instruments.get(instrument)
    if definition is not None and definition.contract_margin is not None:
        return definition.contract_margin.initial * units
    if definition is None or price is None:
        return None
    notional = units * price * definition.multiplier
    if definition.kind is not InstrumentKind.PERPETUAL:
        return notional
    leverage = None if told is None else told.leverage
    return None if leverage is None or leverage <= 0 else notional / leverage


def _unit(account: Account, instrument: InstrumentId, price: Decimal | None) -> Decimal | None:
    definition: Instrument | None = account.definition(instrument)
    return None if definition is None or price is None else price * definition.multiplier


def _holding(account: Account, instrument: InstrumentId, strategy: StrategyId, notional: Decimal) -> Holding:
    told = account.outside.state.conditions.get(instrument)
    return Holding(
        instrument=instrument, strategy=strategy, notional=notional, sector=None if told is None else told.sector
    )
