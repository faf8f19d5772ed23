"""A generated market: bars, funding and open interest of one recipe, and the digest that names them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

from evenkeel.data.synthetic.absence import without_absent
from evenkeel.data.synthetic.candles import candles
from evenkeel.data.synthetic.path import trace
from evenkeel.data.synthetic.perpetual import Readings, funding_of, open_interest_of
from evenkeel.data.synthetic.recipe import Recipe
from evenkeel.data.synthetic.regimes import regime_of
from evenkeel.data.synthetic.stream import Column, Draws, key_of
from evenkeel.model.bar import Bars

DIGEST_LENGTH = 12


@dataclass(frozen=True)
class SyntheticMarket:
    """What a recipe gives.

    Attributes:
        recipe: Everything that it depends on.
        bars: One-minute bars; slower ones are aggregated from them as everywhere.
        funding: Rates per eight hours, positive where long positions pay, at 00, 08 and 16 o'clock UTC.
        open_interest: Units, at every full hour.
    """

    recipe: Recipe
    bars: Bars
    funding: Readings
    open_interest: Readings

    @cached_property
    def digest(self) -> str:
        """The first 12 hexadecimal digits of the SHA-256 over the little-endian bytes of all columns."""
        bars = self.bars
        columns = [bars.open_ns, bars.close_ns, bars.open, bars.high, bars.low, bars.close, bars.volume]
        total = hashlib.sha256()
        for column in (*columns, *self.funding, *self.open_interest):
            total.update(column.astype(column.dtype.newbyteorder("<")).tobytes())
        return total.hexdigest()[:DIGEST_LENGTH]


def generate(recipe: Recipe) -> SyntheticMarket:
    """Return the market of a recipe: the same bytes on every platform."""
    key = key_of(recipe.regime, recipe.seed)
    shape = regime_of(recipe.regime).shape(recipe.parameters, Draws(key, Column.SHAPE))
    whole = candles(trace(shape, key, recipe.minutes), recipe, key)
    bars = without_absent(whole, key, halts=recipe.halts, missing=recipe.missing)
    return SyntheticMarket(recipe, bars, funding_of(whole, key), open_interest_of(whole, recipe, key))
