"""Data beside bars in the catalog: what goes in comes out, and how it was divided into imports leaves no trace."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from evenkeel.data.catalog import Catalog
from evenkeel.data.side import SideBatch, SideKind
from evenkeel.model.ids import InstrumentId

ID = InstrumentId("X.DESK")
NUMBERS = st.floats(min_value=-1e9, max_value=1e9) | st.just(float("nan"))


@st.composite
def batches(draw: st.DrawFn) -> SideBatch:
    """Draw rows of a kind, with equal stamps where the kind knows them."""
    kind = draw(st.sampled_from([SideKind.FUNDING, SideKind.ACTIONS, SideKind.TRADES, SideKind.QUOTES]))
    stamps = draw(st.lists(st.integers(0, 40), min_size=1, max_size=30, unique=not kind.is_event))
    rows = len(stamps)
    columns = {
        name: np.array(draw(st.lists(NUMBERS, min_size=rows, max_size=rows)), dtype=np.float64)
        for name in kind.columns()
    }
    return SideBatch(kind, np.array(sorted(stamps), dtype=np.int64), columns)


def stored(parts: list[SideBatch]) -> tuple[str, list[bytes]]:
    """Return id and bytes of what a catalog holds after some imports."""
    with tempfile.TemporaryDirectory() as folder:
        catalog = Catalog(Path(folder))
        for part in parts:
            catalog.shelf.merge(ID, part, source="x", imported_ns=1)
        series = catalog.side(ID, parts[0].kind)
        assert series is not None
        return series.revision.id, [array.tobytes() for _, array in series.batch().arrays()]


@settings(max_examples=60, deadline=None)
@given(batch=batches(), data=st.data())
def test_the_way_into_the_catalog_leaves_no_trace(batch: SideBatch, data: st.DataObject) -> None:
    borders = [0, *np.flatnonzero(np.diff(batch.stamps_ns) > 0) + 1, len(batch)]
    chosen = sorted(data.draw(st.sets(st.sampled_from(borders), max_size=4)) | {0, len(batch)})
    parts = [batch.rows(int(a), int(b)) for a, b in pairwise(chosen) if b > a]
    order = data.draw(st.permutations(parts))
    again = data.draw(st.lists(st.sampled_from(parts), max_size=2))

    whole = stored([batch])

    assert whole[1] == [array.tobytes() for _, array in batch.arrays()]
    assert stored([*order, *again]) == whole
