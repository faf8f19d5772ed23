"""`keel validate`, `keel schema` and `keel new`: what they say and how they exit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evenkeel.cli.entry import run


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with a home of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVENKEEL_HOME", str(tmp_path / "home"))
    return tmp_path


def test_a_new_play_is_valid_and_brings_its_schema(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["new", "my_play"]) == 0
    text = (desk / "my_play.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=play.schema.json\n")
    assert "\nname: my_play\n" in text
    assert json.loads((desk / "play.schema.json").read_text())["title"] == "Evenkeel play"
    assert run(["validate", "my_play.yaml"]) == 0
    assert "my_play.yaml: ok (play my_play, hash " in capsys.readouterr().out


def test_new_copies_an_example_into_a_folder(desk: Path) -> None:
    assert run(["new", "plays/break_out", "--from", "spy_donchian_breakout"]) == 0
    assert "\nname: break_out\n" in (desk / "plays" / "break_out.yaml").read_text()


def test_new_overwrites_nothing(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "mine.yaml").write_text("precious")
    assert run(["new", "mine"]) == 2
    assert (desk / "mine.yaml").read_text() == "precious"
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["My Play", "1st", "a-b", ".yaml"])
def test_new_refuses_what_cannot_name_a_play(desk: Path, name: str) -> None:
    assert run(["new", name]) == 2
    assert list(desk.glob("**/*.yaml")) == []


def test_validate_shows_every_problem_with_line_and_caret(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["new", "mine"])
    path = desk / "mine.yaml"
    path.write_text(path.read_text().replace("length: 14", "lenght: 14").replace("stop_loss:", "stop_los:"))
    capsys.readouterr()

    assert run(["validate", "mine.yaml"]) == 2

    said = capsys.readouterr().out
    assert "features.atr_14.params.lenght: atr has no parameter 'lenght'; did you mean 'length'?" in said
    assert "risk_model.stop_los: unknown key 'stop_los'; did you mean 'stop_loss'?" in said
    assert "^^^^^^" in said
    assert said.endswith("mine.yaml: 2 problems\n")


def test_validate_as_json_is_one_document(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", "ema_cross", "nope.yaml", "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["ok"]) == ("evenkeel.validation/1", False)
    assert [file["ok"] for file in document["files"]] == [True, False]
    assert "there is no file 'nope.yaml'" in document["files"][1]["problems"][0]["message"]


def test_validate_takes_overrides(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", "ema_cross", "--set", "fast=5"]) == 0
    assert run(["validate", "ema_cross", "--set", "fsat=5"]) == 2
    assert "did you mean 'fast'?" in capsys.readouterr().out
    assert run(["validate", "ema_cross", "--set", "fast"]) == 2
    assert "is not NAME=VALUE" in capsys.readouterr().err


def test_validate_tells_of_more_warm_up_than_a_play_may_need(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """plays.md 2.8: how far back a play looks against what it may ask for."""
    assert run(["validate", "ema_cross", "--set", "slow=400"]) == 2
    said = capsys.readouterr().out
    assert "closed D bars before the first decision" in said
    assert "and the limit is 1,000" in said

    assert run(["validate", "ema_cross", "--set", "slow=400", "--set", "warmup.min_bars=1500"]) == 0


def test_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "play"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Evenkeel play"
    assert run(["schema", "plays"]) == 2


def test_a_block_is_checked_as_a_block(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", "trend_filter"]) == 0
    assert "trend_filter: ok (block trend_filter)" in capsys.readouterr().out
    (desk / "mine.yaml").write_text('kind: block\nversion: "3.0.0"\nname: mine\nsetups: { up: [close, ">", opne] }\n')
    assert run(["validate", "mine.yaml"]) == 2
    assert "mine.yaml:4:28: setups.up[2]: 'opne' is not declared; did you mean 'open'?" in capsys.readouterr().out
    assert run(["validate", "mine.yaml", "--set", "n=1"]) == 2


def test_a_play_finds_the_blocks_of_the_home(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["new", "mine"])
    path = desk / "mine.yaml"
    path.write_text(path.read_text() + "\ninclude: [kept]\n")
    assert run(["validate", "mine.yaml"]) == 2
    blocks = desk / "home" / "blocks"
    blocks.mkdir(parents=True)
    kept = 'kind: block\nversion: "3.0.0"\nname: kept\nsetups: { up: [close, ">", open] }\n'
    (blocks / "kept.yaml").write_text(kept)
    assert run(["validate", "mine.yaml"]) == 0


def test_each_kind_has_a_schema(capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("play", "block", "playbook", "system"):
        assert run(["schema", kind]) == 0
        schema = json.loads(capsys.readouterr().out)
        assert schema["title"] == f"Evenkeel {kind}"
        assert {"const": kind, "type": "string"} in schema["properties"]["kind"]["anyOf"]


def test_explain_says_what_a_play_does_behind_its_verdict(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", "ema_cross", "--explain"]) == 0
    verdict, _, explanation = capsys.readouterr().out.partition("\n\n")
    assert verdict.startswith("ema_cross: ok (play ema_cross, hash ")
    assert explanation.startswith("What it trades\n  ema_cross trades SPY.US")
    assert "\n  Opens a long position when ema_fast_20 crosses above ema_slow_50.\n" in explanation


def test_explain_explains_nothing_that_does_not_load(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "wrong.yaml").write_text("name: wrong\n")
    assert run(["validate", "wrong.yaml", "ema_cross", "--explain", "--json"]) == 2
    wrong, right = json.loads(capsys.readouterr().out)["files"]
    assert "explanation" not in wrong
    assert [section["title"] for section in right["explanation"]][:2] == ["What it trades", "When it decides"]
    assert "It decides once a day, at the close." in right["explanation"][1]["lines"]
