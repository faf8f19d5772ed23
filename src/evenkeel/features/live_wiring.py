"""The sheets of a program: which graphs are fed, in which order, and what each shows of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evenkeel.features.live_sheet import Sheet
from evenkeel.features.timeline import Held, Program
from evenkeel.model.time import Timeframe


class Wired:
    """The sheets of a program, in order of need.

    Attributes:
        on_bars: Features of each timeframe that others read.
        on_grids: Conditions on finer instants.
        decisions: The graph that decides.
        all: All of them.
    """

    def __init__(
        self, on_bars: Mapping[Timeframe, Sheet], on_grids: Mapping[Timeframe, Sheet], decisions: Sheet
    ) -> None:
        self.on_bars, self.on_grids, self.decisions = on_bars, on_grids, decisions
        self.all = [*on_bars.values(), *on_grids.values(), decisions]


def wired(program: Program, own: Sequence[str]) -> Wired:
    """Return the sheets of a program, each after those that it reads.

    Args:
        program: Its graphs.
        own: Names of the columns that come with each bar.
    """
    read = [*program.held.values(), *(one for grid in program.grids.values() for one in grid.held.values())]
    on_bars = {
        timeframe: Sheet(program.graphs[timeframe], own, {})
        for timeframe in sorted({one.timeframe for one in read if not one.of_grid})
    }
    on_grids: dict[Timeframe, Sheet] = {}

    def shown(held: Mapping[str, Held]) -> dict[str, tuple[Sheet, int]]:
        return {
            name: ((grid_sheet if one.of_grid else on_bars.__getitem__)(one.timeframe), one.row)
            for name, one in held.items()
        }

    def grid_sheet(timeframe: Timeframe) -> Sheet:
        if timeframe not in on_grids:
            grid = program.grids[timeframe]
            sheet = Sheet(grid.graph, (), shown(grid.held))
            on_grids[timeframe] = sheet
        return on_grids[timeframe]

    decisions = Sheet(program.decisions, own, shown(program.held))
    return Wired(on_bars, on_grids, decisions)
