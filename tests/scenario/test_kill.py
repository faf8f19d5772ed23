"""A backtest that is killed at any moment is taken up again and ends as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from evenkeel.engine.backtest import BacktestDriver
from evenkeel.engine.journal import JOURNAL_FOLDER, RealDisk, read_journal, verify
from evenkeel.engine.steps import decode_steps
from scenario.killed_run import facts_of, market_and_strategy

SCRIPT = Path(__file__).with_name("killed_run.py")


@pytest.fixture(scope="module")
def undisturbed() -> tuple[str, int]:
    """Hash of the same run without a journal and without a kill, and how many commands it sends."""
    strategy, market = market_and_strategy()
    sent: list[object] = []
    record = BacktestDriver(facts_of(strategy), strategy, market, on_command=sent.append).run()
    assert len(record.fills) > 500, "the run must trade enough to be killed in interesting places"
    return record.result_hash(), len(sent)


def start(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start the run; return the process and the end of the pipe on which it tells its commands."""
    reader, writer = os.pipe()
    process = subprocess.Popen([sys.executable, str(SCRIPT), str(folder), str(writer)], pass_fds=(writer,))
    os.close(writer)
    return process, reader


def read_lines(reader: int, *, until: int | None) -> list[str]:
    """Read whole lines until there are `until` of them or the pipe ends."""
    text = b""
    while until is None or text.count(b"\n") < until:
        part = os.read(reader, 1 if until is not None else 65_536)
        if not part:
            break
        text += part
    return text.decode().splitlines()


def journaled_ids(folder: Path) -> set[str]:
    steps = decode_steps(read_journal(RealDisk(), str(folder / JOURNAL_FOLDER)))[1]
    return {command.client_id for step in steps for command in step.commands}


def kill_after(folder: Path, commands: int) -> list[str]:
    """Kill a run once it has told so many commands; return every command it told before it died."""
    process, reader = start(folder)
    told = read_lines(reader, until=commands)
    process.send_signal(signal.SIGKILL)
    process.wait()
    told += read_lines(reader, until=None)
    os.close(reader)
    return told


def check_kills(folder: Path, seed: int, kills: int, undisturbed: tuple[str, int]) -> None:
    expected, commands = undisturbed
    draws = random.Random(seed)
    for _ in range(kills):
        told = kill_after(folder, draws.randint(1, max(2, commands // (kills + 2))))
        found = verify(RealDisk(), str(folder / JOURNAL_FOLDER))
        assert found.ok, found.problem
        left = [line for line in told if not line.startswith("done")]
        assert set(left) <= journaled_ids(folder), "a command left that the journal does not hold"
    process, reader = start(folder)
    last = read_lines(reader, until=None)[-1]
    os.close(reader)
    assert process.wait() == 0
    word, resumed, result_hash = last.split()
    assert word == "done"
    assert int(resumed) > 0, "the last session must have taken up an earlier one"
    assert result_hash == expected


def test_a_run_killed_three_times_ends_with_the_same_result(tmp_path: Path, undisturbed: tuple[str, int]) -> None:
    check_kills(tmp_path, seed=1, kills=3, undisturbed=undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_fifty_kills_at_random_moments_lose_nothing(tmp_path: Path, seed: int, undisturbed: tuple[str, int]) -> None:
    check_kills(tmp_path, seed=100 + seed, kills=10, undisturbed=undisturbed)
