"""Which regime holds: confirmed by several closes in a row, and blended so that capital does not jump.

    state = first_state(regimes=3, default=2)
    state = observed(state, 0, hysteresis_bars=3, blend_bars=0)      # once a closed bar of the detector

A regime is *seen* at a close when its rule is the first that is true, and it is *confirmed* once it has been seen at
`hysteresis_bars` closes in a row. Before anything is seen the default is confirmed. The probabilities are an average
over the confirmed regimes, one sample a close: `p += alpha * (q - p)` with q 1 for the confirmed regime and 0 for the
others, alpha = 2 / (blend_bars + 1), and alpha 1 without blending. They always sum to 1.
"""

from __future__ import annotations

import msgspec

from evenkeel.model.errors import require

NEGLIGIBLE = 0.01
"""A smaller probability counts as none, so that an average reaches a regime at last."""


class RegimeState(msgspec.Struct, frozen=True):
    """What is known of the regime after a close.

    Attributes:
        confirmed: Number of the regime that holds.
        seen: Number of the regime at the last closes.
        streak: At how many closes in a row it was seen, `confirmed` itself counting none.
        probabilities: Of each regime; they sum to 1.
    """

    confirmed: int
    seen: int
    streak: int
    probabilities: tuple[float, ...]


def first_state(*, regimes: int, default: int) -> RegimeState:
    """Return the state before any close: the default holds.

    Args:
        regimes: How many there are.
        default: Number of the one that holds when no rule is true.
    """
    require(0 <= default < regimes, "the default is one of the regimes", was=default)
    return RegimeState(default, default, 0, tuple(1.0 if n == default else 0.0 for n in range(regimes)))


def observed(state: RegimeState, seen: int, *, hysteresis_bars: int, blend_bars: int) -> RegimeState:
    """Return the state after one more close.

    Args:
        state: Before it.
        seen: Number of the regime whose rule was the first that was true.
        hysteresis_bars: Closes in a row that confirm a regime.
        blend_bars: Length of the average over confirmed regimes; 0 switches at once.
    """
    require(0 <= seen < len(state.probabilities), "what is seen is one of the regimes", was=seen)
    streak = 0 if seen == state.confirmed else 1 + (state.streak if seen == state.seen else 0)
    confirmed = seen if streak >= hysteresis_bars else state.confirmed
    return RegimeState(
        confirmed, seen, 0 if seen == confirmed else streak, blended(state.probabilities, confirmed, blend_bars)
    )


def blended(probabilities: tuple[float, ...], confirmed: int, blend_bars: int) -> tuple[float, ...]:
    """Return the probabilities after one more close at which a regime stands confirmed."""
    alpha = 2.0 / (blend_bars + 1.0) if blend_bars > 1 else 1.0
    return tuple(p + alpha * ((1.0 if n == confirmed else 0.0) - p) for n, p in enumerate(probabilities))


def in_force(probabilities: tuple[float, ...]) -> tuple[float, ...]:
    """Return the probabilities without the negligible ones; they sum to 1 again."""
    kept = tuple(0.0 if p < NEGLIGIBLE else p for p in probabilities)
    whole = sum(kept)
    return tuple(p / whole for p in kept)
