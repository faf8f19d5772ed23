"""What the gateway's decision costs: the whole vector for an entry, an exit and a cancel, processor time, best of 7.

    python benches/gates.py

The desks are those of the tests: an entry that every gate lets through, with one other position.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import gate_desk
from evenkeel.model.intent import OrderKind
from evenkeel.risk.gates.request import Purpose

CALLS, RUNS = 3_000, 7


def main() -> None:
    """Measure and print."""
    entry = gate_desk.equity()
    leaving = entry.with_(
        **{
            "request.purpose": Purpose.CLOSE, "request.quantity": Decimal(-50), "request.kind": OrderKind.MARKET,
            "request.price": None, "market.position": Decimal(50),
        }
    )  # fmt: skip
    ending = leaving.with_(**{"request.purpose": Purpose.CANCEL})
    cases = {
        "entry, balanced": entry, "entry, perp_small": gate_desk.perpetual(), "entry, micro_futures": gate_desk.micro(),
        "entry, research": gate_desk.equity("research"), "exit": leaving, "cancel": ending,
    }  # fmt: skip
    for name, desk in cases.items():
        print(f"{name:22} {best_us(desk.judge):6.1f} us")


def best_us(call: Callable[[], object]) -> float:
    """Return the processor time of one call, microseconds, in the best run."""
    call()
    runs = []
    for _ in range(RUNS):
        begun = time.process_time()
        for _ in range(CALLS):
            call()
        runs.append((time.process_time() - begun) / CALLS * 1e6)
    return min(runs)


if __name__ == "__main__":
    main()
