"""Limits on when and on what data a position may be opened (operations.md 1.3, rows 9 and 11 to 19; 1.6; 1.7)."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

import msgspec

from evenkeel.model.errors import UsageError
from evenkeel.risk.limits.rule import Group, Tighter, limit

_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)\Z", re.ASCII)


class Impact(StrEnum):
    """How much an economic event moves markets."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class EventWindow(msgspec.Struct, frozen=True, kw_only=True):
    """How long around an event of a kind nothing, or less, is opened.

    Attributes:
        kind: Of the event, as the calendar of events writes it.
        impact: HIGH refuses, MEDIUM scales, LOW is written down only.
        before_s: Seconds before the event.
        after_s: Seconds after it.
    """

    kind: str
    impact: Impact
    before_s: int
    after_s: int


class Window(msgspec.Struct, frozen=True):
    """A time of day at the exchange.

    Attributes:
        start: First minute of the day in it.
        end: First minute of the day after it.
    """

    start: int
    end: int

    @classmethod
    def parse(cls, text: str) -> Window:
        """Return the window that `11:30-13:30` names.

        Raises:
            UsageError: If the text is no such window.
        """
        match = _WINDOW.match(text)
        if match is None or text[:5] >= text[6:] or text[6:] > "24:00":
            raise UsageError(f"'{text}' is no time of day; write 11:30-13:30, exchange time, the earlier first")
        hours, minutes, to_hours, to_minutes = (int(part) for part in match.groups())
        return cls(hours * 60 + minutes, to_hours * 60 + to_minutes)

    def __str__(self) -> str:
        return f"{self.start // 60:02}:{self.start % 60:02}-{self.end // 60:02}:{self.end % 60:02}"


def _events(impact: Impact, before_s: int, after_s: int, *kinds: str) -> tuple[EventWindow, ...]:
    return tuple(EventWindow(kind=kind, impact=impact, before_s=before_s, after_s=after_s) for kind in kinds)


EVENT_WINDOWS = (
    *_events(Impact.HIGH, 7200, 7200, "rate_decision"),
    *_events(Impact.HIGH, 1800, 3600, "chair_speech"),
    *_events(Impact.HIGH, 1800, 5400, "payrolls", "unemployment", "cpi", "pce"),
    *_events(Impact.MEDIUM, 1800, 3600, "minutes", "ppi", "gdp"),
    *_events(Impact.MEDIUM, 1800, 1800, "retail_sales", "ism"),
    *_events(Impact.LOW, 0, 1800, "claims"),
)
"""The table of operations.md 1.6."""


