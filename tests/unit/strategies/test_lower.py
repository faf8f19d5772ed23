"""Lowering: what a play's words become, read from the rows of its graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import yaml

import desk
from desk import flat
from evenkeel.data.calendar import load_calendar
from evenkeel.features.registry import find_indicator
from evenkeel.features.timeline import FeatureRun, Series
from evenkeel.model.bar import Bars, Floats
from evenkeel.model.errors import UsageError
from evenkeel.model.time import Timeframe
from evenkeel.strategies.play.decide import Wish
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.lower import Lowered, lower
from watchdog import within

PLAIN: dict[str, Any] = {
    "version": "3.0.0",
    "name": "lowered",
    "symbol": "X",
    "timeframes": {"low_tf": "1m", "med_tf": "5m", "high_tf": "1h", "exec": "low_tf"},
    "account": {"max_drawdown_pct": 100},
    "features": {"sma_1": {"indicator": "sma", "params": {"length": 1}}},
    "actions": {"entry_long": [["close", ">", 0]]},
    "position_policy": {"mode": "long_short", "exit_mode": "first_hit"},
    "risk": {"stop_loss_pct": 1, "take_profit_pct": 1},
}


def lowered(**sections: Any) -> Lowered:
    """Lower a play with some sections replaced."""
    document = {key: value for key, value in {**PLAIN, **sections}.items() if value is not None}
    return lower(load_play(yaml.safe_dump(document), instruments=lambda _: desk.instrument()))


def rows(found: Lowered, wanted: list[int], bars: Bars) -> Floats:
    """Return rows of the execution graph over bars."""
    run = FeatureRun(found.program, Series(bars, load_calendar("24/7")))
    run.advance()
    return run.x[wanted, run.column : run.column + run.stop].copy()


def distances(bars: Bars, **sections: Any) -> list[float | None]:
    """Return the distances at the last bar: stop long, stop short, target long, target short."""
    found = lowered(**sections)
    last = rows(found, list(found.distances[:4]), bars)[:, -1]
    return [None if np.isnan(value) else round(float(value), 9) for value in last]


TWENTY = desk.bars([*flat(100, 18), (100, 103, 99, 102), (102, 104, 101, 102)])


def test_equal_features_and_equal_conditions_are_computed_once() -> None:
    twice = lowered(
        features={
            "ema_a": {"indicator": "ema", "params": {"length": 5}},
            "ema_b": {"indicator": "ema", "params": {"length": 5}},
        },
        actions={
            "entry_long": [["close", ">", "ema_a"], ["close", ">", "ema_b"]],
            "exit_long": [["close", ">", "ema_b"]],
        },
    )

    steps = [step.node.name for step in twice.program.graphs[Timeframe.parse("1m")].steps]
    assert steps.count("ema") == 1
    assert steps.count("greater") == 1


def test_setups_that_name_each_other_twice_are_looked_at_once() -> None:
    """Spelled out, the last of them would hold two to the power of 30 comparisons."""
    setups: dict[str, Any] = {"s0": ["close", ">", "open"]}
    for depth in range(1, 31):
        setups[f"s{depth}"] = {"all": [{"setup": f"s{depth - 1}"}, {"not": {"setup": f"s{depth - 1}"}}]}
    with within(30):
        found = lowered(setups=setups, actions={"entry_long": {"setup": "s30"}})
    assert len(found.program.nodes) < 100


def test_a_setup_is_lowered_once_however_often_it_is_referred_to() -> None:
    """plays.md 1.7: at most once per setup and instant; a chain of ten by threes would be 59,049 times."""
    setups: dict[str, Any] = {"s0": ["close", ">", "open"]}
    setups |= {f"s{i}": {"all": [{"setup": f"s{i - 1}"}] * 3} for i in range(1, 11)}

    actions = {"entry_long": [{"holds_for": {"bars": 2, "expr": {"setup": "s10"}}}]}
    document = {**PLAIN, "setups": setups, "actions": actions}
    play = load_play(yaml.safe_dump(document), instruments=lambda _: desk.instrument())

    (rule,) = lower(play, trace=True).rules

    distinct: dict[int, str] = {}
    pending = [rule.condition]
    while pending:
        traced = pending.pop()
        if traced is not None and id(traced) not in distinct:
            distinct[id(traced)] = traced.condition.path
            pending += traced.children
    assert len(distinct) < 50
    assert {"setups.s0", "setups.s1.all[0].setup", "actions.entry_long[0].holds_for"} <= set(distinct.values())


def test_the_first_case_that_holds_speaks_and_else_where_none_does() -> None:
    found = lowered(
        actions=[
            {
                "id": "b",
                "cases": [
                    {"when": [["close", ">", 102]], "emit": ["entry_long"]},
                    {"when": [["close", ">", 101]], "emit": ["entry_short", "no_action"]},
                    {"when": [["close", ">", 100]], "emit": ["no_action"]},
                ],
                "else": {"emit": ["exit_all"]},
            }
        ]
    )

    spoken = rows(
        found, [emitted.row for emitted in found.emitted], desk.bars([(c, c, c, c) for c in (100, 101, 102, 103)])
    )

    assert [emitted.wish for emitted in found.emitted] == [Wish.ENTRY_LONG, Wish.ENTRY_SHORT, Wish.EXIT_ALL]
    assert spoken.tolist() == [[0, 0, 0, 1], [0, 0, 1, 0], [1, 0, 0, 0]]
    assert [emitted.words for emitted in found.emitted] == ["b, case 1", "b, case 2", "b, case 4"]


def test_a_case_over_missing_data_leaves_the_word_to_the_next_one() -> None:
    found = lowered(
        features={"sma_3": {"indicator": "sma", "params": {"length": 3}}},
        actions=[
            {
                "id": "b",
                "cases": [{"when": [["sma_3", ">", 0]], "emit": ["entry_long"]}],
                "else": {"emit": ["entry_short"]},
            }
        ],
    )

    spoken = rows(found, [emitted.row for emitted in found.emitted], desk.bars(flat(100, 4)))

    assert spoken.tolist() == [[0, 0, 1, 1], [1, 1, 0, 0]]


def test_wakes_are_where_entries_or_exits_are_wished() -> None:
    found = lowered(
        actions={
            "entry_long": [["close", ">", 103]],
            "entry_short": [["close", "<", 101]],
            "exit_long": [["close", "between", [101, 102]]],
        }
    )

    wakes = rows(
        found, [found.wake_flat, found.wake_hold], desk.bars([(c, c, c, c) for c in (100, 101, 102, 103, 104)])
    )

    assert wakes.tolist() == [[1, 0, 0, 0, 1], [0, 1, 1, 0, 0]]


def test_a_play_without_exits_never_wakes_while_holding() -> None:
    found = lowered(position_policy={"mode": "long_only", "exit_mode": "sl_tp_only"})

    assert rows(found, [found.wake_hold], TWENTY).tolist() == [[0.0] * 20]


def test_a_percent_counts_the_close() -> None:
    assert distances(TWENTY, risk={"stop_loss_pct": 2, "take_profit_pct": 3}) == [2.04, 2.04, 3.06, 3.06]


def test_what_is_not_asked_for_is_missing() -> None:
    actions = {"entry_long": [["close", ">", 0]], "exit_long": [["close", "<", 0]]}

    assert distances(TWENTY, risk={"max_position_pct": 5}, actions=actions) == [None] * 4


def test_an_atr_multiple_adds_its_buffer_and_a_ratio_multiplies_the_whole() -> None:
    """True ranges 0 but for the last two bars, 4 and 3: an average of length 2 is 2 and 2.5."""
    found = distances(
        TWENTY,
        features={"atr_2": {"indicator": "atr", "params": {"length": 2}}},
        risk=None,
        risk_model={
            "stop_loss": {"type": "atr_multiple", "value": 2, "atr_feature_id": "atr_2", "buffer_pct": 0.5},
            "take_profit": {"type": "rr_ratio", "value": 3},
            "sizing": {"model": "risk_based", "value": 1},
        },
    )

    assert found == [5.51, 5.51, 16.53, 16.53]


def test_points_are_points() -> None:
    risk = {"stop_loss": {"type": "fixed_points", "value": 0.75}, "take_profit": {"type": "fixed_points", "value": 2}}

    assert distances(TWENTY, risk=risk) == [0.75, 0.75, 2, 2]


SWINGS = desk.bars(
    [(100, 101, 99, 100), (100, 110, 99, 105), (105, 106, 95, 100), (100, 103, 96, 102), (102, 104, 100, 102)]
)
"""A swing high of 110 and a swing low of 95, both confirmed by the bar after."""
STRUCTURES = {"exec": [{"type": "swing", "key": "sw", "params": {"left": 1, "right": 1}}]}


def structured(**stop: Any) -> list[float | None]:
    rule = {"type": "structure", "structure_key": "sw", **stop}
    return distances(
        SWINGS, structures=STRUCTURES, risk=None,
        risk_model={"stop_loss": rule, "take_profit": rule, "sizing": {"model": "risk_based", "value": 1}},
    )  # fmt: skip


def test_a_structure_stop_lies_at_the_level_on_its_own_side() -> None:
    """Close 102: the low 95 is 7 below, the high 110 is 8 above; targets take the opposite level."""
    assert structured() == [7, 8, 8, 7]
    assert structured(buffer_pct=1) == [8.02, 9.02, 9.02, 8.02]


def test_a_structure_level_too_far_away_falls_back_or_forbids() -> None:
    assert structured(max_distance_pct=7) == [7, None, None, 7]
    assert structured(max_distance_pct=7, value=2) == [7, 2.04, 2.04, 7]


def test_a_structure_level_on_the_wrong_side_is_not_used() -> None:
    assert structured(field="high_level") == [None, 8, 8, None]


@pytest.mark.parametrize(
    ("condition", "low", "med", "high"),
    [
        pytest.param(["sma_l", ">", 0], 4, 0, 0, id="its own warm-up"),
        pytest.param([{"feature_id": "sma_l", "offset": 3}, ">", 0], 7, 0, 0, id="offset"),
        pytest.param(["sma_l", "cross_above", "close"], 5, 0, 0, id="cross"),
        pytest.param({"holds_for": {"bars": 6, "expr": [["sma_l", ">", 0]]}}, 9, 0, 0, id="window"),
        pytest.param(
            {"holds_for": {"bars": 3, "anchor_tf": "5m", "expr": [["sma_l", ">", 0]]}}, 14, 0, 0, id="anchored"
        ),
        pytest.param(
            {
                "holds_for": {
                    "bars": 3,
                    "expr": [{"occurred_within": {"bars": 4, "expr": [["sma_l", "cross_above", 0]]}}],
                }
            },
            10,
            0,
            0,
            id="nested",
        ),
        pytest.param({"holds_for": {"bars": 6, "expr": [["sma_m", ">", 0]]}}, 1, 3, 0, id="one slower bar in five"),
        pytest.param({"holds_for": {"bars": 7, "expr": [["sma_m", ">", 0]]}}, 1, 4, 0, id="two slower bars in six"),
        pytest.param([{"feature_id": "sma_m", "offset": 2}, ">", 0], 1, 4, 0, id="offset in its own bars"),
        pytest.param(
            {"occurred_within_duration": {"duration": "2h", "expr": [["sma_h", ">", 0]]}}, 1, 0, 5, id="duration"
        ),
        pytest.param(["chained", ">", 0], 8, 0, 0, id="chained adds up"),
        pytest.param(["sma_m", "cross_above", "sma_h"], 1, 3, 4, id="slower ones cross by execution bars"),
        pytest.param(
            {"holds_for": {"bars": 3, "anchor_tf": "1h", "expr": [["sma_l", "cross_above", "sma_m"]]}},
            4 + 121,
            2 + 25,
            0,
            id="a cross inside an anchored window",
        ),
    ],
)
def test_warm_up_is_counted_for_each_timeframe_from_what_is_really_read(
    condition: Any, low: int, med: int, high: int
) -> None:
    """L7: never the largest reach for all."""
    found = lowered(
        features={
            "sma_l": {"indicator": "sma", "params": {"length": 4}},
            "sma_m": {"indicator": "sma", "tf": "5m", "params": {"length": 2}},
            "sma_h": {"indicator": "sma", "tf": "1h", "params": {"length": 3}},
            "chained": {"indicator": "sma", "source": "indicator:sma_l", "params": {"length": 4}},
        },
        actions={"entry_long": [condition]},
    )

    told = {str(timeframe): bars for timeframe, bars in found.program.warmup.items()}
    expected = {"1m": max(low, 1), "5m": med, "1h": high}
    assert told == {name: bars for name, bars in expected.items() if bars}


def test_a_structure_warms_up_by_its_own_left_and_right() -> None:
    """Trap T12."""
    found = lowered(
        structures={
            "exec": [{"type": "swing", "key": "sw", "params": {"left": 3, "right": 4}}],
            "high_tf": [
                {"type": "swing", "key": "sh", "params": {"left": 1, "right": 2}},
                {"type": "trend", "key": "tr", "uses": "sh"},
            ],
        },
        actions={"entry_long": [["sw.version", ">", 0], ["tr.direction", "==", 1]]},
    )

    warmup = {str(timeframe): bars for timeframe, bars in found.program.warmup.items()}
    assert warmup == {"1m": 3 + 4 + 1, "1h": 5 * (1 + 2)}


def test_more_warm_up_may_be_asked_for_and_never_less() -> None:
    more = lowered(warmup={"min_bars": {"1m": 50, "1h": 2}})
    less = lowered(
        warmup={"min_bars": 2},
        features={"sma_9": {"indicator": "sma", "params": {"length": 9}}},
        actions={"entry_long": [["sma_9", ">", 0]]},
    )

    assert more.program.warmup[Timeframe.parse("1m")] == 50
    assert more.program.warmup[Timeframe.parse("1h")] == 2
    assert less.program.warmup[Timeframe.parse("1m")] == 9


def test_sources_made_of_columns_are_the_prices_they_say() -> None:
    found = lowered(
        features={
            f"x_{name}": {"indicator": "sma", "source": name, "params": {"length": 1}}
            for name in ("hl2", "hlc3", "ohlc4", "volume")
        },
        actions={"entry_long": [["x_hl2", ">", 0], ["x_hlc3", ">", 0], ["x_ohlc4", ">", 0], ["x_volume", ">=", 0]]},
    )
    graph = found.program.graphs[Timeframe.parse("1m")]
    outputs = [step.outputs[0] for step in graph.steps if step.node is find_indicator("sma")]

    values = rows(found, outputs, desk.bars([(1, 8, 0.5, 4, 7)]))

    assert values[:, 0].tolist() == pytest.approx([4.25, (8 + 0.5 + 4) / 3, (1 + 8 + 0.5 + 4) / 4, 7])


@pytest.mark.parametrize(
    ("condition", "minute", "low", "med"),
    [
        pytest.param(["last_price", ">", "sma_m"], 0, 1, 2, id="the price at the decision needs no minutes"),
        pytest.param([{"feature_id": "last_price", "offset": 7}, ">", 0], 8, 1, 0, id="its offset counts minutes"),
        pytest.param(["last_price", "cross_above", "sma_l"], 2, 5, 0, id="a cross of minutes"),
        pytest.param(["sma_l", "cross_above", "sma_m"], 0, 5, 3, id="a cross by execution bars"),
        pytest.param(
            {"holds_for": {"bars": 4, "expr": [["last_price", "cross_above", "sma_m"]]}},
            1 + 3 * 5 + 1,
            1,
            2 + 2,
            id="minutes crossing inside a window of execution bars",
        ),
        pytest.param(
            {"occurred_within_duration": {"duration": "45m", "expr": [["last_price", ">", "sma_m"]]}},
            45,
            1,
            2 + 3,
            id="a duration of minutes",
        ),
        pytest.param(["bar_high", ">", "sma_l"], 0, 4, 0, id="the bar just closed needs no minutes"),
        pytest.param([{"feature_id": "funding_rate", "offset": 3}, ">", 0], 0, 4, 0, id="rates count execution bars"),
    ],
)
def test_warm_up_of_conditions_on_minutes(condition: Any, minute: int, low: int, med: int) -> None:
    """L7: the grid of a window or cross is in minutes, the bars that it reads are of each timeframe's own."""
    found = lowered(
        timeframes={"low_tf": "5m", "med_tf": "15m", "high_tf": "1h", "exec": "low_tf"},
        features={
            "sma_l": {"indicator": "sma", "params": {"length": 4}},
            "sma_m": {"indicator": "sma", "tf": "15m", "params": {"length": 2}},
        },
        actions={"entry_long": [condition]},
    )

    told = {str(timeframe): bars for timeframe, bars in found.program.warmup.items()}
    assert told == {name: bars for name, bars in {"1m": minute, "5m": low, "15m": med}.items() if bars}


