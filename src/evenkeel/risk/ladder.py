"""The drawdown ladder: the deeper an account is below its peak, the smaller its entries.

    >>> losses = Losses(soft_drawdown=Decimal("0.03"), medium_drawdown=Decimal("0.04"),
    ...                 intraday_drawdown=Decimal("0.05"), soft_scale=Decimal("0.75"), medium_scale=Decimal("0.55"))
    >>> rung(Decimal("0.0285"), Rung.NONE, losses), rung(Decimal("0.0285"), Rung.SOFT, losses)
    (<Rung.NONE: 0>, <Rung.SOFT: 1>)

Source: operations.md 2.4; a rung is left only 20 % of its band below the drawdown that led onto it (2.1).
"""

from __future__ import annotations

import itertools
from decimal import Decimal
from enum import IntEnum

from evenkeel.risk.limits.money import Losses

HYSTERESIS = Decimal("0.2")
"""Of the band of a rung, which reaches from its drawdown to the next one's; the last has the band below it."""


class Rung(IntEnum):
    """Where on the ladder an account stands."""

    NONE = 0
    SOFT = 1
    MEDIUM = 2
    HARD = 3


def rung(drawdown: Decimal, before: Rung, losses: Losses) -> Rung:
    """Return the rung of a drawdown; one that the profile leaves out is never reached.

    Args:
        drawdown: From the peak, as a fraction of it.
        before: The rung up to now; it is left later than it was reached.
        losses: Limits of the profile.
    """
    starts = [Decimal(0)]
    steps = []
    for step, start in (
        (Rung.SOFT, losses.soft_drawdown),
        (Rung.MEDIUM, losses.medium_drawdown),
        (Rung.HARD, losses.intraday_drawdown),
    ):
        if start is not None:
            steps.append(step)
            starts.append(start)
    bands = [upper - lower for lower, upper in itertools.pairwise(starts)]
    ahead = [*bands[1:], *bands[-1:]]
    held = [
        step
        for step, start, band in zip(steps, starts[1:], ahead, strict=True)
        if drawdown >= (start - HYSTERESIS * band if step <= before else start)
    ]
    return max(held, default=Rung.NONE)


def scale(step: Rung, losses: Losses) -> Decimal:
    """Return what entries are multiplied with on a rung."""
    return {
        Rung.NONE: Decimal(1),
        Rung.SOFT: losses.soft_scale,
        Rung.MEDIUM: losses.medium_scale,
        Rung.HARD: Decimal(0),
    }[step]
