"""Small parts of sentences: numbers, amounts, lists of words, spans of time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from evenkeel.model.time import Timeframe

_MINUTES_OF = ((10080, "week"), (1440, "day"), (60, "hour"), (1, "minute"))
_SMALL_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_CALENDAR = {"D": "daily", "W": "weekly", "M": "monthly"}
_KIND_WORDS = {
    "perpetual": "a perpetual", "future": "a future", "continuous_future": "a continuous future",
    "spot": "a spot market", "equity": "an equity", "fx": "a currency pair", "index": "an index",
}  # fmt: skip


def number(value: float) -> str:
    """Return a number in plain digits: grouped, without trailing zeros, to six significant ones."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    digits = max(0, 5 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{min(digits, 12)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(value: float) -> str:
    """Return a percentage; 2 is `2 %`."""
    return f"{number(value)} %"


def share(fraction: float) -> str:
    """Return a fraction as a percentage of three significant digits: 0.0112 is `1.12 %`."""
    return percent(float(f"{100 * fraction:.3g}"))


def money(value: float, currency: str) -> str:
    """Return an amount in cents with its currency: `1,234.50 USD`."""
    return f"{value:,.2f} {currency}"


def in_words(amount: int) -> str:
    """Return a whole number, in words up to ten."""
    return _SMALL_WORDS[amount] if 0 < amount < len(_SMALL_WORDS) else f"{amount:,}"


def count(amount: int, one: str) -> str:
    """Return a number of things in words up to ten: `one bar`, `12 bars`."""
    return f"{in_words(amount)} {one if amount == 1 else f'{one}s'}"


def counted(amount: int, one: str) -> str:
    """Return a number of things in digits: `1 bar`, `12 bars`."""
    return f"{amount:,} {one if amount == 1 else f'{one}s'}"


def listed(words: Sequence[str], joint: str = "and") -> str:
    """Return words as a list in a sentence: `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {joint} {words[-1]}"


def span(minutes: int) -> str:
    """Return a length of time in its largest whole unit: `6 hours`, `90 minutes`."""
    for size, name in _MINUTES_OF:
        if minutes >= size and minutes % size == 0:
            return counted(minutes // size, name)
    return counted(minutes, "minute")


def roughly(minutes: float) -> str:
    """Return a length of time to the nearest of a unit it has at least two of: `about 3 days`."""
    for size, name in _MINUTES_OF:
        if minutes >= 2 * size:
            return f"about {counted(round(minutes / size), name)}"
    return "about a minute" if minutes < 2 else "about two minutes"


def bars_of(timeframe: Timeframe) -> str:
    """Return the bars of a timeframe: `15m bars`, `daily bars`."""
    return f"{_CALENDAR.get(timeframe.name, timeframe.name)} bars"


def so_many_bars(amount: int, timeframe: Timeframe) -> str:
    """Return a number of bars of a timeframe: `81 bars of 15m`, `50 daily bars`."""
    word = _CALENDAR.get(timeframe.name)
    return counted(amount, f"{word} bar") if word else f"{counted(amount, 'bar')} of {timeframe}"


def instrument_kind(kind: str) -> str:
    """Return what an instrument is, in words."""
    return _KIND_WORDS.get(kind, kind.replace("_", " "))


def sentence(text: str) -> str:
    """Return a text with a capital at its start and a full stop at its end."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', ':')) else '.'}"
