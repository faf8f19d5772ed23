"""Whatever happens in a command becomes an exit code and a sentence."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import click
import pytest

import evenkeel
from evenkeel.cli.commands import COMMAND_GAPS, COMMANDS, CommandEntry
from evenkeel.cli.entry import root, run
from evenkeel.cli.output import emit
from evenkeel.cli.params import json_option
from evenkeel.model.errors import DataError, Halted, InvariantBroken, StorageError, UsageError

Trouble = Callable[[], object]


@pytest.fixture
def keel_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[Trouble], None]:
    """Adds a command `trouble` that does what it is given."""

    def add(action: Trouble) -> None:
        @click.command(name="trouble")
        @json_option
        def command(as_json: bool) -> object:
            """Get into trouble."""
            return action()

        module = ModuleType("trouble")
        module.command = command  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "trouble", module)
        monkeypatch.setitem(COMMANDS, "trouble", CommandEntry("trouble", "Get into trouble.", "Test"))

    return add


def raising(error: BaseException) -> Trouble:
    def act() -> object:
        raise error

    return act


FAULTS: list[tuple[BaseException, int, str]] = [
    (UsageError("line 3: unknown key 'stpo'"), 2, "BAD_INPUT"),
    (DataError("row 7: the price is NaN"), 2, "BAD_DATA"),
    (UsageError("too many", reason="TOO_MANY"), 2, "TOO_MANY"),
    (StorageError("the disk is full"), 3, "STORAGE"),
    (InvariantBroken("books do not add up"), 3, "INVARIANT_BROKEN"),
    (Halted("halted by operator"), 4, "HALTED"),
    (OSError(errno.ENOSPC, "No space left on device", "trades.csv"), 3, "STORAGE"),
    (PermissionError(errno.EACCES, "Permission denied", "/locked"), 3, "STORAGE"),
    (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), 3, "OUTSIDE_FAILED"),
    (ZeroDivisionError("division by zero"), 3, "UNEXPECTED"),
    (KeyboardInterrupt(), 130, "INTERRUPTED"),
    (click.Abort(), 130, "INTERRUPTED"),
    (click.BadParameter("no"), 2, "BAD_USAGE"),
    (click.FileError("play.yaml", "not readable"), 2, "BAD_USAGE"),
]


@pytest.mark.parametrize(("error", "exit_code", "reason"), FAULTS, ids=lambda value: repr(value)[:40])
def test_a_failure_is_one_sentence_and_with_json_one_document(
    keel_with: Callable[[Trouble], None],
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    exit_code: int,
    reason: str,
) -> None:
    keel_with(raising(error))

    assert run(["trouble", "--json"]) == exit_code

    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert set(document) == {"schema", "ok", "exit_code", "reason", "message"}
    assert (document["schema"], document["ok"]) == ("evenkeel.error/1", False)
    assert (document["exit_code"], document["reason"]) == (exit_code, reason)
    assert document["message"] in printed.err
    assert "Traceback" not in printed.err


@pytest.mark.parametrize(("error", "exit_code", "reason"), FAULTS, ids=lambda value: repr(value)[:40])
def test_without_json_standard_output_stays_empty(
    keel_with: Callable[[Trouble], None],
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    exit_code: int,
    reason: str,
) -> None:
    keel_with(raising(error))

    assert run(["trouble"]) == exit_code

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")


def test_debug_shows_the_traceback(keel_with: Callable[[Trouble], None], capsys: pytest.CaptureFixture[str]) -> None:
    keel_with(raising(UsageError("line 3: unknown key")))

    assert run(["--debug", "trouble"]) == 2

    assert "Traceback" in capsys.readouterr().err


def test_an_unexpected_fault_says_how_to_see_more(
    keel_with: Callable[[Trouble], None], capsys: pytest.CaptureFixture[str]
) -> None:
    keel_with(raising(KeyError("close")))

    assert run(["trouble"]) == 3

    message = capsys.readouterr().err
    assert "KeyError: 'close'" in message
    assert "keel --debug" in message


def test_a_full_disk_names_the_file_and_the_remedy(
    keel_with: Callable[[Trouble], None], capsys: pytest.CaptureFixture[str]
) -> None:
    keel_with(raising(OSError(errno.ENOSPC, "No space left on device", "trades.csv")))

    run(["trouble"])

    assert capsys.readouterr().err == "error: trades.csv: No space left on device; free some space and run it again\n"


@pytest.mark.parametrize(("result", "exit_code"), [(None, 0), (0, 0), (1, 1)])
def test_a_command_returns_its_exit_code(keel_with: Callable[[Trouble], None], result: object, exit_code: int) -> None:
    keel_with(lambda: result)

    assert run(["trouble"]) == exit_code


def test_a_document_is_indented_and_has_no_nan(
    keel_with: Callable[[Trouble], None], capsys: pytest.CaptureFixture[str]
) -> None:
    keel_with(lambda: emit({"schema": "test/1", "ratio": float("nan")}))

    assert run(["trouble", "--json"]) == 0

    assert capsys.readouterr().out == '{\n  "schema": "test/1",\n  "ratio": null\n}\n'


def test_a_bare_keel_shows_help_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2

    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Usage: keel" in printed.err


def test_help_lists_every_command_with_its_summary(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0

    lines = capsys.readouterr().out.splitlines()
    for name, command in COMMANDS.items():
        assert any(line.split()[:1] == [name] and line.endswith(command.summary) for line in lines)


def test_version_is_the_version_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0

    assert capsys.readouterr().out == f"keel {evenkeel.__version__}\n"


MISTAKES = [
    (["bactest"], "there is no command 'bactest'; did you mean 'backtest'?"),
    (["xyzzy"], "there is no command 'xyzzy'"),
    (["doctor", "--gap"], "there is no option '--gap'; did you mean '--gaps'?"),
    (["--hom", "x", "doctor"], "there is no option '--hom'; did you mean '--home'?"),
    (["doctor", "--debug"], "--debug stands before the command: keel --debug ... COMMAND"),
    (["doctor", "now"], "got unexpected extra argument (now)"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_in_typing_is_answered_with_the_nearest_name(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run(arguments) == 2

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines()[0] == f"error: {message}"
    assert printed.err.splitlines()[1].endswith("--help` explains it")


@pytest.mark.parametrize("name", [name for name in COMMAND_GAPS if " " not in name])
def test_a_command_that_is_not_built_is_named_and_not_guessed(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert run([name, "--json"]) == 2

    document = json.loads(capsys.readouterr().out)
    assert document["reason"] == "NOT_AVAILABLE"
    assert document["message"] == f"`keel {name}` is not available yet; `keel doctor --gaps` lists all such"


def test_a_subcommand_that_is_not_built_is_named_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = ModuleType("data_group")
    module.command = click.Group("data")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "data_group", module)
    monkeypatch.setitem(COMMANDS, "data", CommandEntry("data_group", "Market data.", "Test"))

    assert run(["data", "record"]) == 2
    assert capsys.readouterr().err.startswith("error: `keel data record` is not available yet")


def test_json_after_two_dashes_is_an_argument(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--", "--json"]) == 2

    assert capsys.readouterr().out == ""


def test_no_command_is_both_built_and_missing() -> None:
    context = click.Context(root, info_name="keel")
    for name in COMMAND_GAPS:
        first, *rest = name.split()
        if first not in COMMANDS:
            continue
        group = root.get_command(context, first)
        assert isinstance(group, click.Group)
        assert rest[0] not in group.commands, f"{name} is built: take it out of COMMAND_GAPS"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_its_name_and_explains_itself_with_an_example(name: str) -> None:
    command = root.get_command(click.Context(root, info_name="keel"), name)

    assert command is not None
    assert command.name == name
    texts = [command.help or "", command.epilog or ""]
    if isinstance(command, click.Group):
        texts += [f"{sub.help}{sub.epilog}" for sub in command.commands.values()]
    assert any(f"keel {name}" in text for text in texts), "the help shows no example"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_offers_the_names_of_the_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], shell: str
) -> None:
    monkeypatch.setenv("_KEEL_COMPLETE", f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", "keel ba" if shell != "fish" else "keel")
    monkeypatch.setenv("COMP_CWORD", "1" if shell != "fish" else "ba")

    assert run([]) == 0

    assert "backtest" in capsys.readouterr().out


def python(code: str, **options: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,  # type: ignore[call-overload]
    )


WAITING = """
import sys, time, types, click
from evenkeel.cli.commands import COMMANDS, CommandEntry
from evenkeel.cli.entry import entry
@click.command(name="wait")
def command():
    try:
        print("ready", flush=True)
        time.sleep(30)
    finally:
        print("state saved", flush=True)
sys.modules["waiting"] = types.ModuleType("waiting")
sys.modules["waiting"].command = command
COMMANDS["wait"] = CommandEntry("waiting", "Wait.", "Test")
sys.argv = ["keel", "wait"]
entry()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_lets_state_be_saved(number: signal.Signals, exit_code: int) -> None:
    with python(WAITING) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=20)

    assert process.returncode == exit_code
    assert out == b"state saved\n"
    assert b"Traceback" not in err


KEEL = "import sys; from evenkeel.cli import entry; sys.argv = ['keel', {}]; entry()"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_standard_output_is_an_outside_failure() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", KEEL.format("'--help'")], stdout=full, stderr=subprocess.PIPE, check=False
        )

    assert done.returncode == 3
    assert done.stderr.startswith(b"error: No space left on device")
    assert b"Traceback" not in done.stderr
    assert b"Exception" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes")
def test_a_reader_that_leaves_is_no_reason_to_shout() -> None:
    with python(KEEL.format("'doctor', '--gaps'")) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""

    assert process.returncode == 3
