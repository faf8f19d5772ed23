"""The border between `Decimal` and float64, and grids."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.model.errors import UsageError
from evenkeel.model.number import (
    Grid,
    money_from_postings,
    plain,
    postings_from_money,
    to_decimal,
    to_float,
)

STEPS = [Decimal(text) for text in ("0.01", "0.1", "0.25", "0.00005", "1", "5", "0.001", "100")]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_survives_the_way_to_decimal_and_back(value: float) -> None:
    back = to_float(to_decimal(value))
    assert math.copysign(1.0, back) == math.copysign(1.0, value)
    assert back == value


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_missing_never_crosses_the_border(value: float) -> None:
    with pytest.raises(UsageError, match="missing or infinite"):
        to_decimal(value)


@given(st.sampled_from(STEPS), st.integers(0, 10**9))
def test_a_count_times_its_ratio_is_the_parsed_decimal_bit_for_bit(step: Decimal, count: int) -> None:
    grid = Grid.of(step)
    assert count * grid.numerator / grid.denominator == float(str(step * count))
    assert grid.value(count) == step * count


def test_a_product_with_the_step_as_a_float_is_not() -> None:
    assert any(count * 0.1 != float(str(Decimal("0.1") * count)) for count in range(100))


@pytest.mark.parametrize(
    ("step", "value", "down", "up", "near"),
    [("0.25", "4500.30", 18001, 18002, 18001), ("0.01", "1.005", 100, 101, 100), ("0.1", "2.5", 25, 25, 25)],
)
def test_a_grid_rounds_down_up_and_to_the_nearest_even(step: str, value: str, down: int, up: int, near: int) -> None:
    grid = Grid.of(Decimal(step))
    assert (grid.floor(Decimal(value)), grid.ceiling(Decimal(value)), grid.nearest(Decimal(value))) == (down, up, near)
    assert grid.holds(Decimal(value)) is (down == up)


def test_a_step_must_be_positive() -> None:
    with pytest.raises(UsageError, match="must be positive"):
        Grid.of(Decimal(0))


@given(st.integers(-(2**62), 2**62))
def test_postings_are_exact_money(count: int) -> None:
    assert postings_from_money(money_from_postings(count)) == count


def test_money_becomes_postings_half_to_even() -> None:
    assert [postings_from_money(Decimal(text)) for text in ("0.000000005", "0.000000015", "-0.000000005")] == [0, 2, 0]


@pytest.mark.parametrize(
    ("value", "text"), [("1E+3", "1000"), ("1.500", "1.5"), ("0E-8", "0"), ("-0.00000001", "-0.00000001")]
)
def test_plain_text_has_no_exponent_and_no_trailing_zeros(value: str, text: str) -> None:
    assert plain(Decimal(value)) == text
