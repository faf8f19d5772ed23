"""Loading playbooks: shares, regimes, plays and detector, and every mistake with its line."""

from __future__ import annotations

import copy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from evenkeel.strategies.play.problems import PlayErrors
from evenkeel.strategies.playbook.json_schema import playbook_schema, system_schema

from .playbook_desk import DETECTOR, Desk, book, in_a_row, play


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def detector(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in {**copy.deepcopy(DETECTOR), **changes}.items() if value is not None}


def test_members_stand_in_order_of_first_mention_with_their_weights(desk: Desk) -> None:
    found = desk.load(book())
    assert found.regimes == ("up", "down")
    assert [(member.name, member.weights) for member in found.members] == [("one", (0.25, 1.0)), ("two", (0.75, 0.0))]
    assert (found.capital, found.currency, found.hysteresis_bars, found.blend_bars) == (Decimal(50000), "USD", 3, 0)
    assert (found.risk.max_exposure, found.risk.max_correlation, found.risk.max_active) == (0.8, 0.7, 3)
    assert found.on_regime_exit == "hold"


def test_a_play_starts_with_its_largest_share_and_without_a_range(desk: Desk) -> None:
    desk.put(play("two", "EURUSD.FX", backtest={"equity": 5, "start": "2017-03-01", "slippage_bps": 7}))
    one, two = desk.load(book()).members
    assert (one.play.account.starting_equity, two.play.account.starting_equity) == (50000, 37500)
    assert (two.play.backtest.start_ns, two.play.account.slippage_bps) == (None, 7)


def test_the_default_regime_may_have_a_rule(desk: Desk) -> None:
    rules = [{"regime": "up", "when": {"setup": "rising"}}, {"regime": "down", "when": ["close", "<", "ema_20"]}]
    assert desk.load(book(regime_detector=detector(regimes=rules))).regimes == ("up", "down")


def test_an_empty_regime_stays_out(desk: Desk) -> None:
    found = desk.load(book(plays={"up": [{"play": "one", "weight": 1.0}], "down": []}))
    assert [member.weights for member in found.members] == [(1.0, 0.0)]


def test_parallel_and_sequential_playbooks_have_one_regime(desk: Desk) -> None:
    parallel = desk.load(in_a_row("parallel", {"play": "one", "weight": 0.4}, {"play": "two", "weight": 0.6}))
    assert (parallel.regimes, [member.weights for member in parallel.members]) == (("all",), [(0.4,), (0.6,)])
    sequential = desk.load(in_a_row("sequential", {"play": "one"}, {"play": "two"}))
    assert [member.weights for member in sequential.members] == [(1.0,), (1.0,)]
    assert {member.play.account.starting_equity for member in sequential.members} == {Decimal(50000)}


def test_one_play_may_trade_several_instruments(desk: Desk) -> None:
    parts = [{"play": "one", "weight": 0.5}, {"play": "one", "symbol": "AAPL.US", "weight": 0.5}]
    members = desk.load(in_a_row("parallel", *parts)).members
    assert [member.name for member in members] == ["one-SPY.US", "one-AAPL.US"]
    assert [member.play.instrument.id for member in members] == ["SPY.US", "AAPL.US"]


def test_whatever_a_playbook_says_is_in_its_hash(desk: Desk) -> None:
    before = desk.load(book()).hash
    changes: list[dict[str, Any]] = [
        {"capital": 50001}, {"hysteresis_bars": 4}, {"blend_bars": 2}, {"on_regime_exit": "close"},
        {"risk": {"max_correlation": 0.6}}, {"risk": {"max_drawdown_pct": 10}}, {"description": "other"},
        {"regime_detector": detector(setups={"rising": ["close", ">=", "ema_20"]})},
        {"plays": {"up": [{"play": "one", "weight": 1.0}], "down": [{"play": "one", "weight": 1.0}]}},
    ]  # fmt: skip
    assert len({before, *(desk.load(book(**change)).hash for change in changes)}) == len(changes) + 1
    desk.put(play("two", "EURUSD.FX", description="other"))
    assert desk.load(book()).hash != before


