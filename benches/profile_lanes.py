"""Where the time of a lane goes: Python functions by their own time.

    python benches/profile_lanes.py W1 engine
    python benches/profile_lanes.py W2 research 200000

The profiler makes each call dearer, so compare lines with each other, and use `keel bench` for figures.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from evenkeel.cli.benchmark.lane import run_engine
from evenkeel.cli.benchmark.workload import WORKLOADS, Prepared, prepare_workload
from evenkeel.engine.record import RunRecord
from evenkeel.engine.research import run_research

LINES = 30


def main(workload: str = "W1", lane: str = "engine", bars: str = "300000") -> None:
    with TemporaryDirectory() as folder:
        prepared = prepare_workload(WORKLOADS[workload], int(bars), Path(folder))
        run(lane, prepared)
        profile = cProfile.Profile()
        profile.runcall(run, lane, prepared)
    pstats.Stats(profile).strip_dirs().sort_stats("tottime").print_stats(LINES)


def run(lane: str, prepared: Prepared) -> RunRecord:
    return run_engine(prepared) if lane == "engine" else run_research(prepared.strategy, prepared.market)


if __name__ == "__main__":
    main(*sys.argv[1:])
