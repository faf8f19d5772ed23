"""At what the automatic triggers of a halt fire, by profile.

In general the figures of operations.md 2.3 to 2.5 and 1.4; for `perp_small` those of plays.md 7.5, for `micro_futures`
those of belief.md 5.7 and 9.1 (ruling 55). A limit that a profile leaves out is None: its trigger is not applicable.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from evenkeel.model.errors import require
from evenkeel.model.time import MINUTE, SECOND
from evenkeel.risk.breaker import BreakerLimits
from evenkeel.risk.ladder import LadderLimits


class HaltLimits(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Limits of the triggers.

    Attributes:
        profile: Its name; some triggers have another level in `micro_futures`.
        breaker: Losses of the session; None: the strategy's own limits alone count.
        ladder: Rungs of the drawdown; None likewise.
        cooldown_ns: How long the last rung halts.
        max_drawdown: From the highest equity ever, as a fraction of it.
        link_exposed_ns: How long the order channel may be gone with a position or an order at work.
        link_flat_ns: And without.
        unknown_ns: How long an order may be unresolved.
        grace_ns: How long a position may be without a working stop of its size.
        quality_least: DVS and EQS below it kill.
        queue_bars: Lengths of a bar that one may wait in the queue.
        rejects_from: So many rejections among the last 20 orders halt.
        runaway_from: So many submissions within a minute kill.
        runs_from: So many failed runs in a row halt: of reconciliation, of saving the state.
        watchdog_ns: How long the heartbeat of engine or watchdog may be silent.
        alerts_pause_ns: How long a critical alert may reach nobody until entries pause.
        alerts_halt_ns: And until trading halts.
    """

    profile: str
    breaker: BreakerLimits | None
    ladder: LadderLimits | None
    cooldown_ns: int = 60 * MINUTE
    max_drawdown: Decimal | None = Decimal("0.10")
    link_exposed_ns: int = 10 * SECOND
    link_flat_ns: int = 60 * SECOND
    unknown_ns: int = 60 * SECOND
    grace_ns: int = 5 * SECOND
    quality_least: Decimal = Decimal("0.30")
    queue_bars: int = 2
    rejects_from: int = 5
    runaway_from: int = 120
    runs_from: int = 3
    watchdog_ns: int = 30 * SECOND
    alerts_pause_ns: int = 60 * SECOND
    alerts_halt_ns: int = 300 * SECOND

    def __post_init__(self) -> None:
        require(MINUTE <= self.cooldown_ns <= 1440 * MINUTE, "a cooldown lasts 1 to 1440 minutes", profile=self.profile)
        require(
            self.max_drawdown is None or 0 < self.max_drawdown < 1,
            "the largest drawdown is a fraction between 0 and 1",
            profile=self.profile,
        )


UNSET_LADDER = LadderLimits(
    soft=Decimal("0.03"), medium=Decimal("0.05"), hard=Decimal("0.07"),
    soft_scale=Decimal("0.75"), medium_scale=Decimal("0.50"),
)  # fmt: skip
"""The column `unset default` of operations.md 1.4: for profiles without figures of their own."""

HALT_LIMITS = {
    limits.profile: limits
    for limits in (
        HaltLimits(profile="research", breaker=None, ladder=None, max_drawdown=None),
        HaltLimits(
            profile="conservative",
            breaker=BreakerLimits(daily=Decimal("0.025")),
            ladder=LadderLimits(
                soft=Decimal("0.015"), medium=Decimal("0.0225"), hard=Decimal("0.03"),
                soft_scale=Decimal("0.80"), medium_scale=Decimal("0.60"),
            ),
        ),
        HaltLimits(
            profile="balanced",
            breaker=BreakerLimits(daily=Decimal("0.03")),
            ladder=LadderLimits(
                soft=Decimal("0.03"), medium=Decimal("0.04"), hard=Decimal("0.05"),
                soft_scale=Decimal("0.75"), medium_scale=Decimal("0.55"),
            ),
            cooldown_ns=90 * MINUTE,
        ),
        HaltLimits(
            profile="aggressive",
            breaker=BreakerLimits(daily=Decimal("0.04")),
            ladder=LadderLimits(
                soft=Decimal("0.04"), medium=Decimal("0.055"), hard=Decimal("0.07"),
                soft_scale=Decimal("0.70"), medium_scale=Decimal("0.45"),
            ),
            cooldown_ns=120 * MINUTE,
        ),
        HaltLimits(
            profile="perp_small",
            breaker=BreakerLimits(daily=Decimal("0.10"), amount=Decimal(20)),
            ladder=UNSET_LADDER,
        ),
        HaltLimits(
            profile="micro_futures",
            breaker=BreakerLimits(daily=Decimal("0.03"), amount=Decimal(30)),
            ladder=UNSET_LADDER,
            link_exposed_ns=15 * SECOND,
            unknown_ns=10 * SECOND,
            rejects_from=4,
        ),
    )
}  # fmt: skip
"""The limits of every profile."""
