"""`keel backtest` of several symbols: a run each, in a folder of its own, and a table."""

from __future__ import annotations

import json
from pathlib import Path

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


def test_each_symbol_gets_a_run_and_a_line(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", "two_markets.yaml", "--out", "out", "--no-report"]) == 0
    said = capsys.readouterr().out
    assert "SPY.US" in said
    assert "EURUSD.FX" in said
    results = {name: json.loads((desk / "out" / name / "result.json").read_text()) for name in ("SPY.US", "EURUSD.FX")}
    assert {name: result["symbols"] for name, result in results.items()} == {n: [n] for n in results}
    assert all(check["ok"] or check["skipped"] for result in results.values() for check in result["checks"])

    assert run(["backtest", "two_markets.yaml", "--symbol", "SPY.US", "--out", "alone", "--no-report"]) == 0
    alone = json.loads((desk / "alone" / "result.json").read_text())
    assert alone["result_hash"] == results["SPY.US"]["result_hash"]


def test_several_runs_are_one_json_document(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", "two_markets.yaml", "--no-report", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "evenkeel.backtests/1"
    assert [one["symbols"] for one in document["runs"]] == [["SPY.US"], ["EURUSD.FX"]]
    assert len({one["folder"] for one in document["runs"]}) == 2


def test_options_may_name_the_symbols(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "one.yaml").write_text(find("ema_cross").read_text())
    names = ["--symbol", "SPY.US", "--symbol", "EURUSD.FX"]
    assert run(["backtest", "one.yaml", *names, "--no-report", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["runs"]) == 2


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
