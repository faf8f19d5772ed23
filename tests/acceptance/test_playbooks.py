"""`keel backtest PLAYBOOK` on shipped data: files, audits, replays, and the same result every time."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from evenkeel.cli.entry import run


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVENKEEL_HOME", str(tmp_path / "home"))
    return tmp_path


def result_of(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return document


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", ["spy_regimes", "two_markets"])
def test_a_shipped_playbook_runs_is_audited_and_repeats(
    desk: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert run(["backtest", name, "--out", "one", "--lane", "engine"]) == 0
    said = capsys.readouterr().out
    assert "audit of the playbook: 7 checks passed, 0 failed" in said
    assert run(["backtest", name, "--out", "two", "--no-report", "--json"]) == 0
    capsys.readouterr()

    first, second = result_of(desk / "one"), result_of(desk / "two")
    assert first["result_hash"] == second["result_hash"]
    assert (json.loads((desk / "two" / "manifest.json").read_text()))["lane"] == "research"
    assert [play["checks_failed"] for play in first["plays"]] == [[], []]
    assert all(play["trades"] > 0 for play in first["plays"])
    page = (desk / "one" / "report.html").read_text()
    assert not (desk / "two" / "report.html").exists()
    for play in first["plays"]:
        assert f'href="{play["folder"]}/report.html"' in page
        folder = desk / "one" / play["folder"]
        assert (folder / "report.html").is_file()
        assert run(["replay", str(folder)]) == 0
        assert run(["audit", str(folder)]) == 0
        assert run(["journal", "verify", str(folder)]) == 0
    assert run(["audit", "one"]) == 0


def test_what_a_playbook_leaves_agrees_with_itself(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", "spy_regimes", "--out", "out", "--no-report"]) == 0
    result = result_of(desk / "out")
    parts = {play["name"]: result_of(desk / "out" / play["folder"]) for play in result["plays"]}

    gained = sum(float(p["account"]["end_equity"]) - float(p["account"]["start_equity"]) for p in parts.values())
    assert float(result["account"]["end_equity"]) == pytest.approx(100_000 + gained, abs=1e-6)
    assert result["metrics"]["trades"] == sum(part["metrics"]["trades"] for part in parts.values())
    attributed = sum(float(row["net_pnl"]) for row in rows_of(desk / "out" / "attribution.csv"))
    assert attributed == pytest.approx(result["metrics"]["net_pnl"], abs=1e-6)
    assert sum(regime["time_pct"] for regime in result["regimes"]) == pytest.approx(100.0)
    assert {regime["regime"] for regime in result["regimes"]} == {"falling", "wild", "calm"}
    assert set(rows_of(desk / "out" / "regimes.csv")[0]) >= {"time", "regime", "p_calm", "share_ema_cross"}
    reasons = {reason for part in parts.values() for reason in part["metrics_extra"]["refusals"]}
    assert {"REGIME_INACTIVE", "POSITION_CONFLICT"} <= reasons
    exits = {row["exit_reason"] for name in parts for row in rows_of(desk / "out" / "plays" / name / "trades.csv")}
    assert "regime" in exits
    for one in (result, *parts.values()):
        assert one["evidence"]["trials"] == 1
        assert one["evidence"]["dsr"] == one["evidence"]["psr"]
    annual = result["evidence"]["sharpe_session"] * 252**0.5
    assert annual == pytest.approx(result["metrics"]["sharpe"], rel=1e-3)


def test_the_sum_of_shares_is_what_entries_were_sized_by(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`ema_cross` buys 95 % of its share, so a position is worth about that much at the entry."""
    assert run(["backtest", "spy_regimes", "--out", "out", "--no-report"]) == 0
    for row in rows_of(desk / "out" / "plays" / "ema_cross" / "trades.csv"):
        worth = float(row["qty"]) * float(row["entry_price"])
        assert worth == pytest.approx(0.95 * 60_000, rel=0.03)


def test_settings_of_a_playbook_can_be_set(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", "two_markets", "--out", "a", "--no-report"]) == 0
    changed = ["--set", "risk.max_active_plays=1"]
    assert run(["backtest", "two_markets", *changed, "--out", "b", "--no-report"]) == 0
    before, after = result_of(desk / "a"), result_of(desk / "b")
    assert before["result_hash"] != after["result_hash"]
    assert any("ACTIVE_PLAYS_LIMIT" in play["refusals"] for play in after["plays"])


def test_a_small_drawdown_stops_everything(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--set", "risk.max_drawdown_pct=1", "--out", "out", "--no-report"]
    assert run(["backtest", "two_markets", *arguments]) == 0
    result = result_of(desk / "out")
    assert result["stop_reason"] == "playbook"
    assert {play["stop_reason"] for play in result["plays"]} == {"playbook"}
    assert all(play["checks_failed"] == [] for play in result["plays"])
    assert result["metrics"]["max_drawdown_intrabar_pct"] >= 1.0


def test_one_folder_never_mixes_two_runs(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", "two_markets", "--out", "out", "--no-report"]) == 0
    assert run(["backtest", "ema_cross", "--out", "out", "--no-report"]) == 0
    assert not (desk / "out" / "plays").exists()
    assert not (desk / "out" / "regimes.csv").exists()
    assert run(["backtest", "two_markets", "--out", "out", "--no-report"]) == 0
    assert not (desk / "out" / "trades.csv").exists()


def test_what_takes_one_run_names_the_runs_of_the_plays(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", "two_markets", "--no-report"]) == 0
    capsys.readouterr()
    assert run(["replay", "latest"]) == 2
    error = capsys.readouterr().err
    assert "is the run of a playbook; name the run of one of its plays" in error
    assert "eurusd_range_fade" in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["backtest", "spy_regimes", "--symbol", "SPY.US"], "--symbol is for plays"),
        (["backtest", "small_desk"], "running a system: it is checked by `keel validate` only is not available yet"),
        (["backtest", "trend_filter"], "this file is a block, not a play; include it in a play"),
        (["parity", "spy_regimes"], "this file is a playbook, not a play; `keel backtest` runs it with all its plays"),
        (["backtest", "spy_regimes", "--set", "on_regime_exit=tighten"], "`on_regime_exit: tighten` is not available"),
        (["backtest", "spy_regimes", "--start", "2030-01-01"], "2030-01-01"),
    ],
)
def test_what_cannot_be_run_is_refused_by_name(
    desk: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run(arguments) == 2
    assert message in capsys.readouterr().err


def test_markets_without_common_time_are_refused(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        'kind: playbook\nversion: "3.0.0"\nname: apart\nmode: parallel\nplays:\n'
        "  - { play: eurusd_range_fade, weight: 0.5 }\n  - { play: aapl_vwap_reversion, weight: 0.5 }\n"
    )
    (desk / "apart.yaml").write_text(text)
    assert run(["backtest", "apart.yaml"]) == 2
    assert "the markets have no time in common: EURUSD.FX 2017-01-01" in capsys.readouterr().err


def test_both_lanes_make_one_result_of_a_shipped_playbook(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hashes = set()
    for lane in ("research", "engine"):
        run(["backtest", "two_markets", "--lane", lane, "--out", lane, "--no-report"])
        plays = json.loads((desk / lane / "result.json").read_text())["plays"]
        hashes.add(tuple(play["result_hash"] for play in plays))
    assert len(hashes) == 1
    capsys.readouterr()
    assert run(["replay", "research/plays/eurusd_range_fade"]) == 2
    assert "run the playbook with --lane engine" in capsys.readouterr().err
