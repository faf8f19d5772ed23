"""What `lint` says never or always holds does so on bars of every kind."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import pytest

import desk
from amount import cases
from evenkeel.data.calendar import load_calendar
from evenkeel.features.timeline import FeatureRun, Series
from evenkeel.model.bar import Bars
from evenkeel.model.errors import UsageError
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.lower import lower
from evenkeel.strategies.play.play import Play

DRAWS = cases(1500, 60_000)
WALKS: tuple[Bars, ...] = (desk.walk(3, 1500), desk.bars([*desk.flat(100, 700), *desk.flat(90, 300)]))

FEATURES: dict[str, Any] = {
    "rsi_5": {"indicator": "rsi", "params": {"length": 5}},
    "stoch_5": {"indicator": "stoch", "params": {"k": 5}},
    "aroon_5": {"indicator": "aroon", "params": {"length": 5}},
    "cmf_5": {"indicator": "cmf", "params": {"length": 5}},
    "tsi_5": {"indicator": "tsi", "params": {"fast": 3, "slow": 6, "signal": 3}},
    "dc_3": {"indicator": "donchian", "params": {"lower_length": 3, "upper_length": 4}},
    "dc_3_5m": {"indicator": "donchian", "tf": "5m", "params": {"lower_length": 3, "upper_length": 4}},
    "bb_5": {"indicator": "bbands", "params": {"length": 5}},
    "st_5": {"indicator": "supertrend", "params": {"length": 5}},
    "atr_5": {"indicator": "atr", "params": {"length": 5}},
}
STRUCTURES = {
    "exec": [
        {"type": "rolling_window", "key": "top_4", "params": {"mode": "max", "size": 4, "source": "high"}},
        {"type": "rolling_window", "key": "low_4", "params": {"mode": "min", "size": 4}},
        {"type": "rolling_window", "key": "old_4", "params": {"mode": "max", "size": 4, "exclude_current": True}},
        {"type": "swing", "key": "sw", "params": {"left": 2, "right": 2}},
        {"type": "trend", "key": "tr", "uses": "sw"},
    ]
}
PRICES = (
    "open", "high", "low", "close", "dc_3.upper", "dc_3.lower", "dc_3.middle", "dc_3_5m.upper", "bb_5.upper",
    "bb_5.lower", "bb_5.middle", "top_4.value", "low_4.value", "old_4.value", "sw.high_level",
)  # fmt: skip
NUMBERS = ("rsi_5", "stoch_5.k", "aroon_5.osc", "cmf_5", "tsi_5.tsi", "atr_5", "volume")
WHOLE = ("st_5.direction", "tr.direction", "tr.strength", "sw.high_idx", "tr.wave_count")
LITERALS = (-101, -100, -50, -1, -0.5, 0, 0.5, 1, 1.5, 2, 30, 50, 70, 99, 100, 101)
ORDER = (">", "<", ">=", "<=", "cross_above", "cross_below")


def operand(rng: random.Random, names: tuple[str, ...]) -> Any:
    name, _, field = rng.choice(names).partition(".")
    if rng.random() < 0.8:
        return f"{name}.{field}" if field else name
    return {"feature_id": name, **({"field": field} if field else {}), "offset": rng.randrange(1, 5)}


def comparison(rng: random.Random) -> Any:
    """Return a comparison at the edge of what is possible."""
    kind = rng.randrange(8)
    if kind < 3:
        return [operand(rng, PRICES), rng.choice(ORDER), operand(rng, PRICES)]
    left, literal = operand(rng, NUMBERS), rng.choice(LITERALS)
    if kind == 3:
        whole = operand(rng, WHOLE)
        few = rng.sample((-2, -1, 0, 1, 2, 3), rng.randint(1, 3))
        return rng.choice(
            (
                [whole, rng.choice(("==", "!=")), few[0]],
                [whole, "in", few],
                [whole, "between", sorted((literal, few[0]))],
            )
        )
    if kind == 4:
        return [left, "between", sorted((literal, rng.choice(LITERALS)))]
    if kind == 5:
        return [left, rng.choice(("near_abs", "near_pct")), literal, rng.choice((0.5, 1, 40))]
    if kind == 6:
        return [[left, rng.choice("+-*"), literal], rng.choice(ORDER), rng.choice(LITERALS)]
    return [left, rng.choice(ORDER), literal]


def condition(rng: random.Random, depth: int = 2) -> Any:
    kind = rng.randrange(6) if depth else 0
    if kind < 3:
        return comparison(rng)
    if kind == 3:
        return {"not": condition(rng, depth - 1)}
    if kind == 4:
        name = rng.choice(("holds_for", "occurred_within"))
        return {name: {"bars": rng.randint(1, 3), "expr": condition(rng, depth - 1)}}
    return {rng.choice(("all", "any")): [condition(rng, depth - 1) for _ in range(2)]}


def loaded(when: Any) -> Play:
    document = {
        "version": "3.0.0", "name": "drawn", "symbol": "X", "account": {}, "features": FEATURES,
        "timeframes": {"low_tf": "1m", "med_tf": "5m", "high_tf": "5m", "exec": "low_tf"}, "structures": STRUCTURES,
        "actions": {"entry_long": when, "exit_all": ["close", "<", 0]},
        "position_policy": {"exit_mode": "signal"},
    }  # fmt: skip
    return load_play(json.dumps(document), instruments=lambda _: desk.instrument())


def doubts(play: Play, *words: str) -> bool:
    """Whether the entry rule itself, not a part of it, is warned of in these words, rounding not set aside."""
    own = {"actions.entry_long": "", "actions.entry_long.all[1]": "together", "actions.entry_long.any[1]": "one of"}
    return any(
        one.path in own and own[one.path] in one.message and any(word in one.message for word in words)
        for one in play.warnings
    )


def fires(play: Play) -> bool:
    """Whether the entry rule is true on some bar of some walk."""
    lowered = lower(play)
    for bars in WALKS:
        run = FeatureRun(lowered.program, Series(bars, load_calendar("24/7")), block=len(bars))
        run.advance()
        if np.any(run.x[lowered.emitted[0].row, run.column : run.column + run.stop] == 1.0):
            return True
    return False


@pytest.mark.parametrize("part", range(10))
def test_what_is_said_never_or_always_to_hold_does_so(part: int) -> None:
    never = always = silent = 0
    for draw in range(part, DRAWS, 10):
        rng = random.Random(draw)
        when = comparison(rng) if draw // 10 % 2 else {rng.choice(("all", "any")): [condition(rng), condition(rng)]}
        try:
            play = loaded(when)
        except UsageError:
            continue
        if doubts(play, "never holds:", "never hold together"):
            never += 1
            assert not fires(play), when
        elif doubts(play, "always holds:") or doubts(play, "one of"):
            always += 1
            assert not fires(loaded({"not": when})), when
        else:
            silent += 1
    assert min(never, always, silent) > 0, (never, always, silent)