def test_a_block_in_the_detector_is_part_of_the_hash(desk: Desk) -> None:
    kept = {
        "kind": "block",
        "version": "3.0.0",
        "name": "kept",
        "features": {},
        "setups": {"up": ["close", ">", "open"]},
    }
    desk.put(kept)
    values = book(regime_detector=detector(include=["kept"], regimes=[{"regime": "up", "when": {"setup": "kept_up"}}]))
    before = desk.load(values).hash
    desk.put({**kept, "setups": {"up": ["close", ">=", "open"]}})
    assert desk.load(values).hash != before


def test_variables_and_sets_reach_everything(desk: Desk) -> None:
    values = book(
        variables={"length": 30, "bars": 5}, hysteresis_bars="{{ bars }}",
        regime_detector=detector(features={"ema_20": {"indicator": "ema", "params": {"length": "{{ length }}"}}}),
    )  # fmt: skip
    found = desk.load(values)
    assert found.hysteresis_bars == 5
    assert found.detector is not None
    assert found.detector.features[0].params == {"length": 30}
    assert desk.load(values, bars="7", capital="9").hysteresis_bars == 7


WRONG: list[tuple[dict[str, Any], str]] = [
    (book(mode="parralel"), "mode: 'parralel' is not allowed here; did you mean 'parallel'?"),
    (book(mode=None), "`mode` is missing; add `mode:` with one of regime_switch"),
    (book(plays=None), "`plays` is missing; add `plays:`"),
    (book(regime_detector=None), "mode: mode regime_switch needs a regime detector; add `regime_detector:`"),
    (book(regime_detector=3), "regime_detector: mode regime_switch needs a regime detector"),
    (book(rsik={}), "rsik: unknown key 'rsik'; did you mean 'risk'?"),
    (book(risk={"max_corelation": 0.5}), "risk.max_corelation: unknown key 'max_corelation'; did you mean"),
    (book(risk={"max_correlation": 1.5}), "risk.max_correlation: '1.5' is out of bounds; it must be at most 1"),
    (book(risk=3), "risk: '3' is not a map"),
    (book(version="9.0"), "version: version '9.0' is not read"),
    (book(capital=0), "capital: '0' is out of bounds; it must be above 0"),
    (book(hysteresis_bars=0), "hysteresis_bars: '0' is out of bounds; it must be at least 1"),
    (book(blend_bars=-1), "blend_bars: '-1' is out of bounds; it must be at least 0"),
    (book(on_regime_exit="sell"), "on_regime_exit: 'sell' is not allowed here; allowed are hold, close, tighten"),
    (book(plays=[]), "plays: plays must be a map of regime to a list of plays; regimes: up, down"),
    (book(plays={"up": [{"play": "one", "weight": 1.0}]}), "plays: the regime 'down' has no plays; add `down: []`"),
    (book(plays={"up": [], "down": [], "sideways": []}), "plays.sideways: the detector has no regime"),
    (book(plays={"up": 3, "down": []}), "plays.up: it must be a list of plays"),
    (book(plays={"up": [{"play": "one", "weight": 0.5}], "down": []}), "plays.up: the weights sum to 0.5; they"),
    (book(plays={"up": [{"play": "one", "weight": -1}], "down": []}), "plays.up[0].weight: '-1' is out of bounds"),
    (book(plays={"up": [{"play": "one"}], "down": []}), "plays.up[0]: `weight` is missing; add `weight: …`"),
    (book(plays={"up": [{"play": "oen", "weight": 1}], "down": []}), "plays.up[0].play: there is no play 'oen'"),
    (book(plays={"up": [{"play": "../x.yaml", "weight": 1}], "down": []}), "plays.up[0].play: '../x.yaml' leads"),
    (book(plays={"up": [{"play": "one", "wieght": 1}], "down": []}), "plays.up[0].wieght: unknown key 'wieght'"),
    (book(plays={"up": [{"play": "one", "weight": 0.5}] * 2, "down": []}), "plays.up[1].play: 'one' stands"),
    (book(plays={"up": [{"play": "one", "weight": 1}, {"play": "two", "weight": 0}], "down": []}),
     "plays.up[1].play: 'two' has no weight in any regime"),
    (book(plays={"up": [{"play": "one", "weight": 1, "symbol": "ACME"}], "down": []}), "symbol: "),
    (in_a_row("parallel", {"play": "one", "weight": 1}, hysteresis_bars=2),
     "hysteresis_bars: `hysteresis_bars` has no meaning in mode parallel: it has no regimes"),
    ({**in_a_row("parallel", {"play": "one", "weight": 1}), "regime_detector": DETECTOR},
     "regime_detector: `regime_detector` has no meaning in mode parallel"),
    (in_a_row("parallel"), "plays: plays must be a list here: there are no regimes"),
    ({**in_a_row("parallel"), "plays": {"up": []}}, "plays: plays must be a list here: there are no regimes"),
    (in_a_row("parallel", {"play": "one", "weight": 0.7}), "plays: the weights sum to 0.7; they must sum to 1"),
    (in_a_row("sequential", {"play": "one", "weight": 1}), "plays[0].weight: a play has the whole capital in its turn"),
    (in_a_row("parallel", {"play": "one", "weight": 0.5}, {"play": "one.yaml", "weight": 0.5}),
     "plays[1].play: the play one-SPY.US is in the playbook already"),
    (book(currency="EUR"), "plays.up[0].play: the account of one is in USD, not in EUR"),
    (book(regime_detector=detector(symbol="ACME")), "regime_detector.symbol: "),
    (book(regime_detector=detector(symbol=None)), "regime_detector: `symbol` is missing"),
    (book(regime_detector=detector(regimes=[])), "regime_detector.regimes: it is empty; write at least one"),
    (book(regime_detector=detector(default=None)), "`default` is missing"),
    (book(regime_detector=detector(actions={})), "regime_detector.actions: unknown key 'actions'"),
    (book(regime_detector=detector(features={"ema_20": {"indicator": "emma"}})),
     "regime_detector.features.ema_20.indicator: there is no indicator 'emma'; did you mean"),
    (book(regime_detector=detector(setups={"rising": ["close", ">", "ema_21"]})),
     "regime_detector.setups.rising[2]: 'ema_21' is not declared; did you mean 'ema_20'?"),
    (book(regime_detector=detector(regimes=[{"regime": "up", "when": ["close", ">", "nope"]}])),
     "regime_detector.regimes[0].when[2]: 'nope' is not declared"),
    (book(regime_detector=detector(regimes=[{"regime": "up", "when": {"setup": "rising"}}] * 2)),
     "regime_detector.regimes[1].regime: the regime 'up' stands twice"),
    (book(regime_detector=detector(timeframes={**DETECTOR["timeframes"], "high_tf": "1h"})),
     "regime_detector.timeframes: low_tf D, med_tf D and high_tf 1h are out of order"),
    (book(regime_detector=detector(features={}, setups={"rising": ["close", ">", "open"]})),
     "regime_detector.features: a detector needs at least one feature or structure"),
    (book(regime_detector=detector(include=["nope"])), "regime_detector.include[0]: there is no block 'nope'"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "message"), WRONG)
