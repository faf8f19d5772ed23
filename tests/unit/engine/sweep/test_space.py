"""Ranges and lists of parameters, and constraints on them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.engine.sweep.constraint import read_constraint, read_constraints
from evenkeel.engine.sweep.space import Axis, Values, grid, latin_hypercube, random_sets, read_axis, value_text
from evenkeel.model.errors import UsageError


def axes(*texts: str) -> list[Axis]:
    """Return the axes of some options."""
    return [read_axis(*text.split("=", 1)) for text in texts]


def anything(values: object) -> bool:
    """No constraint."""
    del values
    return True


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("5:9:2", (5, 7, 9)),
        ("5:10:2", (5, 7, 9)),
        ("7:7:1", (7,)),
        ("-2:2:2", (-2, 0, 2)),
        ("0:1:0.1", (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)),
        ("1:2:0.5", (1.0, 1.5, 2.0)),
        ("1e-3:3e-3:1e-3", (0.001, 0.002, 0.003)),
        ("3", (3,)),
        ("3, 1,2", (3, 1, 2)),
        ("0.5,1,2.25", (0.5, 1, 2.25)),
        ("true,false", (True, False)),
        ("15m,1h", ("15m", "1h")),
        ("LIMIT", ("LIMIT",)),
    ],
)
def test_what_is_written_is_counted_in_decimals(text: str, values: tuple[object, ...]) -> None:
    """Both ends belong to a range where a step lands on the last; 0:1:0.1 has eleven values and no 0.30000000000000004.

    Values are what Python's own decimal literals give.
    """
    found = read_axis("x", text).values
    assert found == values
    assert [type(one) for one in found] == [type(one) for one in values]


WRONG = [
    ("", "has an empty value"), ("1,,2", "has an empty value"), ("1,2,", "has an empty value"),
    ("1,2,1", "has 1 twice"), ("1,1.0", "has 1.0 twice"), ("5:9:0", "a step is above 0"),
    ("5:9:-1", "a step is above 0"), ("9:5:1", "begins above its end; write it as 5:9:1"),
    ("9:5", "begins above its end; write it as 5:9"), ("5:5", "has one value only; write x=5"),
    ("1:2:3:4", "neither a range of numbers nor a list"), ("a:b", "neither a range of numbers nor a list"),
    ("1:", "neither a range of numbers nor a list"), (":", "neither a range of numbers nor a list"),
    ("1:nan:1", "neither a range of numbers nor a list"), ("0:inf:1", "neither a range of numbers nor a list"),
    ("0:1e9:1", "has 1,000,000,001 values; the limit is 10,000: take a longer step"),
    (",".join(map(str, range(10_001))), "has 10,001 values; the limit is 10,000"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_cannot_be_taken_gets_one_message(text: str, message: str) -> None:
    with pytest.raises(UsageError) as told:
        read_axis("x", text)
    assert message in told.value.message
    assert told.value.message.startswith("--set x=")


@given(st.text(max_size=12))
def test_any_text_is_a_value_or_a_message(text: str) -> None:
    """Nothing but a UsageError ever comes of what a person types."""
    try:
        axis = read_axis("x", text)
    except UsageError:
        return
    assert axis.values or axis.low < axis.high


@given(st.integers(-1000, 1000), st.integers(0, 400), st.integers(1, 50), st.sampled_from([0, 1, 2, 5]))
def test_a_range_holds_each_step_once(low: int, width: int, step: int, places: int) -> None:
    """Counted in whole units of the last decimal, as `range` counts."""
    unit = 10.0**places
    text = ":".join(f"{number / unit:.{places}f}" for number in (low, low + width, step))
    found = read_axis("x", text).values
    assert [round(float(value) * unit) for value in found] == list(range(low, low + width + 1, step))
    assert all(float(value) == float(f"{float(value):.{places}f}") for value in found)


def test_a_grid_has_every_combination_in_the_order_of_its_parameters() -> None:
    sets = grid(axes("fast=1:2:1", "mode=a,b"), anything)
    assert sets == [
        {"fast": 1, "mode": "a"}, {"fast": 1, "mode": "b"}, {"fast": 2, "mode": "a"}, {"fast": 2, "mode": "b"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["x=1:5"], "--set x=1:5 has no step: add one (1:5:STEP), or sample with --random or --lhs"),
        (["x=1:1000:1", "y=1:1000:1", "z=1:2:1"], "the grid has 2,000,000 sets; the limit is 1,000,000"),
    ],
)
def test_a_grid_that_cannot_be_walked_says_so(options: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=r"the limit is|has no step") as told:
        grid(axes(*options), anything)
    assert message in told.value.message


def test_a_space_without_a_valid_set_says_so() -> None:
    for taken in (
        grid,
        lambda a, h: random_sets(a, h, count=3, seed=1),
        lambda a, h: latin_hypercube(a, h, count=3, seed=1),
    ):
        with pytest.raises(UsageError, match="meets --where"):
            taken(axes("fast=1:3:1"), lambda _: False)


@given(st.integers(1, 40), st.integers(0, 2**40))
def test_samples_are_in_the_space_different_and_the_same_for_the_same_seed(count: int, seed: int) -> None:
    space = axes("a=1:50", "b=0.5:3", "c=10:40:10", "d=x,y")
    for taken in (random_sets, latin_hypercube):
        sets = taken(space, anything, count=count, seed=seed)
        assert sets == taken(space, anything, count=count, seed=seed)
        assert len({tuple(one.values()) for one in sets}) == len(sets) == count
        for one in sets:
            assert isinstance(one["a"], int)
            assert 1 <= one["a"] <= 50
            assert isinstance(one["b"], float)
            assert 0.5 <= one["b"] <= 3.0
            assert len(str(one["b"])) <= 8
            assert one["c"] in (10, 20, 30, 40)
            assert one["d"] in ("x", "y")


@given(st.integers(2, 60), st.integers(0, 2**40))
def test_a_hypercube_takes_each_part_of_each_parameter_once(count: int, seed: int) -> None:
    """The property that defines it: one sample in each of `count` parts of equal size."""
    sets = latin_hypercube(axes("a=0.0:1.0", "b=0.0:1.0"), anything, count=count, seed=seed)
    for name in ("a", "b"):
        parts = sorted(int(float(one[name]) * count + 1e-9 * (float(one[name]) < 1)) for one in sets)
        off = sum(abs(found - wanted) for found, wanted in zip(parts, range(count), strict=True))
        assert off <= 1, "a rounded sample may touch the edge of its part, never more"


def test_random_sets_end_where_the_space_ends() -> None:
    """Six sets are all there are of three by two, however many are asked for."""
    sets = random_sets(axes("a=1:3:1", "b=x,y"), anything, count=50, seed=3)
    assert len(sets) == 6


CASES: list[tuple[str, Values, bool]] = [
    ("fast < slow", {"fast": 5, "slow": 20}, True),
    ("fast < slow", {"fast": 20, "slow": 20}, False),
    ("slow >= 2 * fast + 1", {"fast": 5, "slow": 11}, True),
    ("slow >= 2 * fast + 1", {"fast": 5, "slow": 10}, False),
    ("3 < fast < slow", {"fast": 5, "slow": 20}, True),
    ("3 < fast < slow", {"fast": 3, "slow": 20}, False),
    ("not (fast == 5 or slow == 5)", {"fast": 6, "slow": 6}, True),
    ("not (fast == 5 or slow == 5)", {"fast": 6, "slow": 5}, False),
    ("(slow - fast) / 2 > -1.5", {"fast": 5, "slow": 3}, True),
    ("mode != 'long' and fast <= 7", {"mode": "short", "fast": 7}, True),
    ("mode != 'long' and fast <= 7", {"mode": "long", "fast": 7}, False),
    ("account.slippage_bps > 1", {"account.slippage_bps": 2}, True),
    ("on", {"on": True}, True),
    ("on == false", {"on": True}, False),
]


@pytest.mark.parametrize(("text", "values", "holds"), CASES)
def test_a_constraint_means_what_it_says(text: str, values: Values, holds: bool) -> None:
    assert read_constraint(text, list(values))(values) is holds


BAD = [
    ("fats < slow", "'fats' is not given by --set; did you mean 'fast'?"),
    ("fast <", "cannot be read"), ("", "cannot be read"), ("fast = slow", "cannot be read"),
    ("fast; slow", "cannot be read"), ("fast + slow", "compares nothing"), ("1", "compares nothing"),
    ("__import__('os').system('x') < 1", "something that it may not"),
    ("fast.real < 1", "'fast.real' is not given"), ("fast ** 9999 < 1", "something that it may not"),
    ("[1][0] < fast", "something that it may not"), ("fast in (1, 2)", "something that it may not"),
    ("(lambda: 1)() < 2", "something that it may not"), ("f'{fast}' < 'a'", "something that it may not"),
    ("fast < 1" + " and fast < 1" * 60, "has 788 characters; the limit is 500"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BAD)
def test_a_constraint_that_cannot_be_read_gets_one_message(text: str, message: str) -> None:
    with pytest.raises(UsageError) as told:
        read_constraint(text, ("fast", "slow"))
    assert message in told.value.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fast < mode", "compares or computes numbers with words"),
        ("fast + mode < 3", "compares or computes numbers with words"),
        ("mode * 2 == 'xx'", "compares or computes numbers with words"),
        ("fast and slow", "compares or computes numbers with words"),
        ("fast / (slow - slow) > 1", "divides by zero"),
        ("fast", "is neither true nor false but 5"),
    ],
)
def test_a_constraint_that_makes_no_sense_for_a_set_names_the_set(text: str, message: str) -> None:
    with pytest.raises(UsageError) as told:
        read_constraint(text, ("fast", "slow", "mode"))({"fast": 5, "slow": 20, "mode": "x"})
    assert message in told.value.message
    assert "fast=5" in told.value.message or "neither" in message


@given(st.text(max_size=30))
def test_any_constraint_is_read_or_told(text: str) -> None:
    """Nothing but a UsageError ever comes of what a person types."""
    try:
        read_constraint(text, ("fast", "slow"))({"fast": 5, "slow": 20})
    except UsageError:
        return


def test_several_constraints_hold_together() -> None:
    holds = read_constraints(["a < b", "b < 9"], ("a", "b"))
    found: Sequence[Values] = grid(axes("a=1:9:4", "b=1:9:4"), holds)
    assert found == [{"a": 1, "b": 5}]


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (5, "5"), (0.1, "0.1"), (1e-7, "0.0000001"), (2.0, "2"), ("15m", "15m")]
)
def test_a_value_is_written_as_a_backtest_takes_it(value: object, text: str) -> None:
    assert value_text(value) == text
