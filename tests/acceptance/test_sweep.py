"""`keel sweep` as a person uses it: many sets, one table, and nothing lost when it is stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from acceptance.keel import Keel, contents
from evenkeel.cli import sweep as command
from evenkeel.data.catalog import Catalog
from evenkeel.data.definitions import Definitions
from evenkeel.data.synthetic import random_walk
from evenkeel.engine.sweep.ranking import METRICS

GRID = ("--set", "fast=5:15:5", "--set", "slow=10:40:15", "--where", "fast < slow")
SETS = [(5, 10), (5, 25), (5, 40), (10, 25), (10, 40), (15, 25), (15, 40)]
"""By hand: three by three values without those in which fast is not below slow."""


@pytest.fixture
def keel(tmp_path: Path) -> Keel:
    return Keel(tmp_path / "home")


def test_a_new_user_sweeps_an_example(keel: Keel, tmp_path: Path) -> None:
    """One command gives a table, a page and a document; each set has the figures of a backtest of it."""
    folder = tmp_path / "first"
    document = keel.ok("sweep", "ema_cross", *GRID, "--top", "3", "--out", folder, "--json").document

    assert document["schema"] == "evenkeel.sweep/1"
    assert document["sets"] == {"drawn": "grid", "count": 7, "refused": 0}
    assert json.loads((folder / "sweep.json").read_text())["best"] == document["best"]
    assert "<svg" in (folder / "sweep.html").read_text()
    table = pl.read_parquet(folder / "sweep.parquet")
    assert table.select("fast", "slow").rows() == SETS
    assert set(METRICS) < set(table.columns)
    assert table["result_hash"].count() == 3
    ordered = table.sort("sharpe", descending=True)["set"].to_list()[:3]
    assert [best["set"] for best in document["best"]] == ordered

    for best in document["best"]:
        sets = [f"--set={name}={value}" for name, value in best["values"].items()]
        alone = keel.ok("backtest", "ema_cross", *sets, "--lane", "research", "--no-report", "--json").document
        assert best["metrics"] == alone["metrics"]
        assert best["result_hash"] == alone["result_hash"]
        assert alone["evidence"]["trials"] == 7, "every set of the sweep was counted, and a look again at one is none"


def test_what_is_said_to_a_person_names_the_best_and_where_to_look(keel: Keel) -> None:
    said = keel.ok("sweep", "ema_cross", *GRID, "--metric", "net_pnl").out
    assert "7 sets (grid)" in said
    assert "neighbours" in said
    assert "deflated Sharpe of the best" in said
    assert "sweep.html" in said


def test_the_same_command_again_does_nothing_and_says_the_same(keel: Keel) -> None:
    """Another metric ranks the same sets anew without running them."""
    first = keel.ok("sweep", "ema_cross", *GRID, "--json")
    folder = Path(first.document["folder"])
    lines = (folder / "sets.jsonl").read_bytes()
    again = keel.ok("sweep", "ema_cross", *GRID, "--json")
    assert "7 of 7 sets were done before; nothing is left to run" in again.err
    for name in ("best", "sets", "data", "parameters"):
        assert again.document[name] == first.document[name]
    assert (folder / "sets.jsonl").read_bytes() == lines

    other = keel.ok("sweep", "ema_cross", *GRID, "--json", "--metric", "max_drawdown_pct")
    falls = [best["metrics"]["max_drawdown_pct"] for best in other.document["best"]]
    assert falls == sorted(falls), "the smallest fall is the best"


def test_sets_that_cannot_run_are_listed_with_the_reason(keel: Keel) -> None:
    """They are not dropped, and stop no other."""
    said = keel.ok("sweep", "ema_cross", "--set", "fast=0,5", "--set", "slow=30", "--json").document
    assert said["sets"]["refused"] == 1
    (refusal,) = said["refusals"]
    assert refusal["reason"] == "BAD_PLAY"
    assert "length is 0; it must be at least 1" in refusal["text"]
    table = pl.read_parquet(said["files"]["table"])
    assert table["refusal"].is_null().to_list() == [False, True]
    assert table["net_pnl"].is_null().to_list() == [True, False]


def test_samples_of_ranges(keel: Keel) -> None:
    """Twelve different sets within bounds and constraint, the same ones for the same seed."""
    asked = ("--set", "fast=3:30", "--set", "slow=20:90", "--where", "2 * fast < slow", "--random", "12", "--json")
    first, second = (keel.ok("sweep", "ema_cross", *asked, "--seed", "5").document for _ in range(2))
    assert first["folder"] == second["folder"]
    table = pl.read_parquet(first["files"]["table"])
    assert table.height == 12
    assert table.filter((2 * pl.col("fast") < pl.col("slow")) & pl.col("fast").is_between(3, 30)).height == 12
    other = keel.ok("sweep", "ema_cross", *asked, "--seed", "6").document
    assert other["folder"] != first["folder"]
    cube = keel.ok("sweep", "ema_cross", "--set", "fast=3:12", "--set", "slow=20:90", "--lhs", "5", "--json").document
    assert all((value - 3) // 2 == k for k, value in enumerate(sorted(cube["parameters"][0]["values"])))


WRONG = [
    (("--set", "fsat=5,6"), "there is no variable 'fsat'; did you mean 'fast'?"),
    ((), "a sweep needs --set NAME=A:B:STEP"),
    (("--set", "fast"), "--set takes NAME=VALUE, not 'fast'"),
    (("--set", "fast=5:9"), "--set fast=5:9 has no step: add one (5:9:STEP), or sample with --random or --lhs"),
    (("--set", "fast=5,6", "--set", "fast=7"), "--set gives 'fast' twice"),
    (("--set", "fast=5,6", "--random", "3", "--lhs", "3"), "--random and --lhs are two ways to draw; choose one"),
    (("--set", "fast=5,6", "--where", "fast > 9"), "none of 2 sets meets --where"),
    (("--set", "fast=5,6", "--metric", "sharp"), "did you mean 'sharpe'?"),
    (("--set", "fast=0,-1"), "length is 0; it must be at least 1"),
    (("--set", "fast=5,6", "--start", "2040-01-01"), "there are no bars from 2040"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_wrong_usage_gets_one_message_and_leaves_nothing(keel: Keel, options: tuple[str, ...], message: str) -> None:
    said = keel("sweep", "ema_cross", *options)
    assert said.code == 2
    assert message in said.message
    assert contents(keel.home) == {}


def test_a_folder_with_something_else_in_it_is_left_alone(keel: Keel, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "letters.txt").write_text("dear")
    said = keel("sweep", "ema_cross", *GRID, "--out", folder)
    assert said.code == 2
    assert "holds other files (letters.txt)" in said.message

    keel.ok("sweep", "ema_cross", "--set", "fast=5,6", "--out", tmp_path / "one")
    said = keel("sweep", "ema_cross", "--set", "fast=5,7", "--out", tmp_path / "one")
    assert said.code == 2
    assert "holds another sweep" in said.message
    said = keel("sweep", "ema_cross", *GRID, "--out", folder / "letters.txt")
    assert "is a file; --out takes a folder" in said.message


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_sweep_that_is_stopped_goes_on_where_it_was(tmp_path: Path, how: signal.Signals) -> None:
    """What was done is done; the same command does the rest and ends as if nothing had happened."""
    home, bars = tmp_path / "home", random_walk(40_000)
    Catalog(home / "catalog").write(Definitions.load().find("BTCUSDT").id, bars, source="walk", imported_ns=0)
    play = tmp_path / "cross.yaml"
    play.write_text(PLAY, "utf-8")
    asked = ["sweep", str(play), "--set", "fast=5:64:1", "--set", "slow=70:90:10", "--workers", "1", "--json"]

    folder = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "evenkeel", "--home", str(home), *asked, "--out", str(folder)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ,
    )  # fmt: skip
    lines = folder / "sets.jsonl"
    while process.poll() is None and (not lines.exists() or lines.stat().st_size == 0):
        time.sleep(0.02)
    process.send_signal(how)
    _, told = process.communicate()
    done = lines.read_bytes().count(b"\n")
    assert 0 < done < 180, "the test must stop it in the middle"
    if how is not signal.SIGKILL:
        assert process.returncode == (130 if how is signal.SIGINT else 143)
        assert b"the same command goes on from there" in told
    with lines.open("ab") as file:
        file.write(b'{"number":17')

    keel = Keel(home)
    rest = keel.ok(*asked, "--out", folder)
    assert f"{done} of 180 sets were done before" in rest.err
    whole = keel.ok(*asked, "--out", tmp_path / "whole")
    left, right = (pl.read_parquet(said.document["files"]["table"]) for said in (rest, whole))
    assert left.equals(right)
    assert rest.document["best"] == whole.document["best"]


def test_the_metrics_of_the_option_are_those_of_the_ranking() -> None:
    assert command.METRICS == METRICS


PLAY = """\
version: "3.0.0"
name: cross
symbol: BTCUSDT
variables: { fast: 5, slow: 20 }
timeframes: { low_tf: 1m, med_tf: 1m, high_tf: 1m, exec: low_tf }
account: { starting_equity: 1000000, max_drawdown_pct: 100 }
features:
  ema_fast: { indicator: ema, params: { length: "{{ fast }}" } }
  ema_slow: { indicator: ema, params: { length: "{{ slow }}" } }
