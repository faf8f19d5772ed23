"""A stride of base bars ends where its bars would, one by one: the same sums, marks and points, to the last bit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numba import types

from evenkeel.kernel import FLOATS, FLOATS_IN, INTS, INTS_IN, LANES, compiled, first_one, kernel
from evenkeel.model.bar import Floats, Ints
from evenkeel.venues.simulated import skip
from evenkeel.venues.simulated.book import TERMS, Book, Ledger, Mark, Term, new_book, new_ledger, new_mark
from evenkeel.venues.simulated.skip import STRIDE, skip_bars, skip_flat, skip_holding

ROWS = 40 * STRIDE
CASH = 10_000 * 10**8

_SIGNATURE = types.void(
    FLOATS_IN, FLOATS_IN, FLOATS_IN, FLOATS_IN, FLOATS_IN, INTS_IN, FLOATS, INTS, FLOATS, INTS, FLOATS, INTS,
    types.int64,
)  # fmt: skip


@kernel
def by_strides(  # type: ignore[no-untyped-def]
    highs, lows, closes, tops, bottoms, last_row, wakes, book, mark, ledger, terms, equity, stop
) -> None:
    skip_holding(
        highs, lows, closes, tops, bottoms, last_row, wakes, 0, book, mark, ledger, terms, equity, stop
    )  # fmt: skip


@kernel
def by_bars(  # type: ignore[no-untyped-def]
    highs, lows, closes, tops, bottoms, last_row, wakes, book, mark, ledger, terms, equity, stop
) -> None:
    skip_bars(
        highs, lows, closes, tops, bottoms, last_row, wakes, 0, book, mark, ledger, terms, equity, stop
    )  # fmt: skip


@kernel
def flat(wakes, last_row, book, ledger, equity, stop):  # type: ignore[no-untyped-def]
    return skip_flat(wakes, 0, last_row, book, ledger, equity, stop)


def drawn_bars(rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Return highs, lows and closes: a walk on a coarse grid, so that equal prices and equal falls are common."""
    step = rng.choice([0.01, 0.5, 5.0])
    drift = rng.choice([-0.3, 0.0, 0.3])
    moves = rng.integers(-2, 3, ROWS) + (rng.random(ROWS) < abs(drift)) * np.sign(drift)
    closes = np.maximum(100.0 + step * np.cumsum(moves), step)
    highs = closes + step * rng.integers(0, 3, ROWS)
    lows = np.maximum(closes - step * rng.integers(0, 3, ROWS), step / 2)
    return highs, lows, closes


def meet_exactly(
    rng: np.random.Generator, state: tuple[Ints, Floats, Ints, Floats], tops: Floats, bottoms: Floats, closes: Floats
) -> None:
    """Let the furthest prices of a run touch a level, and its worst equity the least one, and not go beyond."""
    book, mark, _, terms = state
    side = 1 if book[Book.LOTS] > 0 else -1
    count = int(rng.integers(1, 5)) * STRIDE
    if rng.random() < 0.3:
        mark[Mark.TARGET] = max(tops[:count]) if side > 0 else min(bottoms[:count])
    if rng.random() < 0.3:
        mark[Mark.STOP] = min(bottoms[:count]) if side > 0 else max(tops[:count])
    if rng.random() < 0.3:
        worth = book[Book.LOTS] / terms[Term.LOT_DENOMINATOR]
        open_results = np.rint(worth * (closes[:count] - mark[Mark.ENTRY]) * 1e8)
        terms[Term.STOP_EQUITY] = float(CASH + open_results.min())


