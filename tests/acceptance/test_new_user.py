"""The first half hour: a play of one's own, data of one's own, every help page, and the odd corners of a shell."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from acceptance.keel import Keel, contents
from evenkeel.cli.commands import COMMANDS, load

HOURS = "time,open,high,low,close,volume\n" + "".join(
    f"2024-01-{1 + row // 24:02d}T{row % 24:02d}:00:00Z,{100 + row % 9},120,90,{100 + row % 7},3\n"
    for row in range(480)
)


@pytest.fixture
def keel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keel:
    """A home whose name has blanks and letters beyond ASCII, and an empty folder to work in."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return Keel(tmp_path / "Häuser und mehr" / "ホーム")


def shell(keel: Keel, *arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run `keel` in a process of its own, without a terminal."""
    environment = {**os.environ, "EVENKEEL_HOME": str(keel.home), **options.pop("env", {})}  # type: ignore[dict-item]
    command = [sys.executable, "-m", "evenkeel", *arguments]
    return subprocess.run(command, env=environment, check=False, timeout=120, **options)  # type: ignore[call-overload,no-any-return]


def test_from_a_new_play_to_its_report(keel: Keel) -> None:
    new = keel.ok("new", "my_first", "--from", "ema_cross")
    assert "next: keel validate my_first.yaml; keel backtest my_first.yaml" in new.out
    play = Path("my_first.yaml")
    play.write_text(play.read_text().replace("fast: 20", "fast: 15"))
    assert keel.ok("validate", "my_first.yaml").out.startswith("my_first.yaml: ok")

    done = keel.ok("backtest", "my_first.yaml")
    assert "my_first on SPY.US, 2015-01-02T14:30:00Z to 2025-12-30T21:00:00Z" in done.out
    assert "audit:" in done.out
    page = Path(done.out.rpartition("report: ")[2].strip())
    assert page.is_relative_to(keel.home)
    assert "my_first" in page.read_text()

    again = keel.ok("report", "latest")
    assert Path(again.out.strip()) == page
    assert keel.ok("report", "my_first", "--json").document["result"]["strategy"]["name"] == "my_first"


def test_from_an_empty_file_to_a_play_that_trades_by_the_messages_alone(keel: Keel) -> None:
    """Whatever a message says to add or set is put into the file as it stands; nothing else is known."""
    play = Path("mine.yaml")
    play.write_text("")
    for _ in range(6):
        said = keel("validate", "mine.yaml", "--json")
        (told,) = said.document["files"]
        if told["ok"]:
            break
        for problem in told["problems"]:
            offered = re.findall(r"`(\w+: [^`]+)`", problem["remedy"])
            if offered and not re.search(rf"^{offered[-1].split(':')[0]}:", play.read_text(), re.MULTILINE):
                play.write_text(f"{play.read_text()}{offered[-1]}\n")
    assert said.code == 0, said.out
    assert keel.ok("backtest", "mine.yaml", "--no-report", "--json").document["metrics"]["trades"] > 0
    assert (
        "Opens a long position when ema_20 crosses above ema_50." in keel.ok("validate", "mine.yaml", "--explain").out
    )


def test_the_range_that_is_told_is_the_one_that_was_run(keel: Keel) -> None:
    """Not the one that was asked for: before and after it there is no data."""
    data = keel.ok(
        "backtest", "ema_cross", "--start", "1990-01-01", "--end", "2199-01-01", "--no-report", "--json"
    ).document["data"]

    assert (data["start"], data["end"]) == ("2015-01-02T14:30:00Z", "2025-12-30T21:00:00Z")


def test_data_of_ones_own_is_listed_checked_shown_and_made_slower(keel: Keel) -> None:
    Path("hours.csv").write_text(HOURS)
    keel.ok("data", "import", "hours.csv", "--instrument", "BTCUSDT", "--tf", "1h")

    assert "BTCUSDT.BYBIT" in keel.ok("data", "list").out
    assert "faults: 0" in keel.ok("data", "check", "BTCUSDT").out
    assert keel.ok("data", "show", "BTCUSDT", "--head", "2", "--json").document["total"] == 480
    assert "20 D bars of BTCUSDT.BYBIT from 480 1h bars" in keel.ok("data", "resample", "BTCUSDT", "--to", "D").out
    assert "data check" not in keel.ok("data", "check", "BTCUSDT", "--tf", "D").err


def test_a_hole_in_the_data_is_a_fault_and_exit_code_1(keel: Keel) -> None:
    rows = HOURS.splitlines()
    Path("hours.csv").write_text("\n".join(rows[:100] + rows[103:]) + "\n")
    imported = keel.ok("data", "import", "hours.csv", "--instrument", "BTCUSDT", "--tf", "1h")
    assert "1 fault" in imported.out
    checked = keel("data", "check", "BTCUSDT")

    assert checked.code == 1
    assert "3 bars are missing from 2024-01-05T03:00:00Z to 2024-01-05T06:00:00Z" in checked.out


def test_an_instrument_of_ones_own_is_added_used_and_its_change_is_said(keel: Keel) -> None:
    assert keel.ok("instruments", "add", "ACME.US", "--like", "SPY", "--tick", "0.05").err == ""
    assert keel.ok("instruments", "show", "ACME", "--json").document["instrument"]["tick_size"] == "0.05"
    again = keel.ok("instruments", "add", "ACME.US", "--like", "SPY")
    assert "ACME.US was defined there before" in again.err

    refused = keel("backtest", "ema_cross", "--symbol", "ACME")
    assert refused.code == 2
    assert "no bars of ACME.US" in refused.message


def pages() -> Iterator[tuple[str, ...]]:
    """Every command and subcommand."""
    for name in COMMANDS:
        yield (name,)
        command = load(name)
        if isinstance(command, click.Group):
            yield from ((name, sub) for sub in command.commands)


@pytest.mark.parametrize("path", list(pages()), ids=" ".join)
def test_every_help_page_has_an_example_that_parses(keel: Keel, path: tuple[str, ...]) -> None:
    said = keel.ok(*path, "--help")
    example = [line.strip() for line in said.out.splitlines() if line.strip().startswith("keel ")]

    assert said.err == ""
    assert example, "a help page shows an example"
    assert all(line.split()[1] == path[0] for line in example)
    assert max(map(len, said.out.splitlines())) <= 100


class TestCornersOfTheShell:
    def test_standard_input_may_be_closed(self, keel: Keel) -> None:
        done = shell(keel, "data", "list", "--json", stdin=subprocess.DEVNULL, capture_output=True)
        assert done.returncode == 0
        assert json.loads(done.stdout)["series"]

    @pytest.mark.skipif(os.name == "nt", reason="closes streams as a POSIX shell does")
    @pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
    def test_any_stream_may_be_closed(self, keel: Keel, closed: str) -> None:
        environment = {**os.environ, "EVENKEEL_HOME": str(keel.home)}
        for arguments, code in (("data list", 0), ("backtest nowhere", 2), ("data list --json", 0)):
            script = f'"{sys.executable}" -m evenkeel {arguments} {closed}'
            done = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, check=False)
            assert done.returncode == code, (arguments, done)
            assert b"Traceback" not in done.stdout + done.stderr
            assert b"unexpected" not in done.stderr

    def test_a_pipe_that_ends_early_is_no_traceback(self, keel: Keel) -> None:
        environment = {**os.environ, "EVENKEEL_HOME": str(keel.home)}
        command = [sys.executable, "-m", "evenkeel", "instruments", "list"]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            assert b"Traceback" not in process.stderr.read()

    @pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"LC_ALL": "C"}])
    def test_without_a_terminal_there_is_neither_colour_nor_progress(
        self, keel: Keel, environment: dict[str, str]
    ) -> None:
        done = shell(keel, "backtest", "ema_cross", "--no-report", env=environment, capture_output=True)

        assert done.returncode == 0
        assert b"\x1b" not in done.stdout + done.stderr
        assert b"\r" not in done.stdout.replace(b"\r\n", b"\n")
        done.stdout.decode("utf-8", errors="strict" if environment != {"LC_ALL": "C"} else "backslashreplace")

    def test_asking_for_help_writes_nothing(self, keel: Keel, tmp_path: Path) -> None:
        before = contents(tmp_path)
        for arguments in (("--help",), ("backtest", "--help"), ("doctor", "--gaps"), ("data", "list")):
            keel.ok(*arguments)
        assert contents(tmp_path) == before
