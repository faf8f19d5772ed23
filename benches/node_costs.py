"""What each indicator costs: nanoseconds a bar in blocks, and a bar when it comes alone.

    python benches/node_costs.py

The line without a node is what the bars themselves cost: five columns are copied into the window. Run it before and
after a change of a kernel; `keel bench --only live` shows forty nodes together.
"""

from __future__ import annotations

import time

from evenkeel.data.synthetic import random_walk
from evenkeel.features.graph import BLOCK_BARS, LIVE_SLACK, GraphBuilder, GraphRun
from evenkeel.features.node import Node
from evenkeel.features.registry import all_indicators
from evenkeel.model.bar import Floats

BLOCKS = 100
LIVE_BARS = 5_000
RUNS = 5


def main() -> None:
    bars = random_walk(BLOCKS * BLOCK_BARS)
    columns = {"high": bars.high, "low": bars.low, "close": bars.close, "volume": bars.volume}
    columns["session"] = columns["close"] * 0.0
    print(f"{'node':12}  ns a bar in blocks  ns a live bar")
    for name, node in {"(no node)": None, **all_indicators()}.items():
        block = min(block_ns(node, columns) for _ in range(RUNS))
        live = min(live_ns(node, columns) for _ in range(RUNS))
        print(f"{name:12}  {block:18.1f}  {live:13,.0f}")


def block_ns(node: Node | None, columns: dict[str, Floats]) -> float:
    run = started(node, BLOCK_BARS)
    parts = [slice(i * BLOCK_BARS, (i + 1) * BLOCK_BARS) for i in range(BLOCKS)]
    began = time.perf_counter()
    for part in parts:
        run.push({name: columns[name][part] for name in run.graph.columns}, BLOCK_BARS)
    return (time.perf_counter() - began) * 1e9 / (BLOCKS * BLOCK_BARS)


def live_ns(node: Node | None, columns: dict[str, Floats]) -> float:
    run = started(node, LIVE_SLACK)
    singles = [{name: columns[name][i : i + 1] for name in run.graph.columns} for i in range(LIVE_BARS)]
    began = time.perf_counter()
    for single in singles:
        run.push(single, 1)
    return (time.perf_counter() - began) * 1e9 / LIVE_BARS


def started(node: Node | None, width: int) -> GraphRun:
    builder = GraphBuilder()
    for name in ("high", "low", "close", "volume", "session"):
        builder.column(name)
    if node is not None:
        builder.add(node, [builder.column("close" if name == "source" else name) for name in node.inputs])
    return builder.build().start(width)


if __name__ == "__main__":
    main()
