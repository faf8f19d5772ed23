"""Parameters cut into cells for pictures: each value by itself where they are few, else ranges of equal width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evenkeel.engine.sweep.ranking import Row
from evenkeel.engine.sweep.space import Value, value_text

VALUES_MAX = 40
"""More different numbers than these are put into ranges."""

RANGES = 20


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one parameter.

    Attributes:
        name: Of the parameter.
        labels: One text a cell, in order.
        places: Cell of each value.
    """

    name: str
    labels: tuple[str, ...]
    places: dict[Value, int]

    def __len__(self) -> int:
        return len(self.labels)

    def of(self, row: Row) -> int:
        """Return the cell in which a set lies."""
        return self.places[row.values[self.name]]


def cells_of(rows: Sequence[Row], name: str) -> Cells:
    """Return the cells of a parameter over all sets."""
    values = sorted({row.values[name] for row in rows}, key=lambda one: (isinstance(one, str), one))
    numbers = [float(one) for one in values if not isinstance(one, str)]
    if len(values) <= VALUES_MAX or len(numbers) < len(values):
        return Cells(name, tuple(map(value_text, values)), {value: place for place, value in enumerate(values)})
    low, width = numbers[0], (numbers[-1] - numbers[0]) / RANGES
    places = {
        value: min(int((number - low) / width), RANGES - 1) for value, number in zip(values, numbers, strict=True)
    }
    return Cells(name, tuple(f"{low + width * place:.4g}" for place in range(RANGES)), places)