actions:
  entry_long: [["ema_fast", ">", "ema_slow"]]
  exit_long: [["ema_fast", "<=", "ema_slow"]]
position_policy: { mode: long_only, exit_mode: signal }
risk_model:
  sizing: { model: percent_equity, value: 50 }
"""


def test_each_set_on_several_symbols_is_the_backtest_of_them_on_one_account(keel: Keel, tmp_path: Path) -> None:
    """The same figures and hash; a sweep that is asked for again takes up what is there."""
    where = ("--symbol", "SPY.US", "--symbol", "EURUSD.FX")
    play = tmp_path / "both.yaml"
    play.write_text(BOTH)
    asked = ("sweep", play, *where, "--set", "length=4,6,9", "--top", "2", "--out", tmp_path / "swept", "--json")
    document = keel.ok(*asked).document

    assert document["symbols"] == ["EURUSD.FX", "SPY.US"]
    for best in document["best"]:
        run = keel.ok(
            "backtest", play, *where, "--set", f"length={best['values']['length']}", "--no-report", "--json"
        ).document
        assert {name: run["metrics"][name] for name in METRICS} == best["metrics"]
        assert run["result_hash"] == best["result_hash"]
        assert run["metrics"]["trades"] > 0
    again = keel.ok(*asked).document
    assert again["timing"]["taken_up"] == 3
    assert again["best"] == document["best"]


BOTH = """\
version: "3.0.0"
name: both
symbol: SPY.US
variables: { length: 5 }
timeframes: { low_tf: D, med_tf: D, high_tf: D, exec: low_tf }
account: { starting_equity: 10000 }
features: { average: { indicator: ema, params: { length: "{{ length }}" } } }
actions: { entry_long: [close, cross_above, average], exit_long: [close, cross_below, average] }
position_policy: { mode: long_only, exit_mode: signal }
"""
