from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from evenkeel.model.time import DAY, HOUR, MINUTE, SECOND
from evenkeel.monitor.report.markup import Html, tag
from evenkeel.monitor.report.words import chance, duration, exit_words, figure, humane, money, percent, price


@pytest.mark.parametrize(
    ("value", "signed", "text"),
    [
        (Decimal("1234567.891"), False, "1,234,567.89"),
        (Decimal("-0.5"), True, "−0.50"),
        (Decimal("12"), True, "+12.00"),
        (Decimal("0.00012345"), True, "+0.00012"),
        (Decimal("0"), True, "0.00"),
        (Decimal("-0"), False, "0.00"),
        (Decimal("0.005"), False, "0.0050"),
        (None, False, "–"),
    ],
)
def test_money_is_grouped_signed_and_never_rounded_to_nothing(value: Any, signed: bool, text: str) -> None:
    assert money(value, signed=signed) == text


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), float("-inf")])
def test_a_figure_that_does_not_exist_is_a_dash(value: float | None) -> None:
    assert figure(value) == percent(value) == "–"


def test_a_value_that_rounds_to_zero_has_no_sign() -> None:
    assert figure(-0.001, signed=True) == "0.00"


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (0, "0 s"),
        (59 * SECOND, "59 s"),
        (61 * SECOND, "1 min 1 s"),
        (2 * HOUR + 5 * MINUTE, "2 h 5 min"),
        (14 * DAY, "14 d"),
        (3653 * DAY, "10.0 years"),
    ],
)
def test_durations_have_two_units_at_most(length: int, text: str) -> None:
    assert duration(length) == text


def test_a_chance_says_no_more_than_its_histories_can_tell() -> None:
    assert chance(0.0, resamples=9999) == "under 0.01 %"
    assert chance(1.0, resamples=999) == "over 99.90 %"
    assert chance(0.38864, resamples=9999) == "38.9 %"


def test_prices_show_eight_significant_digits_and_gain_none() -> None:
    assert price(Decimal("164.43885060321085")) == "164.43885"
    assert price(Decimal("0.00012345678912")) == "0.00012345679"
    assert price(Decimal("63449.25")) == "63,449.25"
    assert price(Decimal(0)) == "0"
    assert price(Decimal("-37.630")) == "-37.63"


def test_codes_become_words() -> None:
    assert humane("ENTRY_SIGNAL") == "Entry signal"
    assert exit_words("tp") == "Take profit"
    assert exit_words("something_else") == "Something else"


def test_text_is_escaped_and_markup_is_not() -> None:
    assert tag("p", "<&>", Html("<b>x</b>"), title='"') == '<p title="&quot;">&lt;&amp;&gt;<b>x</b></p>'


def test_attributes_can_be_bare_or_left_out() -> None:
    assert tag("input", hidden=True, disabled=False, value=None, data_x=3) == '<input hidden data-x="3">'
