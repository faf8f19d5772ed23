"""`keel doctor`: what this machine has, what is wrong with it, and how to mend it.

Each check takes plain facts and returns a finding, so that every colour of every line can be tested without the machine
that would show it. Nothing heavy is imported: versions are read from the packages' metadata.
"""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import json
import os
import platform
import shutil
import sqlite3
import sys
import tempfile
import zoneinfo
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

import click

import evenkeel
from evenkeel.cli.commands import COMMAND_GAPS
from evenkeel.cli.home import Home, current_home, kernel_cache
from evenkeel.cli.output import emit, say
from evenkeel.cli.params import json_option
from evenkeel.model.gaps import GAPS
from evenkeel.risk.gates.sources import WAITING

CORE_PACKAGES = ("numpy", "numba", "polars", "pydantic", "msgspec", "click", "rich", "pyyaml", "tzdata")
"""The distributions that `pyproject.toml` requires; a test compares."""

PYTHON_TESTED = ((3, 11), (3, 12), (3, 13))
SQLITE_MIN = (3, 37)
SPACE_BYTES_MIN = 200 * 1024**2
SPACE_BYTES_COMFORTABLE = 2 * 1024**3
HORIZON_DAYS_MIN = 90

Status = Literal["ok", "warning", "bad"]

MARKS: dict[Status, tuple[str, str]] = {"ok": ("ok  ", "green"), "warning": ("warn", "yellow"), "bad": ("BAD ", "red")}


@dataclass(frozen=True)
class Finding:
    """One line of the doctor.

    Attributes:
        name: What was looked at.
        status: `bad` makes the exit code 1; a `warning` does not.
        detail: What was found.
        fix: What to do about it; empty when it is well.
    """

    name: str
    status: Status
    detail: str
    fix: str = ""


@click.command(name="doctor")
@click.option("--gaps", is_flag=True, help="List what is specified but not built yet.")
@json_option
def command(gaps: bool, as_json: bool) -> int:
    """Check this machine, and say how to mend what is wrong.

    \b
    Example:
      keel doctor
      keel doctor --gaps

    Exit code 1 when a line is BAD. A warning does not stop anything.
    """
    return _show_gaps(as_json) if gaps else _show_findings(findings(current_home()), as_json)


def findings(home: Home) -> list[Finding]:
    """Look at everything, in the order in which it is shown."""
    return [
        python_finding(sys.version_info[:3]),
        packages_finding({name: _version_of(name) for name in CORE_PACKAGES}),
        _machine_finding(),
        sqlite_finding(sqlite3.sqlite_version),
        _zones_finding(),
        *calendar_findings(_horizons(), today=datetime.now(UTC).date()),
        home_finding(home),
        space_finding(shutil.disk_usage(_nearest_existing(home.root)).free, where=home.root),
        kernel_cache_finding(kernel_cache(os.environ)),
        bytecode_finding(writing=not sys.dont_write_bytecode),
    ]


def python_finding(version: tuple[int, ...]) -> Finding:
    """Judge the Python that runs."""
    text = ".".join(str(part) for part in version)
    if version[:2] in PYTHON_TESTED:
        return Finding("python", "ok", f"{text}, evenkeel {evenkeel.__version__}")
    known = ", ".join(f"{major}.{minor}" for major, minor in PYTHON_TESTED)
    return Finding("python", "warning", f"{text} is not tested", f"use Python {known}")


def packages_finding(versions: Mapping[str, str | None]) -> Finding:
    """Judge the installed packages.

    Args:
        versions: Version by distribution; None where it is not installed.
    """
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        return Finding("packages", "bad", f"missing: {', '.join(missing)}", "install again: `make setup`")
    return Finding("packages", "ok", ", ".join(f"{name} {version}" for name, version in versions.items()))


def sqlite_finding(version: str) -> Finding:
    """Judge the SQLite inside Python; STRICT tables need 3.37."""
    if tuple(int(part) for part in version.split(".")[:2]) >= SQLITE_MIN:
        return Finding("sqlite", "ok", version)
    needed = ".".join(str(part) for part in SQLITE_MIN)
    return Finding("sqlite", "bad", f"{version} is older than {needed}", "use a newer build of Python")


def calendar_findings(horizons: Mapping[str, date], *, today: date) -> list[Finding]:
    """Judge how far the shipped session tables reach; past its end a market counts as closed.

    Args:
        horizons: Last day of each table.
        today: The date to judge by.
    """
    if not horizons:
        return []
    ending = {name: last for name, last in horizons.items() if (last - today).days < HORIZON_DAYS_MIN}
    if not ending:
        first = min(horizons.values())
        return [Finding("calendars", "ok", f"{len(horizons)} session tables, known at least to {first}")]
    names = ", ".join(f"{name} ends {last}" for name, last in sorted(ending.items()))
    expired = any(last < today for last in ending.values())
    return [Finding("calendars", "bad" if expired else "warning", names, "update evenkeel")]


