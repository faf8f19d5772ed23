"""What a broker asks of an account beyond money for the fill: by asset class, resolved once and used in every mode.

    unlevered  paid in full and no more asked; the run is marked for what that leaves out
    isolated   a perpetual: each position has a margin of its own and is liquidated by itself
    futures    a margin in money per contract; below the maintenance margin the broker closes the position
    cash       an equity, a coin, a currency: paid in full with settled cash, never sold short
    margin     an equity on credit under Regulation T, short sales against a borrow fee, day trades counted

Sources: Regulation T (12 CFR 220.12): 50 % of a purchase or a short sale. FINRA rule 4210: maintenance 25 % long, 30 %
short; 2,000 USD before any credit; a fourth day trade within five sessions needs 25,000 USD. SEC rule 15c6-1: sales
settle three sessions after the trade until 2017-09-04, two until 2024-05-27, one since.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from evenkeel.model.errors import require
from evenkeel.model.instrument import ContractMargin, Instrument, InstrumentKind


class AccountKind(StrEnum):
    """How positions are paid for."""

    UNLEVERED = "unlevered"
    ISOLATED = "isolated"
    FUTURES = "futures"
    CASH = "cash"
    MARGIN = "margin"


class AccountRules(msgspec.Struct, frozen=True, kw_only=True):
    """What the broker asks of the account.

    Attributes:
        kind: How positions are paid for.
        contract: Margin of a futures contract (`futures`).
        overnight: Whether a futures position may be held over the end of a session.
        initial: Part of the notional that an entry on credit needs (`margin`).
        maintenance_long: Part of the market value of a long below which the broker closes it (`margin`).
        maintenance_short: The same of a short.
        credit_from: Equity below which there is no credit (`margin`).
        borrow_rate: Yearly fee of a short on its market value, days over 360; None is not known.
        day_trades: Day trades within five sessions after which an entry is refused; None does not count.
        day_trade_equity: Equity at the session's start from which on they do not matter.
        settlement: Sessions until a sale is settled cash; None takes the rule of the day of the sale.
        regular_hours: Calendar of regular hours, where bars of extended ones take part; None where none do.
    """

    kind: AccountKind = AccountKind.UNLEVERED
    contract: ContractMargin | None = None
    overnight: bool = True
    initial: Decimal = Decimal("0.5")
    maintenance_long: Decimal = Decimal("0.25")
    maintenance_short: Decimal = Decimal("0.30")
    credit_from: Decimal = Decimal(2000)
    borrow_rate: Decimal | None = None
    day_trades: int | None = None
    day_trade_equity: Decimal = Decimal(25_000)
    settlement: int | None = None
    regular_hours: str | None = None

    def __post_init__(self) -> None:
        for name in ("initial", "maintenance_long", "maintenance_short"):
            rate = getattr(self, name)
            require(0 < rate <= 1, f"account rules: {name} is a fraction above 0 and at most 1", was=str(rate))
        require(
            (self.contract is None) != (self.kind is AccountKind.FUTURES), "a futures account, and no other, has a "
            "contract margin",
        )  # fmt: skip
        require(
            self.borrow_rate is None or self.borrow_rate >= 0, "account rules: borrow_rate must not be negative",
            was=str(self.borrow_rate),
        )  # fmt: skip


def usual_kind(instrument: Instrument) -> AccountKind:
    """Return how positions in an instrument are paid for where the account does not say (ruling 25)."""
    if instrument.kind is InstrumentKind.PERPETUAL:
        return AccountKind.ISOLATED
    if instrument.kind is InstrumentKind.SPOT:
        return AccountKind.CASH
    return AccountKind.UNLEVERED if instrument.contract_margin is None else AccountKind.FUTURES


def entry_margin(rules: AccountRules) -> Decimal:
    """Return the free money that an entry needs for each contract; 0 outside futures accounts."""
    if rules.contract is None:
        return Decimal(0)
    intraday = rules.contract.intraday
    return rules.contract.initial if rules.overnight or intraday is None else intraday


def least_margin(rules: AccountRules) -> Decimal:
    """Return the equity that each contract must keep; 0 outside futures accounts.

    What entered on intraday margin keeps that until the session ends, where it is less.
    """
    return Decimal(0) if rules.contract is None else min(rules.contract.maintenance, entry_margin(rules))
