"""The plain sections: every key of section 1, its default, its bounds, and the nearest name of a wrong one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from evenkeel.strategies.play.load import load_plays
from evenkeel.strategies.play.problems import PlayErrors
from watchdog import within

from .play_desk import DOCUMENT, SmallRegistry, document, find_instrument, load, problems, text_of, told, warned


def test_the_sample_loads_without_a_word() -> None:
    assert [line for line in warned(document()) if "never used" not in line] == []


def test_defaults_are_those_of_the_specification() -> None:
    play = load(document(account={}, risk=None, position_policy={"exit_mode": "signal"}))
    account = play.account
    assert (play.policy.mode, play.entry.order_type, play.entry.time_in_force) == ("long_only", "MARKET", "GTC")
    assert (account.starting_equity, account.max_leverage, account.max_drawdown_fraction) == (10000, 1, Decimal("0.2"))
    assert (account.slippage_bps, account.min_trade_notional, account.max_notional) == (2, 10, None)
    assert (account.max_position_equity_fraction, account.stop_equity) == (Decimal("0.95"), 0)
    assert (account.include_close_fee, account.require_trade_through) == (True, False)
    assert play.backtest.start_ns is None
    assert play.id == "sample"


WRONG_KEYS = [
    ({"acount": {}}, "acount: unknown key 'acount'; did you mean 'account'?"),
    ({"entry": {"order_typ": "LIMIT"}}, "entry.order_typ: unknown key 'order_typ'; did you mean 'order_type'?"),
    (
        {"account": {"fee_model": {"taker_bp": 1}}},
        "account.fee_model.taker_bp: unknown key 'taker_bp'; did you mean 'taker_bps'?",
    ),
    (
        {"timeframes": {**DOCUMENT["timeframes"], "exce": 1}},
        "timeframes.exce: unknown key 'exce'; did you mean 'exec'?",
    ),
    ({"risk": {"stop_los_pct": 1, "take_profit_pct": 2}}, "did you mean 'stop_loss_pct'?"),
    (
        {"risk_model": {"stop_loss": {"type": "percent", "value": 1, "bass": "roi"}}, "risk": None},
        "risk_model.stop_loss.bass: unknown key 'bass'; did you mean 'basis'?",
    ),
    ({"position_policy": {"exit_mod": "signal"}}, "did you mean 'exit_mode'?"),
    ({"backtest": {"stat": "2024-01-01"}}, "did you mean 'start'?"),
]


@pytest.mark.parametrize(("change", "line"), WRONG_KEYS)
def test_an_unknown_key_names_its_path_and_the_nearest_key(change: dict[str, Any], line: str) -> None:
    assert any(line in one for one in told(document(**change)))


WRONG_VALUES = [
    ({"version": "2.9.0"}, "version: version '2.9.0' is not read"),
    ({"version": 3}, "version: '3' is not text; quote it"),
    ({"name": "Sample Play"}, "name: 'Sample Play' is not a name"),
    ({"symbol": "BTCUSD"}, "symbol: there is no instrument 'BTCUSD'"),
    ({"symbol": None}, "`symbol` is missing"),
    ({"symbols": ["BTCUSDT"]}, "symbols: `symbol` and `symbols` exclude each other"),
    ({"timeframes": None}, "`timeframes` is missing"),
    ({"account": None}, "`account` is missing"),
    ({"actions": None}, "`actions` is missing"),
    ({"timeframes": {"low_tf": "15m", "med_tf": "1h", "exec": "low_tf"}}, "timeframes: `high_tf` is missing"),
    ({"timeframes": {**DOCUMENT["timeframes"], "low_tf": "8h"}}, "timeframes.low_tf: '8h' is not allowed here"),
    ({"timeframes": {**DOCUMENT["timeframes"], "med_tf": "5m"}}, "timeframes: low_tf 15m, med_tf 5m and high_tf D"),
    ({"timeframes": {**DOCUMENT["timeframes"], "exec": "15m"}}, "timeframes.exec: '15m' is not allowed here"),
    ({"timeframes": {**DOCUMENT["timeframes"], "max_entries_per_bar": 2}}, "timeframes.max_entries_per_bar"),
    ({"account": {"starting_equity": 0}}, "account.starting_equity: '0' is out of bounds; it must be above 0"),
    ({"account": {"starting_equity": "10000"}}, "account.starting_equity: '10000' is not a number"),
    ({"account": {"starting_equity": float("nan")}}, "account.starting_equity: 'nan' is not a finite number"),
    ({"account": {"starting_equity": True}}, "account.starting_equity: true is not a number"),
    ({"account": {"max_drawdown_pct": 101}}, "account.max_drawdown_pct: '101' is out of bounds"),
    ({"account": {"slippage_bps": -1}}, "account.slippage_bps: '-1' is out of bounds; it must be at least 0"),
    ({"account": {"max_leverage": 0}}, "account.max_leverage: '0' is out of bounds"),
    ({"account": {"stop_equity": 10000}}, "account.stop_equity: the run would stop at once"),
    ({"account": {"position_mode": "hedge"}}, "account.position_mode: 'hedge' is not allowed here"),
    ({"account": [1]}, "account: a list is not a map"),
    ({"position_policy": {"allow_flip": True}}, "position_policy.allow_flip: true is not allowed here"),
    ({"position_policy": {"mode": "long_shrt"}}, "did you mean 'long_short'?"),
    ({"entry": {"order_type": "LIMT"}}, "entry.order_type: 'LIMT' is not allowed here; did you mean 'LIMIT'?"),
    ({"entry": {"limit_offset_pct": 0.1}}, "entry.limit_offset_pct: a MARKET entry has no limit"),
    ({"entry": {"time_in_force": "PostOnly"}}, "entry.time_in_force: a MARKET entry cannot be PostOnly"),
    (
        {"entry": {"order_type": "LIMIT", "time_in_force": "IOC", "expire_after_bars": 3}},
        "entry.expire_after_bars: only a LIMIT entry with GTC or PostOnly can expire",
    ),
    (
        {"entry": {"order_type": "LIMIT", "expire_after_bars": 1.5}},
        "entry.expire_after_bars: '1.5' is not a whole number",
    ),
    ({"backtest": {"start": "yesterday"}}, "backtest.start: 'yesterday' is not a time"),
    ({"backtest": {"start": "2024-02-01", "end": "2024-02-01"}}, "backtest.end: the end must lie after the start"),
    ({"warmup": {"min_bars": -1}}, "warmup.min_bars: '-1' is out of bounds"),
    ({"warmup": {"min_bars": {"4h": 10}}}, "warmup.min_bars.4h: '4h' is not a timeframe of this play"),
    ({"features": None, "structures": None, "actions": {"entry_long": ["close", ">", "open"]}}, "at least one feature"),
]


@pytest.mark.parametrize(("change", "line"), WRONG_VALUES)
def test_a_wrong_value_is_refused_with_path_and_bound(change: dict[str, Any], line: str) -> None:
    found = told(document(**change))
    assert any(line in one for one in found), found


REMOVED = [
    ({"blocks": []}, "blocks: `blocks` is no longer a key; use `actions`"),
    ({"signal_rules": {}}, "signal_rules: `signal_rules` is no longer a key; use `actions`"),
    ({"timeframes": {**DOCUMENT["timeframes"], "ltf": "1m"}}, "timeframes.ltf: `ltf` is no longer a key; use `low_tf`"),
    ({"exec_tf": "15m"}, "exec_tf: `exec_tf` is no longer a key; use `timeframes.exec`"),
    (
        {"account": {"margin_mode": "isolated"}},
        "account.margin_mode: `isolated` is no longer a value; write isolated_usdt",
    ),
]


@pytest.mark.parametrize(("change", "line"), REMOVED)
def test_a_removed_key_says_what_replaced_it(change: dict[str, Any], line: str) -> None:
    (found,) = told(document(**change))
    assert line in found


GAPS = [
    {"features": {**DOCUMENT["features"], "psar_1": {"indicator": "psar"}}},
    {"account": {"starting_equity": 1, "currency": "EUR"}},
    {"symbol": "SPY.US", "account": {"starting_equity_usdt": 1}},
]


@pytest.mark.parametrize("change", GAPS)
def test_what_is_specified_but_not_built_is_refused_by_name(change: dict[str, Any]) -> None:
    (found,) = problems(document(**change))
    assert found.kind == "unavailable"
    assert "is not available yet" in found.message
    assert found.remedy == "`keel doctor --gaps` lists all such"
    assert found.line > 0


def test_only_gaps_make_another_reason_than_mistakes() -> None:
    from evenkeel.strategies.play.problems import PlayErrors

    with pytest.raises(PlayErrors) as only_gaps:
        load(document(features={**DOCUMENT["features"], "psar_1": {"indicator": "psar"}}))
    with pytest.raises(PlayErrors) as both:
        load(document(features={**DOCUMENT["features"], "psar_1": {"indicator": "psar"}}, entri={}))
    assert (only_gaps.value.reason, both.value.reason) == ("NOT_AVAILABLE", "BAD_PLAY")
    assert only_gaps.value.exit_code == 2


def test_every_problem_is_told_at_once_in_the_order_of_the_lines() -> None:
    found = problems(
        document(
            entri={},
            account={"slippage_bps": -1, "fee_model": {"taker": 1}},
            features={"ema_20": {"indicator": "emma"}, "rsi_14": {"indicator": "rsi", "params": {"len": 1}}},
            structures=None,
            actions={"entry_long": ["close", ">>", "ema_20"], "exit_long": ["clos", "<", "ema_20"]},
            risk={"stop_loss_pct": 200},
        )
    )
    assert [one.path for one in found] == [
        "account.slippage_bps", "account.fee_model.taker", "features.ema_20.indicator", "features.rsi_14.params.len",
        "actions.entry_long[1]", "actions.exit_long[0]", "risk.stop_loss_pct", "entri",
    ]  # fmt: skip
    assert [one.line for one in found] == sorted(one.line for one in found)


def test_the_place_is_the_offending_text() -> None:
    text = 'version: "3.0.0"\nname: x\naccount: { slippage_bps: fast }\n'
    found = next(one for one in problems(text) if one.path == "account.slippage_bps")
    assert (found.line, found.column, found.width) == (3, 26, 4)
    assert found.excerpt[found.column - 1 :][: found.width] == "fast"


def test_one_instrument_in_symbols_is_a_symbol() -> None:
    assert load(document(symbol=None, symbols=["ETHUSDT"])).instrument.id == "ETHUSDT.BYBIT"


def test_aliases_of_timeframes_are_understood() -> None:
    assert load(document(timeframes={**DOCUMENT["timeframes"], "high_tf": "1d"})).intervals.high.name == "D"


def test_equal_timeframes_are_allowed() -> None:
    values = document(timeframes={"low_tf": "1h", "med_tf": "1h", "high_tf": "1h", "exec": "high_tf"})
    assert load(values).intervals.exec.name == "1h"


def test_warmup_counts_bars_by_timeframe() -> None:
    assert load(document(warmup={"min_bars": 300})).warmup == {"15m": 300, "1h": 300, "D": 300}
    assert load(document(warmup={"min_bars": {"med_tf": 80, "1h": 90}})).warmup == {"1h": 90}


def test_the_backtest_section_overrides_the_account() -> None:
    play = load(document(backtest={"equity": 5000, "slippage_bps": 0, "start": "2024-01-01", "end": "2024-02-01"}))
    assert (play.account.starting_equity, play.account.slippage_bps) == (5000, 0)
    assert play.backtest.start_ns == 1704067200_000000000


def test_fees_come_from_the_instrument_unless_the_play_says_otherwise() -> None:
    perpetual, equity = load(document()).account, load(document(symbol="SPY.US")).account
    own = load(document(account={"fee_model": {"taker_bps": 7.5}})).account
    assert (perpetual.taker_bps, perpetual.maker_bps) == (Decimal("5.5"), Decimal(2))
    assert (equity.taker_bps, equity.fee_per_contract, equity.currency) == (0, Decimal("0.005"), "USD")
    assert (own.taker_bps, own.maker_bps) == (Decimal("7.5"), Decimal(2))


def test_the_usdt_keys_are_the_same_in_usdt() -> None:
    account = load(document(account={"starting_equity_usdt": 5, "max_notional_usdt": 3, "max_margin_usdt": 2})).account
    assert (account.starting_equity, account.currency, account.max_notional) == (5, "USDT", 2)
    assert told(document(symbol="SPY.US", account={"max_notional_usdt": 3})) == [
        "account.max_notional_usdt: `max_notional_usdt` counts USDT, but the account is in USD; write `max_notional`"
    ]
    assert "say the same thing twice" in told(document(account={"starting_equity_usdt": 5, "starting_equity": 5}))[0]


def test_a_spot_instrument_cannot_be_sold_short() -> None:
    short = {"entry_short": ["close", "<", "ema_20"], "exit_short": ["close", ">", "ema_20"]}
    policy = {"mode": "short_only", "exit_mode": "first_hit"}
    (found,) = told(document(symbol="COIN-USDT.X", actions=short, position_policy=policy))
    assert "COIN-USDT.X is spot and cannot be sold short" in found


def test_a_file_of_another_kind_is_named() -> None:
    (line,) = told(document(regime_detector={}))
    assert line.startswith("regime_detector: this file is a playbook, not a play; `keel backtest` runs it")
    assert told(document(kind="block")) == ["kind: this file is a block, not a play; include it in a play"]
    assert told(document(kind="plya")) == ["kind: 'plya' is not allowed here; did you mean 'play'?"]
    assert load(document(kind="play")).hash == load(document()).hash


def test_a_block_is_not_included_among_the_actions() -> None:
    (line,) = told(document(actions=[{"include": "pullback"}]))
    assert line.startswith("actions[0].include: a block is not included among the actions")


def test_a_list_that_is_too_long_says_how_long_it_may_be() -> None:
    steps = [{"rr": 1.0, "close_pct": 10}] * 9
    risk = {"stop_loss_pct": 2, "take_profit": {"type": "ladder", "steps": steps}}
    assert told(document(risk=risk)) == ["risk.take_profit.steps: it has 9 entries; write at most 8"]


def test_symbols_by_the_thousand_keep_nobody_waiting() -> None:
    many = text_of(document(symbol=None, symbols=["BTCUSDT"] * 3000))
    with within(60), pytest.raises(PlayErrors, match="it has 3,000 entries; write at most 100"):
        load_plays(many, instruments=find_instrument, registry=SmallRegistry())


def test_a_misspelt_type_is_told_as_such_and_not_as_missing() -> None:
    risk = {"stop_loss": {"tpye": "percent", "value": 2}, "take_profit_pct": 4}
    assert told(document(risk=risk)) == ["risk.stop_loss.tpye: unknown key 'tpye'; did you mean 'type'?"]


def test_a_rule_without_a_type_tells_its_unknown_keys_too() -> None:
    risk = {"stop_loss": {"valeu": 2}, "take_profit_pct": 4}
    first, second = told(document(risk=risk))
    assert first.startswith("risk.stop_loss: `type` is missing; add `type:` with one of percent, atr_multiple")
    assert second == "risk.stop_loss.valeu: unknown key 'valeu'; did you mean 'value'?"
