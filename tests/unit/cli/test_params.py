"""Values that several commands share mean the same everywhere."""

from __future__ import annotations

import click
import pytest

from evenkeel.cli.params import INSTANT, OneOf


def test_a_value_outside_the_list_is_refused_with_the_nearest() -> None:
    with pytest.raises(click.BadParameter) as caught:
        OneOf(["auto", "engine", "research"]).convert("reserch", None, None)

    assert caught.value.message == "'reserch' is not one of auto, engine, research; did you mean 'research'?"


def test_a_value_far_from_the_list_is_refused_without_a_guess() -> None:
    with pytest.raises(click.BadParameter) as caught:
        OneOf(["open", "close"]).convert("42", None, None)

    assert caught.value.message == "'42' is not one of open, close"


@pytest.mark.parametrize(
    ("text", "instant"), [("1970-01-02", 86_400_000_000_000), ("1970-01-01T01:00+01:00", 0), (5, 5)]
)
def test_a_time_becomes_nanoseconds(text: object, instant: int) -> None:
    assert INSTANT.convert(text, None, None) == instant


def test_what_is_no_time_is_refused_with_an_example() -> None:
    with pytest.raises(click.BadParameter, match="'yesterday' is not a time; write 2024-01-31"):
        INSTANT.convert("yesterday", None, None)
