from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from decimal import Decimal

import pytest

from evenkeel.monitor.report.luck import headline, sample_words
from evenkeel.monitor.report.run_files import Trade
from evenkeel.monitor.report.uncertainty import Uncertainty, judge

START = Decimal(10_000)


def trade(net: str | float, *, number: int = 1, fees: str = "1", slippage: str = "0.5") -> Trade:
    return Trade(
        number=str(number), symbol="T", side="long", quantity=Decimal(1), entry_ns=0, entry_price=Decimal(100),
        exit_ns=60, exit_price=Decimal(101), entry_reason="ENTRY_SIGNAL", exit_reason="tp",
        gross=Decimal(net) + Decimal(fees), fees=Decimal(fees), funding=Decimal(0), net=Decimal(net), mae=0.01,
        mfe=0.02, bars_held=1, stop_price=None, target_price=None, slippage=Decimal(slippage),
    )  # fmt: skip


def judged(nets: Sequence[str | int], *, seed: int = 7) -> Uncertainty:
    return judge([trade(net, number=n) for n, net in enumerate(nets, 1)], start_equity=START, seed=seed)


def test_the_legs_of_a_position_are_one_trade() -> None:
    legs = [trade(net / 2, number=n) for n, net in enumerate(mixed(40, shift=3), 1) for _ in range(2)]

    found = judge(legs, start_equity=START, seed=7)

    assert (found.trades, found.bootstrap) == (40, judged(mixed(40, shift=3)).bootstrap)


def mixed(count: int, shift: int = 0) -> list[int]:
    return [((k * 7919) % 201) - 100 + shift for k in range(count)]


def test_the_interval_agrees_with_the_theory_of_means() -> None:
    nets = mixed(200, shift=5)
    boot = judged(nets).bootstrap
    assert boot is not None
    error = statistics.pstdev(nets) / math.sqrt(len(nets))
    assert boot.expectancy.observed == pytest.approx(statistics.mean(nets))
    assert boot.expectancy.low == pytest.approx(statistics.mean(nets) - 1.645 * error, abs=0.1 * error)
    assert boot.expectancy.high == pytest.approx(statistics.mean(nets) + 1.645 * error, abs=0.1 * error)


def test_the_chance_of_a_loss_equals_the_binomial_one() -> None:
    """Two trades of +1 and -1: of the four equally likely histories only one has a mean above zero."""
    boot = judged([1, -1]).bootstrap
    assert boot is not None
    assert boot.loss_chance == pytest.approx(0.75, abs=0.02)


def test_the_same_seed_gives_the_same_figures_and_another_seed_others() -> None:
    assert judged(mixed(50), seed=1) == judged(mixed(50), seed=1)
    assert judged(mixed(50), seed=1) != judged(mixed(50), seed=2)


def test_equal_trades_have_no_spread() -> None:
    boot = judged([10] * 12).bootstrap
    assert boot is not None
    assert boot.expectancy.low == boot.expectancy.high == 10
    assert boot.density.counts == (boot.resamples,)
    assert boot.drawdown is not None
    assert boot.drawdown.high == 0


def test_the_observed_return_and_drawdown_are_those_of_the_run() -> None:
    boot = judged([1000, -2200, 440]).bootstrap
    assert boot is not None
    assert boot.total_return is not None
    assert boot.drawdown is not None
    assert boot.total_return.observed == pytest.approx(-0.076)
    assert boot.drawdown.observed == pytest.approx(0.2)


def test_an_account_that_fell_to_zero_has_no_return_range() -> None:
    boot = judged([-6000, -4000, 50]).bootstrap
    assert boot is not None
    assert boot.total_return is None
    assert boot.drawdown is None
    assert boot.expectancy.low < 0


def test_sums_too_large_for_64_bits_keep_their_size() -> None:
    boot = judged(["90000000000", "-80000000000"] * 20).bootstrap
    assert boot is not None
    assert boot.expectancy.observed == 5e9
    assert boot.expectancy.low < 4e9
    assert boot.expectancy.high > 6e9
    assert boot.expectancy.high < 9e10


def test_the_bins_of_the_density_hold_every_history_and_never_straddle_zero() -> None:
    boot = judged(mixed(40)).bootstrap
    assert boot is not None
    assert sum(boot.density.counts) == boot.resamples
    losses = sum(
        count
        for index, count in enumerate(boot.density.counts)
        if boot.density.start + boot.density.width * (index + 0.5) < 0
    )
    assert losses / boot.resamples == boot.loss_chance


def test_more_tries_make_a_good_result_less_surprising() -> None:
    boot = judged(mixed(60, shift=12)).bootstrap
    assert boot is not None
    (one, single), (ten, tenth), (hundred, hundredth) = boot.best_of
    assert (one, ten, hundred) == (1, 10, 100)
    assert tenth == pytest.approx(1 - (1 - single) ** 10)
    assert single < tenth <= hundredth


def test_a_loss_has_no_lucky_reading() -> None:
    found = judged(mixed(60, shift=-30))
    assert found.bootstrap is not None
    assert found.bootstrap.best_of == ()
    assert found.bootstrap.trades_needed is None
    assert found.largest_share is None


def test_the_result_without_its_best_trades_is_exact() -> None:
    found = judged(["100.1", "-20", "50.2", "30", "5", "1.5"])
    assert found.net == Decimal("166.8")
    assert found.without_best == ((1, Decimal("66.7")), (3, Decimal("-13.5")), (5, Decimal("-20")))
    assert found.largest_share == pytest.approx(100.1 / 166.8)


def test_costs_twice_as_high_take_them_once_more() -> None:
    costs = judged(["10", "-4"]).costs
    assert (costs.fees, costs.slippage, costs.gross) == (Decimal(2), Decimal(1), Decimal(9))
    assert costs.net_at(Decimal(2)) == Decimal(3)
    assert costs.net_at(Decimal(0)) == costs.gross
    assert costs.break_even == Decimal(3)
    assert costs.net_at(costs.break_even) == 0


def test_without_costs_there_is_no_break_even() -> None:
    free = judge([trade(5, fees="0", slippage="0")], start_equity=START, seed=1)
    assert free.costs.break_even is None


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_trades_have_no_bootstrap(count: int) -> None:
    found = judged([5] * count)
    assert found.bootstrap is None
    assert found.without_best == ()


@pytest.mark.parametrize(
    ("nets", "verdict"),
    [
        ([], "No trades, so nothing to judge."),
        ([900], "Far too few trades to judge."),
        ([10] * 9, "Far too few trades to judge."),
        ([10] * 29, "Too few trades to tell skill from luck."),
        (mixed(100, shift=3), "This could be luck."),
        (mixed(100, shift=-3), "It loses, though that could be bad luck."),
        (mixed(100, shift=60), "Luck alone is an unlikely explanation."),
        (mixed(100, shift=-60), "It loses, and bad luck does not explain it."),
    ],
)
def test_the_headline_says_what_the_trades_allow(nets: list[int], verdict: str) -> None:
    assert headline(judged(nets)) == verdict


def test_few_trades_are_called_few() -> None:
    assert sample_words(24) == "24 trades: too few to tell skill from luck"
    assert sample_words(1) == "1 trade: far too few to conclude anything"
