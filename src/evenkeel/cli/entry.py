"""The top of the command line: parses, runs one command, and turns whatever happened into an exit code and a sentence.

    0 done · 1 the work ran and its answer is no · 2 bad usage or input · 3 the outside failed · 4 halted
    130 interrupted · 143 terminated

A command returns None or an exit code. This is one of the few places that may catch everything: a person who runs
`keel` sees a sentence, never a traceback, unless `--debug` asks for it.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NamedTuple, NoReturn, TextIO

import click

import evenkeel
from evenkeel.cli.commands import COMMAND_GAPS, CommandTable
from evenkeel.cli.output import emit, note
from evenkeel.model.errors import KeelError

PROGRAM = "keel"
COMPLETION_VARIABLE = "_KEEL_COMPLETE"

EXIT_BAD_USAGE = 2
EXIT_OUTSIDE = 3
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143

STRATEGY_MODULE, PLUGIN_MODULE = "keel_strategy", "keel_plugin"
"""Names of the modules that the user's own Python becomes; as in `strategies.python_strategy` and `kernel`."""

_DEBUG_HINT = "run again with `keel --debug ...` to see where it happened"

REMEDIES = {
    errno.ENOSPC: "free some space and run it again",
    errno.EDQUOT: "free some space and run it again",
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
    errno.EROFS: "choose a folder that you may write to",
    errno.EMFILE: "raise the limit on open files (`ulimit -n`)",
}
"""What to do about faults of the operating system that a person can mend."""


class Fault(NamedTuple):
    """How a command failed.

    Attributes:
        exit_code: Of the process.
        reason: Code for a program.
        message: Sentence for a person.
        hint: What to type next; shown on standard error only.
    """

    exit_code: int
    reason: str
    message: str
    hint: str = ""


class Terminated(BaseException):
    """The process was asked to end (SIGTERM); whatever must be saved is saved on the way out."""


@click.group(
    cls=CommandTable,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="`keel COMMAND --help` explains a command with an example. New here? Start with `keel demo`.",
)
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder of all state. Default: $EVENKEEL_HOME, else ./.keel if it exists, else the user's data directory.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of a failure.")
@click.version_option(evenkeel.__version__, message="%(prog)s %(version)s")
@click.pass_context
def root(context: click.Context, home: Path | None, debug: bool) -> None:
    """Evenkeel: a trading engine that would rather stop than guess."""
    del home, debug
    if os.environ.get("NO_COLOR"):
        context.color = False


def entry() -> NoReturn:
    """Run the command line of this process and exit."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    code = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            # What is left in the buffer would fail again when the interpreter ends, with an exit code of its own.
            _silence(stream)
    sys.exit(code)


def _open_closed_streams() -> None:
    """Point streams that the caller has closed nowhere, before another file is given their number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115 - open until the process ends
            setattr(sys, name, stream)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; every failure becomes one sentence.

    Args:
        arguments: As typed after `keel`.
    """
    try:
        with _termination():
            code = _invoke(list(arguments))
            if sys.stdout is not None:
                sys.stdout.flush()
            return code
    except BrokenPipeError:
        _silence(sys.stdout)
        return EXIT_OUTSIDE
    except click.exceptions.NoArgsIsHelpError as help_asked:
        help_asked.show()
        return EXIT_BAD_USAGE
    except (Exception, KeyboardInterrupt, Terminated, SystemExit) as error:  # noqa: BLE001 - the border "CLI top"
        return _report(error, arguments)


def _invoke(arguments: list[str]) -> int:
    instruction = os.environ.get(COMPLETION_VARIABLE)
    if instruction:
        from click.shell_completion import shell_complete

        return shell_complete(root, {}, PROGRAM, COMPLETION_VARIABLE, instruction)
    try:
        with root.make_context(PROGRAM, arguments) as context:
            code = root.invoke(context)
    except click.exceptions.Exit as done:
        return done.exit_code
    return code if isinstance(code, int) else 0


def _report(error: BaseException, arguments: Sequence[str]) -> int:
    """Say what went wrong on standard error, and with `--json` also as a document on standard output."""
    fault = fault_of(error)
    options = list(arguments[: arguments.index("--")]) if "--" in arguments else list(arguments)
    with suppress(OSError):
        if "--debug" in _before_command(options):
            note("".join(traceback.format_exception(error)))
        note(f"error: {fault.message}" + (f"\n{fault.hint}" if fault.hint else ""))
    try:
        if "--json" in options:
            emit(_document(fault))
            sys.stdout.flush()
    except OSError:
        _silence(sys.stdout)
    return fault.exit_code


def _before_command(arguments: list[str]) -> list[str]:
    """Return the global options, which stand before the command."""
    words: list[str] = []
    rest = iter(arguments)
    for word in rest:
        if not word.startswith("-"):
            break
        words.append(word)
        if word == "--home":
            next(rest, None)
    return words


def fault_of(error: BaseException) -> Fault:
    """Return the exit code, reason and sentences for an exception."""
    match error:
        case KeelError():
            place = _place_in_strategy(error)
            return Fault(error.exit_code, error.reason, f"{place}: {error.message}" if place else error.message)
        case click.NoSuchCommand():
            return _no_such_command(error)
        case click.ClickException():
            return Fault(EXIT_BAD_USAGE, "BAD_USAGE", _usage_sentence(error), _usage_hint(error))
        case KeyboardInterrupt() | click.Abort():
            return Fault(EXIT_INTERRUPTED, "INTERRUPTED", "interrupted")
        case Terminated():
            return Fault(EXIT_TERMINATED, "TERMINATED", "terminated")
        case OSError():
            return Fault(EXIT_OUTSIDE, "STORAGE" if error.errno in REMEDIES else "OUTSIDE_FAILED", _os_sentence(error))
        case _ if (place := _place_in_strategy(error)) is not None:
            return Fault(EXIT_BAD_USAGE, "STRATEGY_FAILED", f"{place}: {_said(error)}", _DEBUG_HINT)
        case _:
            said = _said(error)
            return Fault(
                EXIT_OUTSIDE,
                "UNEXPECTED",
                f"unexpected fault ({said}); this is a mistake in Evenkeel, not in your input",
                f"{_DEBUG_HINT}, and report it with that text",
            )


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _place_in_strategy(error: BaseException) -> str | None:
    """Return the line of the user's own strategy or plug-in that was being run at the fault, if one was."""
    own = [
        (frame.f_code, number)
        for frame, number in traceback.walk_tb(error.__traceback__)
        if frame.f_globals.get("__name__") in (STRATEGY_MODULE, PLUGIN_MODULE)
    ]
    if not own:
        return None
    code, number = own[-1]
    where = "" if code.co_name == "<module>" else f", in {code.co_name}"
    return f"{code.co_filename}, line {number}{where}"


