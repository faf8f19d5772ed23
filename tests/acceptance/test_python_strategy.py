"""A strategy written in Python, through the command line: run, repeated, replayed, killed and taken up again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from acceptance.keel import Keel

CROSS = Path(__file__).with_name("strategies") / "cross.py"
JOURNAL_BYTES_BEFORE_KILL = 60_000


@pytest.fixture(scope="module")
def keel(tmp_path_factory: pytest.TempPathFactory) -> Keel:
    return Keel(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def run(keel: Keel) -> Path:
    """One finished run."""
    keel.ok("backtest", CROSS, "--out", keel.home / "run")
    return keel.home / "run"


def result(keel: Keel, strategy: object, out: Path) -> dict[str, object]:
    return keel.ok("backtest", strategy, "--out", out, "--no-report", "--json").document


def test_it_takes_the_engine_lane_and_passes_the_audit(keel: Keel, tmp_path: Path) -> None:
    document = result(keel, CROSS, tmp_path / "out")

    assert document["lane"] == "engine"
    assert document["strategy"]["kind"] == "python"  # type: ignore[index]
    assert document["metrics"]["trades"] >= 5  # type: ignore[index]
    checks = document["checks"]
    assert sum(check["ok"] and not check["skipped"] for check in checks) >= 20  # type: ignore[attr-defined]


def test_the_class_may_be_named(keel: Keel, run: Path, tmp_path: Path) -> None:
    named = result(keel, f"{CROSS}:Cross", tmp_path / "named")
    plain = result(keel, CROSS, tmp_path / "plain")

    assert (named["run"], named["result_hash"]) == (plain["run"], plain["result_hash"])


def test_a_replay_decides_the_same_again_without_the_file(keel: Keel, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(CROSS.read_text())
    keel.ok("backtest", file, "--out", tmp_path / "out", "--no-report")
    file.unlink()

    said = keel.ok("replay", tmp_path / "out", "--json").document
    assert said["equal"] is True
    assert said["rerun_in_engine_lane"] is False
    assert said["decisions"] > 10
    assert keel.ok("journal", "verify", tmp_path / "out", "--json").document["ok"] is True


def test_its_own_reasons_are_in_the_trades_and_the_story(keel: Keel, run: Path) -> None:
    trades = pl.read_csv(run / "trades.csv")
    story = keel.ok("explain", run, "--trade", "1").out

    assert set(trades["entry_reason"]) == {"crossed above in a rising hour"}
    assert "the rule 'crossed above in a rising hour' asked for a long entry in BTC-USD.BITSTAMP" in story


def test_it_waits_between_its_wishes_as_its_memory_says(run: Path) -> None:
    """Sixty bars of five minutes from one wish to the next, and no longer where the market offers one."""
    decided = pl.read_csv(run / "trades.csv", try_parse_dates=True)["decided_time"]
    waited = decided.diff().drop_nulls()

    assert len(waited) > 3
    assert timedelta(minutes=60 * 5) <= waited.min() < timedelta(minutes=2 * 60 * 5)


def test_a_killed_run_is_taken_up_and_ends_as_if_nothing_had_happened(keel: Keel, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    command = [sys.executable, "-m", "evenkeel", "--home", str(keel.home), "backtest", str(CROSS), "--out", str(out)]
    process = subprocess.Popen([*command, "--no-report"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    segment, deadline = out / "journal" / "000001.seg", time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if segment.exists() and segment.stat().st_size > JOURNAL_BYTES_BEFORE_KILL:
            os.kill(process.pid, signal.SIGKILL)
            break
        time.sleep(0.002)
    assert process.wait() == -signal.SIGKILL, "the run must be killed before it ends"
    assert not (out / "result.json").exists()

    resumed = keel.ok("backtest", CROSS, "--out", out, "--no-report", "--json")
    assert "taking up run Cross-" in resumed.err
    assert resumed.document["result_hash"] == result(keel, CROSS, tmp_path / "whole")["result_hash"]
    assert keel.ok("replay", out, "--json").document["equal"] is True


def test_the_research_lane_is_refused_with_the_reason(keel: Keel, tmp_path: Path) -> None:
    said = keel("backtest", CROSS, "--lane", "research", "--out", tmp_path / "out")

    assert said.code == 2
    assert "Cross decides in Python and runs in the engine lane only; use --lane engine" in said.message
    assert not (tmp_path / "out").exists()


BROKEN = {
    "a fault in decide": (
        "        rested =",
        "        1 / 0\n        rested =",
        "line 38, in decide: ZeroDivisionError",
    ),
    "a fault in setup": ("        self.fast =", "        {}['x']\n        self.fast =", "in setup: KeyError: 'x'"),
    "a fault in the file": ("REST_BARS = 60", "REST_BARS = 1 / 0", "ZeroDivisionError"),
    "an exit in the file": ("REST_BARS = 60", "raise SystemExit(0)", "SystemExit: 0"),
    "a call that lacks something": (', reason="crossed above in a rising hour"', "", "in decide: TypeError"),
    "a stop that is no number": ("stop=2.5", "stop=float('nan')", "in decide: the stop of an entry is a distance"),
    "broken Python": ("REST_BARS = 60", "REST_BARS = = 40", "SyntaxError: invalid syntax"),
    "a module that is not there": ("REST_BARS = 60", "import nowhere", "No module named 'nowhere'"),
    "no such indicator": ('"ema", length=10', '"emma", length=10', "there is no indicator 'emma'; did you mean 'ema'?"),
    "no such parameter": ('"ema", length=10', '"ema", lenght=10', "ema has no parameter 'lenght'"),
    "no such instrument": ("BTC-USD.BITSTAMP", "BTC-USX", "there is no instrument 'BTC-USX'"),
    "no instrument": ('    symbol = "BTC-USD.BITSTAMP"\n', "", "Cross must name its `symbol`"),
    "no strategy": ("class Cross(PythonStrategy)", "class Cross", "none that extends PythonStrategy"),
}


@pytest.mark.parametrize(("old", "new", "says"), BROKEN.values(), ids=BROKEN)
def test_a_mistake_in_the_strategy_is_named_with_its_line_and_is_not_called_ours(
    keel: Keel, tmp_path: Path, old: str, new: str, says: str
) -> None:
    text, file = CROSS.read_text(), tmp_path / "mine.py"
    assert old in text
    file.write_text(text.replace(old, new, 1))

    said = keel("backtest", file, "--out", tmp_path / "out", "--json")
    assert said.code == 2, said
    assert says in said.message
    assert said.document["exit_code"] == 2
    assert not (tmp_path / "out" / "result.json").exists()


def test_two_classes_in_a_file_must_be_told_apart(keel: Keel, tmp_path: Path) -> None:
    file = tmp_path / "two.py"
    file.write_text(f"{CROSS.read_text()}\n\nclass Slower(Cross):\n    timeframe = '15m'\n")

    said = keel("backtest", file)
    assert said.code == 2
    assert "needs one strategy class, named as in FILE.py:Class; it has Cross, Slower" in said.message
    assert result(keel, f"{file}:Slower", tmp_path / "out")["strategy"]["name"] == "Slower"  # type: ignore[index]


def test_a_strategy_that_throws_dice_is_caught_by_the_replay(keel: Keel, tmp_path: Path) -> None:
    text = CROSS.read_text().replace(
        "        rested =",
        "        import random\n        if view.position == 0 and random.random() < 0.05:\n"
        "            return self.long(stop=500.0, reason='dice')\n        rested =",
    )
    (tmp_path / "dice.py").write_text(text)
    keel.ok("backtest", tmp_path / "dice.py", "--out", tmp_path / "out", "--no-report")

    said = keel("replay", tmp_path / "out", "--json")
    assert said.code == 1
    assert said.document["equal"] is False
    assert "recorded was" in said.document["difference"]


@pytest.mark.parametrize("ago", ["-1", "2000"])
def test_the_bar_after_this_one_cannot_be_read(keel: Keel, tmp_path: Path, ago: str) -> None:
    file = tmp_path / "peek.py"
    file.write_text(CROSS.read_text().replace("self.slow, ago=1", f"self.slow, ago={ago}"))

    said = keel("backtest", file, "--start", "2026-08-20", "--end", "2026-08-22", "--out", tmp_path / "out")
    assert said.code == 2
    assert "ago" in said.message


UNNOTICED = {
    "an unknown term": ('"start_equity"', '"start_equty"', "start_equty"),
    "a debt at the start": ('"20000"', '"-20000"', "start_equity"),
    "more money than there is": ('"20000"', '"1e30"', "start_equity"),
    "an account in another currency": ('"start_equity"', '"currency": "EUR", "start_equity"', "not available yet"),
    "an unknown sizing": ('"percent_equity"', '"percent_equty"', "percent_equty"),
    "fifty times the equity": ('"value": "0.5"', '"value": "50"', "value"),
    "a stop on the wrong side": ("stop=2.5", "stop=-2.5", "stop"),
    "an answer that is none": ("        return self.nothing()", "        return None", "decide"),
    "an unknown column": ('"ema", length=10', '"ema", source="closse", length=10', "closse"),
    "memory that cannot be kept": ('"rest_until": 0', '"rest_until": 0, "other": object()', "memory"),
}


@pytest.mark.parametrize(("old", "new", "says"), UNNOTICED.values(), ids=UNNOTICED)
def test_terms_and_answers_that_make_no_sense_are_refused(
    keel: Keel, tmp_path: Path, old: str, new: str, says: str
) -> None:
    text, file = CROSS.read_text(), tmp_path / "mine.py"
    if old not in text:
        pytest.fail(f"the strategy has no {old}")
    file.write_text(text.replace(old, new, 1))

    said = keel("backtest", file, "--out", tmp_path / "out")
    assert said.code == 2
    assert says in said.message
