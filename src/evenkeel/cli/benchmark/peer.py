"""Other backtesters, measured beside us: each in an environment of its own, on the same series, with its fills checked.

An environment is made once, under the home, because the packages of the peers and ours do not fit into one. A peer
that cannot be had is named with the reason, and left out; it never stops a measurement.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evenkeel.cli.benchmark.figure import Figure, Timing
from evenkeel.cli.benchmark.fills import (
    FillRule,
    differences,
    expected_of_peer,
    fills_of_peer,
    fills_of_run,
)
from evenkeel.cli.benchmark.process import Finished, run_process
from evenkeel.cli.benchmark.workload import Prepared
from evenkeel.engine.research import run_research
from evenkeel.model.errors import DataError

SCRIPTS = Path(__file__).parent / "peers"
READY = "ready.json"

SLOW_S = 3.0
"""One run of so long is enough for a figure."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A backtester to compare with.

    Attributes:
        name: As people call it.
        script: Its file in `peers`, without `_peer.py`.
        requirements: What its environment holds; nothing for one that needs no environment.
        workloads: Those that it can trade as we do.
        bars_max: It is slow: so many bars are enough for its bars a second; None takes all.
        rule: Where it fills a market order.
        compiles: Whether its first run in a process compiles, and the first in an environment even more.
    """

    name: str
    script: str
    requirements: tuple[str, ...]
    workloads: tuple[str, ...]
    bars_max: int | None = None
    rule: FillRule = "next open"
    compiles: bool = False


REFERENCE = Peer("plain Python loop", "plain", (), ("W1", "W2"))
"""Always there; a lane that trades otherwise than this loop has no speed."""

PEERS = (
    Peer("vectorbt", "vectorbt", ("vectorbt==1.2.0", "TA-Lib==0.8.2"), ("W1", "W2", "W3"), compiles=True),
    Peer("backtesting.py", "backtesting", ("backtesting==0.6.6", "TA-Lib==0.8.2"), ("W1", "W2")),
    Peer(
        "nautilus", "nautilus", ("nautilus_trader==1.221.0",), ("W1",), bars_max=200_000, rule="this close"
    ),
    Peer("backtrader", "backtrader", ("backtrader==1.9.78.123", "pandas>=2,<4"), ("W1",), bars_max=100_000),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measured:
    """What a peer did on a workload.

    Attributes:
        peer: Who.
        workload: On what.
        bars: How many of its bars.
        rate: Bars a second, warm.
        curve_rate: The same with its equity at each close computed too; None where that is part of a run, or there is
            none.
        process_s: Seconds of a whole process with one run.
        memory_mb: Most memory of that process.
        versions: What ran.
        fills: How many.
        differences: How its fills differ from ours; a peer with any has no speed.
    """

    peer: Peer
    workload: str
    bars: int
    rate: Figure
    process_s: float
    memory_mb: float
    versions: dict[str, str]
    fills: int
    differences: list[str]
    curve_rate: Figure | None = None


def environment(peer: Peer, folder: Path, told: Callable[[str], None]) -> Path:
    """Return the Python of a peer's environment, made when it is not there.

    Args:
        peer: Whose.
        folder: Where environments are kept.
        told: Given a sentence before something slow.

    Raises:
        DataError: If it cannot be made; the message says how to look further.
    """
    if not peer.requirements:
        return Path(sys.executable)
    home = folder / peer.script
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    wanted = json.dumps(peer.requirements)
    ready = home / READY
    if ready.is_file() and ready.read_text("utf-8") == wanted:
        return python
    told(f"installing {' '.join(peer.requirements)} into {home}, once")
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{peer.script}.log"
    with log.open("wb") as output:
        for command in (
            [sys.executable, "-m", "venv", "--clear", str(home)],
            [str(python), "-m", "pip", "install", "--disable-pip-version-check", *peer.requirements],
        ):
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False)
            if done.returncode != 0:
                raise DataError(
                    f"it could not be installed; {log} says why. Once it can, run `keel bench --peers` again"
                )
    ready.write_text(wanted, "utf-8")
    return python


def measure_peer(peer: Peer, python: Path, prepared: Prepared, folder: Path, runs: int) -> Measured:
    """Run a peer on a workload and compare its fills with ours.

    Args:
        peer: Who.
        python: Of its environment.
        prepared: On what; it has at most `bars_max` bars.
        folder: For the files that pass between the processes.
        runs: How often, for a figure.

    Raises:
        DataError: If it fails.
    """
    name, bars = prepared.workload.name, prepared.bars
    if peer.compiles:
        _run(peer, python, prepared, folder, 1)
    whole, document = _run(peer, python, prepared, folder, 1)
    seconds: list[float] = document["seconds"]
    with_curve: list[float] = document["with_curve"]
    if peer.compiles or seconds[0] < SLOW_S:
        again = _run(peer, python, prepared, folder, runs + 1)[1]
        seconds, with_curve = again["seconds"][1:], again["with_curve"][1:]
    ours = fills_of_run(run_research(prepared.strategy, prepared.market), prepared)
    terms = prepared.terms
    expected = expected_of_peer(ours, bars, peer.rule, cash=terms["cash"], fee=terms["fee"])
    found = fills_of_peer(document)

    def rate(each: list[float]) -> Figure:
        label = f"{peer.name}, compute and simulate"
        return Timing(tuple(each)).figure(name, label, unit="bars/s", count=len(bars))

    return Measured(
        peer, name, len(bars), rate(seconds), whole.seconds, whole.memory_mb, document["versions"], len(found),
        differences(expected, found), rate(with_curve) if with_curve else None,
    )  # fmt: skip


def _run(peer: Peer, python: Path, prepared: Prepared, folder: Path, runs: int) -> tuple[Finished, dict[str, Any]]:
    """Run a peer in a process of its own; return what the process cost, and what it wrote."""
    bars = prepared.bars
    series, result = folder / "series.npz", folder / "result.json"
    content: dict[str, Any] = {name: getattr(bars, name) for name in ("open", "high", "low", "close", "volume")}
    content |= prepared.terms
    np.savez(series, **content)
    script = str(SCRIPTS / "runner.py")
    workload = prepared.workload.name
    done = run_process([str(python), "-I", script, peer.script, workload, str(series), str(result), str(runs)])
    return done, json.loads(result.read_text("utf-8"))
