"""`python -m tests.suites` lists plays, prints them and tries them."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from acceptance.keel import Keel
from suites.command import printed
from suites.rows import find
from suites.trial import attempt

ROOT = Path(__file__).resolve().parents[2]


def suites(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.suites", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


def test_a_play_is_printed_as_a_person_would_write_it() -> None:
    code, out = suites("show", "rsi_long")

    assert code == 0
    assert "name: rsi_long" in out
    assert "# keel backtest rsi_long.yaml" in out
    assert "entry_long: [rsi_14, cross_above, 50]" in out


def test_the_printed_commands_run_the_printed_play_with_the_same_result(tmp_path: Path) -> None:
    """A person at a keyboard gets what the suites got."""
    row, keel = find("zone_demand"), Keel(tmp_path / "home")
    said = printed(row)
    commands = [shlex.split(line)[2:] for line in said.splitlines() if line.startswith("# keel ")]
    file = tmp_path / f"{row.id}.yaml"
    file.write_text(said, "utf-8")

    keel.ok(*commands[0])
    assert commands[1] == ["backtest", file.name]
    result = keel.ok("backtest", file, "--no-report", "--json").document

    assert result["result_hash"] == attempt(row, tmp_path, thorough=False).result_hash


def test_plays_are_listed_by_suite() -> None:
    code, out = suites("list", "ladder")

    assert code == 0
    assert next(line.split()[0] for line in out.splitlines()) == "step_01_one_condition"
    assert {line.split()[1] for line in out.splitlines()} == {"ladder"}


def test_a_play_is_tried() -> None:
    code, out = suites("run", "step_01_one_condition")

    assert code == 0
    assert out.startswith("step_01_one_condition: ")
    assert "checks, end_of_data" in out


@pytest.mark.parametrize("arguments", [(), ("dance",), ("show", "nothing")])
def test_what_is_not_understood_is_said(arguments: tuple[str, ...]) -> None:
    code, out = suites(*arguments)

    assert code == 2
    assert "python -m tests.suites show" in out or "no suite has a play 'nothing'" in out
