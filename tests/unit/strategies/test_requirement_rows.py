"""Rows of plays.md 10 and traps of plays.md 11 that no other test names: what each asks for, proven on real plays."""

from __future__ import annotations

import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import desk
from evenkeel import examples
from evenkeel.data.calendar import load_calendar
from evenkeel.features import registry
from evenkeel.features.compute import compute
from evenkeel.features.timeline import FeatureRun, Series
from evenkeel.model.errors import UsageError
from evenkeel.model.time import Timeframe
from evenkeel.strategies.play.lower import lower
from evenkeel.strategies.play.problems import PlayErrors

SOURCES = Path(examples.__file__).resolve().parents[1]

PLAY: dict[str, Any] = {
    "version": "3.0.0",
    "name": "row",
    "symbol": "TEST",
    "timeframes": {"low_tf": "1m", "med_tf": "5m", "high_tf": "15m", "exec": "low_tf"},
    "variables": {"fast": 5},
    "account": {"starting_equity": 10_000},
    "features": {
        "ema_5": {"indicator": "ema", "params": {"length": "{{ fast }}"}},
        "atr_14": {"indicator": "atr", "params": {"length": 14}},
        "sma_3_5m": {"indicator": "sma", "tf": "med_tf", "params": {"length": 3}},
        "sma_2_15m": {"indicator": "sma", "tf": "high_tf", "params": {"length": 2}},
    },
    "structures": {"exec": [{"type": "swing", "key": "sw", "params": {"left": 2, "right": 2}}]},
    "setups": {"above": [["close", ">", "ema_5"]]},
    "actions": {"entry_long": [{"setup": "above"}, ["close", ">", "sma_3_5m"], ["close", ">", "sma_2_15m"]]},
    "risk": {"stop_loss_pct": 2, "take_profit_pct": 3},
}


def text(**changes: Any) -> str:
    return yaml.safe_dump({**PLAY, **changes}, sort_keys=False)


def told(**changes: Any) -> str:
    with pytest.raises(PlayErrors) as refused:
        desk.play_of(text(**changes))
    return refused.value.message


@pytest.mark.parametrize(
    "change",
    [
        {"setups": {"above": [["close", ">=", "ema_5"]]}},
        {"structures": {"exec": [{"type": "swing", "key": "sw", "params": {"left": 3, "right": 2}}]}},
        {"variables": {"fast": 6}},
        {"risk": {"stop_loss_pct": 2, "take_profit_pct": 4}},
        {"risk": {"stop_loss_pct": 2, "take_profit_pct": 3, "break_even": {"activation_pct": 1}}},
        {"validation": {"pattern": "range_wide"}},
        {"timeframes": {**PLAY["timeframes"], "evaluate": "intrabar", "exec": "med_tf"}},
    ],
)
def test_t1_setups_structures_variables_risk_and_validation_are_part_of_the_hash(change: dict[str, Any]) -> None:
    assert desk.play_of(text(**change)).hash != desk.play_of(text()).hash


def test_t2_a_zone_without_a_declared_atr_is_refused_at_load() -> None:
    swing = PLAY["structures"]["exec"][0]
    zone = {"type": "zone", "key": "z", "uses": "sw", "params": {"zone_type": "demand", "atr_key": "atr_99"}}

    message = told(structures={"exec": [swing, zone]})

    assert "structures.exec[1].params.atr_key" in message
    assert "atr_99" in message


