"""`keel diff`: what it says, what it prints for programs, and how it exits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evenkeel import examples
from evenkeel.cli.commands import COMMAND_GAPS, COMMANDS
from evenkeel.cli.entry import run

NAME = "btc_trend_pullback"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a home of its own and a copy of an example."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVENKEEL_HOME", str(tmp_path / "home"))
    (tmp_path / "mine.yaml").write_text(examples.find(NAME).read_text("utf-8"))
    return tmp_path


def edit(desk: Path, old: str, new: str) -> None:
    path = desk / "mine.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_an_edit_is_told_in_words_with_the_worst_case(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(desk, "washed_out_below: 45", "washed_out_below: 50")
    edit(desk, "value: 0.75", "value: 1.5")
    assert run(["diff", NAME, "mine.yaml"]) == 1
    said = capsys.readouterr().out
    assert "entry_long: in was_washed_out, inside the window, rsi_14 < 45 became < 50: fires at" in said
    assert "size: as large as makes the stop cost 0.75 % of equity" in said
    (position,) = [line.split() for line in said.splitlines() if line.startswith("largest position")]
    # costs alone, 2 * 0.4 % + 0.03 % of the position, may cost 187.50 before; the cap of 95 % of equity binds after
    assert float(position[2].replace(",", "")) == pytest.approx(187.5 / 0.0083, rel=1e-3)
    assert position[4] == "23,750.00"
    (loss,) = [line.split() for line in said.splitlines() if line.startswith("largest loss at the stop")]
    assert float(loss[-5]) == pytest.approx(25000 * 0.0075, rel=0.05)
    assert float(loss[-3]) == pytest.approx(25000 * 0.015, rel=0.05)
    assert loss[-1] == "*"


def test_other_words_for_the_same_play_change_nothing(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(desk, "rsi_14", "rsi_fast_14")
    edit(desk, "description: Buys", "description: Sells")
    assert run(["diff", NAME, "mine.yaml"]) == 0
    said = capsys.readouterr().out
    assert "No change in behaviour.\n" in said
    assert "- rsi_14 is now called rsi_fast_14; it is computed as before" in said
    first, second = said.splitlines()[:2]
    assert first.rpartition("hash ")[2] != second.rpartition("hash ")[2]


def test_for_programs_there_is_one_document(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(desk, "washed_out_below: 45", "washed_out_below: 40")
    assert run(["diff", NAME, "mine.yaml", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["equal"]) == ("evenkeel.diff/1", False)
    assert document["changes"] == [
        {
            "part": "rules", "where": "entry_long", "effect": "fewer",
            "text": "in was_washed_out, inside the window, rsi_14 < 45 became < 40",
        }
    ]  # fmt: skip
    assert document["before"]["name"] == document["after"]["name"] == NAME
    figures = {figure["name"]: (figure["before"], figure["after"]) for figure in document["worst_case"]}
    assert figures["start equity"] == (25000.0, 25000.0)
    assert {"largest position", "largest loss at the stop", "leverage", "orders an entry", "entries a bar"} < set(
        figures
    )
    assert document["price"] == {"before": 100.0, "after": 100.0}


def test_bad_input_is_no_difference(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(desk, "stop_loss:", "stop_los:")
    assert run(["diff", NAME, "mine.yaml"]) == 2
    assert "unknown key 'stop_los'" in capsys.readouterr().err
    assert run(["diff", NAME, "nope.yaml"]) == 2
    assert run(["diff", NAME]) == 2
    (desk / "s.py").write_text("")
    assert run(["diff", NAME, "s.py"]) == 2
    assert "compares plays (.yaml)" in capsys.readouterr().err


def test_a_loss_without_a_bound_is_said_to_have_none(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", "aapl_vwap_reversion", "ema_cross", "--json"]) == 1
    figures = {one["name"]: one for one in json.loads(capsys.readouterr().out)["worst_case"]}
    assert figures["largest loss at the stop"]["before"] is None
    assert run(["diff", "aapl_vwap_reversion", "ema_cross"]) == 1
    assert "unbounded" in capsys.readouterr().out


def test_of_several_instruments_a_common_one_is_compared_and_the_others_are_named(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (desk / "mine.yaml").read_text()
    for name, symbols in (("a", "[BTC-USD.BITSTAMP, ETH-USD.BITSTAMP]"), ("b", "[ETH-USD.BITSTAMP, BTC-USD.BITSTAMP]")):
        (desk / f"{name}.yaml").write_text(text.replace("symbol: BTC-USD.BITSTAMP", f"symbols: {symbols}"))
    assert run(["diff", "a.yaml", "b.yaml"]) == 0
    capsys.readouterr()
    assert run(["diff", "a.yaml", "mine.yaml", "--json"]) == 1
    changes = json.loads(capsys.readouterr().out)["changes"]
    assert [(change["where"], change["text"]) for change in changes] == [("symbols", "ETH-USD.BITSTAMP is gone")]


def test_it_is_no_gap_any_more() -> None:
    assert "diff" in COMMANDS
    assert "diff" not in COMMAND_GAPS
