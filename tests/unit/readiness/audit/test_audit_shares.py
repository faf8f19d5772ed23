"""Runs of shares: splits, dividends, borrow fees, settled cash and day trades, each with a fault that is found."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evenkeel.data.side import SideKind
from evenkeel.readiness.audit.assets import BORROWED, SPLITS

from .audited_run import edit_csv, edit_json
from .real_runs import Ran, daily, ran

PLAY = """
version: "3.0.0"
name: waves
symbol: AAPL.US
timeframes: {{ low_tf: D, med_tf: D, high_tf: D, exec: low_tf }}
account: {{ starting_equity: {equity}, slippage_bps: 0, max_drawdown_pct: 100, {account} }}
features:
  sma_3: {{ indicator: sma, params: {{ length: 3 }} }}
  atr_3: {{ indicator: atr, params: {{ length: 3 }} }}
actions:
  entry_long: [close, ">", sma_3]
  exit_long: [close, "<", sma_3]
{shorts}
position_policy: {{ mode: {mode}, exit_mode: first_hit }}
risk_model:
  stop_loss: {{ type: atr_multiple, value: {stop}, atr_feature_id: atr_3 }}
  sizing: {{ model: percent_equity, value: {size} }}
"""
SHORTS = """
  entry_short: [close, "<", sma_3]
  exit_short: [close, ">", sma_3]
