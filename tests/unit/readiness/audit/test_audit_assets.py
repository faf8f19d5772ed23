"""Splits and margin calls by hand: right files pass, each falsified one is found, what is not derived says so."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from evenkeel.readiness.audit import Check, audit
from evenkeel.readiness.audit.assets import SPLITS

from .audited_run import FILL_HEADER, Hand, Scenario, Written, edit_csv, flat, write, write_csv
from .scenarios import LONG, LONG_STOP


def checked(run: Written) -> dict[str, Check]:
    return {check.name: check for check in audit(run.folder, base_bars=run.base, higher_bars=run.higher)}


def failed(run: Written) -> set[str]:
    return {name for name, check in checked(run).items() if check.failed}


@pytest.fixture
def split(tmp_path: Path) -> Written:
    """Return a run in which 5 units at 200.04 became 10 at 100.02 while they were held."""
    run = write(tmp_path, LONG_STOP)
    path = run.folder / "fills.csv"
    with path.open(newline="") as file:
        entry, leave = csv.DictReader(file)
    new = {**entry, "fill": "2", "price": "0", "fee": "0", "order_kind": "split", "slippage": "0", "qty": "5"}
    new |= {"liquidity": "maker", "time": "2024-01-01T00:06:00Z"}
    write_csv(path, FILL_HEADER, [{**entry, "qty": "5", "price": "200.04"}, new, {**leave, "fill": "3"}])
    return run


class TestSplits:
    def test_the_new_units_are_a_piece_of_the_entry_and_what_is_not_derived_says_so(self, split: Written) -> None:
        checks = checked(split)
        assert not failed(split)
        assert all(checks[name].ok for name in ("LOAD", "FILLS_MATCH", "FEES", "INDEP_PNL", "EXCHANGE_FORMULA"))
        for name in ("ENTRY_PRICE", "TP_SL_FIRST", "EQUITY_WALK"):
            assert (checks[name].skipped, checks[name].detail) == (True, SPLITS)

    def test_only_a_split_costs_nothing(self, split: Written) -> None:
        edit_csv(split.folder / "fills.csv", 1, order_kind="market")
        assert "LOAD" in failed(split)

    def test_a_split_costs_nothing(self, split: Written) -> None:
        edit_csv(split.folder / "fills.csv", 1, price="1")
        assert "LOAD" in failed(split)

    @pytest.mark.parametrize(
        ("row", "change"), [(1, {"qty": "4"}), (1, {"fee": "0.1"}), (0, {"price": "210"}), (1, {"side": "sell"})]
    )
    def test_a_changed_piece_is_found(self, split: Written, row: int, change: dict[str, str]) -> None:
        edit_csv(split.folder / "fills.csv", row, **change)
        assert failed(split) & {"FILLS_MATCH", "FEES"}


CALLED = Scenario(
    bars=[*flat(100.0, 7), *flat(99.0, 8)],
    trades=[
        Hand(
            **LONG, exit=8, exit_price="98.9802", exit_fee="0.5443911", reason="margin_call", exit_point="open",
            gross="-10.398", net="-11.4925011", exit_slippage="0.198", mae=0.010395921, mfe=0.0,
        )
    ],
    changes={
        "instrument.kind": "future", "account.kind": "futures",
        "instrument.contract_margin": {"initial": "999.5", "maintenance": "999", "intraday": None},
        "instrument.lot_size": "1", "sizing.value": "100", "account.max_position_equity_pct": "100",
    },
)  # fmt: skip
"""At 07:00 the close of 99 leaves 10000 - 0.55011 - 10.20 = 9989.25 for ten contracts that must keep 999 each."""


def keeping(maintenance: str) -> Scenario:
    margin = {"initial": "999.5", "maintenance": maintenance, "intraday": None}
    return replace(CALLED, changes={**CALLED.changes, "instrument.contract_margin": margin})


class TestMarginCalls:
    def test_a_call_that_equity_asked_for_passes(self, tmp_path: Path) -> None:
        assert not failed(write(tmp_path, CALLED))

    def test_one_that_it_did_not_ask_for_is_found(self, tmp_path: Path) -> None:
        assert failed(write(tmp_path, keeping("998"))) == {"EXIT_TIME"}

    def test_one_that_came_late_is_found(self, tmp_path: Path) -> None:
        assert failed(write(tmp_path, replace(CALLED, bars=[*flat(100.0, 6), *flat(99.0, 9)]))) == {"EXIT_TIME"}

    def test_a_contract_more_than_the_margin_carries_is_found(self, tmp_path: Path) -> None:
        margin = {"initial": "1001", "maintenance": "999", "intraday": None}
        changes = {**CALLED.changes, "instrument.contract_margin": margin}
        assert failed(write(tmp_path, replace(CALLED, changes=changes))) == {"SIZE"}

    def test_an_account_without_a_broker_of_that_kind_has_none(self, tmp_path: Path) -> None:
        unlevered = replace(CALLED, changes={**CALLED.changes, "account.kind": "unlevered"})
        assert "EXIT_REASON" in failed(write(tmp_path, unlevered))
