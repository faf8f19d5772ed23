from __future__ import annotations

import numpy as np
import pytest

from evenkeel.model.errors import UsageError
from evenkeel.readiness.draws import Draws, seed_of

# SplitMix64 of seed 1234567, as published with Vigna's reference implementation and on Rosetta Code.
REFERENCE = [
    6457827717110365317,
    3203168211198807973,
    9817491932198370423,
    4593380528125082431,
    16408922859458223821,
]


def test_words_equal_the_published_sequence() -> None:
    assert Draws(1234567).words(start=0, count=5).tolist() == REFERENCE


def test_any_part_of_the_sequence_can_be_had_alone() -> None:
    assert Draws(1234567).words(start=3, count=2).tolist() == REFERENCE[3:]


def test_seeds_beyond_the_first_wrap_do_not_overflow() -> None:
    words = Draws(2**64 - 1).words(start=2**40, count=3)
    assert len(set(words.tolist())) == 3


def test_whole_numbers_below_a_bound_are_even_and_reach_both_ends() -> None:
    drawn = Draws(5).below(7, start=0, count=70_000)
    counts = np.bincount(drawn, minlength=7)
    assert len(counts) == 7
    assert abs(counts - 10_000).max() < 400


@pytest.mark.parametrize("bound", [0, -1, 2**31 + 1])
def test_a_bound_outside_the_range_is_refused(bound: int) -> None:
    with pytest.raises(UsageError, match="bound"):
        Draws(1).below(bound, start=0, count=1)


def test_a_text_has_one_seed_of_64_bits() -> None:
    assert seed_of("run-1") == seed_of("run-1") != seed_of("run-2")
    assert 0 <= seed_of("run-1") < 2**64
