"""`keel explain`: what it prints for a trade and for a moment, in colour, plain and as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import talib

from evenkeel.cli.entry import run
from evenkeel.data.sources import bundled_catalog
from evenkeel.model.ids import InstrumentId
from evenkeel.model.time import Timeframe, parse_time

PLAY = """\
version: "3.0.0"
name: explained
symbol: SPY.US
timeframes: { low_tf: D, med_tf: D, high_tf: D, exec: low_tf }
account: { starting_equity: 100000 }
features:
  ema_20: { indicator: ema, params: { length: 20 } }
  ema_50: { indicator: ema, params: { length: 50 } }
  rsi_14: { indicator: rsi, params: { length: 14 } }
setups:
  rising: [ema_20, ">", ema_50]
actions:
  entry_long:
    all:
      - setup: rising
      - any:
          - occurred_within: { bars: 5, expr: [rsi_14, "<", 40] }
          - [rsi_14, cross_above, 60]
  exit_long: [ema_20, cross_below, ema_50]
position_policy: { mode: long_only, exit_mode: signal }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of each lane."""
    place = tmp_path_factory.mktemp("explained")
    (place / "explained.yaml").write_text(PLAY)
    for lane in ("engine", "research"):
        play, out = str(place / "explained.yaml"), str(place / lane)
        home = str(place / "home")
        assert run(["--home", home, "backtest", play, "--lane", lane, "--out", out, "--no-report", "--json"]) == 0
    return place


class Told:
    """Runs `keel explain` and returns what it printed."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder, self._capsys = folder, capsys

    def __call__(self, *arguments: str, lane: str = "engine", code: int = 0) -> str:
        self._capsys.readouterr()
        home = str(self._folder / "home")
        assert run(["--home", home, "explain", str(self._folder / lane), *arguments]) == code
        printed = self._capsys.readouterr()
        return printed.err if code else printed.out


@pytest.fixture
def told(folder: Path, capsys: pytest.CaptureFixture[str]) -> Told:
    return Told(folder, capsys)


def library(day: str) -> dict[str, tuple[float, float]]:
    """Return the values of TA-Lib at the last close before an instant, and at the close before that."""
    bars = bundled_catalog().read(InstrumentId("SPY.US"), Timeframe.parse("D")).bars
    at = int(np.searchsorted(bars.close_ns, parse_time(day))) - 1
    found = {
        "close": bars.close, "ema_20": talib.EMA(bars.close, 20), "ema_50": talib.EMA(bars.close, 50),
        "rsi_14": talib.RSI(bars.close, 14),
    }  # fmt: skip
    return {name: (float(values[at]), float(values[at - 1])) for name, values in found.items()}


