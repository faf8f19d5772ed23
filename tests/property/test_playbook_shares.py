"""Regimes, blending and shares: what holds for every sequence, and a few sequences by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.strategies.playbook.regime import RegimeState, first_state, in_force, observed
from evenkeel.strategies.playbook.shares import CHANGE_MIN, next_turn, shares, taken_over, turn_shares

CAPITAL = Decimal(100_000)
SEQUENCES = st.lists(st.integers(0, 3), max_size=60)


def walk(
    seen: list[int], *, hysteresis: int = 3, blend: int = 0, regimes: int = 4, default: int = 3
) -> list[RegimeState]:
    states = [first_state(regimes=regimes, default=default)]
    for one in seen:
        states.append(observed(states[-1], one, hysteresis_bars=hysteresis, blend_bars=blend))
    return states


def slow_confirmed(seen: list[int], hysteresis: int, default: int) -> list[int]:
    """Return the confirmed regime after each close, told again from the words of the specification."""
    confirmed, out = default, [default]
    for stop in range(1, len(seen) + 1):
        tail = seen[max(0, stop - hysteresis) : stop]
        if len(tail) == hysteresis and len(set(tail)) == 1:
            confirmed = tail[0]
        out.append(confirmed)
    return out


def test_a_regime_by_hand() -> None:
    assert [state.confirmed for state in walk([0, 0, 1, 0, 0, 0, 1, 1, 1])] == [3, 3, 3, 3, 3, 3, 0, 0, 0, 1]
    assert [state.confirmed for state in walk([0, 1], hysteresis=1)] == [3, 0, 1]


@given(SEQUENCES, st.integers(1, 6))
def test_so_many_equal_closes_in_a_row_confirm(seen: list[int], hysteresis: int) -> None:
    assert [state.confirmed for state in walk(seen, hysteresis=hysteresis)] == slow_confirmed(seen, hysteresis, 3)


@given(SEQUENCES, st.integers(1, 6), st.integers(0, 40))
def test_probabilities_sum_to_1_and_lie_between(seen: list[int], hysteresis: int, blend: int) -> None:
    for state in walk(seen, hysteresis=hysteresis, blend=blend):
        assert sum(state.probabilities) == pytest.approx(1.0, abs=1e-12)
        assert all(0.0 <= p <= 1.0 + 1e-15 for p in state.probabilities)
        known = in_force(state.probabilities)
        assert sum(known) == pytest.approx(1.0, abs=1e-12)
        assert all(p == 0.0 or p >= 0.01 for p in known)


@given(SEQUENCES, st.integers(1, 6))
def test_without_blending_one_regime_has_everything(seen: list[int], hysteresis: int) -> None:
    for state in walk(seen, hysteresis=hysteresis, blend=0):
        assert state.probabilities == tuple(1.0 if n == state.confirmed else 0.0 for n in range(4))


def test_blending_by_hand() -> None:
    """alpha is 2 / (3 + 1): a half of what is missing at each close."""
    states = walk([0] * 9, hysteresis=1, blend=3, regimes=2, default=1)
    assert [state.probabilities[0] for state in states[:5]] == [0.0, 0.5, 0.75, 0.875, 0.9375]
    assert in_force(states[6].probabilities) == pytest.approx((0.984375, 0.015625))
    assert in_force(states[7].probabilities) == (1.0, 0.0)


def test_shares_by_hand() -> None:
    weights = [(0.6, 0.0), (0.4, 1.0)]
    assert shares(CAPITAL, (1.0, 0.0), weights) == (Decimal(60_000), Decimal(40_000))
    assert shares(CAPITAL, (0.25, 0.75), weights) == (Decimal(15_000), Decimal(85_000))
    assert shares(Decimal("0.00000005"), (1.0,), [(0.5,), (0.5,)]) == (Decimal("2E-8"), Decimal("2E-8"))


@st.composite
def books(draw: st.DrawFn) -> tuple[list[tuple[float, ...]], int]:
    """Return weights by play and regime, each regime's summing to 1 or to 0, and the number of regimes."""
    regimes, plays = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    columns = []
    for _ in range(regimes):
        raw = draw(st.lists(st.integers(0, 5), min_size=plays, max_size=plays))
        columns.append([part / sum(raw) if sum(raw) else 0.0 for part in raw])
    return [tuple(column[play] for column in columns) for play in range(plays)], regimes


@given(books(), st.lists(st.floats(0.0, 1.0), min_size=4, max_size=4), st.decimals("0.01", "1e9", places=2))
def test_shares_never_sum_to_more_than_the_capital(
    book: tuple[list[tuple[float, ...]], int], raw: list[float], capital: Decimal
) -> None:
    weights, regimes = book
    parts = [part + 0.01 for part in raw[:regimes]]
    found = shares(capital, tuple(part / sum(parts) for part in parts), weights)
    assert all(share >= 0 for share in found)
    assert sum(found) <= capital * (1 + Decimal("1e-12"))


AMOUNTS = st.lists(st.integers(0, 20), min_size=3, max_size=3).map(
    lambda xs: tuple(Decimal(5_000 * x) / 20 for x in xs)
)


@given(AMOUNTS, AMOUNTS)
def test_shares_are_taken_over_together_or_not_at_all(before: tuple[Decimal, ...], after: tuple[Decimal, ...]) -> None:
    found = taken_over(before, after, CAPITAL)
    assert found in (before, after)
    large = any(abs(new - old) >= CHANGE_MIN * CAPITAL for old, new in zip(before, after, strict=True))
    came_or_went = any((old == 0) != (new == 0) for old, new in zip(before, after, strict=True))
    assert found == (after if large or came_or_went else before)


def test_small_changes_are_ignored_by_hand() -> None:
    old = (Decimal(60_000), Decimal(40_000))
    assert taken_over(old, (Decimal(64_999), Decimal(35_001)), CAPITAL) == old
    assert taken_over(old, (Decimal(65_000), Decimal(35_000)), CAPITAL) == (Decimal(65_000), Decimal(35_000))
    assert taken_over((Decimal(4_000), Decimal(96_000)), (Decimal(0), CAPITAL), CAPITAL) == (Decimal(0), CAPITAL)


@given(st.integers(1, 5), st.integers(0, 20))
def test_plays_take_turns(plays: int, trades: int) -> None:
    turn = 0
    for trade in range(trades):
        assert turn == trade % plays
        assert turn_shares(CAPITAL, turn, plays)[turn] == sum(turn_shares(CAPITAL, turn, plays)) == CAPITAL
        turn = next_turn(turn, plays)
