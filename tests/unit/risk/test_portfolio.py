"""The gate of a playbook, and the correlation that it asks for."""

from __future__ import annotations

import numpy as np
import pytest

from evenkeel.model.bar import Bars
from evenkeel.model.reason import Reason
from evenkeel.model.time import DAY, HOUR, Timeframe
from evenkeel.risk.correlation import Closes, correlation
from evenkeel.risk.portfolio import Holding, Standing, standing
from evenkeel.strategies.playbook.playbook import PortfolioRisk

LIMITS = PortfolioRisk(max_exposure=0.8, max_correlation=0.7, max_active=2, max_drawdown=0.2)


def held(instrument: str = "B", side: int = 1, notional: float = 10.0, like: float | None = 0.0) -> Holding:
    return Holding(instrument=instrument, side=side, notional=notional, correlation=like)


def asked(*holdings: Holding, share: bool = True, equity: float = 100.0, limits: PortfolioRisk = LIMITS) -> Standing:
    return standing(has_share=share, instrument="A", holdings=holdings, equity=equity, limits=limits)


def reasons(*holdings: Holding, **options: object) -> tuple[Reason, Reason]:
    found = asked(*holdings, **options)  # type: ignore[arg-type]
    return found.long, found.short


def test_alone_everything_is_open() -> None:
    assert asked() == Standing(long=Reason.OK, short=Reason.OK, room=80.0)


def test_without_a_share_nothing_is() -> None:
    assert reasons(share=False) == (Reason.REGIME_INACTIVE,) * 2


@pytest.mark.parametrize("side", [1, -1])
def test_an_instrument_has_one_owner_whatever_the_side(side: int) -> None:
    assert reasons(held("A", side)) == (Reason.POSITION_CONFLICT,) * 2


def test_no_more_plays_than_allowed() -> None:
    assert reasons(held("B"), held("C")) == (Reason.ACTIVE_PLAYS_LIMIT,) * 2
    assert reasons(held("B")) == (Reason.OK, Reason.OK)


def test_the_first_refusal_in_order_is_the_reason() -> None:
    assert reasons(held("A"), held("C"), share=False) == (Reason.REGIME_INACTIVE,) * 2
    assert reasons(held("A", like=1.0), held("C", like=1.0)) == (Reason.POSITION_CONFLICT,) * 2
    assert reasons(held("B", like=1.0), held("C", like=1.0)) == (Reason.ACTIVE_PLAYS_LIMIT,) * 2


def test_the_same_bet_twice_is_refused_and_a_hedge_is_not() -> None:
    assert reasons(held(side=1, like=0.9)) == (Reason.CORRELATION_LIMIT, Reason.OK)
    assert reasons(held(side=-1, like=0.9)) == (Reason.OK, Reason.CORRELATION_LIMIT)
    assert reasons(held(side=1, like=-0.9)) == (Reason.OK, Reason.CORRELATION_LIMIT)
    assert reasons(held(side=-1, like=-0.9)) == (Reason.CORRELATION_LIMIT, Reason.OK)


def test_the_limit_itself_is_allowed() -> None:
    assert reasons(held(like=0.7)) == (Reason.OK, Reason.OK)
    assert reasons(held(like=0.7000001)) == (Reason.CORRELATION_LIMIT, Reason.OK)


def test_what_is_not_known_is_refused_unless_the_limit_is_off() -> None:
    off = PortfolioRisk(max_exposure=0.8, max_correlation=1.0, max_active=2, max_drawdown=0.2)
    assert reasons(held(like=None)) == (Reason.CORRELATION_LIMIT,) * 2
    assert reasons(held(like=None), limits=off) == (Reason.OK, Reason.OK)


def test_room_is_what_exposure_leaves() -> None:
    assert asked(held(notional=30.0)).room == 50.0
    assert asked(held(notional=90.0)).room == 0.0


def closes(prices: list[float], *, start: int = 0, step: int = HOUR) -> Closes:
    times = start + step * np.arange(1, len(prices) + 1, dtype=np.int64)
    return Closes(times, np.array(prices), step)


