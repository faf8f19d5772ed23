"""Files that are missing, damaged or of another kind: one failed check that says where, never an exception."""

from __future__ import annotations

import ast
import csv
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import evenkeel.readiness.audit as package
from evenkeel.readiness.audit import Check, audit

from .audited_run import Scenario, edit_csv, edit_json, edit_table, write
from .position_scenarios import PARTIAL
from .scenarios import FORTY_DAYS, LONG_STOP


def load(folder: Path) -> Check:
    checks = audit(folder)
    assert [check.name for check in checks] == ["LOAD"]
    return checks[0]


@pytest.mark.parametrize("name", ["result.json", "manifest.json", "trades.csv", "fills.csv", "equity.parquet"])
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    write(tmp_path, LONG_STOP)
    (tmp_path / name).unlink()

    assert load(tmp_path) == Check("LOAD", ok=False, skipped=False, detail=f"{name} is missing")


@pytest.mark.parametrize("name", ["result.json", "manifest.json", "trades.csv", "fills.csv", "equity.parquet"])
def test_a_file_of_noise_is_named(name: str, tmp_path: Path) -> None:
    write(tmp_path, LONG_STOP)
    (tmp_path / name).write_bytes(b"\xff\xfe\x00noise")

    assert load(tmp_path).detail.startswith(name)


def test_another_schema_is_refused(tmp_path: Path) -> None:
    write(tmp_path, LONG_STOP)
    edit_json(tmp_path / "result.json", "schema", "evenkeel.backtest/2")

    assert load(tmp_path).detail == (
        "result.json: the schema is 'evenkeel.backtest/2'; this audit knows 'evenkeel.backtest/1'"
    )


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    write(tmp_path, LONG_STOP)
    document = json.loads((tmp_path / "manifest.json").read_text())
    del document["account"]["taker_bps"]
    (tmp_path / "manifest.json").write_text(json.dumps(document))

    assert load(tmp_path).detail == "manifest.json: the key account.taker_bps is missing"


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("qty", "-1", "trades.csv line 2: qty is -1, it must be positive"),
        ("entry_price", "NaN", "trades.csv line 2: entry_price is 'NaN', a number below 1e+18 was expected"),
        ("fees", "0.000000001", "trades.csv line 2: fees is 1E-9, money has at most eight decimals"),
        ("side", "buy", "trades.csv line 2: side is 'buy', one of long, short was expected"),
        ("entry_time", "2024-01-01 00:05", "trades.csv line 2: entry_time is '2024-01-01 00:05', an instant"),
        ("exit_time", "9999-01-01T00:00:00Z", "trades.csv line 2: exit_time is '9999-01-01T00:00:00Z', a year from"),
        ("exit_time", "2024-13-01T00:05:00Z", "trades.csv line 2: exit_time is '2024-13-01T00:05:00Z'"),
    ],
)
def test_a_bad_field_is_named_with_file_line_and_column(column: str, value: str, words: str, tmp_path: Path) -> None:
    write(tmp_path, LONG_STOP)
    edit_csv(tmp_path / "trades.csv", 0, **{column: value})

    assert load(tmp_path).detail.startswith(words)


def test_columns_in_another_order_are_refused(tmp_path: Path) -> None:
    write(tmp_path, LONG_STOP)
    text = (tmp_path / "fills.csv").read_text()
    (tmp_path / "fills.csv").write_text(text.replace("fill,trade", "trade,fill"))

    assert load(tmp_path).detail.startswith("fills.csv: the header must begin with fill,trade,symbol")


def test_a_row_that_is_too_short_is_refused(tmp_path: Path) -> None:
    write(tmp_path, LONG_STOP)
    with (tmp_path / "fills.csv").open("a") as file:
        file.write("3,2,BTCUSDT\n")

    assert load(tmp_path).detail == "fills.csv line 4: 3 fields under 14 columns"


def test_equity_that_is_float_is_refused(tmp_path: Path) -> None:
    write(tmp_path, LONG_STOP)
    edit_table(tmp_path / "equity.parquet", lambda table: table.cast({"equity": pl.Float64}))

    assert load(tmp_path).detail.startswith("equity.parquet: the column equity is Float64")