"""
WAVES = [100 + 8 * math.sin(day / 2.3) + day / 5 for day in range(60)]
QUICK = [100 + 8 * math.sin(day / 1.1) + day / 5 for day in range(60)]
SPLIT_DAY = 30


def play(account: str = "", *, shorts: bool = False, equity: int = 100_000, size: int = 50, stop: float = 3.0) -> str:
    mode = "long_short" if shorts else "long_only"
    return PLAY.format(account=account, shorts=SHORTS if shorts else "", mode=mode, equity=equity, size=size, stop=stop)


def ratio(split: float, day: int = SPLIT_DAY) -> dict[SideKind, Any]:
    return {SideKind.ACTIONS: [(20, {"dividend": 0.5}), (day, {"split": split})]}


def changed(run: Ran, kind: str, column: str, values: list[float]) -> Ran:
    """Return the run beside data that says something else."""
    held = getattr(run.market, kind)
    return replace(
        run, market=replace(run.market, **{kind: replace(held, columns={**held.columns, column: np.array(values)})})
    )


def after(split: float) -> list[float]:
    return [close if day < SPLIT_DAY else close / split for day, close in enumerate(WAVES)]


class TestSplits:
    @pytest.mark.parametrize("split", [4.0, 0.25, 1.5])
    def test_what_the_rules_said_behind_a_split_is_read_again(self, split: float, tmp_path: Path) -> None:
        run = ran(tmp_path, play(), daily(after(split)), ratio(split))
        checks = run.checks()

        assert run.failed() == set()
        assert all(checks[name]["ok"] for name in ("SIGNAL_REPLAY", "NO_LOOKAHEAD", "FILLS_MATCH", "EXCHANGE_FORMULA"))
        assert checks["ENTRY_PRICE"]["detail"] == SPLITS

    def test_rules_on_prices_that_were_not_rescaled_are_found(self, tmp_path: Path) -> None:
        run = ran(tmp_path, play(), daily(after(4.0)), ratio(4.0))

        assert "SIGNAL_REPLAY" in changed(run, "actions", "split", [math.nan, 2.0]).failed()

    def test_another_rule_is_found(self, tmp_path: Path) -> None:
        run = ran(tmp_path, play(), daily(after(4.0)), ratio(4.0))
        edit_json(run.folder / "manifest.json", "strategy.resolved.features.sma_3.params.length", 4)

        assert "SIGNAL_REPLAY" in run.failed()

    @pytest.mark.parametrize("fault", [{"qty": "1"}, {"fee": "1"}])
    def test_a_reverse_split_that_leaves_another_number_is_found(self, fault: dict[str, str], tmp_path: Path) -> None:
        run = ran(tmp_path, play(), daily(after(0.25)), ratio(0.25))
        lines = (run.folder / "fills.csv").read_text().splitlines()
        at = next(place for place, line in enumerate(lines[1:]) if ",split," in line)

        edit_csv(run.folder / "fills.csv", at, **fault)

        assert run.failed() & {"FILLS_MATCH", "FEES"}

    def test_a_split_between_positions_leaves_nothing_out(self, tmp_path: Path) -> None:
        day = 26
        prices = [close if number < day else close / 4 for number, close in enumerate(WAVES)]
        run = ran(tmp_path, play(), daily(prices), ratio(4.0, day))
        checks = run.checks()

        assert ",split," not in (run.folder / "fills.csv").read_text()
        assert run.failed() == set()
        assert all(checks[name]["ok"] for name in ("SL_TP_CALC", "ENTRY_PRICE", "SIZE", "EQUITY_WALK", "SIGNAL_REPLAY"))

    def test_a_stop_from_ranges_before_the_split_is_found(self, tmp_path: Path) -> None:
        day = 26
        prices = [close if number < day else close / 4 for number, close in enumerate(WAVES)]
        run = ran(tmp_path, play(), daily(prices), ratio(4.0, day))

        assert "SL_TP_CALC" in changed(run, "actions", "split", [math.nan, 2.0]).failed()


class TestDividends:
    def test_what_was_held_is_paid(self, tmp_path: Path) -> None:
        run = ran(tmp_path, play(), daily(WAVES), {SideKind.ACTIONS: [(20, {"dividend": 0.5})]})
        paid = [line.split(",")[12] for line in (run.folder / "trades.csv").read_text().splitlines()[1:]]

        assert any(float(amount) > 0 for amount in paid)
        assert run.failed() == set()

    def test_another_amount_is_found(self, tmp_path: Path) -> None:
        run = ran(tmp_path, play(), daily(WAVES), {SideKind.ACTIONS: [(20, {"dividend": 0.5})]})

        assert "FUNDING" in changed(run, "actions", "dividend", [0.51]).failed()


class TestBorrow:
    MARGIN = "kind: margin, borrow_rate_pct: 3"

    def test_the_fee_of_the_account(self, tmp_path: Path) -> None:
        run = ran(tmp_path, play(self.MARGIN, shorts=True, size=95), daily(QUICK))
        assert run.failed() == set()
        assert not any(check["skipped"] for name, check in run.checks().items() if name in ("FUNDING", "SIGNAL_REPLAY"))

        for place in ("account", "strategy.resolved.account"):
            edit_json(run.folder / "manifest.json", f"{place}.borrow_rate_pct", 4)

        assert "FUNDING" in run.failed()

    def test_recorded_rates_take_its_place_from_where_they_begin(self, tmp_path: Path) -> None:
        rates = {SideKind.BORROW: [(10, {"rate": 0.02}), (30, {"rate": 0.08})]}
        run = ran(tmp_path, play(self.MARGIN, shorts=True, size=95), daily(QUICK), rates)

        assert run.failed() == set()
        assert run.checks()["FUNDING"]["ok"]
        assert "FUNDING" in changed(run, "borrow", "rate", [0.02, 0.07]).failed()

    def test_recorded_rates_that_are_not_given_say_so(self, tmp_path: Path) -> None:
        rates = {SideKind.BORROW: [(10, {"rate": 0.02})]}
        run = ran(tmp_path, play(self.MARGIN, shorts=True), daily(QUICK), rates)
        without = replace(run, market=replace(run.market, borrow=None))

        assert without.checks()["FUNDING"]["detail"] == BORROWED


class TestCash:
    @pytest.mark.parametrize("days", [0, 1, 3, 5])
    def test_an_entry_is_paid_from_settled_cash(self, days: int, tmp_path: Path) -> None:
        run = ran(tmp_path, play(f"kind: cash, settlement_days: {days}", size=95), daily(QUICK))
        checks = run.checks()

        assert run.failed() == set()
        assert checks["SIZE"]["ok"]
        assert checks["SIGNAL_REPLAY"]["ok"]

    def test_money_that_had_not_settled_yet_is_found(self, tmp_path: Path) -> None:
        run = ran(tmp_path, play("kind: cash, settlement_days: 0", size=95), daily(QUICK))
        edit_json(run.folder / "manifest.json", "strategy.resolved.account.settlement_days", 3)

        assert "SIZE" in run.failed()

    def test_settled_money_that_was_not_used_is_found(self, tmp_path: Path) -> None:
        run = ran(tmp_path, play("kind: cash, settlement_days: 5", size=95), daily(QUICK))
        edit_json(run.folder / "manifest.json", "strategy.resolved.account.settlement_days", 0)

        assert "SIZE" in run.failed()


class TestDayTrades:
    """A stop within the day of the entry makes a day trade: the range of a day reaches one beyond its prices."""

    ACCOUNT = "kind: margin, borrow_rate_pct: 3, pattern_day_trader: {flag}"

    def run(self, flag: str, folder: Path) -> Ran:
        rising = [100 + day / 10 for day in range(40)]
        return ran(folder, play(self.ACCOUNT.format(flag=flag), equity=20_000, stop=0.3), daily(rising))

    def test_the_fourth_of_five_sessions_is_refused(self, tmp_path: Path) -> None:
        run = self.run("true", tmp_path)
        checks = run.checks()

        assert run.failed() == set()
        assert "refused" in checks["SIGNAL_REPLAY"]["detail"]

    def test_one_that_was_not_refused_is_found(self, tmp_path: Path) -> None:
        run = self.run("false", tmp_path)
        assert run.failed() == set()
        edit_json(run.folder / "manifest.json", "strategy.resolved.account.pattern_day_trader", True)

        assert "SIZE" in run.failed()

    def test_one_that_was_refused_without_a_rule_is_found(self, tmp_path: Path) -> None:
        run = self.run("true", tmp_path)
        edit_json(run.folder / "manifest.json", "strategy.resolved.account.pattern_day_trader", False)

        assert "SIGNAL_REPLAY" in run.failed()


def test_a_run_that_never_traded_is_read_again_too(tmp_path: Path) -> None:
    silent = play().replace('entry_long: [close, ">", sma_3]', 'entry_long: [close, ">", 1000000]')
    run = ran(tmp_path, silent, daily(WAVES))

    assert run.failed() == set()
    assert run.checks()["SIGNAL_REPLAY"]["ok"]
