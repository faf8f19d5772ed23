"""Figures as people read them: grouped digits, a real minus sign, a dash where there is no figure.

>>> money(Decimal("-1234.5"), signed=True)
'−1,234.50'
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeAlias

from evenkeel.model.number import plain
from evenkeel.model.time import DAY, HOUR, MINUTE, SECOND, Timeframe

Number: TypeAlias = "Decimal | float | int"

NONE = "–"
MINUS = "−"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CENTS = 2
_SMALL = 0.01
_YEAR_NS = 365.25 * DAY

_CALENDAR = {"D": "daily", "W": "weekly", "M": "monthly"}
_EXITS = {
    "tp": "Take profit",
    "sl": "Stop loss",
    "signal": "Exit signal",
    "max_drawdown": "Drawdown limit",
    "equity_stop": "Equity stop",
    "data_gap": "Data gap",
    "end_of_data": "End of data",
}


def figure(value: Number | None, *, digits: int = 2, signed: bool = False) -> str:
    """Return a number with that many decimals, or a dash for None."""
    if value is None or not math.isfinite(value):
        return NONE
    text = f"{abs(value):,.{digits}f}"
    if not any(digit in text for digit in "123456789"):
        return text
    return f"{MINUS if value < 0 else '+' if signed else ''}{text}"


def money(value: Number | None, *, signed: bool = False) -> str:
    """Return an amount in cents, with two significant digits where a cent is too coarse."""
    if value is None:
        return NONE
    tiny = 0 < abs(float(value)) < _SMALL
    digits = _CENTS if not tiny else min(8, 1 - math.floor(math.log10(abs(float(value)))))
    return figure(value, digits=digits, signed=signed)


def percent(value: Number | None, *, digits: int = 2, signed: bool = False) -> str:
    """Return a percentage; 2 means 2 %."""
    text = figure(value, digits=digits, signed=signed)
    return text if text == NONE else f"{text} %"


def share(value: float | None, *, digits: int = 1, signed: bool = False) -> str:
    """Return a fraction as a percentage; 0.02 means 2 %."""
    return percent(None if value is None else value * 100, digits=digits, signed=signed)


def chance(value: float, *, resamples: int) -> str:
    """Return a probability as far as that many histories can tell."""
    if value * resamples < 1:
        return f"under {figure(100 / resamples, digits=2)} %"
    if (1 - value) * resamples < 1:
        return f"over {figure(100 - 100 / resamples, digits=2)} %"
    return share(value, digits=1 if 0.1 <= value <= 0.9 else 2)


def count(value: int, one: str, many: str | None = None) -> str:
    """Return a number of things: `1 trade`, `2 trades`."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


PRICE_DIGITS = 8
"""A price with slippage has as many digits as a float holds; nobody reads more than these."""


def price(value: Decimal) -> str:
    """Return a price in plain digits, grouped, to eight significant ones; the exact figure stands in `trades.csv`."""
    shown = round(value, PRICE_DIGITS - 1 - value.adjusted()) if value else value
    whole, point, fraction = plain(shown).partition(".")
    return f"{int(whole):,}{point}{fraction}"


def moment(instant_ns: int) -> str:
    """Return an instant to the minute, or to the second where it has one; UTC."""
    at = datetime.fromtimestamp(instant_ns // SECOND, UTC)
    return at.strftime("%Y-%m-%d %H:%M:%S" if at.second else "%Y-%m-%d %H:%M")


def duration(length_ns: int) -> str:
    """Return a length of time in its two largest units, or in years from two years on."""
    if length_ns >= 2 * _YEAR_NS:
        return f"{length_ns / _YEAR_NS:.1f} years"
    for unit, unit_name, part, part_name in (
        (DAY, "d", HOUR, "h"),
        (HOUR, "h", MINUTE, "min"),
        (MINUTE, "min", SECOND, "s"),
    ):
        if length_ns >= unit:
            rest = length_ns % unit // part
            return f"{length_ns // unit} {unit_name}" + (f" {rest} {part_name}" if rest else "")
    return f"{length_ns // SECOND} s"


def timeframe_words(timeframe: Timeframe | str) -> str:
    """Return a timeframe as an adjective: `15m`, `daily`."""
    return _CALENDAR.get(str(timeframe), str(timeframe))


def exit_words(reason: str) -> str:
    """Return how a trade ended, in words."""
    return _EXITS.get(reason, humane(reason))


def humane(code: str) -> str:
    """Return a code such as `ENTRY_SIGNAL` as words: `Entry signal`."""
    words = code.replace("_", " ").strip()
    if not words:
        return NONE
    return words[0].upper() + (words[1:].lower() if words.isupper() else words[1:])
