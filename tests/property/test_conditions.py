"""The condition language against `reference.language`: each node by its table, and random trees through whole plays."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import desk
from evenkeel.data.calendar import load_calendar
from evenkeel.features import conditions as nodes
from evenkeel.features.graph import GraphBuilder
from evenkeel.features.node import Node
from evenkeel.features.registry import find_indicator, find_structure
from evenkeel.features.timeline import FeatureRun, Series
from evenkeel.model.bar import Bars, Floats
from evenkeel.model.time import Timeframe
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.lower import lower
from evenkeel.strategies.play.problems import PlayErrors
from reference import language
from reference.wiring import compute, feed

EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True)

Rng = np.random.Generator
NAN = math.nan


def missing(value: float) -> float | None:
    """Return a number of a row as the reference has it."""
    return None if math.isnan(value) else float(value)


def truth(value: float) -> bool | None:
    """Return a truth of a row as the reference has it."""
    assert math.isnan(value) or value in (0.0, 1.0)
    return None if math.isnan(value) else bool(value == 1.0)


def row(value: float | bool | None) -> float:
    return NAN if value is None else float(value)


def run_node(node: Node, columns: list[Floats], params: dict[str, Any], edges: list[int]) -> Floats:
    """Return the output of one node over columns fed in pieces."""
    builder = GraphBuilder()
    rows = [builder.column(f"c{place}") for place in range(len(columns))]
    outputs = builder.add(node, rows, params)
    named = {f"c{place}": column for place, column in enumerate(columns)}
    result: Floats = feed(builder.build().start(max(1, len(columns[0]))), outputs, named, edges)[0]
    return result


Rule = Callable[..., "float | bool | None"]
NUMBERS = [NAN, -2.0, -1.0, 0.0, 0.5, 1.0, 3.0]
TRUTHS = [NAN, 0.0, 1.0]

OF_NUMBERS: dict[str, tuple[Node, dict[str, Any], Rule]] = {
    "greater": (nodes.greater, {}, lambda a, b: language.compare(">", a, b)),
    "greater_equal": (nodes.greater_equal, {}, lambda a, b: language.compare(">=", a, b)),
    "equal": (nodes.equal, {}, lambda a, b: language.compare("==", a, b)),
    "between": (nodes.between, {}, language.between),
    "near_abs": (nodes.near_abs, {"tolerance": 0.5}, lambda a, b: language.near_abs(a, b, 0.5)),
    "near_pct": (nodes.near_pct, {"fraction": 0.5}, lambda a, b: language.near_pct(a, b, 0.5)),
    "add": (nodes.add, {}, lambda a, b: language.arithmetic("+", a, b)),
    "subtract": (nodes.subtract, {}, lambda a, b: language.arithmetic("-", a, b)),
    "multiply": (nodes.multiply, {}, lambda a, b: language.arithmetic("*", a, b)),
    "divide": (nodes.divide, {}, lambda a, b: language.arithmetic("/", a, b)),
    "modulo": (nodes.modulo, {}, lambda a, b: language.arithmetic("%", a, b)),
    "mean_of_two": (nodes.mean_of_two, {}, lambda a, b: None if None in (a, b) else (a + b) / 2),
    "mean_of_three": (nodes.mean_of_three, {}, lambda a, b, c: None if None in (a, b, c) else (a + b + c) / 3),
}  # fmt: skip
OF_TRUTHS: dict[str, tuple[Node, Rule]] = {
    "both": (nodes.both, language.both),
    "either": (nodes.either, language.either),
    "negation": (nodes.negation, language.negation),
    "met": (nodes.met, lambda a: a is True),
    "met_without": (nodes.met_without, lambda a, b: a is True and b is not True),
}


def all_combinations(values: list[float], count: int) -> list[Floats]:
    table = np.array(list(itertools.product(values, repeat=count)))
    return [np.ascontiguousarray(table[:, place]) for place in range(count)]


@pytest.mark.parametrize("name", OF_NUMBERS)
def test_a_node_of_numbers_gives_for_every_pair_what_the_language_says(name: str) -> None:
    node, params, rule = OF_NUMBERS[name]
    columns = all_combinations(NUMBERS, len(node.inputs))

    found = run_node(node, columns, params, [0, len(columns[0])])

    expected = [row(rule(*map(missing, values))) for values in zip(*columns, strict=True)]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", OF_TRUTHS)
def test_a_connective_gives_for_every_pair_what_kleene_says(name: str) -> None:
    node, rule = OF_TRUTHS[name]
    columns = all_combinations(TRUTHS, len(node.inputs))

    found = run_node(node, columns, {}, [0, len(columns[0])])

    expected = [row(rule(*map(truth, values))) for values in zip(*columns, strict=True)]
    np.testing.assert_array_equal(found, expected)


def test_the_mean_of_four_is_that_of_an_open_high_low_close() -> None:
    columns = all_combinations([NAN, 1.0, 4.0], 4)

    found = run_node(nodes.mean_of_four, columns, {}, [0, 81])

    np.testing.assert_array_equal(found, (columns[0] + columns[1] + columns[2] + columns[3]) / 4)


def test_an_overflowing_division_is_missing_and_no_infinity() -> None:
    found = run_node(nodes.divide, [np.array([1e300, -1e300, 1.0]), np.array([1e-300, 1e-300, 0.5])], {}, [0, 3])

    np.testing.assert_array_equal(found, [NAN, NAN, 2.0])


@pytest.mark.parametrize(
    ("price", "level", "buffer", "side", "most", "fallback", "distance"),
    [
        (100.0, 98.0, 0.5, 1, None, None, 2.5),
        (100.0, 102.0, 0.5, -1, None, None, 2.5),
        (100.0, 102.0, 0.5, 1, None, None, NAN),
        (100.0, 102.0, 0.5, 1, None, 0.03, 3.0),
        (100.0, 98.0, 0.5, 1, 0.025, None, 2.5),
        (100.0, 98.0, 0.6, 1, 0.025, None, NAN),
        (100.0, 98.0, 0.6, 1, 0.025, 0.01, 1.0),
        (100.0, 100.0, 5.0, 1, None, None, NAN),
        (100.0, NAN, 0.5, 1, None, 0.01, 1.0),
        (100.0, NAN, 0.5, 1, None, None, NAN),
        (100.0, 98.0, NAN, 1, None, 0.01, 1.0),
        (NAN, 98.0, 0.5, 1, None, 0.01, NAN),
    ],
)
def test_the_distance_to_a_level_is_used_only_where_it_protects(
    price: float, level: float, buffer: float, side: float, most: float | None, fallback: float | None, distance: float
) -> None:
    """plays.md 1.11: on the wrong side, missing, or farther than the most: the fallback, and if none no entry."""
    params = {"side": side, "max_fraction": most, "fallback_fraction": fallback}

    found = run_node(nodes.level_distance, [np.array([v]) for v in (price, level, buffer)], params, [0, 1])

    np.testing.assert_array_equal(found, [distance])


@st.composite
def pieces(draw: st.DrawFn, count: int) -> list[int]:
    return [0, *sorted(draw(st.lists(st.integers(0, count), max_size=8))), count]


@EXAMPLES
@given(data=st.data())
def test_a_window_gives_for_every_sample_what_the_language_says(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 40), label="bars")
    values = data.draw(st.lists(st.sampled_from(TRUTHS), min_size=count, max_size=count), label="truths")
    samples, stride = data.draw(st.integers(1, 7), label="samples"), data.draw(st.integers(1, 4), label="stride")
    needed = data.draw(st.integers(1, samples), label="needed")
    params = {"samples": samples, "stride": stride, "needed": needed}

    found = run_node(nodes.count_window, [np.array(values)], params, data.draw(pieces(count)))

    for bar in range(count):
        sampled = [truth(values[bar - k * stride]) if bar >= k * stride else None for k in range(samples)]
        assert truth(found[bar]) == language.count_true(sampled, needed), bar


@EXAMPLES
@given(data=st.data())
def test_a_cross_and_a_lag_look_one_bar_and_some_bars_back(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 30), label="bars")
    numbers = st.lists(st.sampled_from(NUMBERS), min_size=count, max_size=count)
    a, b = data.draw(numbers, label="a"), data.draw(numbers, label="b")
    edges, ago = data.draw(pieces(count)), data.draw(st.integers(1, 5), label="bars ago")

    crossed = run_node(nodes.cross_above, [np.array(a), np.array(b)], {}, edges)
    before = run_node(nodes.lag, [np.array(a)], {"bars": ago}, edges)

    for bar in range(count):
        now, then = (missing(a[bar]), missing(b[bar])), (None, None)
        if bar:
            then = (missing(a[bar - 1]), missing(b[bar - 1]))
        assert truth(crossed[bar]) == language.cross_above(now, then), bar
        np.testing.assert_array_equal(before[bar], a[bar - ago] if bar >= ago else NAN)


FEATURES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "ema_e": ("ema", "3m", {"length": 4}),
    "sma_f": ("sma", "1m", {"length": 7}),
    "rsi_s": ("rsi", "15m", {"length": 2}),
    "st_e": ("supertrend", "3m", {"length": 3, "multiplier": 1.0}),
    "st_s": ("supertrend", "15m", {"length": 2, "multiplier": 0.7}),
    "ema_s": ("ema", "15m", {"length": 2}),
}
EXEC = Timeframe.parse("3m")
STRIDES = {1: "3m", 5: "15m"}
MINUTES = 900


@pytest.fixture(scope="module")
def base() -> Bars:
    rng = np.random.default_rng(77)
    close = 100 + np.cumsum(rng.integers(-4, 5, MINUTES)) / 20
    opened = np.concatenate([[100.0], close[:-1]])
    reach = rng.integers(0, 3, (2, MINUTES)) / 20
    rows = [opened, np.maximum(opened, close) + reach[0], np.minimum(opened, close) - reach[1], close]
    return desk.bars(np.column_stack([*rows, rng.integers(0, 9, MINUTES)]).round(2).tolist())


@pytest.fixture(scope="module")
def spoken(base: Bars) -> language.Language:
    """The reference over the same bars: features as they stand on their own bars, nothing held, nothing shifted."""
    stretch = Series(base, load_calendar("24/7"))
    series: dict[str, language.Series] = {}
    for name, (kind, tf, params) in FEATURES.items():
        bars = stretch.on(Timeframe.parse(tf)).bars
        outputs = compute(find_indicator(kind), stretch.columns(Timeframe.parse(tf)), params)
        for output, values in outputs.items():
            series[f"{name}.{output}"] = language.Series(bars.close_ns.tolist(), values.tolist())
    for tf, key in (("3m", "sw_e"), ("15m", "sw_s")):
        bars = stretch.on(Timeframe.parse(tf)).bars
        outputs = compute(
            find_structure("swing"),
            stretch.columns(Timeframe.parse(tf)),
            {"left": 2, "right": 2},
            absent=frozenset({"atr"}),
        )
        for output in ("high_level", "low_level", "version", "high_accepted"):
            series[f"{key}.{output}"] = language.Series(bars.close_ns.tolist(), outputs[output].tolist())
    bars = stretch.on(EXEC).bars
    for name in ("open", "high", "low", "close", "volume"):
        series[name] = language.Series(bars.close_ns.tolist(), getattr(bars, name).tolist())
    return language.Language(bars.close_ns.tolist(), series)


PRICES = (
    "open", "high", "low", "close", "ema_e.value", "sma_f.value", "ema_s.value", "st_e.trend", "st_e.long",
    "st_e.short", "st_s.long", "st_s.short", "sw_e.high_level", "sw_e.low_level", "sw_s.high_level",
)  # fmt: skip
WHOLE = ("st_e.direction", "st_s.direction", "sw_e.version", "sw_s.version")


def pick(rng: Rng, *choices: Any) -> Any:
    return choices[int(rng.integers(len(choices)))]


def price(rng: Rng, depth: int = 1) -> Any:
    kind = pick(rng, "ref", "ref", "ref", "arith") if depth else "ref"
    if kind == "arith":
        op = pick(rng, "+", "-", "*", "/", "%")
        right = pick(rng, ("num", pick(rng, 0.5, 1.01, 3)), price(rng, 0), ("arith", "-", price(rng, 0), price(rng, 0)))
        return ("arith", op, price(rng, depth - 1), right)
    return ("ref", pick(rng, *PRICES), int(pick(rng, 0, 0, 0, 1, 2, 5)))


def tree(rng: Rng, depth: int) -> Any:
    """Return a random condition."""
    kind = pick(rng, "cmp", "all", "any", "not", "window") if depth else "cmp"
    if kind in ("all", "any"):
        return (kind, [tree(rng, depth - 1) for _ in range(int(rng.integers(1, 4)))])
    if kind == "not":
        return ("not", tree(rng, depth - 1))
    if kind == "window":
        samples = int(rng.integers(1, 7))
        name = pick(rng, "holds_for", "occurred_within", "count_true")
        return ("window", name, samples, int(rng.integers(1, samples + 1)), pick(rng, 1, 1, 5), tree(rng, depth - 1))
    form = pick(rng, "order", "order", "cross", "between", "near_abs", "near_pct", "whole", "in", "bool")
    if form == "between":
        return ("between", price(rng), price(rng), price(rng))
    if form == "near_abs":
        return (form, price(rng), price(rng), pick(rng, 0.05, 0.2, 1.0))
    if form == "near_pct":
        return (form, price(rng), price(rng), pick(rng, 0.1, 0.5))
    if form == "whole":
        left, right = (("ref", pick(rng, *WHOLE), int(pick(rng, 0, 0, 1, 3))) for _ in range(2))
        return ("cmp", pick(rng, "==", "!="), left, pick(rng, right, ("num", pick(rng, -1, 0, 1, 7))))
    if form == "in":
        return ("in", ("ref", pick(rng, *WHOLE), 0), pick(rng, (1,), (-1, 3), (0, 1, 2, 5, 8)))
    if form == "bool":
        return (
            "cmp",
            pick(rng, "==", "!="),
            ("ref", pick(rng, "sw_e.high_accepted", "sw_s.high_accepted"), 0),
            ("num", pick(rng, True, False)),
        )
    op = pick(rng, "cross_above", "cross_below") if form == "cross" else pick(rng, ">", "<", ">=", "<=")
    right = pick(rng, price(rng), ("num", pick(rng, 99.5, 100, 101)))
    if rng.random() < 0.2 and form != "cross":
        return ("cmp", op, ("ref", "rsi_s.value", 0), ("num", pick(rng, 30, 50, 70)))
    return ("cmp", op, price(rng), right)


def play_text(condition: Any, *, setup: bool = False) -> str:
    written = language.yaml_of(condition, stride_names=STRIDES)
    document = {
        "version": "3.0.0", "name": "condition", "symbol": "X",
        "timeframes": {"low_tf": "1m", "med_tf": "3m", "high_tf": "15m", "exec": "med_tf"},
        "account": {"max_drawdown_pct": 100},
        "features": {
            name: {"indicator": kind, "tf": tf, "params": params} for name, (kind, tf, params) in FEATURES.items()
        },
        "structures": {
            role: [{"type": "swing", "key": key, "params": {"left": 2, "right": 2}}]
            for role, key in (("exec", "sw_e"), ("high_tf", "sw_s"))
        },
        "setups": {"named": {"all": [written]}} if setup else {},
        "actions": {"entry_long": [{"setup": "named"}] if setup else {"all": [written]}},
        "risk": {"stop_loss_pct": 1, "take_profit_pct": 1},
    }  # fmt: skip
    return yaml.safe_dump({key: value for key, value in document.items() if value != {}})


def spoken_by_graph(text: str, base: Bars, block: int) -> list[bool]:
    """Return at each execution bar whether the entry of a play is wished."""
    lowered = lower(load_play(text, instruments=lambda _: desk.instrument()))
    run = FeatureRun(lowered.program, Series(base, load_calendar("24/7")), block=block)
    found: list[bool] = []
    while run.advance():
        part = run.x[lowered.emitted[0].row, run.column + run.start : run.column + run.stop]
        assert set(np.unique(part)) <= {0.0, 1.0}
        found += (part == 1.0).tolist()
    return found


@pytest.mark.parametrize("first", range(0, 240, 60))
def test_random_trees_speak_where_the_language_says(first: int, base: Bars, spoken: language.Language) -> None:
    """Windows, offsets, arithmetic and crosses over three timeframes; at the root unknown is not met."""
    met = unmet = 0
    for seed in range(first, first + 60):
        rng = np.random.default_rng(seed)
        condition = tree(rng, 3)
        text = play_text(condition, setup=bool(seed % 2))

        found = spoken_by_graph(text, base, int(pick(rng, 1, 37, 2048)))

        expected = [spoken.truth(condition, bar) is True for bar in range(len(found))]
        assert found == expected, f"tree {seed}: {condition}"
        met, unmet = met + sum(expected), unmet + len(expected) - sum(expected)
    assert met > 1000
    assert unmet > 1000


def test_a_negation_over_missing_data_never_fires(base: Bars) -> None:
    """Trap T5: whatever the order of the children."""
    early = ("cmp", ">", ("ref", "st_s.long", 0), ("num", 0))
    false = ("cmp", "<", ("ref", "close", 0), ("num", 0))
    for children in ([early, false], [false, early]):
        assert not any(spoken_by_graph(play_text(("not", ("any", children))), base, 64)[:10])
        assert all(spoken_by_graph(play_text(("not", ("all", children))), base, 64))


def test_a_cross_needs_the_bar_before_and_counts_equality_as_not_yet_above(base: Bars) -> None:
    above = spoken_by_graph(play_text(("cmp", "cross_above", ("ref", "close", 0), ("num", 100))), base, 64)
    close = Series(base, load_calendar("24/7")).on(EXEC).bars.close

    expected = [bar > 0 and close[bar - 1] <= 100 < close[bar] for bar in range(len(close))]
    assert above == expected
    assert any(close[bar - 1] == 100 and above[bar] for bar in range(1, len(close)))


def test_words_of_different_lists_are_not_compared() -> None:
    """A swing's `high` is no trend's `bullish`, although both stand second in their lists."""
    text = """
        version: "3.0.0"
        name: words
        symbol: X
        timeframes: { low_tf: 1m, med_tf: 1m, high_tf: 1m, exec: low_tf }
        account: { max_drawdown_pct: 100 }
        structures:
          exec: [{ type: swing, key: sw, params: { left: 1, right: 1 } }, { type: trend, key: tr, uses: sw }]
        actions: { entry_long: { all: [["sw.last_confirmed_pivot_type", "==", "tr.last_wave_direction"],
                                       ["sw.last_confirmed_pivot_type", "!=", "none"]] } }
        risk: { stop_loss_pct: 1, take_profit_pct: 1 }
        """
    with pytest.raises(PlayErrors, match="they cannot be compared"):
        spoken_by_graph(text, desk.walk(1, 200), 64)
