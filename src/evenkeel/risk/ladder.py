"""The drawdown ladder: the deeper an account is below its peak, the smaller its entries.

    >>> limits = LadderLimits(soft=Decimal("0.03"), medium=Decimal("0.04"), hard=Decimal("0.05"),
    ...                       soft_scale=Decimal("0.75"), medium_scale=Decimal("0.55"))
    >>> rung(Decimal("0.0285"), Rung.NONE, limits), rung(Decimal("0.0285"), Rung.SOFT, limits)
    (<Rung.NONE: 0>, <Rung.SOFT: 1>)

Source: operations.md 2.4; a rung is left only 20 % of its band below the drawdown that led onto it (2.1).
"""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum

import msgspec

from evenkeel.model.errors import require

HYSTERESIS = Decimal("0.2")
"""Of the band of a rung, which reaches from its drawdown to the next one's; the last has the band below it."""


class Rung(IntEnum):
    """Where on the ladder an account stands."""

    NONE = 0
    SOFT = 1
    MEDIUM = 2
    HARD = 3


class LadderLimits(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Drawdowns as fractions of the peak, and what entries are multiplied with from there on.

    Attributes:
        soft: First rung.
        medium: Second rung.
        hard: Last rung; no entries, and a cooldown.
        soft_scale: From the first rung on.
        medium_scale: From the second rung on.
    """

    soft: Decimal
    medium: Decimal
    hard: Decimal
    soft_scale: Decimal
    medium_scale: Decimal

    def __post_init__(self) -> None:
        require(
            0 < self.soft < self.medium < self.hard < 1,
            "the rungs of a drawdown ladder rise from above 0 to below 1",
            soft=self.soft,
            medium=self.medium,
            hard=self.hard,
        )
        require(
            0 < self.medium_scale <= self.soft_scale <= 1,
            "the scales of a drawdown ladder fall from at most 1 to above 0",
            soft=self.soft_scale,
            medium=self.medium_scale,
        )


def rung(drawdown: Decimal, before: Rung, limits: LadderLimits) -> Rung:
    """Return the rung of a drawdown.

    Args:
        drawdown: From the peak, as a fraction of it.
        before: The rung up to now; it is left later than it was reached.
        limits: Of the profile.
    """
    starts = {Rung.SOFT: limits.soft, Rung.MEDIUM: limits.medium, Rung.HARD: limits.hard}
    upper, last = limits.medium - limits.soft, limits.hard - limits.medium
    bands = {Rung.SOFT: upper, Rung.MEDIUM: last, Rung.HARD: last}
    held = [
        step
        for step, start in starts.items()
        if drawdown >= (start - HYSTERESIS * bands[step] if step <= before else start)
    ]
    return max(held, default=Rung.NONE)


def scale(step: Rung, limits: LadderLimits) -> Decimal:
    """Return what entries are multiplied with on a rung."""
    return {
        Rung.NONE: Decimal(1),
        Rung.SOFT: limits.soft_scale,
        Rung.MEDIUM: limits.medium_scale,
        Rung.HARD: Decimal(0),
    }[step]
