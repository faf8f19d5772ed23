"""What kernels cost before they run: compiling each one on a fresh machine, and loading it from the cache on disk.

    python benches/first_use.py

Two processes do the same with a cache folder of their own: the first finds it empty, the second full. Every indicator,
structure and condition is compiled, and the two callers of a graph; a run compiles only what its graph uses.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

AIM_S = 60.0


def main() -> None:
    """Measure in two processes and print."""
    with TemporaryDirectory() as cache:
        cold, warm = one_process(cache), one_process(cache)
    print("| kernel | compile s | load ms |")
    print("|---|---:|---:|")
    for name, seconds in sorted(cold["kernels"].items(), key=lambda item: -item[1]):
        print(f"| {name} | {seconds:.2f} | {warm['kernels'][name] * 1e3:.1f} |")
    for title, found in (("empty cache", cold), ("full cache", warm)):
        total = sum(found["kernels"].values())
        print(f"{title}: {len(found['kernels'])} kernels {total:.2f} s, imports before them {found['import']:.2f} s")
    word = "met" if sum(cold["kernels"].values()) < AIM_S else "MISSED"
    print(f"aim, all of them on a fresh machine: under {AIM_S:.0f} s: {word}")


def one_process(cache: str) -> dict[str, Any]:
    """Return what this file measures in a process of its own with that cache."""
    environment = {**os.environ, "EVENKEEL_KERNEL_CACHE": cache}
    done = subprocess.run([sys.executable, __file__, "inside"], env=environment, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def inside() -> None:
    """Compile or load every kernel, and write the seconds of each as JSON."""
    began = time.perf_counter()
    from evenkeel.features import conditions
    from evenkeel.features.graph import GraphBuilder
    from evenkeel.features.node import Node
    from evenkeel.features.registry import all_indicators, all_structures
    from evenkeel.kernel import address_of

    nodes = {**all_indicators(), **all_structures()}
    nodes |= {f"({node.name})": node for node in vars(conditions).values() if isinstance(node, Node)}
    imported = time.perf_counter() - began
    work: dict[str, Callable[[], object]] = {"(callers of a graph)": lambda: GraphBuilder().build().start(1)}
    work |= {name: partial(address_of, node.kernel) for name, node in nodes.items()}
    kernels = {}
    for name, compile_it in work.items():
        began = time.perf_counter()
        compile_it()
        kernels[name] = time.perf_counter() - began
    print(json.dumps({"import": imported, "kernels": kernels}))


if __name__ == "__main__":
    inside() if sys.argv[1:] == ["inside"] else main()
