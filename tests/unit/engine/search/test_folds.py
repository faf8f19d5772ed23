"""Folds: every fit ends before its test, with purge and embargo between them, and tests follow each other."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.engine.search.folds import Fold, Length, Scheme, folds, read_length
from evenkeel.model.errors import UsageError
from evenkeel.model.time import DAY, HOUR, MINUTE

OPENS = np.arange(100, dtype=np.int64) * DAY
WINDOW = (0, 100 * DAY)


def scheme(train: str, test: str, purge: str = "0", embargo: str = "0", *, anchored: bool = False) -> Scheme:
    return Scheme(*(read_length(text, "--x") for text in (train, test, purge, embargo)), anchored=anchored)


def in_days(found: list[Fold]) -> list[tuple[float, float, float, float]]:
    return [(*(edge / DAY for edge in fold.train), *(edge / DAY for edge in fold.test)) for fold in found]  # type: ignore[misc]


def test_a_rolling_walk() -> None:
    assert in_days(folds(OPENS, WINDOW, scheme("40d", "20d"))) == [(0, 40, 40, 60), (20, 60, 60, 80), (40, 80, 80, 100)]


def test_an_anchored_walk_with_purge_and_embargo_in_time_and_in_bars_alike() -> None:
    """Five days of purge and three of embargo lie between the end of each fit and its test."""
    expected = [(0, 40, 48, 68), (0, 60, 68, 88)]

    assert in_days(folds(OPENS, WINDOW, scheme("40d", "20d", "5d", "3d", anchored=True))) == expected
    bars = scheme("40bars", "20bars", "5bars", "3bars", anchored=True)
    assert in_days(folds(OPENS, WINDOW, bars)) == expected
    rolling = scheme("40bars", "20d", "5bars", "3d")
    assert in_days(folds(OPENS, WINDOW, rolling)) == [(0, 40, 48, 68), (20, 60, 68, 88)]


def test_bars_count_bars_and_not_the_time_between_them() -> None:
    """A week has five bars."""
    opens = OPENS[OPENS // DAY % 7 < 5]
    found = folds(opens, WINDOW, scheme("10bars", "5bars"))

    assert in_days(found)[:3] == [(0, 14, 14, 21), (7, 21, 21, 28), (14, 28, 28, 35)]
    assert in_days(found)[-1][3] == 98


def test_the_last_test_may_end_with_the_history() -> None:
    assert in_days(folds(OPENS, WINDOW, scheme("50bars", "25bars")))[-1] == (25, 75, 75, 100)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90d", Length(90 * DAY, False, "90d")), ("1.5d", Length(36 * HOUR, False, "1.5d")),
        ("2w", Length(14 * DAY, False, "2w")), ("1y", Length(365 * DAY, False, "1y")),
        ("30min", Length(30 * MINUTE, False, "30min")), ("500bars", Length(500, True, "500bars")),
        ("1 bar", Length(1, True, "1 bar")), ("0", Length(0, False, "0")),
    ],
)  # fmt: skip
def test_lengths_as_people_write_them(text: str, length: Length) -> None:
    assert read_length(text, "--train") == length


@pytest.mark.parametrize("text", ["", "d", "5", "5x", "-5d", "1.5bars", "5 m", "five days"])
def test_other_lengths_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"--train is '.*'; write a length such as 90d"):
        read_length(text, "--train")


def test_nothing_is_no_length_of_a_fit() -> None:
    with pytest.raises(UsageError, match="it must be longer than nothing"):
        read_length("0d", "--test", least=1)


def test_two_folds_are_the_least() -> None:
    with pytest.raises(UsageError, match="has room for 1 folds of --train 60d and --test 40d with --purge 0"):
        folds(OPENS, WINDOW, scheme("60d", "40d"))
    with pytest.raises(UsageError, match="more than 1,000 folds"):
        folds(OPENS, WINDOW, scheme("1d", "1h"))


LENGTHS = st.one_of(
    st.integers(0, 30).map(lambda n: f"{n}d"), st.integers(0, 20).map(lambda n: f"{n}bars"),
    st.integers(0, 90).map(lambda n: f"{n}h"),
)  # fmt: skip


@given(
    train=LENGTHS.filter(lambda text: not text.startswith("0")), test=LENGTHS.filter(lambda t: not t.startswith("0")),
    purge=LENGTHS, embargo=LENGTHS, anchored=st.booleans(), kept=st.lists(st.integers(0, 99), min_size=20, unique=True),
)  # fmt: skip
def test_no_fit_touches_its_test_and_no_test_another(kept: list[int], anchored: bool, **texts: Any) -> None:
    plan = scheme(texts["train"], texts["test"], texts["purge"], texts["embargo"], anchored=anchored)
    opens = OPENS[np.sort(kept)]
    try:
        found = folds(opens, WINDOW, plan)
    except UsageError:
        return

    for fold, following in pairwise(found):
        assert following.test[0] == fold.test[1]
        assert following.train[1] >= fold.train[1]
    for fold in found:
        assert WINDOW[0] <= fold.train[0] <= fold.train[1] <= fold.test[0] < fold.test[1] <= WINDOW[1]
        between = int(np.count_nonzero((opens >= fold.train[1]) & (opens < fold.test[0])))
        assert between >= sum(length.count for length in (plan.purge, plan.embargo) if length.bars)
        gap = fold.test[0] - fold.train[1]
        assert gap >= sum(length.count for length in (plan.purge, plan.embargo) if not length.bars)
        assert not anchored or fold.train[0] == WINDOW[0]
