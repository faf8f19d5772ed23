"""Drawn histories against every history there is: with three trades all of them can be listed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.model.errors import UsageError
from evenkeel.readiness.monte_carlo import METHODS, RUIN, SKIP_CHANCE, Kind, MonteCarlo, monte_carlo

START = Decimal(1000)
NETS = [Decimal(120), Decimal(-280), Decimal(60)]
"""1000, 1120, 840, 900: factors 1.12, 0.75 and 15/14."""

FACTORS = [1.12, 0.75, 900 / 840]
PATHS = 40_000


def drawn(nets: Sequence[Decimal] = NETS, slippages: Sequence[Decimal] | None = None, **facts: int) -> MonteCarlo:
    more = {"seed": 7, "paths": PATHS} | facts
    found = monte_carlo(nets, slippages or [Decimal(0)] * len(nets), start_equity=START, **more)  # type: ignore[arg-type]
    assert found is not None
    return found[0]


def kind(found: MonteCarlo, method: str) -> Kind:
    return found.kinds[METHODS.index(method)]


def course(factors: Sequence[float]) -> tuple[float, float, float]:
    """Return end, deepest fall and lowest level, by hand."""
    level = peak = lowest = 1.0
    fall = 0.0
    for factor in factors:
        level *= factor
        peak, lowest = max(peak, level), min(lowest, level)
        fall = max(fall, 1 - level / peak)
    return level, fall, lowest


def expected(histories: Sequence[tuple[float, Sequence[float]]]) -> dict[str, object]:
    """Return the percentiles and chances over all histories with their weights."""
    courses = [(weight, *course(factors)) for weight, factors in histories]

    def percentile(place: int, part: int) -> float:
        total = 0.0
        for weight, value in sorted(((one[0], one[place]) for one in courses), key=lambda pair: pair[1]):
            total += weight
            if total >= part / 100 - 1e-12:
                return value
        raise AssertionError

    return {
        "end": [percentile(1, part) - 1 for part in (5, 25, 50, 75, 95)],
        "drawdown": [percentile(2, part) for part in (5, 25, 50, 75, 95)],
        "ruin": sum(one[0] for one in courses if one[3] <= 1 - RUIN),
        "loss": sum(one[0] for one in courses if one[1] < 1),
    }


def assert_like(found: Kind, all_of_them: dict[str, object]) -> None:
    for name in ("end", "drawdown"):
        band = getattr(found, name)
        values = [band.p5, band.p25, band.p50, band.p75, band.p95]
        assert values == pytest.approx(all_of_them[name], abs=1e-12), name
    for name in ("ruin", "loss"):
        assert getattr(found, name) == pytest.approx(all_of_them[name], abs=0.01), name


def test_reshuffled_histories_are_all_orders_alike() -> None:
    orders = [(1 / 6, order) for order in itertools.permutations(FACTORS)]

    assert_like(kind(drawn(), "reshuffle"), expected(orders))


@pytest.mark.parametrize("block", [1, 2, 3])
def test_redrawn_histories_are_blocks_that_go_on_around_the_end(block: int) -> None:
    """Of one: 27 histories alike. Of two: a block and the first of another. Of three: three rotations."""
    starts = list(itertools.product(range(3), repeat=math.ceil(3 / block)))
    histories = [
        (1 / len(starts), [FACTORS[(start + step) % 3] for start in one for step in range(block)][:3]) for one in starts
    ]

    assert_like(kind(drawn(block=block), "bootstrap"), expected(histories))


def test_trades_are_missed_one_time_in_ten() -> None:
    histories = [
        (
            math.prod(SKIP_CHANCE if missed else 1 - SKIP_CHANCE for missed in one),
            [1.0 if missed else factor for missed, factor in zip(one, FACTORS, strict=True)],
        )
        for one in itertools.product((True, False), repeat=3)
    ]

    assert_like(kind(drawn(), "skip"), expected(histories))


def test_slippage_is_drawn_between_none_and_four_times_as_much() -> None:
    """One trade of two costs 10 of 1000: with x times the slippage it brings 1.12 - (x - 1) * 0.01."""
    found = kind(drawn([Decimal(120), Decimal(0)], [Decimal(10), Decimal(0)]), "slippage")

    quantiles = [0.12 - (4 * (1 - part) - 1) * 0.01 for part in (0.05, 0.25, 0.5, 0.75, 0.95)]
    band = found.end
    assert [band.p5, band.p25, band.p50, band.p75, band.p95] == pytest.approx(quantiles, abs=6e-4)


def test_without_slippage_there_is_one_history_of_fills() -> None:
    found = kind(drawn(), "slippage")

    assert found.end.p5 == found.end.p95 == pytest.approx(-0.1, abs=1e-12)
    assert found.drawdown.p5 == pytest.approx(0.25, abs=1e-12)


def test_ruin_is_the_loss_of_three_tenths_at_any_time() -> None:
    """Down by 30 % and up again is ruin, down by 29.9 % is none."""
    for first, share in ((Decimal(-300), 1.0), (Decimal(-299), 0.0)):
        found = kind(drawn([first, Decimal(900)]), "slippage")
        assert found.ruin == share
        assert found.loss == 0.0


def test_the_same_seed_gives_the_same_figures() -> None:
    assert drawn(paths=500) == drawn(paths=500)
    assert drawn(paths=500) != drawn(paths=500, seed=8)


def test_fans_begin_at_the_start_and_end_where_the_histories_do() -> None:
    nets = [Decimal(5 * (-1) ** k + 1) for k in range(200)]
    found = monte_carlo(nets, [Decimal(0)] * 200, start_equity=START, seed=3, paths=300)
    assert found is not None

    for one in found[0].kinds:
        fan = found[1][one.method]
        assert (fan.trades[0], fan.trades[-1]) == (0, 200)
        assert len(fan.trades) <= 61
        assert fan.levels[:, 0].tolist() == [1.0] * 5
        assert fan.levels[2, -1] - 1 == pytest.approx(one.end.p50, abs=1e-12)
        assert (np.diff(fan.levels, axis=0) >= 0).all()


@pytest.mark.parametrize("nets", [[], [Decimal(5)], [Decimal(-1000), Decimal(5)], [Decimal(-1500), Decimal(700)]])
def test_too_few_trades_and_an_account_at_zero_cannot_be_drawn_again(nets: list[Decimal]) -> None:
    assert monte_carlo(nets, [Decimal(0)] * len(nets), start_equity=START, seed=1) is None


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"paths": 99}, "--monte-carlo is 99; it is 100 to 1,000,000 histories"),
        ({"paths": 1_000_001}, "--monte-carlo is 1,000,001"),
        ({"block": 4}, "a block has 1 to 3 trades, not 4"),
    ],
)
def test_numbers_out_of_bounds_are_refused(facts: dict[str, int], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        drawn(**facts)


def test_more_draws_than_a_machine_can_make_are_refused() -> None:
    many = [Decimal(0)] * 1000
    with pytest.raises(UsageError, match="200,000 can be drawn"):
        monte_carlo(many, many, start_equity=START, seed=1, paths=1_000_000)


@given(st.lists(st.integers(-90, 200), min_size=2, max_size=12), st.integers(0, 2**63))
def test_an_order_changes_the_way_and_never_the_end(nets: list[int], seed: int) -> None:
    found = monte_carlo(
        [Decimal(net) for net in nets], [Decimal(0)] * len(nets), start_equity=Decimal(2000), seed=seed, paths=100
    )
    assert found is not None

    band = kind(found[0], "reshuffle").end
    assert band.p5 == pytest.approx(band.p95, abs=1e-12)
    assert band.p50 == pytest.approx(sum(nets) / 2000, abs=1e-12)
    for one in found[0].kinds:
        assert 0.0 <= one.drawdown.p5 <= one.drawdown.p95 <= 1.0