def drawn_state(rng: np.random.Generator, closes: Floats) -> tuple[Ints, Floats, Ints, Floats]:
    """Return book, mark, ledger and terms of a held position with levels, limits and a past."""
    book, mark, ledger, terms = new_book(), new_mark(), new_ledger(CASH), np.zeros(TERMS)
    side = int(rng.choice([-1, 1]))
    book[Book.LOTS] = side * int(rng.integers(1, 2000))
    entry = float(closes[0])
    mark[[Mark.ENTRY, Mark.HIGH, Mark.LOW]] = entry
    span = entry * rng.choice([0.02, 0.3, 5.0])
    mark[Mark.STOP] = entry - side * span if rng.random() < 0.7 else -side * math.inf
    mark[Mark.TARGET] = entry + side * span if rng.random() < 0.7 else side * math.inf
    mark[Mark.LIQUIDATION] = -side * math.inf
    mark[Mark.TRAIL_DISTANCE] = entry * 0.05
    terms[[Term.MULTIPLIER, Term.LOT_NUMERATOR, Term.TICK_NUMERATOR, Term.LEVERAGE]] = 1.0
    terms[Term.LOT_DENOMINATOR], terms[Term.TICK_DENOMINATOR] = float(rng.choice([1, 10, 1000])), 100.0
    terms[Term.MAX_DRAWDOWN] = rng.choice([0.05, 0.5, 1.0])
    terms[Term.STOP_EQUITY] = float(rng.choice([0, CASH * 9 // 10]))
    terms[Term.MOVES] = float(rng.random() < 0.4)
    terms[Term.TRAIL_ACTIVATION], terms[Term.EVEN_ACTIVATION] = rng.choice([0.01, 0.2, math.inf], 2)
    terms[Term.TRAIL_FRACTION] = math.nan
    terms[Term.CALLS], terms[Term.CALL_LONG], terms[Term.CALL_SHORT] = float(rng.random() < 0.2), 0.25, 0.3
    peak = CASH + int(rng.integers(0, 3)) * 10**10
    ledger[[Ledger.PEAK, Ledger.DEEP_PEAK]] = peak
    ledger[Ledger.DEEP_VALUE] = peak - int(rng.integers(0, 2)) * int(rng.integers(0, 10**11))
    return book, mark, ledger, terms


@pytest.mark.parametrize("seed", range(600))
def test_a_stride_leaves_what_its_bars_leave(seed: int) -> None:
    rng = np.random.default_rng(seed)
    highs, lows, closes = drawn_bars(rng)
    tops, bottoms = (highs, lows) if seed % 2 else (highs + 0.01, lows - 0.01)
    every = int(rng.choice([1, 1, 5, 48]))
    last_row = np.arange(every - 1, ROWS, every)
    wakes = (rng.random(len(last_row)) < rng.choice([0.0, 0.01])).astype(np.float64)
    state = drawn_state(rng, closes)
    meet_exactly(rng, state, tops, bottoms, closes)
    stop = int(rng.integers(1, ROWS + 1))
    found = []
    for function in (by_strides, by_bars):
        book, mark, ledger, terms = (part.copy() for part in state)
        equity = np.full(len(last_row), -7)
        compiled(function, _SIGNATURE)(
            highs, lows, closes, tops, bottoms, last_row, wakes, book, mark, ledger, terms, equity, stop
        )
        found.append((book, mark, ledger, equity))
    for part, other in zip(*found, strict=True):
        assert part.tobytes() == other.tobytes()


def test_most_strides_of_a_quiet_position_are_passed_whole() -> None:
    """The comparison above would hold as well if no stride were ever passed as one."""
    passed = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        highs, lows, closes = drawn_bars(rng)
        book, mark, ledger, terms = drawn_state(rng, closes)
        equity = np.zeros(ROWS, dtype=np.int64)
        wakes = np.zeros(ROWS)
        passed += compiled(one_stride, _ONE)(
            highs, lows, closes, highs, lows, np.arange(ROWS), wakes, book, mark, ledger, terms, equity, ROWS
        )
    assert passed > 20


@kernel
def one_stride(  # type: ignore[no-untyped-def]
    highs, lows, closes, tops, bottoms, last_row, wakes, book, mark, ledger, terms, equity, stop
):
    return skip.skip_stride(
        highs, lows, closes, tops, bottoms, last_row, wakes, 0, book, mark, ledger, terms, equity, stop
    )  # fmt: skip


_ONE = types.boolean(*_SIGNATURE.args)


@pytest.mark.parametrize("seed", range(100))
def test_a_flat_strategy_stands_at_the_first_bar_that_wakes_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    last_row = np.arange(4, 5 * 500, 5)
    wakes = (rng.random(500) < rng.choice([0.0, 0.003, 0.1])).astype(np.float64)
    wakes[rng.integers(0, 500, 20)] = math.nan
    first, stop = sorted(rng.integers(0, 501, 2).tolist())
    book, ledger = new_book(), new_ledger(CASH)
    book[Book.EXEC], book[Book.ROW] = first, -7
    equity = np.zeros(500, dtype=np.int64)
    signature = types.boolean(FLOATS, INTS_IN, INTS, INTS, INTS, types.int64)
    woken = compiled(flat, signature)(wakes, last_row, book, ledger, equity, stop)
    due = [e for e in range(first, stop) if wakes[e] == 1.0]
    assert woken == bool(due)
    assert book[Book.EXEC] == (due[0] if due else stop)
    assert book[Book.ROW] == (last_row[due[0]] if due else -7)
    passed = slice(first, due[0] + 1 if due else stop)
    assert equity[passed].tolist() == [CASH] * (passed.stop - first)
    assert not equity[:first].any()
    assert not equity[stop:].any()


@kernel
def one_at(values, start):  # type: ignore[no-untyped-def]
    return first_one(values, start)


@pytest.mark.parametrize("place", [*range(LANES), None])
def test_the_first_one_is_found_among_other_values(place: int | None) -> None:
    values = np.array([0.0, math.nan, -1.0, 0.999999, 2.0] * 20)
    start = 7
    values[start - 1] = values[start + LANES] = 1.0
    if place is not None:
        values[start + place : start + LANES : 3] = 1.0
    assert compiled(one_at, types.int64(FLOATS, types.int64))(values, start) == (LANES if place is None else place)
