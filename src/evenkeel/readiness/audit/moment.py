"""Instants in the files of a run: ISO 8601 with `Z` in text, nanoseconds inside."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from evenkeel.readiness.audit.document import Unreadable

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
DAY_NS = 1440 * MINUTE_NS

TIMEFRAME_MINUTES = {
    "1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "6h": 360, "12h": 720,
}  # fmt: skip
"""The timeframes of fixed length."""

YEARS = (1900, 2200)
"""No market is older, and nanoseconds of any later age leave 64 bits."""

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z\Z", re.ASCII)


def parse_instant(text: str, place: str) -> int:
    """Return the nanoseconds since the epoch of an ISO 8601 instant in UTC.

    Raises:
        Unreadable: If the text is no such instant; `place` says where it stood.
    """
    match = _INSTANT.match(text)
    if match is None:
        raise Unreadable(f"{place} is {text!r}, an instant like 2024-01-31T14:30:00Z was expected")
    whole, fraction = match.groups()
    try:
        moment = datetime.fromisoformat(f"{whole}+00:00")
    except ValueError as error:
        raise Unreadable(f"{place} is {text!r}: {error}") from None
    if not YEARS[0] <= moment.year <= YEARS[1]:
        raise Unreadable(f"{place} is {text!r}, a year from {YEARS[0]} to {YEARS[1]} was expected")
    return int(moment.timestamp()) * SECOND_NS + int((fraction or "").ljust(9, "0"))


def instant_text(instant_ns: int) -> str:
    """Return the instant for a message, to the second."""
    return datetime.fromtimestamp(instant_ns // SECOND_NS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
