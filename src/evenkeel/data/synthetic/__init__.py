"""Generated markets: every regime that a strategy should meet once, the same bytes on every platform.

Only integers of a counter, addition, subtraction, multiplication, division and square roots make them, and every price
ends on the tick and every volume on the lot. The path is generated once, minute by minute; slower bars are aggregated
from it by the one kernel, so no two timeframes can contradict each other.

    market = generate(Recipe(regime="trend_up_clean", minutes=43_200, seed=42))
    market.bars, market.digest

They serve tests and first steps. What a strategy earns here says nothing of what it will earn.
"""

from evenkeel.data.synthetic.market import SyntheticMarket, generate
from evenkeel.data.synthetic.parameters import LIMITS, Parameters
from evenkeel.data.synthetic.perpetual import Readings
from evenkeel.data.synthetic.recipe import MINUTES_MAX, MINUTES_MIN, Recipe, bars_max, minutes_of
from evenkeel.data.synthetic.regimes import EXTENSIONS, REGIMES, Regime, regime_of
from evenkeel.data.synthetic.stream import normals, split_mix, uniforms
from evenkeel.data.synthetic.walk import Walk, random_walk

__all__ = [
    "EXTENSIONS", "LIMITS", "MINUTES_MAX", "MINUTES_MIN", "REGIMES", "Parameters", "Readings",
    "Recipe", "Regime", "SyntheticMarket", "Walk", "bars_max", "generate", "minutes_of", "normals", "random_walk",
    "regime_of", "split_mix", "uniforms",
]  # fmt: skip