def test_what_is_wrong_is_told_by_name(desk: Desk, values: dict[str, Any], message: str) -> None:
    found = desk.told(values)
    assert any(message in line for line in found), found


def test_a_file_of_another_kind_is_named(desk: Desk) -> None:
    with pytest.raises(PlayErrors) as refused:
        desk.load({**book(), "kind": "system"})
    assert "kind: this file is a system, not a playbook" in refused.value.message


def test_one_mistake_is_told_once(desk: Desk) -> None:
    for values in (
        book(mode="parralel"), book(plays={"up": [{"play": "oen", "weight": 1}], "down": []}),
        book(regime_detector=detector(regimes=[{"regime": "up", "when": ["close", ">", "nope"]}], setups=None)),
    ):  # fmt: skip
        assert len(desk.told(values)) == 1, desk.told(values)


def test_problems_of_a_play_are_told_with_its_file(desk: Desk) -> None:
    desk.put({**play("one"), "features": {"ema_5": {"indicator": "ema", "params": {"lenght": 5}}}})
    (line,) = desk.told(book())
    assert line.startswith("one.yaml: features.ema_5.params.lenght: ema has no parameter 'lenght'")


def test_a_problem_in_the_detector_has_line_and_column(desk: Desk) -> None:
    (problem,) = desk.problems(book(regime_detector=detector(setups={"rising": ["close", ">", "ema_21"]})))
    text = (desk.folder / "book.yaml").read_text().splitlines()
    assert problem.excerpt == text[problem.line - 1]
    assert problem.excerpt[problem.column - 1 :] == "ema_21"


