"""Definitions of instruments, and bars."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pytest

from evenkeel.model.bar import Bars
from evenkeel.model.errors import InvariantBroken, UsageError
from evenkeel.model.ids import InstrumentId
from evenkeel.model.instrument import Instrument, InstrumentKind
from evenkeel.model.time import TIMEFRAMES

FACTS: dict[str, Any] = {
    "id": InstrumentId("BRK.B.NYSE"), "kind": InstrumentKind.EQUITY, "base": "BRK.B", "quote": "USD",
    "tick_size": Decimal("0.01"), "lot_size": Decimal(1), "min_quantity": Decimal(1), "calendar": "NYSE",
}  # fmt: skip


def test_the_venue_stands_behind_the_last_dot() -> None:
    instrument = Instrument(**FACTS)
    assert (instrument.symbol, instrument.venue) == ("BRK.B", "NYSE")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"id": "NOVENUE"}, "SYMBOL.VENUE"),
        ({"tick_size": Decimal(0)}, "tick_size must be positive"),
        ({"multiplier": Decimal(-5)}, "multiplier must be positive"),
        ({"min_quantity": Decimal("1.5")}, "multiple of lot_size"),
    ],
)
def test_a_definition_that_cannot_be_is_refused(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Instrument(**{**FACTS, **changed})


def test_a_definition_survives_json_with_exact_decimals() -> None:
    instrument = Instrument(**FACTS)
    assert msgspec.json.decode(msgspec.json.encode(instrument), type=Instrument) == instrument


def bars(count: int, closes: int) -> Bars:
    times = np.arange(count, dtype=np.int64)
    ones = np.ones(count)
    return Bars(TIMEFRAMES["1m"], times, times + 1, ones, ones.copy(), ones.copy(), np.ones(closes), ones.copy())


def test_bars_cannot_be_changed_and_parts_share_their_memory() -> None:
    whole = bars(5, 5)
    part = whole.rows(1, 3)
    assert len(part) == 2
    assert np.shares_memory(part.close, whole.close)
    with pytest.raises(ValueError, match="read-only"):
        whole.close[0] = 2.0


def test_columns_of_different_length_are_a_fault_of_ours() -> None:
    with pytest.raises(InvariantBroken, match="close has another length"):
        bars(5, 4)
