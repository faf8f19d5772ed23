"""Whole processes: seconds and memory of a command as it is typed, with kernels in the cache and without."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from evenkeel.cli.benchmark.figure import Figure, Timing
from evenkeel.cli.benchmark.workload import Prepared
from evenkeel.model.errors import DataError

WARM_AIMS_S = {"research": 1.0, "engine": 2.0}
COLD_EXTRA_AIM_S = 15.0
MEMORY_AIM_MB = 300.0
HELP_AIM_MS = 150.0
LAUNCHER = Path(__file__).with_name("launcher.py")

_IMPORTS = {
    "import of the model": "import evenkeel.model.bar",
    "import of Numba": "import numba",
    "import of everything a backtest needs": "import evenkeel.api",
}


@dataclass(frozen=True, slots=True)
class Finished:
    """A process that has ended well.

    Attributes:
        seconds: From its start to its end.
        memory_mb: Most memory that it held at once, in 10**6 bytes; NaN where the platform does not tell.
    """

    seconds: float
    memory_mb: float


def run_process(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Finished:
    """Run a command to its end.

    Args:
        command: Program and arguments.
        environment: Added to that of this process.

    Raises:
        DataError: If it fails; the message has its last line.
    """
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(LAUNCHER), *command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False, env={**_plain_environment(), **(environment or {})},
    )  # fmt: skip
    if done.returncode != 0:
        raise DataError(f"`{' '.join(command)}` could not be started: {_last_line(done.stderr)}")
    seconds, memory_mb, code = done.stdout.split()
    if code == "1" and not done.stderr.strip():
        raise DataError(f"`{' '.join(command)}` says no: a check of its result failed; run it to see which")
    if code != "0":
        raise DataError(f"`{' '.join(command)}` failed with code {code}: {_last_line(done.stderr)}")
    return Finished(float(seconds), float(memory_mb))


def _plain_environment() -> dict[str, str]:
    """Return this process's environment as a user has it: Python keeps what it compiled."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]


def keel(*arguments: str) -> list[str]:
    """Return the command line of `keel` in this very Python."""
    return [sys.executable, "-m", "evenkeel", *arguments]


def measure_processes(prepared: Prepared, runs: int) -> list[Figure]:
    """Measure `keel backtest` of a workload in both lanes, from a warm and from an empty kernel cache."""
    figures = []
    for lane, aim in WARM_AIMS_S.items():
        backtest_process(prepared, lane)
        warm = [backtest_process(prepared, lane) for _ in range(runs)]
        with TemporaryDirectory() as empty:
            cold = backtest_process(prepared, lane, {"EVENKEEL_KERNEL_CACHE": empty})
        part, name = prepared.workload.name, f"keel backtest --lane {lane} --no-report"
        timing = Timing(tuple(one.seconds for one in warm))
        whole = timing.figure(part, f"{name}, whole process", unit="s", aim=aim)
        extra = max(0.0, cold.seconds - whole.value)
        memory = max(one.memory_mb for one in warm)
        figures += [
            whole,
            Figure(part, f"{name}, more with an empty kernel cache", extra, "s", extra, 1, COLD_EXTRA_AIM_S),
            Figure(part, f"{name}, most memory", memory, "MB", memory, runs, MEMORY_AIM_MB),
        ]
    return figures


def measure_start(runs: int) -> list[Figure]:
    """Measure what a command costs before it does anything."""
    commands = {"keel --help": keel("--help"), "Python itself": [sys.executable, "-c", "pass"]}
    commands |= {name: [sys.executable, "-c", code] for name, code in _IMPORTS.items()}
    figures = []
    for name, command in commands.items():
        run_process(command)
        timing = Timing(tuple(run_process(command).seconds for _ in range(runs)))
        aim = HELP_AIM_MS if name == "keel --help" else None
        figures.append(timing.figure("start", name, unit="ms", scale=1000.0, aim=aim))
    return figures


def backtest_process(prepared: Prepared, lane: str, environment: Mapping[str, str] | None = None) -> Finished:
    """Run `keel backtest` of a workload as it is typed, without its report."""
    with TemporaryDirectory() as folder:
        home, out = Path(folder) / "home", Path(folder) / "out"
        return run_process(
            keel(
                "--home", str(home), "backtest", str(prepared.play), "--catalog", str(prepared.catalog), "--lane", lane,
                "--no-report", "--json", "--out", str(out),
            ),
            environment,
        )  # fmt: skip
