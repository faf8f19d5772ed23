"""Levels at shares of the range between a high and a low: what fibonacci and derived zones share."""

from __future__ import annotations

from evenkeel.kernel import inlined

RETRACEMENT, EXTENSION, EXTENSION_UP, EXTENSION_DOWN = 0.0, 1.0, 2.0, 3.0
"""Modes, in the order in which the parameters list them."""

BULLISH, BEARISH = 1.0, 2.0
WAYS = ("none", "bullish", "bearish")


@inlined
def origin_and_step(mode, directional, way, high, low):
    """Return where share 0 lies and how far from it share 1: a level is `origin + share * step`.

    A retracement goes from the high down, when directional and bearish from the low up. An extension goes from the
    high further up, when bearish from the low further down; two modes force a side.
    """
    extent = high - low
    if mode == RETRACEMENT:
        if directional and way == BEARISH:
            return low, extent
        return high, -extent
    if mode == EXTENSION_UP or (mode == EXTENSION and way == BULLISH):
        return high, extent
    return low, -extent
