"""What the venue told in the research lane: reports as the loop wrote them, and the fills among them as columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evenkeel.engine.fill_table import EXITS, KINDS, LEGS, NONE, POINTS, FillTable
from evenkeel.engine.market import Stretch
from evenkeel.engine.record import EXIT_NUMBERS, DeadEntry
from evenkeel.model.bar import Floats, Ints
from evenkeel.model.reason import ExitReason
from evenkeel.strategies.strategy import Strategy
from evenkeel.venues.simulated.book import FillKind, Leg, Point, Price, Report
from evenkeel.venues.simulated.venue import Told


@dataclass(frozen=True, slots=True)
class Heard:
    """Reports of the venue, as the loop wrote them.

    Attributes:
        stretch: Where they belong.
        ints: One line a report, by `Report`.
        floats: One line a report, by `Price`.
        unfilled: An entry that the end of the stretch withdrew, after them.
    """

    stretch: Stretch
    ints: Ints
    floats: Floats
    unfilled: DeadEntry | None = None

    def reports(self, chosen: npt.NDArray[np.bool_] | None = None) -> Iterator[Told]:
        """Yield the reports one by one, all or those that are chosen."""
        ints, floats = (self.ints, self.floats) if chosen is None else (self.ints[chosen], self.floats[chosen])
        for one, prices in zip(ints.tolist(), floats.tolist(), strict=True):
            yield Told(one, prices)


def table_of_reports(heard: Sequence[Heard], strategy: Strategy) -> FillTable:
    """Return the fills in reports as columns: the same that `fill_event` and `describe` say of each."""
    parts = [(part.stretch, np.flatnonzero(part.ints[:, Report.LOTS]), part) for part in heard]
    ints = np.concatenate([part.ints[chosen] for _, chosen, part in parts])
    floats = np.concatenate([part.floats[chosen] for _, chosen, part in parts])
    stamps = [stretch.series.base.open_ns[part.ints[chosen, Report.ROW]] for stretch, chosen, part in parts]
    is_entry, number = ints[:, Report.LEG] == Leg.ENTRY, ints[:, Report.REASON]
    ruled = is_entry | (number == EXIT_NUMBERS[ExitReason.SIGNAL])
    decided = np.full(len(ints), NONE, dtype=np.int64)
    number_of = np.repeat([stretch.number for stretch, _, _ in parts], [len(chosen) for _, chosen, _ in parts])
    for stretch in {part.stretch.number: part.stretch for part in heard}.values():
        here = ruled & (number_of == stretch.number)
        decided[here] = stretch.series.on(stretch.exec).bars.close_ns[ints[here, Report.EXEC]]
    exits = np.where(is_entry, NONE, _EXIT_PLACES[number])
    keys, reason = np.unique(np.where(ruled, ints[:, Report.SIGNAL], -1 - exits), return_inverse=True)
    words = tuple(strategy.signal_text(key) if key >= 0 else str(EXITS[-1 - key]) for key in keys.tolist())
    return FillTable(
        event_ns=np.concatenate(stamps), leg=_LEG_PLACES[ints[:, Report.LEG]], kind=_KIND_PLACES[ints[:, Report.KIND]],
        lots=ints[:, Report.LOTS], left=ints[:, Report.LEFT], price=floats[:, Price.FILL],
        average=np.where(is_entry & (floats[:, Price.ENTRY] != floats[:, Price.FILL]), floats[:, Price.ENTRY], np.nan),
        fee=ints[:, Report.FEE], gross=ints[:, Report.GROSS],
        slippage=ints[:, Report.SLIPPAGE], taker=ints[:, Report.TAKER], row=ints[:, Report.ROW],
        bar=ints[:, Report.OPENED_EXEC], point=_POINT_PLACES[ints[:, Report.POINT]], exit=exits,
        stop=floats[:, Price.STOP], target=np.where(is_entry, floats[:, Price.TARGET], np.nan),
        adverse=floats[:, Price.ADVERSE], favourable=floats[:, Price.FAVOURABLE], bars_held=ints[:, Report.BARS_HELD],
        trade=ints[:, Report.TRADE], decided_ns=decided, reason=reason,
        words=words, unit=strategy.instrument.lot_grid,
    )  # fmt: skip


def _places(numbered: dict[int, str], known: Sequence[str]) -> Ints:
    """Return the place in `known` of what each number of the venue stands for."""
    places = np.zeros(max(numbered) + 1, dtype=np.int64)
    for number, word in numbered.items():
        places[number] = known.index(word)
    return places


_LEG_PLACES = _places({leg.value: leg.name.lower() for leg in Leg if leg is not Leg.FUNDING}, LEGS)
_KIND_PLACES = _places({kind.value: kind.name.lower() for kind in FillKind}, KINDS)
_POINT_PLACES = _places({point.value: point.name.lower() for point in Point}, POINTS)
_EXIT_PLACES = _places({number: reason for reason, number in EXIT_NUMBERS.items()}, EXITS)
