"""The ends that outputs declare: no market goes beyond them, and each is reached or neared by some."""

from __future__ import annotations

import numpy as np
import pytest

from evenkeel.features.node import Node, Output, OutputType
from evenkeel.features.registry import all_indicators, all_structures, find_indicator
from evenkeel.model.bar import Floats
from reference.golden import golden_columns
from reference.markets import market
from reference.wiring import STRUCTURE_PARAMS, compute

MARKETS = ("walk", "flat", "spikes", "gaps", "staircase", "zero_volume", "whisper", "huge", "tiny", "missing")
ROUNDING = 1e-9
"""How far rounding may carry a value past its end, relative to the end or absolute below 1."""

ENDED = [
    node
    for node in [*all_indicators().values(), *all_structures().values()]
    if any(output.low is not None or output.high is not None for output in node.outputs)
]


def ends(node: Node, columns: dict[str, Floats]) -> dict[str, tuple[Output, Floats]]:
    """Return each output that has ends, with its values."""
    params = node.resolve(STRUCTURE_PARAMS.get(node.name, {}))
    found = compute(node, columns, STRUCTURE_PARAMS.get(node.name, {}))
    outputs = {one.name: one for one in node.outputs_of(params)}
    return {name: (outputs[name], values) for name, values in found.items() if name in outputs}


@pytest.mark.parametrize("node", ENDED, ids=lambda node: node.name)
def test_no_market_goes_beyond_the_ends(node: Node) -> None:
    seen = 0
    for name in MARKETS:
        columns = market(name, seed=3, bars=600)
        columns["atr"] = columns["high"] - columns["low"] + 0.25
        for output, values in ends(node, columns).values():
            known = values[~np.isnan(values)]
            seen += len(known)
            for end, beyond in ((output.low, -1), (output.high, 1)):
                if end is not None and len(known):
                    room = ROUNDING * max(1.0, abs(end))
                    assert np.max(beyond * (known - end)) <= room, (name, output.name)
    assert seen


def test_the_ends_of_oscillators_are_those_of_their_definitions() -> None:
    """Written down from plays.md 3, so that a typing mistake in a declaration is seen."""
    declared = {
        (node.name, output.name): (output.low, output.high)
        for node in all_indicators().values()
        for output in node.outputs
        if output.high is not None
    }
    assert declared == {
        ("rsi", "value"): (0, 100), ("willr", "value"): (-100, 0), ("cmo", "value"): (-100, 100),
        ("mfi", "value"): (0, 100), ("uo", "value"): (0, 100), ("cmf", "value"): (-1, 1), ("stoch", "k"): (0, 100),
        ("stoch", "d"): (0, 100), ("stochrsi", "k"): (0, 100), ("stochrsi", "d"): (0, 100), ("adx", "adx"): (0, 100),
        ("adx", "adxr"): (0, 100), ("aroon", "up"): (0, 100), ("aroon", "down"): (0, 100),
        ("aroon", "osc"): (-100, 100), ("supertrend", "direction"): (-1, 1), ("tsi", "tsi"): (-100, 100),
        ("tsi", "signal"): (-100, 100),
    }  # fmt: skip


def test_a_directional_movement_may_pass_a_hundred_and_percent_b_its_bands() -> None:
    """Both look as if they had ends and have none: the averages start differently, and prices leave their bands."""
    columns = golden_columns()
    jump = {name: values[:60].copy() for name, values in columns.items()}
    for name in ("open", "high", "low", "close"):
        jump[name] = np.full(60, 100.0)
        jump[name][1:] = 200.0
    assert np.nanmax(compute(find_indicator("adx"), jump)["dmp"]) > 100
    assert np.nanmax(compute(find_indicator("bbands"), columns)["percent_b"]) > 1


def test_only_numbers_have_ends_and_the_lower_lies_below() -> None:
    for node in ENDED:
        for output in node.outputs:
            if output.low is not None or output.high is not None:
                assert output.type in (OutputType.FLOAT, OutputType.INT)
            if output.low is not None and output.high is not None:
                assert output.low < output.high
