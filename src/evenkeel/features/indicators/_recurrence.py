"""Steps that several indicators share: small functions of numbers, compiled into the kernels that call them."""

from __future__ import annotations

from evenkeel.kernel import inlined


@inlined
def true_range(high, low, close_before, seen):
    """Return the true range of a bar; on the first bar, `seen` 1, it is high less low."""
    inside = high - low
    if seen == 1:
        return inside
    return max(inside, max(abs(high - close_before), abs(low - close_before)))


@inlined
def seeded_average(mean, seen, n, alpha, value):
    """Return the next value of an average that starts at its n-th input with the mean of the first n.

    Before that the running sum takes the place of the mean.
    """
    if seen > n:
        return mean + alpha * (value - mean)
    if seen == n:
        return (mean + value) / n
    return mean + value


@inlined
def average_from_first(mean, seen, alpha, value):
    """Return the next value of an average that starts with its first input, `seen` 1."""
    return mean + alpha * (value - mean) if seen > 1 else value


@inlined
def rising_part(change):
    """Return the change if it is positive, else 0."""
    return change if change > 0.0 else 0.0


@inlined
def directional(move, other):
    """Return the directional movement of a bar: its move one way if that is positive and beats the other way."""
    return move if move > other and move > 0.0 else 0.0


@inlined
def strength_index(gain, loss):
    """Return the share of the gains in all moves, 0 to 100; without any move 50."""
    both = gain + loss
    return 50.0 if both == 0.0 else 100.0 * gain / both


@inlined
def summed(total, error, value):
    """Return a running sum with its rounding error kept apart (Knuth's two-sum): the sum is `total + error`.

    Large values that enter and leave a window take nothing from the small ones that stay.
    """
    grown = total + value
    part = grown - total
    return grown, error + ((total - (grown - part)) + (value - part))


@inlined
def sum_of(a, first, last):
    """Return the sum, and its rounding error, of `a[first]` to `a[last]` inclusive."""
    total, error = 0.0, 0.0
    for i in range(first, last + 1):
        total, error = summed(total, error, a[i])
    return total, error
