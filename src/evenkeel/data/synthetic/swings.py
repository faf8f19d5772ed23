"""Shapes of volatility, of several timeframes at once, and the four basic ones."""

from __future__ import annotations

from evenkeel.data.synthetic.parameters import Parameters
from evenkeel.data.synthetic.shape import Leg, Shape, Shocks, Wave
from evenkeel.data.synthetic.stream import Draws

CRASH_PLACE = 0.4
CRASH_LENGTH = 0.02
"""Where a crash begins, and how much of the path it takes."""

FURTHER_DECLINE = 0.30
"""What is lost after a crash that goes on, as a fraction of the level after the crash."""

JUMPS = Shocks(probability=0.05, deviations=5.0, block_minutes=15)
"""One quarter of an hour in twenty holds a minute of five standard deviations."""


def vol_squeeze_expand(p: Parameters, draws: Draws) -> Shape:
    """60 % volatility falling to 20 %, 15 % storm that carries the price up, the rest restless."""
    del draws
    storm = _storm(p)
    return Shape([
        Leg(0.6, 1.0, volatility=(1.0, 0.2)),
        Leg(0.75, 1.0 + p.spike, volatility=(storm, storm), volume=(2.0, 2.0), ties=4),
        Leg(1.0, 1.0 + p.spike, volatility=(2.0, 2.0)),
    ], p.volatility_base)  # fmt: skip


def vol_spike_recover(p: Parameters, draws: Draws) -> Shape:
    """A crash of twice the spike at 40 %, made good by 70 %."""
    del draws
    return Shape([*_crash(p), Leg(0.7, 1.0, volatility=(_storm(p), 1.0), ties=4), Leg(1.0, 1.0)], p.volatility_base)


def vol_spike_continue(p: Parameters, draws: Draws) -> Shape:
    """A crash of twice the spike at 40 %, then a further decline by 30 %."""
    del draws
    low = 1.0 - 2.0 * p.spike
    further = Leg(1.0, low * (1.0 - FURTHER_DECLINE), volatility=(_storm(p), 1.0), ties=6)
    return Shape([*_crash(p), further], p.volatility_base)


def vol_decay(p: Parameters, draws: Draws) -> Shape:
    """Volatility that falls from a storm to a squeeze around one level."""
    del draws
    fading = (_storm(p), p.squeeze / p.volatility_base)
    return Shape([Leg(1.0, 1.0, volatility=fading, volume=(2.0, 0.5), ties=20)], p.volatility_base)


def mtf_aligned_bull(p: Parameters, draws: Draws) -> Shape:
    """A trend of T with slow and fast waves on it."""
    del draws
    slow = Wave(0.0, 1.0, cycles=4, height=0.15 * p.trend_magnitude)
    fast = Wave(0.0, 1.0, cycles=20, height=0.05 * p.trend_magnitude)
    return Shape([Leg(1.0, 1.0 + p.trend_magnitude)], p.noise, waves=[slow, fast])


def mtf_pullback_bull(p: Parameters, draws: Draws) -> Shape:
    """A trend of T with half a wave against it between 40 and 60 %."""
    del draws
    pullback = Wave(0.4, 0.6, cycles=0.5, height=-p.pullback_depth * p.trend_magnitude)
    return Shape([Leg(1.0, 1.0 + p.trend_magnitude)], p.noise, waves=[pullback])


def trending(p: Parameters, draws: Draws) -> Shape:
    """A free walk that ends T higher."""
    del draws
    return Shape([Leg(1.0, 1.0 + p.trend_magnitude)], p.volatility_base)


def volatile(p: Parameters, draws: Draws) -> Shape:
    """A free walk in which one quarter of an hour in twenty jumps by five standard deviations."""
    del draws
    return Shape([Leg(1.0, 1.0)], p.volatility_base, shocks=JUMPS)


def multi_tf_aligned(p: Parameters, draws: Draws) -> Shape:
    """A slow and a fast wave with noise."""
    del draws
    slow = Wave(0.0, 1.0, cycles=2, height=0.5 * p.trend_magnitude)
    fast = Wave(0.0, 1.0, cycles=16, height=0.1 * p.trend_magnitude)
    return Shape([Leg(1.0, 1.0)], p.volatility_base, waves=[slow, fast])


def _crash(p: Parameters) -> list[Leg]:
    """Return the calm before a crash of twice the spike, and the crash."""
    low = 1.0 - 2.0 * p.spike
    fall = Leg(CRASH_PLACE + CRASH_LENGTH, low, volatility=(1.0, _storm(p)), volume=(2.0, 3.0))
    return [Leg(CRASH_PLACE, 1.0), fall]


def _storm(p: Parameters) -> float:
    return p.spike / p.volatility_base
