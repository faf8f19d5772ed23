"""`keel backtest` of several symbols: one run on one account, with files of the account and of each instrument."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import polars as pl
import pytest

from evenkeel.cli.entry import run
from evenkeel.examples import find

PLAY = """\
version: "3.0.0"
name: two_markets
symbols: [SPY.US, EURUSD.FX]
timeframes: { low_tf: D, med_tf: D, high_tf: D, exec: low_tf }
account: { starting_equity: 10000 }
features: { ema_5: { indicator: ema, params: { length: 5 } } }
actions: { entry_long: [close, cross_above, ema_5], exit_long: [close, cross_below, ema_5] }
position_policy: { mode: long_only, exit_mode: signal }
"""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVENKEEL_HOME", str(tmp_path / "home"))
    (tmp_path / "two_markets.yaml").write_text(PLAY)
    return tmp_path


def test_several_symbols_are_one_run_on_one_account(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", "two_markets.yaml", "--out", "out"]) == 0
    said = capsys.readouterr().out
    assert "SPY.US" in said
    assert "EURUSD.FX" in said
    result = json.loads((desk / "out" / "result.json").read_text())
    assert result["symbols"] == ["EURUSD.FX", "SPY.US"]
    lines = {line["symbol"]: line for line in result["instruments"]}
    assert result["metrics"]["trades"] == sum(line["trades"] for line in lines.values())
    assert result["metrics"]["net_pnl"] == pytest.approx(sum(line["net_pnl"] for line in lines.values()), abs=1e-6)
    assert all(lines[name]["trades"] > 0 for name in ("SPY.US", "EURUSD.FX"))
    assert all(not line["checks_failed"] for line in lines.values())
    assert [check["name"] for check in result["checks"] if check["ok"]] == [
        "PORTFOLIO_LOAD", "PORTFOLIO_TRADES", "PORTFOLIO_EQUITY", "PORTFOLIO_FINAL", "PORTFOLIO_STOP",
        "PORTFOLIO_SIZE",
    ]  # fmt: skip
    with (desk / "out" / "trades.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    assert {row["symbol"] for row in rows} == {"EURUSD.FX", "SPY.US"}
    assert [row["exit_time"] for row in rows] == sorted(row["exit_time"] for row in rows)
    frame = pl.read_parquet(desk / "out" / "equity.parquet")
    assert frame.columns == ["time", "equity", "cash", "drawdown", "position_EURUSD.FX", "position_SPY.US"]
    assert frame["time"].is_sorted()
    page = (desk / "out" / "report.html").read_text()
    for name in ("SPY.US", "EURUSD.FX"):
        assert f'href="instruments/{name}/report.html"' in page
        assert (desk / "out" / "instruments" / name / "report.html").is_file()


def test_no_report_leaves_no_page(desk: Path) -> None:
    assert run(["backtest", "two_markets.yaml", "--out", "out", "--no-report"]) == 0
    assert list((desk / "out").rglob("*.html")) == []


def test_a_single_symbol_stays_a_run_of_its_own(desk: Path) -> None:
    for name in ("SPY.US", "EURUSD.FX"):
        assert run(["backtest", "two_markets.yaml", "--symbol", name, "--out", name, "--no-report"]) == 0
        assert json.loads((desk / name / "result.json").read_text())["symbols"] == [name]
    assert not (desk / "SPY.US" / "instruments").exists()


def test_both_lanes_and_any_order_of_the_symbols_make_one_result(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hashes = set()
    for lane in ("research", "engine"):
        assert run(["backtest", "two_markets.yaml", "--lane", lane, "--out", lane, "--no-report"]) == 0
        hashes.add(json.loads((desk / lane / "result.json").read_text())["result_hash"])
    (desk / "two_markets.yaml").write_text(PLAY.replace("[SPY.US, EURUSD.FX]", "[EURUSD.FX, SPY.US]"))
    assert run(["backtest", "two_markets.yaml", "--out", "turned", "--no-report"]) == 0
    hashes.add(json.loads((desk / "turned" / "result.json").read_text())["result_hash"])
    assert len(hashes) == 1

    capsys.readouterr()
    assert run(["replay", "engine/instruments/SPY.US"]) == 0
    assert run(["replay", "research/instruments/EURUSD.FX"]) == 0
    assert run(["explain", "engine/instruments/SPY.US", "--trade", "2"]) == 0
    assert "the rule 'entry_long' asked for a long entry in SPY.US" in capsys.readouterr().out
    assert run(["explain", "engine"]) == 2
    assert "'engine' is a run of several instruments; name the part of one of them" in capsys.readouterr().err


def test_options_may_name_the_symbols(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "one.yaml").write_text(find("ema_cross").read_text())
    names = ["--symbol", "SPY.US", "--symbol", "EURUSD.FX"]
    assert run(["backtest", "one.yaml", *names, "--no-report", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "evenkeel.portfolio/1"
    assert [line["symbol"] for line in document["instruments"]] == ["EURUSD.FX", "SPY.US"]


def test_instruments_of_two_currencies_do_not_share_an_account(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fast = PLAY.replace(": D", ": 15m").replace("[SPY.US, EURUSD.FX]", "[AAPL.US, BTC-USDT.BINANCE]")
    (desk / "two_markets.yaml").write_text(fast)
    assert run(["backtest", "two_markets.yaml"]) == 2
    assert "quoted in USD and USDT, and an account has one currency" in capsys.readouterr().err


def test_what_takes_one_run_asks_for_the_symbol(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["parity", "two_markets.yaml"]) == 2
    assert "each of SPY.US, EURUSD.FX is a run of its own; choose one with --symbol" in capsys.readouterr().err
    assert run(["parity", "two_markets.yaml", "--symbol", "EURUSD.FX"]) == 0


def test_validate_tells_the_hash_of_each(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", "two_markets.yaml", "--json"]) == 0
    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert sorted(file["hashes"]) == ["EURUSD.FX", "SPY.US"]
    assert run(["validate", "two_markets.yaml"]) == 0
    assert f"SPY.US {file['hashes']['SPY.US']}" in capsys.readouterr().out
