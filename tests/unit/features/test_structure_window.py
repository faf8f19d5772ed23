"""A rolling window drawn by hand: it speaks when it is full, and never about a part (T13)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from evenkeel.features.registry import find_structure
from reference.wiring import alone

NAN = math.nan


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"mode": "max", "size": 3}, [NAN, NAN, 5.0, 5.0, 5.0, 4.0, 4.0]),
        ({"mode": "min", "size": 3}, [NAN, NAN, 1.0, 1.0, 2.0, 2.0, 2.0]),
        ({"mode": "max", "size": 3, "exclude_current": True}, [NAN, NAN, NAN, 5.0, 5.0, 5.0, 4.0]),
        ({"mode": "min", "size": 1, "exclude_current": True}, [NAN, 3.0, 1.0, 5.0, 2.0, 4.0, 4.0]),
        ({"mode": "max", "size": 1}, [3.0, 1.0, 5.0, 2.0, 4.0, 4.0, 2.0]),
    ],
)
def test_a_window_speaks_when_it_is_full(params: Any, expected: list[float]) -> None:
    columns = {"close": np.array([3.0, 1.0, 5.0, 2.0, 4.0, 4.0, 2.0])}

    value = alone(find_structure("rolling_window"), columns, params)["value"]

    assert value == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("source", ["open", "high", "low", "close", "volume"])
def test_a_window_looks_at_its_column_only(source: str) -> None:
    names = ("open", "high", "low", "close", "volume")
    columns = {name: np.array([10.0, 9.0, 8.0]) * (k + 1) for k, name in enumerate(names)}
    node = find_structure("rolling_window")

    value = alone(node, columns, {"mode": "max", "size": 2, "source": source})["value"]

    assert value[1:] == columns[source][:2].tolist()


def test_a_missing_value_begins_a_new_window() -> None:
    columns = {"close": np.array([1.0, 9.0, NAN, 2.0, 3.0, 1.0])}

    value = alone(find_structure("rolling_window"), columns, {"mode": "max", "size": 2})["value"]

    assert value == pytest.approx([NAN, 9.0, NAN, NAN, 3.0, 3.0], nan_ok=True)