class Market(Group, frozen=True, kw_only=True):
    """When and on what data a position may be opened."""

    instrument_age_s: Annotated[
        int | None, limit(9, "seconds", "(0, inf)", "Oldest definition and state of an instrument.")
    ] = None
    mixed_classes: Annotated[
        bool, limit(9, "on or off", "", "Whether a session may hold several asset classes.", Tighter.OFF)
    ] = True
    sessions: Annotated[
        bool, limit(11, "on or off", "", "Whether entries need an open session of a known calendar.", Tighter.ON)
    ] = False
    after_open_s: Annotated[
        int | None, limit(11, "seconds", "[0, 86400]", "After the open nothing is opened so long.", Tighter.MORE)
    ] = None
    closed_windows: Annotated[
        tuple[Window, ...],
        limit(11, "exchange time", "", "Times of day at which nothing is opened; not around the clock.", Tighter.ALL),
    ] = ()
    flatten_before_close_s: Annotated[
        int | None,
        limit(11, "seconds", "[0, 86400]", "Before the close all is closed and nothing opened.", Tighter.MORE),
    ] = None
    events: Annotated[
        tuple[EventWindow, ...], limit(12, "windows", "", "Economic events and how long they count.", Tighter.ALL)
    ] = ()
    medium_event_scale: Annotated[
        Decimal, limit(12, "factor", "[0, 1]", "Factor of the size near an event of medium impact.")
    ] = Decimal("0.5")
    shock_norm: Annotated[
        Decimal | None, limit(13, "0 to 1", "(0, 1]", "ATR(14) over its norm, on 0 to 1, that is a shock.")
    ] = None
    shock_range: Annotated[
        Decimal | None, limit(13, "multiple of ATR(30)", "(1, inf)", "True range of one bar that is a shock.")
    ] = None
    shock_s: Annotated[int, limit(13, "seconds", "[0, 86400]", "Lockout after such a shock.", Tighter.MORE)] = 3600
    danger_ticks: Annotated[
        Decimal | None, limit(13, "ticks", "(0, inf)", "Spread or expected slippage that is dangerous.")
    ] = None
    danger_s: Annotated[int, limit(13, "seconds", "[0, 86400]", "Lockout after such a spread.", Tighter.MORE)] = 1800
    news_s: Annotated[int, limit(13, "seconds", "[0, 86400]", "Lockout after a shock by news.", Tighter.MORE)] = 2700
    lockouts: Annotated[bool, limit(13, "on or off", "", "Whether lockouts that run refuse entries.", Tighter.ON)] = (
        False
    )
    dvs_entry: Annotated[
        Decimal | None,
        limit(14, "0 to 1", "[0, 1]", "Least quality of data at which anything is opened.", Tighter.MORE),
    ] = None
    dvs_hold: Annotated[
        Decimal | None, limit(14, "0 to 1", "[0, 1]", "Below it stops are tightened.", Tighter.MORE)
    ] = None
    dvs_kill: Annotated[
        Decimal | None, limit(14, "0 to 1", "[0, 1]", "Below it the account is killed.", Tighter.MORE)
    ] = None
    eqs_entry: Annotated[
        Decimal | None,
        limit(15, "0 to 1", "[0, 1]", "Least quality of execution at which anything is opened.", Tighter.MORE),
    ] = None
    eqs_hold: Annotated[
        Decimal | None, limit(15, "0 to 1", "[0, 1]", "Below it stops are tightened.", Tighter.MORE)
    ] = None
    eqs_kill: Annotated[
        Decimal | None, limit(15, "0 to 1", "[0, 1]", "Below it the account is killed.", Tighter.MORE)
    ] = None
    bar_age: Annotated[
        Decimal | None, limit(16, "bar lengths", "[1, inf)", "Oldest newest bar, since we learned of it.")
    ] = None
    quote_age_ms: Annotated[
        int | None, limit(16, "milliseconds", "(0, inf)", "Oldest quote, since we learned of it.")
    ] = None
    private_silence_s: Annotated[
        int | None, limit(16, "seconds", "(0, inf)", "Longest silence of the account's own stream.")
    ] = None
    unhealthy_s: Annotated[int | None, limit(16, "seconds", "[0, inf)", "A stream may be unhealthy so long.")] = None


class Prices(Group, frozen=True, kw_only=True):
    """How far from the market an order may be, and how large a part of it."""

    market_entries: Annotated[
        bool, limit(1, "on or off", "", "Whether an entry may be an order at the market.", Tighter.OFF)
    ] = True
    market_collar_bps: Annotated[
        Decimal | None, limit(0, "basis points", "(0, 1000]", "Limit of what a market entry is sent as.")
    ] = None
    collar: Annotated[
        Decimal | None, limit(17, "fraction", "(0, 1]", "Largest distance of a price from the last one.")
    ] = None
    leg_collar: Annotated[
        Decimal | None, limit(17, "fraction", "(0, 1]", "Largest distance of stop and target from the last price.")
    ] = None
    exit_collar_factor: Annotated[
        Decimal, limit(17, "factor", "[1, 10]", "By so much the collar is wider for what reduces.")
    ] = Decimal(3)
    least_price: Annotated[
        Decimal, limit(17, "quote currency", "[0, inf)", "Last prices below are not believed.", Tighter.MORE)
    ] = Decimal("0.0001")
    reference_age_ms: Annotated[
        int | None, limit(17, "milliseconds", "(0, inf)", "Oldest last price that a collar is measured from.")
    ] = None
    spread_bps: Annotated[Decimal | None, limit(18, "basis points of the mid", "(0, inf)", "Widest spread.")] = None
    spread_ticks: Annotated[Decimal | None, limit(18, "ticks", "[1, inf)", "Widest spread.")] = None
    adv_share: Annotated[
        Decimal | None, limit(19, "fraction", "(0, 1]", "Largest part of the average daily volume of 20 sessions.")
    ] = None
    minute_share: Annotated[
        Decimal | None, limit(19, "fraction", "(0, 1]", "Largest part of the last minute's volume.")
    ] = None
