"""Sets run together bring what each brings alone, to the last bit, however they are dealt out."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import desk
from evenkeel import examples
from evenkeel.data.catalog import Catalog
from evenkeel.data.definitions import Definitions
from evenkeel.engine.market import MarketMemory, load_market
from evenkeel.engine.sweep import tally
from evenkeel.engine.sweep.evaluate import Evaluator, judge, run_alone
from evenkeel.engine.sweep.outcome import Outcome, Refusal
from evenkeel.engine.sweep.source import CatalogMarkets, StrategySource
from evenkeel.engine.sweep.together import Job, alike, run_together
from evenkeel.kernel import compiled
from evenkeel.model.bar import Bars
from evenkeel.model.errors import UsageError
from evenkeel.model.time import MINUTE
from plain_plays import volatile
from random_plays import random_play

PLAYS = 48
MINUTES = 6000
NONE = np.zeros(0)


def holed(bars: Bars) -> Bars:
    """Return the bars without two hours in two places: a run over them has three stretches."""
    kept = np.ones(len(bars), dtype=bool)
    kept[2500:2620] = kept[4000:4120] = False
    names = ("open_ns", "close_ns", "open", "high", "low", "close", "volume")
    return Bars(bars.timeframe, *(getattr(bars, name)[kept].copy() for name in names))


def same(together: Outcome, alone: Outcome) -> bool:
    """Whether two outcomes are equal in every bit; only the one that ran alone has a hash."""
    plain = replace(together, returns=NONE), replace(alone, returns=NONE, result_hash=None)
    return plain[0] == plain[1] and together.returns.tobytes() == alone.returns.tobytes()


def jobs_of(seeds: range, bars: Bars, *, start: int | None) -> list[Job]:
    """Return drawn plays over the same bars; those that the window leaves no room for are left out."""
    asset, memory = desk.instrument(), MarketMemory()
    catalog: Any = desk.MemoryCatalog(asset, bars)
    jobs = []
    for seed in seeds:
        strategy = desk.play_of(random_play(np.random.default_rng(seed), perpetual=True), asset)
        try:
            market = load_market(
                [catalog], asset, strategy.program, start_ns=start, end_ns=None, gaps="report", memory=memory
            )
        except UsageError:
            continue
        jobs.append(Job(seed, strategy, market))
    return jobs


@pytest.mark.parametrize(
    ("first", "bars", "start"),
    [
        (0, desk.walk(1, MINUTES), None),
        (100, holed(desk.walk(2, MINUTES)), None),
        (200, desk.bars(volatile(np.random.default_rng(3), MINUTES)), None),
        (300, desk.walk(4, MINUTES), desk.START + 3000 * MINUTE),
    ],
    ids=["whole", "gaps", "wild", "window"],
)
def test_drawn_plays_bring_together_what_each_brings_alone(first: int, bars: Bars, start: int | None) -> None:
    """Plays that have nothing in common but their bars, in any order, company and block."""
    jobs = jobs_of(range(first, first + PLAYS), bars, start=start)
    alone = {job.number: judge(job.strategy, job.market, run_alone(job.strategy, job.market)) for job in jobs}
    assert len(jobs) > PLAYS // 2
    assert sum(outcome.trades > 0 for outcome in alone.values()) > len(jobs) // 3

    rng = np.random.default_rng(first)
    for block in (8192, 517):
        groups: dict[object, list[Job]] = {}
        for place in rng.permutation(len(jobs)).tolist():
            groups.setdefault((alike(jobs[place]), bool(rng.random() < 0.3)), []).append(jobs[place])
        sizes = Counter(len(group) for group in groups.values())
        assert max(sizes) >= 2, "some must run together"
        for group in groups.values():
            found = dict(run_together(group, told=lambda _: None, stopped=lambda: False, block=block))
            assert list(found) == [job.number for job in group]
            for number, outcome in found.items():
                assert same(outcome, alone[number]), f"play {number}, block {block}"


@pytest.mark.parametrize("name", examples.names())
def test_every_example_sweeps_as_it_runs(name: str, bundled: Path) -> None:
    """Costs change with the set, and what a limit of drawdown stops; one example has no data and is refused."""
    definitions = Definitions.load()
    evaluator = Evaluator(
        StrategySource(name, definitions.find), CatalogMarkets([Catalog(bundled)], "report"), (None, None)
    )
    sets: list[dict[str, object]] = [
        {"account.slippage_bps": slip, "account.max_drawdown_pct": fall} for slip, fall in ((0, 100), (3, 2), (0.5, 30))
    ]
    found = list(evaluator.run_many(sets, workers=2))
    for values, outcome in zip(sets, found, strict=True):
        if isinstance(outcome, Refusal):
            assert "no bars" in outcome.text
        else:
            assert same(outcome, evaluator.run(values)), values


@given(
    st.integers(-(10**17), 10**17),
    st.integers(1, 2**61).flatmap(lambda whole: st.tuples(st.integers(1, whole), st.just(whole))),
)
def test_a_share_is_rounded_once_and_half_to_even(amount: int, parts: tuple[int, int]) -> None:
    """Half to even, from the exact quotient, as Python rounds a fraction, however large the numbers."""
    part, whole = parts
    exact = round(Fraction(amount * part, whole))
    assert compiled(tally.exact_share, tally.SHARE_SIGNATURE)(amount, part, whole) == exact


@pytest.mark.parametrize(
    ("amount", "part", "whole", "share"),
    [
        (5, 1, 2, 2),
        (15, 1, 2, 8),
        (25, 1, 10, 2),
        (35, 1, 10, 4),
        (-5, 1, 2, -2),
        (-15, 1, 2, -8),
        (7, 3, 3, 7),
        (10, 1, 3, 3),
    ],
)
def test_halves_go_to_the_even_side(amount: int, part: int, whole: int, share: int) -> None:
    """Counted by hand: 2.5 is 2, 7.5 is 8."""
    assert compiled(tally.exact_share, tally.SHARE_SIGNATURE)(amount, part, whole) == share
