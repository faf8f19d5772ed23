"""The gate of a playbook: whether a play may enter beside what the other plays hold.

The answer is given before the play decides, for either side, so that it can be journaled as a fact and a replay needs
nothing else. The order is the order of the refusals: no share, an owner of the instrument, too many plays, a position
that moves alike; what exposure leaves is told as a largest quantity.

*Counts as one position.* A position held in another instrument and the entry asked for are one position when their
returns, each with the sign of its side, correlate above the limit: the same bet twice. One position has one owner, so
the entry is refused. A long beside a short of a market that moves alike is a hedge and passes. Where the correlation is
not known the entry is refused: no gate passes because its input is absent (ruling 54).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from evenkeel.model.reason import Reason
from evenkeel.strategies.playbook.playbook import PortfolioRisk


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """What another play holds, or has an entry at work for.

    Attributes:
        instrument: In what.
        side: +1 or -1.
        notional: Its worth in account currency, unsigned.
        correlation: Of its instrument's returns with those of the instrument asked for; None is not known.
    """

    instrument: str
    side: int
    notional: float
    correlation: float | None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What a play may do now.

    Attributes:
        long: OK, or why it may not buy.
        short: OK, or why it may not sell.
        room: Largest notional that exposure leaves, in account currency.
    """

    long: Reason
    short: Reason
    room: float


def standing(
    *, has_share: bool, instrument: str, holdings: Sequence[Holding], equity: float, limits: PortfolioRisk
) -> Standing:
    """Return what a play may do.

    Args:
        has_share: Whether the playbook gives it any capital now.
        instrument: What it trades.
        holdings: Of all other plays.
        equity: Of the playbook.
        limits: Of the playbook.
    """
    room = max(0.0, limits.max_exposure * equity - sum(held.notional for held in holdings))
    common = _common_refusal(has_share=has_share, instrument=instrument, holdings=holdings, limits=limits)
    if common is not Reason.OK:
        return Standing(long=common, short=common, room=room)
    long, short = (
        Reason.CORRELATION_LIMIT if any(_is_one(held, side, limits) for held in holdings) else Reason.OK
        for side in (1, -1)
    )
    return Standing(long=long, short=short, room=room)


def _common_refusal(*, has_share: bool, instrument: str, holdings: Sequence[Holding], limits: PortfolioRisk) -> Reason:
    if not has_share:
        return Reason.REGIME_INACTIVE
    if any(held.instrument == instrument for held in holdings):
        return Reason.POSITION_CONFLICT
    if len(holdings) >= limits.max_active:
        return Reason.ACTIVE_PLAYS_LIMIT
    return Reason.OK


def _is_one(held: Holding, side: int, limits: PortfolioRisk) -> bool:
    """Whether an entry on that side and what is held count as one position."""
    if limits.max_correlation >= 1.0:
        return False
    return held.correlation is None or held.correlation * held.side * side > limits.max_correlation
