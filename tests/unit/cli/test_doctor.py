"""Every line of the doctor in every colour."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from evenkeel.cli.commands import COMMAND_GAPS
from evenkeel.cli.doctor import (
    Finding,
    bytecode_finding,
    calendar_findings,
    findings,
    home_finding,
    kernel_cache_finding,
    packages_finding,
    python_finding,
    space_finding,
    sqlite_finding,
)
from evenkeel.cli.entry import run
from evenkeel.cli.home import Home
from evenkeel.model.gaps import GAPS
from evenkeel.risk.gates.sources import WAITING

GIB = 1024**3
TODAY = date(2026, 6, 1)

LINES = [
    (python_finding((3, 11, 7)), "ok"),
    (python_finding((3, 15, 0)), "warning"),
    (packages_finding({"numpy": "2.4.6", "numba": "0.68.1"}), "ok"),
    (packages_finding({"numpy": "2.4.6", "numba": None}), "bad"),
    (sqlite_finding("3.37.0"), "ok"),
    (sqlite_finding("3.40.1"), "ok"),
    (sqlite_finding("3.36.9"), "bad"),
    (space_finding(50 * GIB, where=Path("/home")), "ok"),
    (space_finding(GIB, where=Path("/home")), "warning"),
    (space_finding(GIB // 100, where=Path("/home")), "bad"),
    (bytecode_finding(writing=True), "ok"),
    (bytecode_finding(writing=False), "warning"),
    (calendar_findings({"NYSE": date(2030, 12, 31)}, today=TODAY)[0], "ok"),
    (calendar_findings({"NYSE": date(2026, 8, 29)}, today=TODAY)[0], "warning"),
    (calendar_findings({"NYSE": date(2026, 5, 31), "FX": date(2030, 12, 31)}, today=TODAY)[0], "bad"),
]


@pytest.mark.parametrize(("finding", "status"), LINES, ids=lambda value: getattr(value, "detail", value))
def test_a_line_has_its_colour_and_a_fix_where_something_is_wrong(finding: Finding, status: str) -> None:
    assert finding.status == status
    assert bool(finding.fix) == (status != "ok")


def test_only_the_tables_that_end_are_named() -> None:
    (finding,) = calendar_findings({"NYSE": date(2026, 7, 1), "FX": date(2030, 12, 31)}, today=TODAY)

    assert finding.detail == "NYSE ends 2026-07-01"


def test_a_missing_package_is_named() -> None:
    assert packages_finding({"numpy": "2.4.6", "numba": None}).detail == "missing: numba"


def test_looking_at_a_home_makes_nothing(tmp_path: Path) -> None:
    finding = home_finding(Home(tmp_path / "a" / "b", "option"))

    assert finding.status == "ok"
    assert "can be made" in finding.detail
    assert list(tmp_path.iterdir()) == []


def test_an_existing_home_is_writable_and_left_as_it_was(tmp_path: Path) -> None:
    assert home_finding(Home(tmp_path, "environment")).detail == f"{tmp_path} ($EVENKEEL_HOME; writable)"
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_is_a_file_is_bad(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()

    assert home_finding(Home(path, "option")).status == "bad"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that nobody can write to")
def test_a_folder_that_cannot_be_written_is_found_by_trying() -> None:
    assert home_finding(Home(Path("/proc/evenkeel"), "option")).status == "bad"
    assert kernel_cache_finding(Path("/proc/evenkeel")).status == "warning"


def test_a_filled_kernel_cache_shows_its_size(tmp_path: Path) -> None:
    (tmp_path / "digest").mkdir()
    (tmp_path / "digest" / "kernel.nbc").write_bytes(b"x" * 3 * 1024**2)

    assert kernel_cache_finding(tmp_path).detail == f"{tmp_path}, 3.0 MiB"
    assert "is empty" in kernel_cache_finding(tmp_path / "none").detail


def test_the_doctor_looks_at_the_shipped_calendars(tmp_path: Path) -> None:
    found = {finding.name: finding for finding in findings(Home(tmp_path, "option"))}

    assert "session tables" in found["calendars"].detail


def test_the_document_says_the_same_as_the_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()

    assert run(["--home", str(tmp_path / "new"), "doctor", "--json"]) == 0
    good = json.loads(capsys.readouterr().out)
    assert good["schema"] == "evenkeel.doctor/1"
    assert good["ok"] is True

    assert run(["--home", str(tmp_path / "file" / "below"), "doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False


def test_the_text_shows_a_fix_below_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()

    assert run(["--home", str(tmp_path / "file" / "below"), "doctor"]) == 1

    lines = capsys.readouterr().out.splitlines()
    (index,) = [number for number, line in enumerate(lines) if line.startswith("BAD")]
    assert lines[index + 1].strip() == "fix: name another with --home or $EVENKEEL_HOME"


def test_gaps_lists_features_and_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--gaps", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    names = set(GAPS) | {f"keel {name}" for name in COMMAND_GAPS} | {f"gates {fact}" for fact in WAITING}
    assert {row["name"] for row in document["gaps"]} == names

    assert run(["doctor", "--gaps"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in (*GAPS, *COMMAND_GAPS, *WAITING))