def conditions(condition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return every condition of a tree by its words."""
    inside = [conditions(child) for child in condition["children"]]
    return {condition["words"]: condition} | {words: one for part in inside for words, one in part.items()}


def test_a_moment_without_a_trade_names_what_failed_and_shows_the_values_of_the_library(told: Told) -> None:
    """The third of June 2019: oversold, but no longer rising. The whole output, letter by letter."""
    values = {name: (f"{now:.8g}", f"{old:.8g}") for name, (now, old) in library("2019-06-04").items()}
    fast, slow, (rsi, before) = values["ema_20"][0], values["ema_50"][0], values["rsi_14"]

    assert told("--at", "2019-06-04") == (
        'No entry: the first condition that failed is `["ema_20",">","ema_50"]` (line 11): '
        f"ema_20 {fast}, ema_50 {slow}.\n"
        "\n"
        f"decision at 2019-06-03T20:00:00Z, close {values['close'][0]}\n"
        "\n"
        "entry_long                        FALSE\n"
        "  [ ] all                         FALSE\n"
        "    [ ] setup rising              FALSE\n"
        f"      [ ] ema_20 > ema_50         FALSE    ema_20 {fast}, ema_50 {slow}\n"
        "    [x] any                       TRUE\n"
        "      [x] occurred_within 5 bars  TRUE     5 of 5 samples true\n"
        f"        [x] rsi_14 < 40           TRUE     rsi_14 {rsi}\n"
        f"      [ ] rsi_14 cross_above 60   FALSE    rsi_14 {rsi} (before {before})\n"
    )


def test_the_document_holds_the_same_tree(told: Told) -> None:
    document = json.loads(told("--at", "2019-06-04", "--json"))

    assert (document["schema"], document["trade"], document["at"]) == (
        "evenkeel.explain/1", None, "2019-06-04T00:00:00Z",
    )  # fmt: skip
    (decision,) = document["decisions"]
    assert decision["answer"] == document["lines"]
    (rule,) = decision["rules"]
    found = conditions(rule["condition"])
    assert {words: (one["truth"], one["reason"], one["line"]) for words, one in found.items()} == {
        "all": (False, "CONDITION_FALSE", 14),
        "setup rising": (False, "CONDITION_FALSE", 15),
        "ema_20 > ema_50": (False, "CONDITION_FALSE", 11),
        "any": (True, "OK", 16),
        "occurred_within 5 bars": (True, "OK", 17),
        "rsi_14 < 40": (True, "OK", 17),
        "rsi_14 cross_above 60": (False, "CONDITION_FALSE", 18),
    }
    expected = library("2019-06-04")
    assert found["occurred_within 5 bars"]["samples"] == {"count": 5, "true": 5, "unknown": 0, "shown": 0}
    cross, level = found["rsi_14 cross_above 60"]["values"]
    assert (cross["value"], cross["before"]) == pytest.approx(expected["rsi_14"], rel=1e-9)
    assert level == {"words": "60", "value": 60.0}
    sides = [side["value"] for side in found["ema_20 > ema_50"]["values"]]
    assert sides == pytest.approx([expected["ema_20"][0], expected["ema_50"][0]], rel=1e-9)


def test_a_trade_is_a_story_with_the_rules_that_opened_and_closed_it(told: Told) -> None:
    story, entry, leave = told("--trade", "1").split("\n\n", 2)

    assert story.startswith("At 2015-10-22T20:00:00Z the rule 'entry_long' asked for a long entry in SPY.US;")
    assert entry.startswith("entry decided at 2015-10-22T20:00:00Z, close ")
    assert "      [x] rsi_14 cross_above 60   TRUE " in leave
    assert "\nexit decided at 2016-01-06T21:00:00Z, close " in leave
    assert "  [x] ema_20 cross_below ema_50  TRUE " in leave
    document = json.loads(told("--trade", "1", "--json"))
    assert [one["time"] for one in document["decisions"]] == ["2015-10-22T20:00:00Z", "2016-01-06T21:00:00Z"]
    assert "\n".join(document["lines"]) == story


def test_both_lanes_tell_the_same(told: Told) -> None:
    for arguments in (("--trade", "2"), ("--at", "2019-06-04"), ("--at", "2016-04-07T12:00"), ()):
        assert told(*arguments) == told(*arguments, lane="research")


def test_without_a_terminal_there_is_no_colour_and_with_one_it_means_something(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "\x1b" not in told("--at", "2019-06-04")

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    coloured = told("--at", "2019-06-04")
    assert "\x1b[31mFALSE\x1b[0m" in coloured
    assert "\x1b[32mTRUE\x1b[0m" in coloured

    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in told("--at", "2019-06-04")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--at", "2014-01-01"), "lies outside the run: its D bars close from 2015-01-02T21:00:00Z to "),
        (("--at", "2031-01-01"), "choose a moment between them"),
        (("--at", "noon"), "'noon' is not a time; write 2024-01-31"),
        (("--at", "2019-06-04", "--trade", "1"), "--trade and --at exclude each other; give one"),
        (("--trade", "99"), "there is no trade 99; the run has 17, counted from 1"),
    ],
)
def test_what_cannot_be_told_is_refused(told: Told, arguments: tuple[str, ...], message: str) -> None:
    assert message in told(*arguments, code=2)


def test_a_comment_more_moves_the_lines_and_makes_no_other_run(folder: Path, tmp_path: Path) -> None:
    play = tmp_path / "explained.yaml"
    play.write_text("# a comment\n" + PLAY)
    command = ["--home", str(tmp_path), "backtest", str(play), "--lane", "engine", "--out", str(tmp_path / "run")]
    assert run([*command, "--no-report", "--json"]) == 0

    before, after = (
        json.loads((place / "manifest.json").read_text()) for place in (folder / "engine", tmp_path / "run")
    )
    assert after["run"] == before["run"]
    assert after["lines"] == {place: line + 1 for place, line in before["lines"].items()}
    assert before["lines"]["setups.rising"] == 11


def test_a_trade_is_told_from_the_journal_alone_when_its_data_is_gone(folder: Path, told: Told) -> None:
    story = told("--trade", "1").split("\n\n")[0]
    manifest = folder / "engine" / "manifest.json"
    kept = manifest.read_bytes()
    document = json.loads(kept)
    document["data"]["revision"] = "0" * 64
    manifest.write_text(json.dumps(document))
    try:
        alone = told("--trade", "1")
        assert "is in no catalog" in told("--at", "2019-06-04", code=2)
    finally:
        manifest.write_bytes(kept)
    assert alone.strip() == story
