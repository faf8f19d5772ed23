"""The bugs: a name, the file, the text that is right, the text that is wrong, and the rules whose cases may show it."""

from __future__ import annotations

from dataclasses import dataclass

SIZING = "evenkeel/risk/sizing.py"
GATES = "evenkeel/risk/gates.py"
LIQUIDATION = "evenkeel/risk/liquidation.py"


@dataclass(frozen=True)
class Bug:
    """One planted bug.

    Attributes:
        name: What goes wrong, in words.
        step: `match`, `settle`, `size` or `gate`.
        file: Below `src`.
        old: The text that is right; stands there exactly once.
        new: The text that is wrong.
        rules: Names of `reference.rules`; cases that meet one of them are looked at first.
    """

    name: str
    step: str
    file: str
    old: str
    new: str
    rules: tuple[str, ...]


BUGS: tuple[Bug, ...] = (
    Bug("T21: fee cap without leverage", "size", SIZING,
        "free * leverage / (1.0 + sides * fee_fraction(t, price) * leverage)",
        "free * leverage / (1.0 + sides * fee_fraction(t, price))", ("6.8 capped by fees",)),
    Bug("T20: every model is percent_equity", "size", SIZING,
        "if model == _PERCENT:\n", "if model != _QUANTITY:\n", ("6.8 fixed_usdt", "6.8 risk_based")),
)  # fmt: skip