def test_decisions_inside_the_bar_warm_up_by_the_same_bars() -> None:
    """L7: a window of execution bars reaches as many bars back from the middle of one as from its end."""
    found = lowered(
        timeframes={"low_tf": "5m", "med_tf": "15m", "high_tf": "1h", "exec": "med_tf", "evaluate": "intrabar"},
        features={"sma_m": {"indicator": "sma", "params": {"length": 2}}},
        actions={"entry_long": [{"holds_for": {"bars": 4, "expr": [["last_price", "cross_above", "sma_m"]]}}]},
    )

    told = {str(timeframe): bars for timeframe, bars in found.program.warmup.items()}
    assert told == {"1m": 1 + 3 * 15 + 1, "15m": 2 + 4}


def test_warm_up_beyond_the_limit_is_refused_and_can_be_allowed() -> None:
    """plays.md 5.5: 1000 bars of a timeframe unless the play asks for more."""
    play = {
        "features": {"sma_9": {"indicator": "sma", "params": {"length": 9}}},
        "actions": {"entry_long": [{"holds_for": {"bars": 100, "anchor_tf": "1h", "expr": [["sma_9", ">", 0]]}}]},
    }

    with pytest.raises(UsageError, match=r'features\.sma_9 needs 5,949 closed 1m bars.*min_bars: \{ "1m": 5949 \}'):
        lowered(**play)

    allowed = lowered(**play, warmup={"min_bars": {"1m": 5949}})
    assert allowed.program.warmup[Timeframe.parse("1m")] == 5949


