"""Dated futures contracts, made by rule from one row for each family: `ESZ2013.CME`, `GCG2024.COMEX`.

The rule gives the last trading day, so that no contract of any year has to be listed. Business days are the days on
which the metals' day session exists: Monday to Friday without the US holidays that the futures exchange observes.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

import msgspec

from evenkeel.data.calendar import day_number, load_calendar
from evenkeel.data.session_table import EPOCH
from evenkeel.model.errors import UsageError
from evenkeel.model.ids import InstrumentId
from evenkeel.model.instrument import ContractMargin, Fees, Instrument, InstrumentKind

MONTH_CODES = "FGHJKMNQUVXZ"
"""January to December."""

_BUSINESS_DAYS = "CME_METALS_RTH"
_FRIDAY, _WEDNESDAY = 4, 2


class ExpiryRule(StrEnum):
    """How the last trading day follows from the contract month."""

    THIRD_FRIDAY = "third_friday"
    THIRD_LAST_BUSINESS_DAY = "third_last_business_day"
    TWO_BUSINESS_DAYS_BEFORE_THIRD_WEDNESDAY = "two_business_days_before_third_wednesday"


class Family(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all contracts of one root have in common, for a period.

    Attributes:
        root: For example `ES`.
        venue: For example `CME`.
        months: Letters of the months in which contracts end.
        expiry: How the last trading day is found.
        first_year: Of the earliest contract.
        quote: Currency of the price.
        tick_size: Smallest price step.
        multiplier: Money per point and contract.
        calendar: Session table.
        fees: Per contract and side.
        description: For people.
        contract_margin: What a contract ties up; None where it is not known.
        valid_from: First day of these terms, ISO; None is unbounded.
        valid_to: Day after their last, ISO; None is unbounded.
    """

    root: str
    venue: str
    months: str
    expiry: ExpiryRule
    first_year: int
    quote: str
    tick_size: Decimal
    multiplier: Decimal
    calendar: str
    fees: Fees
    description: str
    contract_margin: ContractMargin | None = None
    valid_from: str | None = None
    valid_to: str | None = None

    def contract(self, code: str, year: int) -> Instrument:
        """Return the contract of a month code and year.

        Raises:
            UsageError: If the family has no contract in that month or year; the message says which it has.
        """
        if code not in self.months:
            raise UsageError(f"{self.root} has no contract of month {code}; its months are {', '.join(self.months)}")
        last = load_calendar(_BUSINESS_DAYS).last_day[:4]
        if not self.first_year <= year < int(last):
            raise UsageError(
                f"{self.root}{code}{year}: contracts of {self.root} are known from {self.first_year} to {int(last) - 1}"
            )
        month = MONTH_CODES.index(code) + 1
        expiry = last_trading_day(self.expiry, year, month)
        text = f"{self.description}, {date(year, month, 1):%B %Y}"
        return self._instrument(f"{self.root}{code}{year}", InstrumentKind.FUTURE, text, expiry)

    def continuous(self) -> Instrument:
        """Return the unadjusted series of front months, which only a backtest may use."""
        text = f"{self.description}, continuous front month, unadjusted: rolls are price jumps"
        return self._instrument(self.root, InstrumentKind.CONTINUOUS_FUTURE, text, None)

    def _instrument(self, symbol: str, kind: InstrumentKind, description: str, expiry: str | None) -> Instrument:
        return Instrument(
            id=InstrumentId(f"{symbol}.{self.venue}"),
            kind=kind,
            base=self.root,
            quote=self.quote,
            tick_size=self.tick_size,
            lot_size=Decimal(1),
            multiplier=self.multiplier,
            min_quantity=Decimal(1),
            calendar=self.calendar,
            fees=self.fees,
            contract_margin=self.contract_margin,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
            expiry=expiry,
            description=description,
        )


def split_symbol(symbol: str, roots: set[str]) -> tuple[str, str, int] | None:
    """Return root, month code and year of a symbol like `ESZ2013`, or None.

    The year has four digits: `ESZ3` would be a guess between decades.
    """
    match = re.fullmatch(rf"(.+)([{MONTH_CODES}])(\d{{4}})", symbol)
    if match is None or match[1] not in roots:
        return None
    return match[1], match[2], int(match[3])


def last_trading_day(rule: ExpiryRule, year: int, month: int) -> str:
    """Return the last trading day of a contract month, ISO date."""
    match rule:
        case ExpiryRule.THIRD_FRIDAY:
            # On a Friday without trading (Good Friday) the contract ends the day before.
            return _business_days_until(_nth_weekday(year, month, _FRIDAY, 3))[-1]
        case ExpiryRule.THIRD_LAST_BUSINESS_DAY:
            return _business_days_until(_month_end(year, month))[-3]
        case ExpiryRule.TWO_BUSINESS_DAYS_BEFORE_THIRD_WEDNESDAY:
            wednesday = _nth_weekday(year, month, _WEDNESDAY, 3)
            return _business_days_until(wednesday - timedelta(days=1))[-2]


def _business_days_until(last: date) -> list[str]:
    """Return the business days of the three weeks that end with `last`, ISO dates."""
    end = day_number(last.isoformat())
    days = load_calendar(_BUSINESS_DAYS).trading_days(end - 20, end)
    return [(EPOCH + timedelta(days=int(day))).isoformat() for day in days]


def _nth_weekday(year: int, month: int, weekday: int, count: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (count - 1))


def _month_end(year: int, month: int) -> date:
    return (date(year, month, 28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
