"""The circuit breaker: how much an account lost today and how fast, and whether that can be told at all.

    daily = (reference - equity) / reference        rapid = (peak - equity) / peak

Losses are judged on the last good read of the equity, however old: a read that is stale or failed blocks entries and
never lifts a trip. Source: operations.md 2.3 and 1.3 rows 37 and 38.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum, auto

from evenkeel.model.time import SECOND
from evenkeel.risk.guardrails import GOOD_READS, Guardrails
from evenkeel.risk.limits.money import Losses

RAPID_SHARE = Decimal("0.67")
"""Of the daily limit: so much of a fall from the session's peak trips too."""

MONITOR_NS = 5 * SECOND
ORDER_NS = 1 * SECOND
"""How old the equity may be for the monitor, and for an order."""


class Blocked(StrEnum):
    """Why the breaker cannot tell, which blocks entries."""

    NO_REFERENCE = auto()
    NO_EQUITY = auto()
    READ_FAILED = auto()
    STALE = auto()
    NOT_SEEDED = auto()


def blocked(rails: Guardrails, now_ns: int, *, age_max_ns: int) -> Blocked | None:
    """Return why the losses of the account cannot be told now, or None.

    Args:
        rails: Of the account.
        now_ns: Now, `known_ns`.
        age_max_ns: How old the equity may be: `MONITOR_NS` or `ORDER_NS`.
    """
    if not rails.seeded:
        return Blocked.NOT_SEEDED
    if rails.reference is None or rails.peak is None:
        return Blocked.NO_REFERENCE
    if rails.equity is None or rails.equity_known_ns is None:
        return Blocked.NO_EQUITY
    if rails.good_reads < GOOD_READS:
        return Blocked.READ_FAILED
    return Blocked.STALE if now_ns - rails.equity_known_ns > age_max_ns else None


def stale_from_ns(rails: Guardrails, *, age_max_ns: int) -> int | None:
    """Return from when on the equity is too old; None where there is none."""
    return None if rails.equity_known_ns is None else rails.equity_known_ns + age_max_ns + 1


def daily_loss(rails: Guardrails) -> Decimal | None:
    """Return what is lost of the session's reference, as a fraction; a gain is negative; None: not known."""
    if rails.reference is None or rails.equity is None:
        return None
    return (rails.reference - rails.equity) / rails.reference


def daily_amount(rails: Guardrails) -> Decimal | None:
    """Return what is lost in the session, in account currency, transfers aside; None: not known."""
    if rails.close is None or rails.equity is None:
        return None
    return rails.close + rails.transfers - rails.equity


def session_drawdown(rails: Guardrails) -> Decimal | None:
    """Return the fall from the session's peak as a fraction of it; None: not known."""
    return _fall(rails.peak, rails.equity)


def drawdown_ever(rails: Guardrails) -> Decimal | None:
    """Return the fall from the highest equity of the account as a fraction of it; None: not known."""
    return _fall(rails.peak_ever, rails.equity)


def loss_room(rails: Guardrails, losses: Losses) -> Decimal | None:
    """Return what may still be lost until the breaker trips, in account currency; None: not known, or no limit.

    An order whose worst case is more than that is refused before it can trip it.
    """
    amount = daily_amount(rails)
    if amount is None or rails.reference is None or rails.equity is None:
        return None
    rooms = []
    if losses.daily is not None:
        rooms.append(losses.daily - amount)
    if losses.daily_fraction is not None:
        rooms.append(losses.daily_fraction * rails.reference - (rails.reference - rails.equity))
    return min(rooms, default=None)


def _fall(peak: Decimal | None, equity: Decimal | None) -> Decimal | None:
    return None if peak is None or equity is None else (peak - equity) / peak