def test_the_limit_of_warm_up_does_not_count_the_period_of_an_anchor() -> None:
    """A session VWAP on minutes needs a whole day, which is no mistake of the play's."""
    found = lowered(features={"vw": {"indicator": "vwap"}}, actions={"entry_long": [["close", ">", "vw"]]})

    assert found.program.warmup == {Timeframe.parse("1m"): 1440}


def test_a_play_that_needs_no_finer_grid_is_one_graph_that_computes_and_decides() -> None:
    plain = lowered(actions={"entry_long": [["sma_1", "cross_above", "close"], ["last_price", ">", 0]]})
    finer = lowered(
        timeframes={"low_tf": "5m", "med_tf": "15m", "high_tf": "1h", "exec": "low_tf"},
        actions={"entry_long": [["last_price", "cross_above", "sma_1"]], "exit_long": [["sma_1", "<", 0]]},
    )

    assert plain.program.decisions is plain.program.graphs[Timeframe.parse("1m")]
    assert plain.program.grids == {}
    assert set(finer.program.grids) == {Timeframe.parse("1m")}


def test_side_columns_that_a_play_reads_are_told() -> None:
    """What a market lacks is missing everywhere, and a run can be marked with it."""
    none = lowered()
    some = lowered(actions={"entry_long": [["mark_price", ">", "close"], ["open_interest", ">", 0]]})

    assert none.program.side_columns == frozenset()
    assert some.program.side_columns == {"mark_price", "open_interest"}
    assert not rows(some, [some.emitted[0].row], TWENTY).any()