def test_t3_variables_are_written_into_every_section() -> None:
    changed = desk.play_of(
        text(
            variables={"fast": 7, "left": 4, "level": 1.5, "stop": 2.5, "side": "long_only", "slip": 4.0, "off": 0.2},
            features={**PLAY["features"], "atr_9": {"indicator": "atr", "params": {"length": "{{ fast }}"}}},
            structures={"exec": [{"type": "swing", "key": "sw", "params": {"left": "{{ left }}", "right": 2}}]},
            setups={"above": [["close", ">", "{{ level }}"]]},
            actions={"entry_long": [{"setup": "above"}, ["close", "near_pct", "ema_5", "{{ level }}"]]},
            risk={"stop_loss_pct": "{{ stop }}", "take_profit_pct": 3},
            account={"starting_equity": 10_000, "slippage_bps": "{{ slip }}"},
            entry={"order_type": "LIMIT", "limit_offset_pct": "{{ off }}"},
            position_policy={"mode": "{{ side }}"},
        )
    ).resolved

    assert changed["features"]["atr_9"]["params"] == {"length": 7}
    assert changed["structures"]["exec"][0]["params"]["left"] == 4
    assert changed["setups"]["above"] == [["close", ">", 1.5]]
    assert changed["actions"]["entry_long"][1][3] == 1.5
    assert changed["risk_model"]["stop_loss"]["value"] == 2.5
    assert (changed["account"]["slippage_bps"], changed["entry"]["limit_offset_pct"]) == (4.0, 0.2)
    assert "{{" not in str(changed)


def test_t9_the_fisher_transform_knows_no_price_unit() -> None:
    """T9: a floor of the range in absolute units would flatten a coin that costs a hundred-thousandth."""
    bars = desk.walk(3, 400)
    tiny = desk.bars(
        zip(bars.open / 2**20, bars.high / 2**20, bars.low / 2**20, bars.close / 2**20, bars.volume, strict=True)
    )
    fisher, calendar = registry.find_indicator("fisher"), load_calendar("24/7")

    one, other = (compute(fisher, {}, each, calendar) for each in (bars, tiny))

    for name, values in one.items():
        assert np.array_equal(values, other[name], equal_nan=True), name


def test_t10_an_output_left_out_is_the_primary_one_wherever_it_is_read() -> None:
    features = {**PLAY["features"], "macd_1": {"indicator": "macd"}, "bb_20": {"indicator": "bbands"}}
    short, full = (
        lower(
            desk.play_of(
                text(
                    features={**features, "ema_of": {"indicator": "ema", "source": f"indicator:macd_1{dot}"}},
                    actions={"entry_long": [[f"macd_1{dot}", ">", 0], ["close", ">", f"bb_20{middle}"]]},
                )
            ).play
        ).program
        for dot, middle in (("", ""), (".macd", ".middle"))
    )

    assert short.graphs == full.graphs


def test_t10_the_parabolic_stop_steps_by_af_and_starts_at_af0() -> None:
    psar, bars = registry.find_indicator("psar"), desk.walk(4, 300)
    values = [compute(psar, {"af": af}, bars, load_calendar("24/7")) for af in (0.02, 0.05)]

    assert any(not np.array_equal(values[0][name], values[1][name], equal_nan=True) for name in values[0])


def test_t16_the_warm_up_follows_from_the_play_and_is_no_fixed_number() -> None:
    """T16: an average of 240 needs 240 bars of its own timeframe, 720 for an `ema`; never "100 bars"."""
    slow = {"sma_240": {"indicator": "sma", "params": {"length": 240}}}
    fast = {"sma_240": {"indicator": "sma", "params": {"length": 3}}}
    needs = [
        lower(
            desk.play_of(text(features=features, setups={}, actions={"entry_long": [["close", ">", "sma_240"]]})).play
        ).program.warmup[Timeframe.parse("1m")]
        for features in (slow, fast)
    ]

    assert needs == [240, 3]


def test_c2_three_timeframes_are_read_by_their_own_closes() -> None:
    """C2: value by value, each the last bar of its timeframe closed by the instant, worked out from the minutes."""
    bars = desk.walk(5, 200)
    lowered = lower(desk.play_of(text()).play)
    run = FeatureRun(lowered.program, Series(bars, load_calendar("24/7")))
    run.advance()
    found = {
        (held.timeframe.name): run.x[row, run.column : run.column + len(bars)]
        for name, row in lowered.program.decisions.columns.items()
        if (held := lowered.program.held.get(name)) is not None
    }
    for minutes, length in ((5, 3), (15, 2)):
        closes = bars.close[minutes - 1 :: minutes]
        for at in range(len(bars)):
            closed = (at + 1) // minutes
            expected = np.mean(closes[closed - length : closed]) if closed >= length else np.nan
            assert found[f"{minutes}m"][at] == pytest.approx(expected, rel=1e-12, nan_ok=True), (minutes, at)


