"""The markets of a playbook: one for each play and one for the detector, all over the same time."""

from __future__ import annotations

from collections.abc import Sequence

from evenkeel.data.catalog import Catalog
from evenkeel.engine.market import GapPolicy, Market, load_market
from evenkeel.features.timeline import Program
from evenkeel.model.errors import UsageError
from evenkeel.model.instrument import Instrument
from evenkeel.model.time import format_time


def load_markets(
    catalogs: Sequence[Catalog],
    wanted: Sequence[tuple[Instrument, Program]],
    *,
    start_ns: int | None,
    end_ns: int | None,
    gaps: GapPolicy,
) -> list[Market]:
    """Return the market of each instrument and program, over the time that all of them have bars for.

    Args:
        catalogs: Looked through in order.
        wanted: What is traded or looked at, and by which program.
        start_ns: First instant; None is where the last of them begins.
        end_ns: First instant behind; None is where the first of them ends.
        gaps: Whether a fault refuses the run or is reported and jumped over.

    Raises:
        UsageError: If they have no time in common, or one of them no usable data.
        DataError: If there are faults and `gaps` is `stop`.
    """

    def load(start: int | None, end: int | None) -> list[Market]:
        return [
            load_market(catalogs, instrument, program, start_ns=start, end_ns=end, gaps=gaps)
            for instrument, program in wanted
        ]

    markets = load(start_ns, end_ns)
    start, end = max(market.window[0] for market in markets), min(market.window[1] for market in markets)
    if start >= end:
        raise UsageError(f"the markets have no time in common: {_ranges(markets)}; import more of them")
    if all(market.window == (start, end) for market in markets):
        return markets
    return load(start, end)


def _ranges(markets: Sequence[Market]) -> str:
    found = {
        f"{market.instrument.id} {format_time(market.window[0])} to {format_time(market.window[1])}": None
        for market in markets
    }
    return ", ".join(found)