def _no_such_command(error: click.NoSuchCommand) -> Fault:
    typed = " ".join([*_path_of(error.ctx)[1:], error.command_name])
    if typed in COMMAND_GAPS:
        message = f"`{PROGRAM} {typed}` is not available yet; `{PROGRAM} doctor --gaps` lists all such"
        return Fault(EXIT_BAD_USAGE, "NOT_AVAILABLE", message)
    near = f"; did you mean '{error.possibilities[0]}'?" if error.possibilities else ""
    return Fault(EXIT_BAD_USAGE, "BAD_USAGE", f"there is no command '{typed}'{near}", _usage_hint(error))


def _usage_sentence(error: click.ClickException) -> str:
    if isinstance(error, click.NoSuchOption):
        return _no_such_option(error)
    text = error.format_message().rstrip(".")
    return text[:1].lower() + text[1:]


def _no_such_option(error: click.NoSuchOption) -> str:
    if error.option_name in ("--home", "--debug"):
        return f"{error.option_name} stands before the command: {PROGRAM} {error.option_name} ... COMMAND"
    near = f"; did you mean '{error.possibilities[0]}'?" if error.possibilities else ""
    return f"there is no option '{error.option_name}'{near}"


def _usage_hint(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"`{' '.join([*_path_of(context), '--help'])}` explains it"


def _path_of(context: click.Context | None) -> list[str]:
    """Return the words of the command that was being parsed, from `keel` on, without its arguments."""
    names: list[str] = []
    while context is not None:
        names.insert(0, context.info_name or PROGRAM)
        context = context.parent
    return names or [PROGRAM]


def _os_sentence(error: OSError) -> str:
    what = error.strerror or str(error) or type(error).__name__
    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, (str, bytes)) else ""
    remedy = REMEDIES.get(error.errno or 0)
    return f"{where}{what}" + (f"; {remedy}" if remedy else "")


def _document(fault: Fault) -> dict[str, object]:
    return {
        "schema": "evenkeel.error/1",
        "ok": False,
        "exit_code": fault.exit_code,
        "reason": fault.reason,
        "message": fault.message,
    }


@contextmanager
def _termination() -> Iterator[None]:
    """Turn SIGTERM into `Terminated` inside the body, so that clean-up runs."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _raise_terminated(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise Terminated


def _silence(stream: TextIO | None) -> None:
    """Point a stream that cannot be written to nowhere, so that Python's own flush at exit stays quiet."""
    if stream is None:
        return
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
