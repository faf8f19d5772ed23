"""Halts and lost minutes are gaps that the quality report names, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest

from evenkeel.data.calendar import load_calendar
from evenkeel.data.quality import FindingKind, check
from evenkeel.data.synthetic import Recipe, SyntheticMarket, generate
from evenkeel.data.synthetic.storage import default_id, definition_of
from evenkeel.model.bar import Bars
from evenkeel.model.time import MINUTE

WHOLE = generate(Recipe(regime="ranging", minutes=20_000))
COLUMNS = ("open_ns", "close_ns", "open", "high", "low", "close", "volume")


def market(**absent: float) -> SyntheticMarket:
    return generate(Recipe(regime="ranging", minutes=20_000, **absent))  # type: ignore[arg-type]


def gaps(bars: Bars) -> list[int]:
    """Lengths of the gaps that the quality report finds, in minutes."""
    report = check(bars, definition_of(default_id("ranging"), WHOLE.recipe), load_calendar("24/7"))
    assert all(fault.kind is FindingKind.GAP for fault in report.faults)
    return [fault.bars for fault in report.faults]


def test_without_absences_there_is_no_fault() -> None:
    assert gaps(WHOLE.bars) == []


@pytest.mark.parametrize("halts", [1, 3, 20])
def test_halts_are_long_gaps_one_in_each_part_of_the_path(halts: int) -> None:
    bars = market(halts=halts).bars
    found = gaps(bars)

    assert len(found) == halts
    longest = min(240, 20_000 // halts // 50)
    assert all(min(30, longest) <= length <= longest for length in found)
    before = bars.close_ns[:-1][np.diff(bars.open_ns) > MINUTE]
    parts = (before - WHOLE.recipe.first_open_ns) // MINUTE // (20_000 // halts)
    assert parts.tolist() == list(range(halts))


def test_a_halt_is_as_long_as_it_is_drawn_and_each_differs() -> None:
    assert len(set(gaps(generate(Recipe(regime="ranging", minutes=200_000, halts=5)).bars))) > 1


@pytest.mark.parametrize("missing", [0.001, 0.05, 0.2])
def test_the_share_of_missing_bars_is_the_one_asked_for(missing: float) -> None:
    bars = market(missing=missing).bars

    assert sum(gaps(bars)) == 20_000 - len(bars)
    assert 1 - len(bars) / 20_000 == pytest.approx(missing, rel=0.35)
    assert (bars.open_ns[0], bars.close_ns[-1]) == (WHOLE.bars.open_ns[0], WHOLE.bars.close_ns[-1])


def test_the_bars_that_are_left_and_what_is_read_off_the_path_do_not_change() -> None:
    some = market(halts=4, missing=0.1)
    kept = np.isin(WHOLE.bars.open_ns, some.bars.open_ns)

    assert 0.85 < kept.mean() < 0.91
    for name in COLUMNS:
        assert np.array_equal(getattr(WHOLE.bars, name)[kept], getattr(some.bars, name)), name
    assert np.array_equal(some.funding.values, WHOLE.funding.values)
    assert np.array_equal(some.open_interest.values, WHOLE.open_interest.values)
    assert some.digest != WHOLE.digest


def test_the_shortest_market_survives_every_absence() -> None:
    bars = generate(Recipe(regime="ranging", minutes=100, halts=20, missing=0.2)).bars

    assert 50 < len(bars) < 100