def test_equity_with_a_hole_is_refused(tmp_path: Path) -> None:
    write(tmp_path, LONG_STOP)
    edit_table(tmp_path / "equity.parquet", lambda table: table.with_columns(drawdown=pl.lit(float("nan"))))

    assert load(tmp_path).detail == "equity.parquet: the column drawdown has missing or infinite values"


@pytest.mark.parametrize("name", ["trades.csv", "fills.csv"])
@pytest.mark.parametrize("odd", ["", "0", "-1", "1e30", "x", "2020-01-01T00:00:00Z", "2030-01-01T00:00:00Z"])
@pytest.mark.parametrize("scenario", [FORTY_DAYS, PARTIAL])
def test_no_odd_field_makes_the_audit_itself_fail(name: str, odd: str, scenario: Scenario, tmp_path: Path) -> None:
    run = write(tmp_path, scenario)
    original = (tmp_path / name).read_text()
    columns = next(csv.reader(original.splitlines()))
    for column in columns:
        edit_csv(tmp_path / name, 1, **{column: odd})
        assert audit(run.folder, base_bars=run.base, higher_bars=run.higher)
        (tmp_path / name).write_text(original)


OPTIONAL = (
    "risk.trailing", "risk.break_even", "risk.stop_loss", "risk.take_profit", "account.funding",
    "strategy.resolved.features.atr", "strategy.resolved.timeframes", "account.fee_model",
)  # fmt: skip
"""Sections of the manifest that not every run has."""


def keys_of(document: dict[str, Any], section: str) -> list[str]:
    """Return the keys of a section given by its dotted path; none where there is no such section."""
    value: Any = document
    for part in section.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return list(value or {})


EVERYTHING = replace(
    PARTIAL,
    changes={
        **PARTIAL.changes,
        "account.fee_model": {"liquidation_bps": "6"},
        "account.maintenance_margin_rate": "0.005", "account.mm_deduction": "0", "account.on_sl_beyond_liq": "adjust",
        "account.min_liq_distance_pct": "1", "account.continue_after_liquidation": False,
        "risk.stop_loss": {"type": "trailing_atr", "atr_multiplier": 2, "atr_feature_id": "atr", "activation_pct": 1},
        "risk.take_profit": {"type": "ladder", "steps": [{"rr": 1, "close_pct": 100}]},
        "risk.break_even": {"activation_pct": 1, "offset_pct": 0.1},
        "strategy.resolved": {
            "features": {"atr": {"indicator": "atr", "params": {"length": 3}, "tf": "1h"}},
            "actions": {"exit_long": []},
            "timeframes": {"evaluate": "intrabar", "max_entries_per_bar": 1},
        },
    },
)  # fmt: skip
"""A manifest with every key that the audit can read."""


@pytest.mark.parametrize("odd", [None, "x", -1, 0, 1e30, [], {}])
@pytest.mark.parametrize("scenario", [FORTY_DAYS, EVERYTHING])
def test_no_odd_value_makes_the_audit_itself_fail(odd: Any, scenario: Scenario, tmp_path: Path) -> None:
    run = write(tmp_path, scenario)
    for name, sections in (
        ("manifest.json", ("data", "account", "sizing", "risk", "entry", "position_policy", "instrument",
                           "strategy.resolved", *OPTIONAL)),
        ("result.json", ("account", "metrics", "metrics_extra")),
    ):  # fmt: skip
        original = (tmp_path / name).read_text()
        for section in sections:
            for key in keys_of(json.loads(original), section):
                edit_json(tmp_path / name, f"{section}.{key}", odd)
                assert audit(run.folder, base_bars=run.base, higher_bars=run.higher)
                (tmp_path / name).write_text(original)


def test_the_audit_imports_nothing_of_the_project_but_itself() -> None:
    own = "evenkeel.readiness.audit"
    folder = Path(package.__path__[0])
    allowed = {*sys.stdlib_module_names, "numpy", "polars"}
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path.name} line {node.lineno}: a relative import"
                names = [node.module or ""]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            for name in names:
                mine = name == own or name.startswith(f"{own}.")
                assert mine or name.split(".")[0] in allowed, f"{path.name} line {node.lineno} imports {name}"