def drawn(seed: int, count: int = 800) -> list[float]:
    return list(100.0 * np.cumprod(1.0 + np.random.default_rng(seed).normal(0.0, 0.01, count)))


def test_the_correlation_is_that_of_the_returns() -> None:
    """Compared with NumPy's own over the returns between 720 hours: the first hour has no return."""
    one, other = np.array(drawn(1)), np.array(drawn(2))
    returns = [(prices[1:] / prices[:-1] - 1.0)[-719:] for prices in (one, other)]
    expected = float(np.corrcoef(*returns)[0, 1])
    assert correlation(closes(list(one)), closes(list(other)), 800 * HOUR) == pytest.approx(expected, abs=1e-12)


def test_a_market_is_like_itself_and_unlike_its_mirror() -> None:
    prices = drawn(3)
    mirror = list(100.0 / (np.array(prices) / 100.0))
    at = 800 * HOUR
    assert correlation(closes(prices), closes(prices), at) == pytest.approx(1.0)
    assert correlation(closes(prices), closes(mirror), at) == pytest.approx(-1.0, abs=0.001)


def test_nothing_later_than_the_instant_counts() -> None:
    one, other = drawn(4), drawn(5)
    at = 780 * HOUR + HOUR // 2
    before = correlation(closes(one), closes(other), at)
    other[780:] = [1.0] * 20
    one[780:] = drawn(9, 20)
    assert correlation(closes(one), closes(other), at) == before
    assert correlation(closes(one), closes(other), 800 * HOUR) != before


def test_only_thirty_days_count() -> None:
    one, other = drawn(6), drawn(7)
    at = 800 * HOUR
    before = correlation(closes(one), closes(other), at)
    one[:79] = drawn(8, 79)
    assert correlation(closes(one), closes(other), at) == before
    one[:81] = drawn(8, 81)
    assert correlation(closes(one), closes(other), at) != before


def test_markets_are_compared_over_the_same_time() -> None:
    """The second market is open eight hours a day; overnight both are compared from its last hour to its first."""
    prices = drawn(10)
    whole = closes(prices)
    open_hours = np.arange(800) % 24 < 8
    partly = Closes(whole.times_ns[open_hours], whole.prices[open_hours], HOUR)
    assert correlation(whole, partly, 800 * HOUR) == pytest.approx(1.0)


def test_a_coarse_market_is_compared_on_its_own_bars() -> None:
    prices = drawn(11, 24 * 60)
    days = Closes(closes(prices).times_ns[23::24], np.array(prices)[23::24], DAY)
    found = correlation(closes(prices), days, 60 * DAY)
    assert found == pytest.approx(1.0)


@pytest.mark.parametrize("count", [0, 1, 15])
def test_too_few_returns_say_nothing(count: int) -> None:
    short = closes(drawn(12, count), start=(800 - count) * HOUR)
    assert correlation(closes(drawn(13)), short, 800 * HOUR) is None
    enough = closes(drawn(12, 16), start=(800 - 16) * HOUR)
    assert correlation(closes(drawn(13)), enough, 800 * HOUR) is not None


def test_a_market_that_does_not_move_says_nothing() -> None:
    assert correlation(closes(drawn(14)), closes([5.0] * 800), 800 * HOUR) is None


def test_closes_follow_each_other_over_parts() -> None:
    times = HOUR * np.arange(6, dtype=np.int64)
    prices = np.arange(1.0, 7.0)
    hour = Timeframe.parse("1h")
    parts = [
        Bars(hour, times[part], times[part] + HOUR, *(prices[part],) * 4, np.ones(3))
        for part in (slice(0, 3), slice(3, 6))
    ]  # fmt: skip
    found = Closes.of(*parts)
    assert (found.at(HOUR - 1), found.at(HOUR), found.at(4 * HOUR), found.at(99 * HOUR)) == (None, 1.0, 4.0, 6.0)
