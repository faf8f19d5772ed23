"""The markets of the suites: generated ones by regime, recorded ones from the folder beside the repository.

Each is made or read once in a process, and shared by all plays that trade it.
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import polars as pl

import desk
from evenkeel.data.side import SideBatch, SideKind
from evenkeel.data.synthetic import Recipe, generate
from evenkeel.data.synthetic.storage import beside_of
from evenkeel.model.bar import Bars
from evenkeel.model.time import DAY, Timeframe, parse_time
from suites import instruments
from suites.rows import Row
from suites.windows import Window, symbol_of, windows

RECORDED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
VENUES = {"BINANCE": "binance_usdm"}
WARMUP_DAYS = 60
"""So much of a recording is kept before a window: more than any play of the suites needs to warm up."""

MARKETS_KEPT = 48


def catalog(row: Row, *, anew: bool = False) -> desk.MemoryCatalog:
    """Return a row's market: its bars, and what is known beside them.

    Args:
        row: Whose.
        anew: Generate or read them again, for one who doubts that they would be the same.
    """
    source = _market.__wrapped__ if anew else _market
    bars, beside = source(row.window, row.market)
    return desk.MemoryCatalog(instruments.find(symbol_of(row)), bars, beside=beside)


@lru_cache(maxsize=MARKETS_KEPT)
def _market(window: str, market: tuple[str, int, int]) -> tuple[Bars, list[SideBatch]]:
    if window:
        return _around(windows()[window]), _recorded_beside(windows()[window].symbol)
    regime, minutes, seed = market
    made = generate(Recipe(regime=regime, minutes=minutes, seed=seed))
    return made.bars, beside_of(made)


def _around(window: Window) -> Bars:
    whole = recording(window.symbol, window.bars)
    first, last = np.searchsorted(
        whole.open_ns, [parse_time(window.start) - WARMUP_DAYS * DAY, parse_time(window.end)]
    ).tolist()
    return whole.rows(first, last)


@cache
def recording(symbol: str, timeframe: str) -> Bars:
    """Return a recorded series whole."""
    name, _, venue = symbol.partition("-PERP.")
    table = pl.read_parquet(RECORDED / VENUES[venue] / name / f"{timeframe}.parquet")
    kind = Timeframe.parse(timeframe)
    opens = table["ts"].to_physical().to_numpy()
    columns = (np.ascontiguousarray(table[name].to_numpy()) for name in ("open", "high", "low", "close", "volume"))
    return Bars(kind, opens, opens + kind.nanoseconds, *columns)


@cache
def _recorded_beside(symbol: str) -> list[SideBatch]:
    """Return the recorded funding of a perpetual, and its mark price at the settlements."""
    name, _, venue = symbol.partition("-PERP.")
    found = []
    for file, kind, column in (("funding", SideKind.FUNDING, "funding_rate"), ("mark-8h", SideKind.MARK, "open")):
        path = RECORDED / VENUES[venue] / name / f"{file}.parquet"
        if path.is_file():
            table = pl.read_parquet(path)
            values = {kind.columns()[0]: np.ascontiguousarray(table[column].to_numpy())}
            found.append(SideBatch(kind, table["ts"].to_physical().to_numpy().copy(), values))
    return found


def measured(window: Window) -> dict[str, float]:
    """Return what the data says of a window: `before`, `net` and `range`, in percent of its first open."""
    whole = recording(window.symbol, window.bars)
    start, end = parse_time(window.start), parse_time(window.end)
    before, first, last = np.searchsorted(whole.open_ns, [2 * start - end, start, end]).tolist()
    inside = whole.rows(first, last)
    opened = float(inside.open[0])
    return {
        "before": (opened / float(whole.open[before]) - 1) * 100,
        "net": (float(inside.close[-1]) / opened - 1) * 100,
        "range": float(inside.high.max() - inside.low.min()) / opened * 100,
    }
