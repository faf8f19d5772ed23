"""Drawn runs of several instruments on one account: one plain play on two to four markets, from a seed.

    case = joint_case(7)
    compare_joint(case)    # both lanes and the slow exchange made the same of it

The markets begin and end at different times; some lack minutes, some break off, some trade by the sessions of an
exchange, some have bars of five minutes. Where one of them has no bar at some instant no funding is paid at a fixed
rate: what is due while a market sleeps is a matter of its data, and has tests of its own.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
import pytest
import yaml

import desk
from drawn_markets import TICK_DIGITS, DrawnMarket, drawn_market, drawn_marks
from drawn_runs import ASSETS, MONEY, NOTIONAL_MAX, assert_same_fill, assert_same_leg, asset_of, facts_of
from evenkeel.data.calendar import load_calendar
from evenkeel.engine.market import Market, Stretch
from evenkeel.engine.portfolio.instance import Instance
from evenkeel.engine.portfolio.record import PortfolioRecord, line_of
from evenkeel.engine.portfolio.research import run_portfolio_research
from evenkeel.engine.record import RunRecord
from evenkeel.model.bar import Bars
from evenkeel.model.errors import UsageError
from evenkeel.model.ids import InstrumentId
from evenkeel.model.number import money_from_postings
from evenkeel.model.reason import Reason
from evenkeel.model.time import MINUTE, Timeframe
from evenkeel.venues.simulated.desks import Point, PointLine
from plain_plays import MINUTES, Row, Rule, decided, plain_play
from portfolio_desk import differences, engine_run
from random_plays import Rng, chance, pick
from reference.plays import rules_of
from reference.records import Outcome
from reference.terms import Bar, Decision
from reference.together import Joint, Line, Part, simulate_together

JOINT_RUNS = int(os.environ.get("KEEL_JOINT_RUNS", "160"))
ROWS = 900
NAMES = ("ZETA.DESK", "YOTA.DESK", "XI.DESK", "WYE.DESK")
BROKEN = frozenset({"holes", "broken", "sessions", "coarse"})
SHAPES = ("whole", "whole", "late", "short", "holes", "broken", "sessions", "coarse")
BEGIN = 1440 + 600
"""Minutes from the start to the first bar: 2024-01-02 10:00, before New York opens."""


@dataclass(frozen=True)
class Drawn:
    """A market of a run: what is drawn, the minute of the open of each row from the start on, minutes of a bar."""

    shape: str
    market: DrawnMarket
    stamps: list[int]
    minutes: int = 1

    def bars(self) -> Bars:
        """Return its bars as the engine reads them."""
        values = np.array(self.market.rows, dtype=np.float64).reshape(-1, 5)
        opens = desk.START + np.array(self.stamps, dtype=np.int64) * MINUTE
        columns = (np.ascontiguousarray(values[:, place]) for place in range(5))
        return Bars(Timeframe.parse(f"{self.minutes}m"), opens, opens + self.minutes * MINUTE, *columns)


@dataclass(frozen=True)
class JointCase:
    """One play on several markets, and what either world made of it."""

    told: str
    instances: list[Instance]
    research: PortfolioRecord
    engine: PortfolioRecord
    joint: Joint
    shapes: tuple[str, ...]


def scaled(market: DrawnMarket, like: Sequence[Row], rng: Rng) -> DrawnMarket:
    """Return a market at the price and the volume of another, so that the numbers of one play suit both."""
    table = np.array(market.rows)
    price = like[0][0] / table[0, 0] * float(rng.uniform(0.97, 1.03))
    volume = np.median([row[4] for row in like]) / max(float(np.median(table[:, 4])), 1.0)
    table[:, :4] = np.maximum(np.round(table[:, :4] * price, TICK_DIGITS), 0.05)
    table[:, 4] = np.round(table[:, 4] * volume, TICK_DIGITS)
    return replace(market, rows=[tuple(row) for row in table.tolist()])


def kept(market: DrawnMarket, rows: Sequence[int]) -> DrawnMarket:
    """Return some rows of a market."""
    place = {row: number for number, row in enumerate(rows)}
    return replace(
        market, rows=[market.rows[row] for row in rows],
        marks=None if market.marks is None else [market.marks[row] for row in rows],
        rates=None if market.rates is None else [
            (place[row], rate, price) for row, rate, price in market.rates if row in place
        ],
    )  # fmt: skip


def shaped(rng: Rng, shape: str, market: DrawnMarket) -> Drawn:
    """Return a market with what its shape is named after; `broken` ones go on at a full quarter of an hour."""
    every, stamps = list(range(len(market.rows))), None
    if shape == "late":
        every = every[int(rng.integers(20, 400)) :]
    elif shape == "short":
        every = every[: int(rng.integers(300, 700))]
    elif shape == "holes":
        there = rng.random(len(every)) >= 0.05
        first = int(rng.integers(300, 600))
        there[first : first + int(rng.integers(5, 60))] = False
        every = [row for row in every if there[row]]
    elif shape == "broken":
        first = 15 * int(rng.integers(18, 28))
        every = every[:first] + every[first + 15 * int(rng.integers(1, 6)) :]
    elif shape == "sessions":
        opens, closes = load_calendar("NYSE").open_intervals(desk.START, desk.START + 4 * 1440 * MINUTE)
        bounds = [((column - desk.START) // MINUTE).tolist() for column in (opens, closes)]
        stamps = [minute for opened, closed in zip(*bounds, strict=True) for minute in range(opened, closed)]
        every, stamps = every[: len(stamps)], stamps[: len(every)]
    elif shape == "coarse":
        return coarse(market)
    return Drawn(shape, kept(market, every), stamps or [BEGIN + row for row in every])


def coarse(market: DrawnMarket) -> Drawn:
    """Return bars of five minutes."""
    rows = []
    for start in range(0, len(market.rows) - 4, 5):
        part = market.rows[start : start + 5]
        rows.append(
            (part[0][0], max(row[1] for row in part), min(row[2] for row in part), part[-1][3],
             round(sum(row[4] for row in part), TICK_DIGITS))
        )  # fmt: skip
    return Drawn("coarse", DrawnMarket(market.shape, rows, None, None), [BEGIN + 5 * n for n in range(len(rows))], 5)


def instance_of(drawn: Drawn, text: str, name: str, facts: dict[str, str]) -> Instance | None:
    """Return an instrument of a run; None where it has too few bars for the play."""
    asset = msgspec.structs.replace(
        asset_of(facts), id=InstrumentId(name), calendar="NYSE" if drawn.shape == "sessions" else "24/7",
        absence_is_fault=drawn.shape not in ("holes", "sessions"),
    )  # fmt: skip
    strategy = desk.play_of(text, asset)
    try:
        market = desk.play_market(strategy, drawn.bars(), gaps="report")
    except UsageError:
        return None
    return Instance(strategy, beside(market, drawn))


def row_of(drawn: Drawn, open_ns: int) -> int:
    """Return the drawn row of a base bar."""
    return drawn.stamps.index((open_ns - desk.START) // MINUTE)


def beside(market: Market, drawn: Drawn) -> Market:
    """Return a market with the mark price and the history of funding that lie beside its bars."""
    stretches = []
    for stretch in market.stretches:
        base = stretch.series.base
        first = row_of(drawn, int(base.open_ns[0]))
        there = kept(drawn.market, range(first, first + len(base)))
        stretches.append(replace(stretch, carry=there.carry(0), mark=there.mark_bars(0)))
    return replace(market, stretches=tuple(stretches))


def part_of(stretch: Stretch, drawn: Drawn, play: dict[str, Any], said: Sequence[Rule]) -> Part:
    """Return a stretch as the slow exchange reads it: where it begins, breaks off and warms up is taken as given."""
    base, execution = stretch.series.base, stretch.series.on(stretch.exec)
    exec_minutes = MINUTES[play["timeframes"]["low_tf"]]
    grown = stretch.series.on(Timeframe.parse(f"{exec_minutes}m"))
    first = row_of(drawn, int(base.open_ns[0]))
    rows = drawn.market.rows[first : first + len(base)]
    there = kept(drawn.market, range(first, first + len(base)))
    minutes = [int(at) // MINUTE for at in base.open_ns]
    bars: list[Bar] = [
        replace(bar, minute=minute) for bar, minute in zip(there.exact(minutes[0], 0), minutes, strict=True)
    ]
    closes = [minute + drawn.minutes for minute in minutes]
    last_rows, exec_closes = grown.last.tolist(), [int(at) // MINUTE for at in grown.bars.close_ns]
    first_row = int(execution.last[stretch.first_exec])
    decisions: dict[int, Decision] = decided(
        play,
        said,
        rows,
        (int(grown.first[0]), last_rows),
        first_row=first_row,
        seen=lambda row: bisect_right(exec_closes, closes[row]) - 1,
    )
    return Part(bars, closes, last_rows, exec_closes, decisions, first_row, ENDS[stretch.end])


ENDS = {Reason.END_OF_DATA: "end_of_data", Reason.DATA_GAP: "data_gap"}


Found = list[tuple[Drawn, str, dict[str, str]]]
"""Markets with their names and the grids of their instruments."""


def drawn_markets(rng: Rng, like: DrawnMarket, *, marked: bool, coarse_too: bool) -> Found:
    """Return two to four markets, the first of them given."""
    shapes = [shape for shape in SHAPES if shape != "coarse" or coarse_too]
    found: Found = []
    for place in range(int(rng.integers(2, 5))):
        market = like if place == 0 else scaled(drawn_market(rng, ROWS, marks=False), like.rows, rng)
        drawn = shaped(rng, str(pick(rng, *shapes)), market)
        if marked:
            drawn = replace(drawn, market=with_marks(rng, drawn.market))
        found.append((drawn, NAMES[place], pick(rng, *ASSETS)))
    return found


def with_marks(rng: Rng, market: DrawnMarket) -> DrawnMarket:
    """Return a market with a mark price, at which its history of funding is paid too."""
    marks = drawn_marks(rng, market.rows)
    rates = None if market.rates is None else [(row, rate, marks[row][0]) for row, rate, _ in market.rates]
    return replace(market, marks=marks, rates=rates)


def without_funding(found: Found) -> Found:
    """Return markets without a history of funding."""
    return [(replace(drawn, market=replace(drawn.market, rates=None)), name, facts) for drawn, name, facts in found]


def warms_up(stretch: Stretch) -> bool:
    """Whether a stretch is long enough for a decision."""
    return stretch.first_exec < len(stretch.series.on(stretch.exec).bars)


def joint_case(seed: int, *, lanes: bool = True) -> JointCase | None:
    """Run a drawn play on several drawn markets in both lanes and slowly; None where fewer than two can run it."""
    rng = np.random.default_rng(500_000 + seed)
    first, marked = drawn_market(rng, ROWS, marks=False), chance(rng, 0.3)
    text, said = plain_play(rng, first.rows, marks=marked)
    play = yaml.safe_load(text)
    execution, intrabar = MINUTES[play["timeframes"]["low_tf"]], "evaluate" in play["timeframes"]
    found = drawn_markets(rng, first, marked=marked, coarse_too=execution % 5 == 0 and not intrabar)
    if any(drawn.shape in BROKEN for drawn, _, _ in found):
        play["account"]["funding"] = {"enabled": False}
        text, found = yaml.safe_dump(play, sort_keys=False), without_funding(found)
    lines, instances = [], []
    for drawn, name, facts in found:
        one = instance_of(drawn, text, name, facts)
        if one is not None:
            instances.append(one)
            parts = [part_of(stretch, drawn, play, said) for stretch in one.market.stretches if warms_up(stretch)]
            lines.append(
                Line(
                    name,
                    replace(rules_of(play, facts_of(facts)), base_minutes=drawn.minutes),
                    drawn.minutes,
                    execution,
                    parts,
                    intrabar,
                )
            )
    if len(lines) < 2:
        return None
    research = run_portfolio_research(instances)
    engine = engine_run(instances) if lanes else research
    shapes = tuple(drawn.shape for drawn, _, _ in found)
    told = f"joint play {seed} ({', '.join(shapes)})\n{text}"
    return JointCase(told, instances, research, engine, simulate_together(lines), shapes)


def compare_joint(case: JointCase) -> None:
    """Both lanes are equal to the bit, and the slow exchange left the same but for the last digit of a posting."""
    assert differences(case.research, case.engine) == [], case.told
    joint, record, told = case.joint, case.research, case.told
    fills = sum(len(part.fills) for part in joint.parts.values())
    if any(abs(f.quantity) * f.price > NOTIONAL_MAX for part in joint.parts.values() for f in part.fills):
        return
    slack = MONEY * (1 + 2 * fills)
    for number, (name, ours) in enumerate(zip(record.instruments, record.parts, strict=True)):
        theirs = joint.parts[name]
        compare_part(ours, theirs, f"{name} of {told}")
        own = money_from_postings(int(record.curve[line_of(number, PointLine.CASH), -1]))
        assert abs(own - theirs.cash) <= slack, f"{name} of {told}"
    placed = {int(at): name for name, order in zip(record.instruments, record.order, strict=True) for at in order}
    assert [placed[at] for at in range(fills)] == joint.order, told
    assert record.stop_reason.value == (joint.stopped or "end_of_data"), told
    assert record.drawdown_intrabar == pytest.approx(float(joint.drawdown), abs=1e-9), told
    assert abs(money_from_postings(int(record.curve[Point.CASH, -1])) - joint.cash) <= slack, told
    points = dict(zip((record.times_ns // MINUTE).tolist(), record.curve[Point.EQUITY].tolist(), strict=True))
    last = int(record.times_ns[-1] // MINUTE)
    assert set(points) - {last} == set(joint.equity) - {last}, told
    for minute, equity in joint.equity.items():
        assert minute == last or abs(money_from_postings(points[minute]) - equity) <= slack, f"{minute} of {told}"


def compare_part(ours: RunRecord, theirs: Outcome, told: str) -> None:
    """Compare what happened on one instrument."""
    assert [(f.event.row, f.event.point.value, f.event.leg.value) for f in ours.fills] == [
        (f.row, f.point, f.leg) for f in theirs.fills
    ], told
    for number, (a, b) in enumerate(zip(ours.fills, theirs.fills, strict=True)):
        assert_same_fill(a, b, f"fill {number} of {told}")
    legs = [fill for fill in theirs.fills if fill.leg != "entry"]
    for row, leg in zip(ours.trades(), legs, strict=True):
        assert_same_leg(row, leg, f"leg {leg.number} of trade {leg.position} of {told}")
    assert [dead.reason.value for dead in ours.dead_entries] == [reason for _, reason in theirs.dead], told
    assert ours.refusals == dict(Counter(reason for _, reason in theirs.refused)), told
