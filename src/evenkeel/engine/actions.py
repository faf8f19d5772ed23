"""Splits and dividends of a share: what falls due on a position, and what features see of prices (ruling 19).

Prices are stored raw, and fills and books use them so. A split changes quantities and order prices at the open of its
ex-date, a dividend is cash there. Features see the raw price times the split ratios known by then, counted from the
first bar of the run: on that bar they see what stands in the file, and nothing from the future ever moves them.
"""

from __future__ import annotations

import numpy as np

from evenkeel.data.side import SideSeries
from evenkeel.model.bar import Bars, Floats, Ints
from evenkeel.venues.simulated.carry import Carry, CarryKind


def actions_due(actions: SideSeries, bars: Bars) -> Carry:
    """Return what is due at the opens of the bars of a stretch.

    Who held before the ex-date and holds at the open of the first bar on it or behind it has it. Of one instant the
    split comes first: the cash is for a new share.
    """
    inside = (actions.stamps_ns > bars.open_ns[0]) & (actions.stamps_ns <= bars.open_ns[-1])
    rows: list[Ints] = []
    kinds: list[Ints] = []
    values: list[Floats] = []
    for kind, name in ((CarryKind.SPLIT, "split"), (CarryKind.DIVIDEND, "dividend")):
        known = inside & ~np.isnan(actions.columns[name])
        rows.append(np.searchsorted(bars.open_ns, actions.stamps_ns[known]).astype(np.int64))
        kinds.append(np.full(len(rows[-1]), int(kind), dtype=np.int64))
        values.append(actions.columns[name][known])
    order = np.argsort(np.concatenate(rows), kind="stable")
    return Carry(
        rows=np.concatenate(rows)[order], kinds=np.concatenate(kinds)[order], values=np.concatenate(values)[order],
        prices=np.full(len(order), np.nan),
    )  # fmt: skip


def split_scale(actions: SideSeries, bars: Bars, origin_ns: int) -> Floats | None:
    """Return by what features see the prices of each bar multiplied; None where that is one throughout.

    Args:
        actions: Of the run.
        bars: Of a stretch.
        origin_ns: Open of the first bar of the run: there it is one. Bars before it only warm up, and what was split
            until then is known.
    """
    known = ~np.isnan(actions.columns["split"])
    stamps, ratios = actions.stamps_ns[known], actions.columns["split"][known]
    grown = np.concatenate([[1.0], np.cumprod(ratios)])
    at_origin = grown[np.searchsorted(stamps, origin_ns, side="right")]
    scale: Floats = grown[np.searchsorted(stamps, bars.open_ns, side="right")] / at_origin
    return None if bool(np.all(scale == 1.0)) else scale
