"""The one interface of every strategy: what it needs, when it wants to be woken, what it decides, how it is saved.

A strategy never sees an order, a venue or a clock. It declares its features as a program, names the rows whose value
1 wakes it, and answers each wake with an intent. One whose `decide` is a kernel also says so in `kernel`, and can then
run in the research lane; `decide` must then call the same kernel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from evenkeel.features.node import Node
from evenkeel.features.timeline import Program
from evenkeel.model.bar import Floats
from evenkeel.model.errors import UsageError
from evenkeel.model.instrument import Instrument
from evenkeel.model.intent import Intent, Notes
from evenkeel.strategies.terms import Terms


@dataclass(frozen=True, slots=True)
class DecideKernel:
    """A decision as a kernel with the signature of a node; see `evenkeel.strategies.decision`.

    Attributes:
        node: The kernel with its declaration.
        params: What it gets as `p`.
        rows: Rows of the execution graph that it gets as `r`.
    """

    node: Node
    params: tuple[float, ...]
    rows: tuple[int, ...]


class View(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a strategy may see at a decision.

    Attributes:
        time_ns: Close of the execution bar.
        bar: Its number within the stretch, from 0.
        price: Its close.
        position: +1 long, -1 short, 0 flat.
        entry_price: Of the position, NaN when flat.
        bars_held: Execution bars closed since the entry, this one included; 0 when flat.
        since_entry: Execution bars since the last entry order was placed; None where there was none in this stretch.
        x: Window of the execution graph; a strategy in Python gets it cut off behind this bar.
        column: Column of this bar in it.
        history: How many bars back every row can be read.
    """

    time_ns: int
    bar: int
    price: float
    position: int
    entry_price: float
    bars_held: int
    since_entry: int | None
    x: Floats
    column: int
    history: int = 0

    def value(self, row: int, *, ago: int = 0) -> float:
        """Return a row of the graph at this bar, or so many bars before; NaN is missing.

        Raises:
            UsageError: If `ago` is negative, or further back than the history that was asked for.
        """
        if not 0 <= ago <= self.history:
            raise UsageError(
                f"a value {ago} bars ago cannot be read: 0 to {self.history} can; ask for more with "
                "`features.history(bars)` in setup"
            )
        return float(self.x[row, self.column - ago])


class Strategy(Protocol):
    """What the engine knows of a strategy."""

    @property
    def name(self) -> str:
        """Short name, also its id."""

    @property
    def kind(self) -> str:
        """`play` or `python`."""

    @property
    def hash(self) -> str:
        """Digest of everything that can change a decision."""

    @property
    def resolved(self) -> Mapping[str, Any]:
        """The whole definition with defaults filled in, as plain data for the manifest."""

    @property
    def instrument(self) -> Instrument:
        """What it trades."""

    @property
    def terms(self) -> Terms:
        """Money, costs, limits and order habits."""

    @property
    def program(self) -> Program:
        """The features it needs."""

    @property
    def wake_flat(self) -> int:
        """Row of the execution graph that is 1 wherever it may act while flat."""

    @property
    def wake_hold(self) -> int:
        """Row of the execution graph that is 1 wherever it may act while holding."""

    @property
    def kernel(self) -> DecideKernel | None:
        """Its decision as a kernel, or None if only the engine lane can run it."""

    def decide(self, view: View) -> Intent:
        """Answer a wake."""

    @property
    def takes_notes(self) -> bool:
        """Whether its kernel's entries carry values to keep with the trade."""

    def notes(self, signal: int, x: Floats, column: int) -> Notes:
        """Return what the rule with that number wants kept, read at a column of the execution graph."""

    def signal_text(self, signal: int) -> str:
        """Return the words of the rule with that number in reports of the research lane."""

    def checkpoint(self) -> dict[str, Any]:
        """Return its own memory as plain data; features are saved by the engine."""

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue from `checkpoint`."""


def run_window(strategy: Strategy, start_ns: int | None, end_ns: int | None) -> tuple[int | None, int | None]:
    """Return the range of a run: what is asked for, else what the strategy itself names; None is where the data ends.

    Raises:
        UsageError: If it is empty.
    """
    own = getattr(getattr(strategy, "play", None), "backtest", None)
    start = getattr(own, "start_ns", None) if start_ns is None else start_ns
    end = getattr(own, "end_ns", None) if end_ns is None else end_ns
    if start is not None and end is not None and start >= end:
        raise UsageError("--start must lie before --end")
    return start, end


def decision_rows(strategy: Strategy) -> frozenset[int]:
    """Return the rows of the execution graph that a run reads whose decisions are made by the strategy's kernel."""
    decides = strategy.kernel.rows if strategy.kernel is not None else ()
    return frozenset((strategy.wake_flat, strategy.wake_hold, *decides))
