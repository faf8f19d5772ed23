"""A catalog whose future is garbage: up to an instant it reads as it is, from then on every price is made up.

    catalogs = [PoisonedCatalog(catalog, after_ns, seed=1) for catalog in catalogs]

Stamps, revisions and gaps stay, so that nothing but the values tells the two apart.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evenkeel.data.catalog import Catalog, Series
from evenkeel.data.side import SideKind, SideSeries
from evenkeel.data.synthetic.stream import uniforms
from evenkeel.model.bar import Bars, Floats
from evenkeel.model.ids import InstrumentId
from evenkeel.model.time import Timeframe

_RANGE = (0.5, 2.0)
"""Garbage prices are true ones times something between."""


class PoisonedCatalog(Catalog):
    """Reads another catalog, with garbage from an instant on.

    Args:
        catalog: The one that is read.
        after_ns: Bars and rows from here on are garbage.
        seed: Of the garbage.
    """

    def __init__(self, catalog: Catalog, after_ns: int, *, seed: int) -> None:
        super().__init__(catalog.folder)
        self._catalog, self._after_ns, self._seed = catalog, after_ns, seed

    def read(
        self,
        instrument: InstrumentId,
        timeframe: Timeframe,
        *,
        start_ns: int | None = None,
        stop_ns: int | None = None,
        revision: str | None = None,
    ) -> Series:
        """See `Catalog.read`; bars that open at or after the instant are garbage."""
        found = self._catalog.read(instrument, timeframe, start_ns=start_ns, stop_ns=stop_ns, revision=revision)
        return Series(poisoned(found.bars, self._after_ns, seed=self._seed), found.revision)

    def side(
        self,
        instrument: InstrumentId,
        kind: SideKind,
        *,
        start_ns: int | None = None,
        stop_ns: int | None = None,
        revision: str | None = None,
    ) -> SideSeries | None:
        """See `Catalog.side`; rows at or after the instant are garbage, but for those that must fit the prices."""
        found = self._catalog.side(instrument, kind, start_ns=start_ns, stop_ns=stop_ns, revision=revision)
        if found is None or kind is SideKind.ACTIONS:
            return found
        first = int(np.searchsorted(found.stamps_ns, self._after_ns))
        return SideSeries(found.kind, found.stamps_ns, self._columns(found.columns, first), found.revision)

    def _columns(self, columns: Mapping[str, Floats], first: int) -> dict[str, Floats]:
        changed = {}
        for values in columns.values():
            factors = _factors(len(values) - first, self._seed, 0)
            break
        for name, values in columns.items():
            # One factor a row: a row of prices stays sane within itself.
            changed[name] = values.copy()
            changed[name][first:] *= factors
        return changed


def poisoned(bars: Bars, after_ns: int, *, seed: int) -> Bars:
    """Return bars with garbage in those that open at or after an instant, each sane within itself.

    Args:
        bars: True ones.
        after_ns: From here on.
        seed: Of the garbage.
    """
    first = int(np.searchsorted(bars.open_ns, after_ns))
    count = len(bars) - first
    columns = {name: getattr(bars, name).copy() for name in ("open", "high", "low", "close", "volume")}
    middle = columns["close"][first:] * _factors(count, seed, 0)
    opened, closed = (middle * (0.98 + 0.04 * uniforms(seed, column, count)) for column in (1, 2))
    columns["open"][first:], columns["close"][first:] = opened, closed
    columns["high"][first:] = np.maximum(opened, closed) * (1.0 + 0.01 * uniforms(seed, 3, count))
    columns["low"][first:] = np.minimum(opened, closed) * (1.0 - 0.01 * uniforms(seed, 4, count))
    columns["volume"][first:] *= _factors(count, seed, 5)
    return Bars(bars.timeframe, bars.open_ns, bars.close_ns, *columns.values())


def _factors(count: int, seed: int, column: int) -> Floats:
    low, high = _RANGE
    found: Floats = low * (high / low) ** uniforms(seed, column, max(count, 0))
    return found
