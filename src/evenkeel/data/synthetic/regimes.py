"""The regimes by name: the 34 of the play specification in the order of its table, and the extensions."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import NamedTuple, TypeAlias

from evenkeel.data.synthetic import extensions, ranges, swings, trends
from evenkeel.data.synthetic.parameters import Parameters
from evenkeel.data.synthetic.shape import Shape, mirrored
from evenkeel.data.synthetic.stream import Draws
from evenkeel.model.errors import UsageError

Draw: TypeAlias = Callable[[Parameters, Draws], Shape]


class Regime(NamedTuple):
    """A kind of market.

    Attributes:
        group: What it is about.
        summary: Its path in one line; T is `trend_magnitude`.
        shape: Draws it.
    """

    group: str
    summary: str
    shape: Draw


def _mirror(shape: Draw) -> Draw:
    return lambda p, draws: mirrored(shape(p, draws))


_TABLE: dict[str, Regime] = {
    "trend_up_clean": Regime("trend", "up T in 70 %, 15 % retracement, 15 % resumption", trends.trend_clean),
    "trend_down_clean": Regime("trend", "the same downwards", _mirror(trends.trend_clean)),
    "trend_grinding": Regime("trend", "up half of T over the whole path, hardly any noise", trends.trend_grinding),
    "trend_parabolic": Regime("trend", "up T, four times as fast at the end as at the start", trends.trend_parabolic),
    "trend_exhaustion": Regime("trend", "up T in 60 %, a nervous stall, 0.6 T lost again", trends.trend_exhaustion),
    "trend_stairs": Regime("trend", "up T in four steps, each an advance and a pause", trends.trend_stairs),
    "range_tight": Regime("range", "pulled back to the base price at every step, squeezed", ranges.range_tight),
    "range_wide": Regime("range", "a walk between two walls, much noise", ranges.range_wide),
    "range_ascending": Regime("range", "four swings between a flat top and rising support", ranges.range_ascending),
    "range_descending": Regime(
        "range", "four swings between a falling top and flat support", _mirror(ranges.range_ascending)
    ),
    "reversal_v_bottom": Regime("reversal", "down T, at half of the path up again", trends.reversal_v_bottom),
    "reversal_v_top": Regime("reversal", "up T, at half of the path down again", _mirror(trends.reversal_v_bottom)),
    "reversal_double_bottom": Regime(
        "reversal", "bottoms of T at 25 and 75 %, half retraced between", trends.reversal_double_bottom
    ),
    "reversal_double_top": Regime(
        "reversal", "tops of T at 25 and 75 %, half retraced between", _mirror(trends.reversal_double_bottom)
    ),
    "breakout_clean": Regime(
        "breakout", "60 % range, a break of 0.3 T, 0.5 T of follow-through", trends.breakout_clean
    ),
    "breakout_false": Regime(
        "breakout", "50 % range, a poke above it, collapse, drift under it", trends.breakout_false
    ),
    "breakout_retest": Regime("breakout", "40 % range, a break, back to the edge, up 0.5 T", trends.breakout_retest),
    "vol_squeeze_expand": Regime("volatility", "calmer and calmer for 60 %, then a storm", swings.vol_squeeze_expand),
    "vol_spike_recover": Regime("volatility", "a crash at 40 %, made good by 70 %", swings.vol_spike_recover),
    "vol_spike_continue": Regime("volatility", "a crash at 40 %, then 30 % further down", swings.vol_spike_continue),
    "vol_decay": Regime("volatility", "from a storm to a squeeze around one level", swings.vol_decay),
    "liquidity_hunt_lows": Regime(
        "liquidity", "50 % range, a sweep under it, recovery, up 0.3 T", ranges.liquidity_hunt_lows
    ),
    "liquidity_hunt_highs": Regime(
        "liquidity", "50 % range, a sweep over it, recovery, down 0.3 T", _mirror(ranges.liquidity_hunt_lows)
    ),
    "choppy_whipsaw": Regime("liquidity", "pushes up and down in turn within 5 %", ranges.choppy_whipsaw),
    "accumulation": Regime("liquidity", "a quiet drift up by 0.3 T on rising volume", ranges.accumulation),
    "distribution": Regime("liquidity", "a quiet drift down by 0.3 T on falling volume", ranges.distribution),
    "mtf_aligned_bull": Regime("multi-tf", "up T with slow and fast waves", swings.mtf_aligned_bull),
    "mtf_aligned_bear": Regime("multi-tf", "down T with slow and fast waves", _mirror(swings.mtf_aligned_bull)),
    "mtf_pullback_bull": Regime("multi-tf", "up T with a pullback from 40 to 60 %", swings.mtf_pullback_bull),
    "mtf_pullback_bear": Regime(
        "multi-tf", "down T with a pullback from 40 to 60 %", _mirror(swings.mtf_pullback_bull)
    ),
    "trending": Regime("basic", "a free walk that ends T higher", swings.trending),
    "ranging": Regime("basic", "a walk that is pulled back, between two walls", ranges.ranging),
    "volatile": Regime("basic", "a free walk with jumps of five standard deviations", swings.volatile),
    "multi_tf_aligned": Regime("basic", "a slow and a fast wave with noise", swings.multi_tf_aligned),
}

_EXTENSIONS: dict[str, Regime] = {
    "displacement_impulse": Regime(
        "structure", "quiet stretches left by fast moves that keep their way", extensions.displacement_impulse
    ),
    "trending_with_gaps": Regime("structure", "up T, half of it in eight gaps", extensions.trending_with_gaps),
    "equal_highs_lows": Regime(
        "structure", "equal highs and lows, a sweep of the highs, then down", extensions.equal_highs_lows
    ),
    "ob_retest": Regime("structure", "a dip, an impulse out of it, the return into it, up T", extensions.ob_retest),
}

REGIMES: tuple[str, ...] = tuple(_TABLE)
"""The names of the 34 regimes in the order of the specification."""

EXTENSIONS: tuple[str, ...] = tuple(_EXTENSIONS)
"""Names of shapes beyond them."""


def regime_of(name: str) -> Regime:
    """Return the regime of that name.

    Raises:
        UsageError: If there is none; the message offers the nearest names.
    """
    found = _TABLE.get(name) or _EXTENSIONS.get(name)
    if found is None:
        near = get_close_matches(name.lower(), (*REGIMES, *EXTENSIONS), n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else "."
        raise UsageError(
            f"there is no regime '{name}'{hint} `keel data synth --list` shows all", reason="UNKNOWN_REGIME"
        )
    return found
