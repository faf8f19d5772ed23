"""How near is equal: the tolerances of the audit, and the few roundings that it shares among its checks.

The engine computes in float64 and rounds each posting once to 1e-8 of the account currency. The audit computes the
same in `Decimal` and allows exactly what float64 may lose on the way, no more:

* a price: 1e-12 of itself;
* a price or quantity before it is rounded to its grid: 2e-12 of itself;
* a posting: half of 1e-8, which rounding takes, plus 2e-15 of the notional, which float64 takes;
* a sum of postings inside the files of the run: nothing; where `result.json` writes it as a JSON number, 0.5e-8 or,
  for large sums, 1e-12 of itself;
* a statistic: 1e-9 of itself (or of 1, where it is smaller).
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

PRICE_TOLERANCE = Decimal("1e-12")
GRID_TOLERANCE = Decimal("2e-12")
POSTING_TOLERANCE = Decimal("0.5e-8")
FLOAT_TOLERANCE = Decimal("2e-15")
STATISTIC_TOLERANCE = Decimal("1e-9")

CENT = Decimal("1e-8")
"""The smallest amount of money that is posted."""

ZERO = Decimal(0)
ONE = Decimal(1)
HUNDRED = Decimal(100)


def exact(value: float) -> Decimal:
    """Return the shortest decimal that reads back as the same float64."""
    return Decimal(repr(value))


def same_price(recorded: Decimal, derived: Decimal) -> bool:
    """Whether two prices differ by no more than float64 arithmetic explains."""
    return abs(recorded - derived) <= PRICE_TOLERANCE * abs(derived)


def same_posting(recorded: Decimal, derived: Decimal, *, notional: Decimal) -> bool:
    """Whether a recorded posting is `derived` rounded to 1e-8.

    Args:
        notional: The largest amount inside the computation; it scales what float64 may lose.
    """
    return abs(recorded - derived) <= POSTING_TOLERANCE + FLOAT_TOLERANCE * abs(notional)


def same_money(recorded: Decimal, derived: Decimal) -> bool:
    """Whether an amount of money in a summary is `derived`, which may have become a float64 on the way."""
    return abs(recorded - derived) <= max(POSTING_TOLERANCE, PRICE_TOLERANCE * abs(derived))


def same_statistic(recorded: Decimal | None, derived: Decimal | None) -> bool:
    """Whether two statistics agree; one that does not exist agrees only with another that does not."""
    if recorded is None or derived is None:
        return recorded is derived
    return abs(recorded - derived) <= STATISTIC_TOLERANCE * max(ONE, abs(derived))


def ratio(numerator: Decimal, denominator: Decimal) -> Decimal | None:
    """Return the quotient, or None where it does not exist."""
    return None if denominator == 0 else numerator / denominator


def shown(amount: Decimal) -> str:
    """Return the shortest plain text of an amount, for a message."""
    return f"{amount.normalize() + 0:f}"


def on_grid(value: Decimal, step: Decimal) -> bool:
    """Whether `value` is a whole number of steps."""
    return value % step == 0


def floors(value: Decimal, step: Decimal) -> set[Decimal]:
    """Return the multiples of `step` that `value`, rounded down, may become.

    There are two where `value` lies so little below a multiple that float64 cannot tell it from that.
    """
    nearly = value + GRID_TOLERANCE * abs(value)
    return {(end / step).to_integral_value(ROUND_FLOOR) * step for end in (value, nearly)}


def ceilings(value: Decimal, step: Decimal) -> set[Decimal]:
    """Return the multiples of `step` that `value`, rounded up, may become."""
    return {-multiple for multiple in floors(-value, step)}