def test_several_symbols_need_a_choice(desk: Desk) -> None:
    desk.put({**{k: v for k, v in play("one").items() if k != "symbol"}, "symbols": ["SPY.US", "AAPL.US"]})
    assert any("the play trades 2 symbols; add `symbol:`, such as SPY.US" in line for line in desk.told(book()))
    chosen = book(plays={"up": [{"play": "one", "symbol": "AAPL.US", "weight": 1.0}], "down": []})
    assert desk.load(chosen).members[0].play.instrument.id == "AAPL.US"


def test_an_unused_feature_of_the_detector_is_a_warning(desk: Desk) -> None:
    features = {**DETECTOR["features"], "rsi_9": {"indicator": "rsi", "params": {"length": 9}}}
    (warning,) = desk.load(book(regime_detector=detector(features=features))).warnings
    assert (warning.path, "is never used" in warning.message) == ("regime_detector.features.rsi_9", True)


def system(**changes: Any) -> dict[str, Any]:
    values = {
        "kind": "system", "version": "3.0.0", "name": "desk", "capital": 1000.5,
        "playbooks": [{"playbook": "book", "allocation_pct": 40}, {"playbook": "rest", "allocation_pct": 60}],
        **changes,
    }  # fmt: skip
    return {key: value for key, value in values.items() if value is not None}


@pytest.fixture
def desk_with_books(desk: Desk) -> Desk:
    desk.put(book())
    desk.put(in_a_row("parallel", {"play": "two", "weight": 1}, name="rest"))
    return desk


def test_a_system_gives_each_playbook_its_allocation(desk_with_books: Desk) -> None:
    found = desk_with_books.load_system(system())
    assert [(one.name, one.capital) for one in found.playbooks] == [
        ("book", Decimal("400.20")), ("rest", Decimal("600.30")),
    ]  # fmt: skip
    assert found.playbooks[0].members[0].play.account.starting_equity == Decimal("400.2")
    assert found.currency == "USD"
    assert found.hash != desk_with_books.load_system(system(capital=1000)).hash


WRONG_SYSTEMS: list[tuple[dict[str, Any], str]] = [
    (system(capital=None), "`capital` is missing; add `capital: …`"),
    (system(playbooks=None), "`playbooks` is missing"),
    (system(playbooks=[]), "playbooks: playbooks must be a list"),
    (system(playbooks=[{"playbook": "bok", "allocation_pct": 10}]), "playbooks[0].playbook: there is no playbook"),
    (system(playbooks=[{"playbook": "book", "allocation_pct": 0}]), "playbooks[0].allocation_pct: '0' is out"),
    (system(playbooks=[{"playbook": "book", "allocation_pct": 70}, {"playbook": "rest", "allocation_pct": 31}]),
     "playbooks: the allocations sum to 101.0 percent; at most 100; the rest is cash"),
    (system(playbooks=[{"playbook": "book", "allocation_pct": 7}] * 2), "playbooks[1].playbook: 'book' stands twice"),
    (system(deployment={"mode": "shadow"}), "deployment.mode: 'shadow' is not allowed here; allowed are backtest"),
    (system(risk={"max_exposure": 3}), "risk.max_exposure: unknown key 'max_exposure'"),
    (system(currency="EUR"), "playbooks: the account of book is in USD, not in EUR"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "message"), WRONG_SYSTEMS)
def test_what_is_wrong_with_a_system_is_told_by_name(
    desk_with_books: Desk, values: dict[str, Any], message: str
) -> None:
    found = desk_with_books.told(values)
    assert any(message in line for line in found), found


def test_a_system_tells_what_is_wrong_in_its_plays(desk_with_books: Desk) -> None:
    desk_with_books.put({**play("two", "EURUSD.FX"), "actions": {}})
    assert any(line.startswith("two.yaml: actions: ") for line in desk_with_books.told(system()))


def test_schemas_have_a_title_and_know_the_keys() -> None:
    assert {"regime_detector", "plays", "risk", "mode"} <= set(playbook_schema()["properties"])
    assert {"playbooks", "deployment", "risk"} <= set(system_schema()["properties"])