def test_the_age_of_a_decision_counts_minutes_behind_the_last_close_of_an_execution_bar() -> None:
    found = lowered(
        timeframes={"low_tf": "1m", "med_tf": "5m", "high_tf": "1h", "exec": "med_tf", "evaluate": "intrabar"}
    )

    assert found.program.exec == Timeframe.parse("1m")
    assert lowered().age is None
    assert found.age is not None
    ages = rows(found, [found.age], desk.bars(flat(100, 12)))
    assert ages[0].tolist() == [1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2]


def test_inside_the_bar_the_price_of_the_decision_is_that_of_the_minute() -> None:
    """plays.md 5.3: distances count from `last_price`, closed bars stay what they were."""
    found = lowered(
        timeframes={"low_tf": "1m", "med_tf": "5m", "high_tf": "1h", "exec": "med_tf", "evaluate": "intrabar"},
        actions={"entry_long": [["close", ">", 101]], "exit_long": [["bar_high", ">", 103]]},
        risk={"stop_loss_pct": 10},
    )
    bars = desk.bars([(p, p + 0.5, p - 0.5, p) for p in range(98, 110)])

    close, stop = rows(found, [found.close, found.distances[0]], bars)
    long, leave = rows(found, [emitted.row for emitted in found.emitted], bars)

    assert close.tolist() == list(range(98, 110))
    np.testing.assert_allclose(stop, close / 10)
    assert long.tolist() == [0.0] * 4 + [1.0] * 8
    assert leave.tolist() == [0.0] * 5 + [1.0] * 7
