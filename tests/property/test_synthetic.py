"""Whatever the recipe, a generated market is a market: sound bars on the grid, one path for every timeframe."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.data.aggregate import aggregate
from evenkeel.data.calendar import load_calendar
from evenkeel.data.synthetic import EXTENSIONS, REGIMES, Parameters, Recipe, generate
from evenkeel.data.synthetic.parameters import LIMITS
from evenkeel.model.time import HOUR, MINUTE, Timeframe

PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        name: st.integers(int(low), int(high)) if name == "stairs_steps" else st.floats(low, high)
        for name, (low, high) in LIMITS.items()
    },
)
GRIDS = st.sampled_from([("0.1", "0.001", 50_000.0), ("0.25", "1", 4_000.0), ("0.00001", "100", 0.07)])


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    tick, lot, base = draw(GRIDS)
    return Recipe(
        regime=draw(st.sampled_from([*REGIMES, *EXTENSIONS])), minutes=draw(st.integers(100, 3_000)),
        seed=draw(st.integers(-(2**70), 2**70)), base=base, tick=Decimal(tick), lot=Decimal(lot),
        first_open_ns=draw(st.integers(0, 10**6)) * MINUTE, parameters=Parameters.of(draw(PARAMETERS)),
        halts=draw(st.integers(0, 3)), missing=draw(st.sampled_from([0.0, 0.0, 0.01, 0.2])),
    )  # fmt: skip


@given(recipe=recipes())
def test_bars_are_sound_and_on_the_grid(recipe: Recipe) -> None:
    bars = generate(recipe).bars

    assert bars.open[0] == float(round(Decimal(recipe.base) / recipe.tick) * recipe.tick)
    assert (bars.low > 0).all()
    assert (bars.high >= np.maximum(bars.open, bars.close)).all()
    assert (bars.low <= np.minimum(bars.open, bars.close)).all()
    assert (bars.volume >= float(recipe.lot)).all()
    for step, columns in ((recipe.tick, (bars.open, bars.high, bars.low, bars.close)), (recipe.lot, (bars.volume,))):
        for column in columns:
            for value in column[:: max(1, len(column) // 50)].tolist():
                assert float(round(Decimal(value) / step) * step) == value
    assert (bars.close_ns - bars.open_ns == MINUTE).all()
    assert (np.diff(bars.open_ns) % MINUTE == 0).all()
    assert (np.diff(bars.open_ns) > 0).all()
    assert (bars.open_ns[0], bars.close_ns[-1]) == (
        recipe.first_open_ns, recipe.first_open_ns + recipe.minutes * MINUTE
    )  # fmt: skip


@given(recipe=recipes())
def test_equal_recipes_are_equal_markets(recipe: Recipe) -> None:
    assert generate(recipe).digest == generate(recipe).digest


@given(recipe=recipes())
def test_funding_and_open_interest_are_readings_of_the_path(recipe: Recipe) -> None:
    market = generate(recipe)
    start, stop = recipe.first_open_ns, recipe.first_open_ns + recipe.minutes * MINUTE

    for readings, interval, last in ((market.funding, 8 * HOUR, stop - 1), (market.open_interest, HOUR, stop)):
        wanted = [time for time in range(start // interval * interval, last + 1, interval) if time > start]
        assert readings.times_ns.tolist() == wanted
        assert len(readings.values) == len(wanted)
    assert (np.abs(market.funding.values) <= 0.0075).all()
    assert (market.open_interest.values > 0).all()


@given(recipe=recipes(), steps=st.sampled_from([("5m", "1h"), ("15m", "4h"), ("3m", "15m"), ("1h", "D")]))
def test_slower_bars_are_the_path_seen_from_further_away(recipe: Recipe, steps: tuple[str, str]) -> None:
    """T25: 15m bars that signal and 1m bars that fill are the same market."""
    bars, always = generate(recipe).bars, load_calendar("24/7")
    middle, slow = (Timeframe.parse(name) for name in steps)
    length = slow.minutes * MINUTE
    directly = aggregate(bars, slow, always).bars
    first, last = (np.searchsorted(bars.open_ns, directly.open_ns + offset) for offset in (0, length))

    for row, inside in enumerate(slice(*place) for place in zip(first.tolist(), last.tolist(), strict=True)):
        assert directly.open[row] == bars.open[inside][0]
        assert directly.high[row] == bars.high[inside].max()
        assert directly.low[row] == bars.low[inside].min()
        assert directly.close[row] == bars.close[inside][-1]
        assert abs(directly.volume[row] - bars.volume[inside].sum()) < 1e-9 * directly.volume[row]
    by_steps = aggregate(aggregate(bars, middle, always).bars, slow, always).bars
    both = set(directly.open_ns.tolist()) & set(by_steps.open_ns.tolist())
    for start in both:
        one, other = (int(np.searchsorted(each.open_ns, start)) for each in (directly, by_steps))
        assert (directly.high[one], directly.low[one]) == (by_steps.high[other], by_steps.low[other])
