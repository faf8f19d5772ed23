"""The health of a strategy by its closed trades: active, throttled or in quarantine.

Two losses in a row, or a negative expectancy over at least five trades, put it into quarantine; there only two wins
in a row, of shadow trades as it has no others, bring it back, and it starts with an empty record. A win rate under 40 %
over at least three trades throttles: costs count 1.2 times, under 30 % 1.5 times. One trade moves it by one step.
Source: operations.md 1.3 row 41; the least numbers of trades belief.md 8.2. A break-even neither extends nor resets.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

STREAK = 2
EXPECTANCY_TRADES = 5
RATE_TRADES = 3
MILD_RATE, HEAVY_RATE = Decimal("0.40"), Decimal("0.30")
MILD_COSTS, HEAVY_COSTS = Decimal("1.2"), Decimal("1.5")


class Health(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What the trades of a strategy say of it.

    Attributes:
        quarantined: Whether it may not enter.
        losses_in_row: Closed trades with a loss since the last win.
        session_losses: Of them, those of the session.
        wins_in_row: Closed trades with a win since the last loss.
        trades: Since the record began.
        wins: Of them.
        net: What they brought together, after fees and funding.
    """

    quarantined: bool = False
    losses_in_row: int = 0
    session_losses: int = 0
    wins_in_row: int = 0
    trades: int = 0
    wins: int = 0
    net: Decimal = Decimal(0)

    @property
    def cost_factor(self) -> Decimal:
        """What expected costs are multiplied with: 1, or more where the strategy is throttled."""
        if self.trades < RATE_TRADES or self.wins >= MILD_RATE * self.trades:
            return Decimal(1)
        return MILD_COSTS if self.wins >= HEAVY_RATE * self.trades else HEAVY_COSTS


def judged(health: Health, net: Decimal) -> Health:
    """Return the health after one more closed trade.

    Args:
        health: Before.
        net: What the trade brought, after fees and funding.
    """
    after = Health(
        quarantined=health.quarantined,
        losses_in_row=_row(health.losses_in_row, extends=net < 0, ends=net > 0),
        session_losses=_row(health.session_losses, extends=net < 0, ends=net > 0),
        wins_in_row=_row(health.wins_in_row, extends=net > 0, ends=net < 0),
        trades=health.trades + 1,
        wins=health.wins + (net > 0),
        net=health.net + net,
    )
    if health.quarantined:
        return Health() if after.wins_in_row >= STREAK else after
    ill = after.losses_in_row >= STREAK or (after.trades >= EXPECTANCY_TRADES and after.net < 0)
    return msgspec.structs.replace(after, quarantined=True, wins_in_row=0) if ill else after


def session_opened(health: Health) -> Health:
    """Return the health at the opening of a session."""
    return msgspec.structs.replace(health, session_losses=0)


def _row(count: int, *, extends: bool, ends: bool) -> int:
    if extends:
        return count + 1
    return 0 if ends else count
