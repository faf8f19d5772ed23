"""How much of the capital each play may use.

    c_i = capital * sum over regimes r of p_r * w_ir

Shares are worked out anew at each close of the detector, and taken over together when one of them changes by 5 percent
of the capital or more, or when one appears or vanishes; smaller changes are ignored. So the shares in force are always
those of one moment and never sum to more than the capital.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal

from evenkeel.model.number import to_decimal
from evenkeel.strategies.playbook.regime import in_force

CHANGE_MIN = Decimal("0.05")
"""A smaller change, in proportion to the capital, is ignored."""

_UNIT = Decimal("0.00000001")


def shares(
    capital: Decimal, probabilities: tuple[float, ...], weights: Sequence[tuple[float, ...]]
) -> tuple[Decimal, ...]:
    """Return the share of each play, rounded down to 1e-8.

    Args:
        capital: What is shared out.
        probabilities: Of each regime.
        weights: Of each play, its weight in each regime.
    """
    known = in_force(probabilities)
    return tuple(
        (capital * to_decimal(min(1.0, sum(p * w for p, w in zip(known, row, strict=True))))).quantize(
            _UNIT, rounding=ROUND_DOWN
        )
        for row in weights
    )


def taken_over(before: tuple[Decimal, ...], after: tuple[Decimal, ...], capital: Decimal) -> tuple[Decimal, ...]:
    """Return the shares in force after new ones were worked out: the new ones, or the old where little has changed."""
    moved = any(
        (old == 0) != (new == 0) or abs(new - old) >= CHANGE_MIN * capital
        for old, new in zip(before, after, strict=True)
    )
    return after if moved else before


def turn_shares(capital: Decimal, turn: int, plays: int) -> tuple[Decimal, ...]:
    """Return the shares of a playbook whose plays take turns: the whole capital for the play whose turn it is."""
    return tuple(capital if number == turn else Decimal(0) for number in range(plays))


def next_turn(turn: int, plays: int) -> int:
    """Return whose turn it is after a trade of the play whose turn it was has closed: the next in the list."""
    return (turn + 1) % plays
