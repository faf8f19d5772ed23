"""`keel simtest`: what it prints, what it refuses, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from evenkeel.cli.entry import run
from evenkeel.cli.simtest import PROFILES, draws_of
from evenkeel.engine.simulation import profiles
from evenkeel.engine.simulation.shrink import Case, play_case
from planted.planting import planted


def test_profiles_are_those_of_the_simulation() -> None:
    assert tuple(profiles.PROFILES) == PROFILES


def test_seeds_are_played_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simtest", "--seeds", "3:5", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["ok"], document["failed"]) == ("evenkeel.simtest/1", True, [])
    assert document["met"]["events"] > 4_000
    assert document["met"]["faults"] == sum(document["met"]["by_fault"].values())


def test_the_summary_names_faults(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simtest", "--seeds", "4:5", "--profile", "network"]) == 0
    out = capsys.readouterr().out
    assert "1 seeds, profile network: 0 failed" in out
    assert "a message of the stream is lost" in out


def test_a_failure_is_told_kept_and_played_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with planted("evenkeel/execution/books.py", [("fees=after.fees + fee)", "fees=after.fees)")]):
        assert run(["simtest", "--seeds", "0:1", "--profile", "none", "--save", str(tmp_path)]) == 1
        out = capsys.readouterr().out
        assert "keel simtest --seeds 0:1 --profile none" in out
        assert "-> place" in out
        assert out.splitlines()[-1].startswith("VIOLATED cash")
        case = msgspec.json.decode((tmp_path / "none-0.json").read_bytes(), type=Case)
        again = play_case(case, draws_of(0))
        assert again.check == case.check == "cash"
        assert case.wishes is not None
        assert sum(map(len, case.wishes)) <= 2, "one entry shows it"
    assert play_case(case, draws_of(0)).violation is None


@pytest.mark.parametrize("seeds", ["7", "a:b", "5:5", "9:2", ":", "-1:4"])
def test_a_range_that_is_none_is_refused(seeds: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simtest", f"--seeds={seeds}"]) == 2
    assert "give A:B" in capsys.readouterr().err