def home_finding(home: Home) -> Finding:
    """Judge whether state can be stored; nothing is created."""
    how = {"option": "--home", "environment": "$EVENKEEL_HOME", "folder": "./.keel", "user": "the default"}[
        home.found_by
    ]
    existing = _nearest_existing(home.root)
    if not existing.is_dir():
        return Finding("home", "bad", f"{existing} is not a folder", "name another with --home or $EVENKEEL_HOME")
    problem = _write_problem(existing)
    if problem:
        return Finding(
            "home", "bad", f"{existing} cannot be written: {problem}", "name another with --home or $EVENKEEL_HOME"
        )
    state = "writable" if existing == home.root else "not made yet, can be made"
    return Finding("home", "ok", f"{home.root} ({how}; {state})")


def space_finding(free_bytes: int, *, where: Path) -> Finding:
    """Judge the free space of the disk that holds the home."""
    text = f"{free_bytes / 1024**3:.1f} GiB free"
    if free_bytes >= SPACE_BYTES_COMFORTABLE:
        return Finding("disk", "ok", text)
    status: Status = "warning" if free_bytes >= SPACE_BYTES_MIN else "bad"
    return Finding("disk", status, f"{text} at {where}", "free some space, or name another folder with --home")


def kernel_cache_finding(folder: Path) -> Finding:
    """Judge the folder of compiled kernels."""
    problem = _write_problem(_nearest_existing(folder))
    if problem:
        return Finding(
            "kernel cache",
            "warning",
            f"{folder} cannot be written: {problem}; every start compiles anew",
            "name another folder in $EVENKEEL_KERNEL_CACHE",
        )
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
    if not size:
        return Finding("kernel cache", "ok", f"{folder} is empty; the first backtest compiles, once, a few seconds")
    return Finding("kernel cache", "ok", f"{folder}, {size / 1024**2:.1f} MiB")


def bytecode_finding(*, writing: bool) -> Finding:
    """Judge whether Python keeps compiled modules; without them every start takes three times as long."""
    if writing:
        return Finding("bytecode", "ok", "Python keeps compiled modules")
    return Finding(
        "bytecode",
        "warning",
        "PYTHONDONTWRITEBYTECODE is set: unless the installer compiled the packages, every start is slow",
        "unset PYTHONDONTWRITEBYTECODE",
    )


def _machine_finding() -> Finding:
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Finding("machine", "ok", f"{platform.system()} {platform.release()}, {platform.machine()}, {count} CPUs")


def _zones_finding() -> Finding:
    try:
        zoneinfo.ZoneInfo("America/Chicago")
    except zoneinfo.ZoneInfoNotFoundError:
        return Finding("time zones", "bad", "no time zone database", "install again: `make setup` (package tzdata)")
    return Finding("time zones", "ok", "found")


def _horizons() -> dict[str, date]:
    """Read the last day of each shipped session table, without importing the calendars themselves."""
    folder = importlib.resources.files("evenkeel") / "data" / "calendars"
    if not folder.is_dir():
        return {}
    tables = {
        file.name: json.loads(file.read_text("utf-8")) for file in folder.iterdir() if file.name.endswith(".json")
    }
    return {name.removesuffix(".json"): date.fromisoformat(table["last_day"]) for name, table in tables.items()}


def _version_of(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _nearest_existing(path: Path) -> Path:
    """Return the path or the nearest one above it that exists; `os.path` takes an unreadable one for absent."""
    return next(place for place in (path, *path.parents) if os.path.exists(place))


def _write_problem(folder: Path) -> str | None:
    """Try to write into a folder; permissions alone do not tell (read-only and full disks, containers)."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"keel")
            file.flush()
    except OSError as error:
        return error.strerror or str(error)
    return None


def _show_findings(found: list[Finding], as_json: bool) -> int:
    bad = [finding for finding in found if finding.status == "bad"]
    if as_json:
        emit({"schema": "evenkeel.doctor/1", "ok": not bad, "findings": [asdict(finding) for finding in found]})
        return 1 if bad else 0
    width = max(len(finding.name) for finding in found)
    for finding in found:
        mark, colour = MARKS[finding.status]
        say(f"{click.style(mark, fg=colour)}  {finding.name.ljust(width)}  {finding.detail}")
        if finding.fix:
            say(f"{' ' * (width + 8)}fix: {finding.fix}")
    say()
    say(f"{len(bad)} to mend." if bad else "Ready. `keel demo` shows what it can do.")
    return 1 if bad else 0


def _show_gaps(as_json: bool) -> int:
    missing = {f"keel {name}": text for name, text in COMMAND_GAPS.items()}
    waiting = {f"gates {fact}": text for fact, text in WAITING.items()}
    if as_json:
        rows = [{"name": name, "what": text} for name, text in {**GAPS, **missing, **waiting}.items()]
        emit({"schema": "evenkeel.gaps/1", "gaps": rows})
        return 0
    say("Specified, but not built yet. Each is refused by name wherever it is asked for.")
    for title, gaps in (("Features", GAPS), ("Commands", missing), ("Facts that gates wait for", waiting)):
        say(f"\n{title}")
        width = max(len(name) for name in gaps)
        for name, text in gaps.items():
            say(f"  {name.ljust(width)}  {text}")
    return 0
