"""The gateway of a desk: what the account lets its strategy open, before its size is asked for."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from evenkeel.model.halt import Act, Halt, permits
from evenkeel.model.intent import Enter
from evenkeel.model.reason import Reason
from evenkeel.risk.gates.entry import EntryGates, Sized


class DeskGates:
    """The gates of a strategy on an account that can be halted."""

    def __init__(self, gates: EntryGates, halt: Callable[[], Halt]) -> None:
        """Stand before the numeric gates.

        Args:
            gates: The numeric gates of the strategy.
            halt: Returns the halt in force.
        """
        self._gates, self._halt = gates, halt

    def judge(
        self, intent: Enter, *, equity: Decimal, price: float, free: Decimal | None = None, day_trades: int = 0
    ) -> Sized | Reason:
        """Return the size of an entry, or the first reason against it; arguments as of `EntryGates.judge`."""
        if not permits(self._halt().level, Act.ENTRY):
            return Reason.HALT_FLAG
        return self._gates.judge(intent, equity=equity, price=price, free=free, day_trades=day_trades)

    def part(self, quantity: Decimal, fraction: Decimal) -> Decimal:
        """Return a fraction of a held quantity, rounded down to the lot."""
        return self._gates.part(quantity, fraction)
