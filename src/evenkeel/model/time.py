"""Instants and timeframes: integer nanoseconds since the epoch, UTC.

>>> parse_time("2024-01-31T14:30")
1706711400000000000
>>> format_time(1706711400000000000)
'2024-01-31T14:30:00Z'
>>> Timeframe.parse("15m").nanoseconds
900000000000
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec

from evenkeel.model.errors import UsageError

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

YEAR_MIN, YEAR_MAX = 1700, 2200
"""Nanoseconds since the epoch in 64 bits reach from 1677 to 2262."""

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d\d:?\d\d)?)?\Z", re.ASCII
)


def parse_time(text: str) -> int:
    """Return the instant of an ISO 8601 date or date and time; without `Z` or an offset it is UTC.

    Raises:
        UsageError: If the text is not such a time.
    """
    match = _TIME.match(text.strip())
    if match is None:
        raise UsageError(f"'{text}' is not a time; write 2024-01-31, 2024-01-31T14:30 or 2024-01-31T14:30:00Z")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    if not YEAR_MIN <= int(year) <= YEAR_MAX:
        raise UsageError(f"'{text}' lies outside the years {YEAR_MIN} to {YEAR_MAX}")
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC
        )
    except ValueError as error:
        raise UsageError(f"'{text}' is not a time: {error}") from None
    whole = int(moment.timestamp()) * SECOND + int((fraction or "").ljust(9, "0"))
    return whole - _offset_ns(zone)


def _offset_ns(zone: str | None) -> int:
    if zone is None or zone == "Z":
        return 0
    sign = -1 if zone[0] == "-" else 1
    digits = zone[1:].replace(":", "")
    return sign * (int(digits[:2]) * HOUR + int(digits[2:]) * MINUTE)


def format_time(instant_ns: int) -> str:
    """Return ISO 8601 with `Z`, with a fraction only where there is one."""
    seconds, fraction = divmod(instant_ns, SECOND)
    text = datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
    return f"{text}.{f'{fraction:09d}'.rstrip('0')}Z" if fraction else f"{text}Z"


class Timeframe(msgspec.Struct, frozen=True, order=True):
    """An interval of bars.

    Attributes:
        minutes: Nominal length; orders the timeframes. For D, W and M the calendar rules, not this figure.
        name: `1m` to `12h`, `D`, `W` or `M`.
    """

    minutes: int
    name: str

    @classmethod
    def parse(cls, text: str) -> Timeframe:
        """Return the timeframe with that name; `1d`, `1D`, `1w` and `60m` are understood.

        Raises:
            UsageError: If there is no such timeframe.
        """
        found = _BY_NAME.get(text)
        if found is None:
            raise UsageError(f"'{text}' is not a timeframe; known are {', '.join(TIMEFRAMES)}")
        return found

    @property
    def is_calendar(self) -> bool:
        """Whether the calendar sets the borders: D, W and M."""
        return self.minutes >= 1440

    @property
    def nanoseconds(self) -> int:
        """Length of an intraday timeframe.

        Raises:
            UsageError: For D, W and M, which have no fixed length.
        """
        if self.is_calendar:
            raise UsageError(f"the timeframe {self.name} has no fixed length; ask the calendar")
        return self.minutes * MINUTE

    def __str__(self) -> str:
        return self.name


TIMEFRAMES: dict[str, Timeframe] = {
    name: Timeframe(minutes, name)
    for name, minutes in {
        "1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "6h": 360, "12h": 720,
        "D": 1440, "W": 10080, "M": 43200,
    }.items()
}  # fmt: skip
"""Every timeframe by name, fast to slow."""

TICK = Timeframe(0, "tick")
"""Trades as base bars: each lasts an instant. No strategy is computed on it, so it stands in no list of timeframes."""

TIMEFRAME_ALIASES = {
    "d": "D",
    "1d": "D",
    "1D": "D",
    "w": "W",
    "1w": "W",
    "1W": "W",
    "1M": "M",
    "60m": "1h",
    "60min": "1h",
}
"""Other ways to write one. `m` alone is nothing: it could mean a minute or a month."""

_BY_NAME = {**TIMEFRAMES, **{alias: TIMEFRAMES[name] for alias, name in TIMEFRAME_ALIASES.items()}}
