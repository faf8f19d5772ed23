"""Runs one peer on one series and writes what it cost and what it traded.

    python runner.py PEER WORKLOAD SERIES.npz RESULT.json RUNS

It runs as a file in the peer's own environment and imports nothing of this project.
"""

# mypy: ignore-errors

from __future__ import annotations

import gc
import importlib.util
import json
import sys
import time
from pathlib import Path

import numpy as np

SCALARS = ("first", "cash", "fee", "tick", "lot")


def main(name: str, workload: str, series_path: str, result_path: str, runs: str) -> None:
    """Run, and write the result as JSON: seconds, without and with the curve, fills, equity, versions.

    Equity is that at each close where the peer keeps it, else that at the last.
    """
    started = time.perf_counter()
    peer = _load(name)
    import_s = time.perf_counter() - started
    with np.load(series_path) as stored:
        series = {key: stored[key].item() if key in SCALARS else stored[key] for key in stored.files}
    seconds, with_curve = [], []
    for _ in range(int(runs)):
        prepared = peer.prepare(series) if hasattr(peer, "prepare") else series
        gc.collect()
        began = time.perf_counter()
        result = peer.WORKLOADS[workload](prepared)
        seconds.append(time.perf_counter() - began)
        if hasattr(peer, "curve"):
            peer.curve(result)
            with_curve.append(time.perf_counter() - began)
    fills, equity = peer.outcome(result)
    curve = np.atleast_1d(np.asarray(equity, dtype=np.float64))
    document = {
        "versions": peer.versions(),
        "import_s": import_s,
        "seconds": seconds,
        "with_curve": with_curve,
        "bars": [int(fill[0]) for fill in fills],
        "buys": [bool(fill[1]) for fill in fills],
        "prices": [float(fill[2]) for fill in fills],
        "quantities": [float(fill[3]) for fill in fills],
        "equity": float(curve[-1]),
        "finals": curve.tolist() if len(curve) > 1 and not fills else [],
        "curve": curve.tolist() if len(curve) == len(series["close"]) else [],
    }
    Path(result_path).write_text(json.dumps(document), "utf-8")


def _load(name):
    path = Path(__file__).with_name(f"{name}_peer.py")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(*sys.argv[1:])