def test_m6_comparisons_are_worked_out_in_one_module_only() -> None:
    """M6: whoever else reads the nodes of comparisons would be a second evaluator."""
    comparisons = ("nodes.greater", "nodes.cross", "nodes.equal", "nodes.near_", "nodes.between", "nodes.count_")
    readers = {
        path.relative_to(SOURCES).as_posix()
        for path in SOURCES.rglob("*.py")
        if any(node in path.read_text("utf-8") for node in comparisons)
    }

    assert readers == {"strategies/play/meaning.py"}


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (["ms.bos_direction", "==", "up"], "up"),
        (["ms.bos_direction", "==", "bullish_5"], "bullish_5"),
        (["ms.bos_direction", "==", "ema_5"], "ema_5"),
    ],
)
def test_m7_a_word_must_be_one_of_the_left_outputs_own(condition: list[Any], words: str) -> None:
    swing = PLAY["structures"]["exec"][0]
    structures = {"exec": [swing, {"type": "market_structure", "key": "ms", "uses": "sw"}]}
    features = {**PLAY["features"], "bullish_5": {"indicator": "ema", "params": {"length": 5}}}

    assert words in told(structures=structures, features=features, actions={"entry_long": [condition]})


def test_m7_no_feature_is_called_as_a_word_and_a_bare_word_beside_a_number_is_a_reference() -> None:
    assert "'bullish' is a word of the language" in told(features={"bullish": {"indicator": "ema"}})

    columns = lower(desk.play_of(text(actions={"entry_long": [["ema_5", ">", "high"]]})).play).program.decisions.columns
    assert "high" in columns


def test_m8_the_terms_of_a_play_are_made_in_one_place() -> None:
    makers = {
        path.relative_to(SOURCES).as_posix()
        for path in SOURCES.rglob("*.py")
        if "AccountTerms(" in path.read_text("utf-8").replace("class AccountTerms(", "")
    }

    assert makers == {"strategies/play/program.py"}


def test_m10_the_shipped_plays_are_where_they_are_looked_for_and_twins_are_refused(tmp_path: Path) -> None:
    assert examples.FOLDER.is_dir()
    assert len(examples.names()) >= 20
    for folder in ("a", "b/deeper"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "twin.yaml").write_text(text())
    with pytest.raises(UsageError, match="exists more than once"):
        examples.find("twin", tmp_path)


def test_l3_the_liquidation_formula_is_written_once() -> None:
    """L3: gates and venue call the same function; the audit has one of its own on purpose."""
    callers = {
        path.relative_to(SOURCES).as_posix()
        for path in SOURCES.rglob("*.py")
        if "liquidation_price(" in path.read_text("utf-8") and "readiness" not in path.parts
    }

    assert callers == {
        "risk/liquidation.py", "risk/gates/entry.py", "venues/simulated/steps.py", "engine/margin_history.py",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "rows"), [("alma", "one product a bar of its length"), ("swing", "`left + right` comparisons")]
)
def test_l4_l5_what_is_not_constant_per_bar_is_written_down(name: str, rows: str) -> None:
    """L4 and L5: the cost of `alma` and `swing` grows with their length, and the page of measurements says so."""
    page = SOURCES.parents[1] / "docs" / "develop" / "indicator_speed.md"

    assert rows in page.read_text("utf-8"), name


def test_p2_concurrent_first_readers_get_the_same_registry() -> None:
    """P2: whoever comes first, everybody sees one and the same table."""
    registry._names_in.cache_clear()
    barrier, found = threading.Barrier(8), []

    def read() -> None:
        barrier.wait()
        found.append((tuple(registry.all_indicators().values()), tuple(registry.all_structures().values())))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found[0][0]) == 43


def test_t17_the_makers_fee_is_the_plays_own() -> None:
    terms = desk.play_of(text(account={"starting_equity": 1000, "fee_model": {"maker_bps": 1.5}})).terms

    assert terms.account.maker == Decimal("0.00015")
