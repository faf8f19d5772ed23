"""The parts that follow a position: the ATR, the path of its stop, the steps of its target, its funding, its margin."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from evenkeel.readiness.audit import audit
from evenkeel.readiness.audit.artifacts import read_run
from evenkeel.readiness.audit.average_range import average_range
from evenkeel.readiness.audit.bars import Bar, columns_of
from evenkeel.readiness.audit.course import Course, read_courses
from evenkeel.readiness.audit.document import Document, Unreadable
from evenkeel.readiness.audit.funding import Due, funding_due, payment
from evenkeel.readiness.audit.impact import Impact, Taking
from evenkeel.readiness.audit.knowledge import Knowledge
from evenkeel.readiness.audit.margin import Stake, bankruptcy_price, position_margin
from evenkeel.readiness.audit.resolved import read_exit_shares
from evenkeel.readiness.audit.terms import read_terms

from .audited_run import MINUTE, START_NS, Scenario, edit_json, flat, write
from .position_scenarios import LADDER, LIQUIDATED, PARTIAL, TRAILING, TRAILING_BESIDE
from .scenarios import FORTY_DAYS
from .tables import bars_of, higher_of


def course_of(folder: Path, scenario: Scenario) -> Course:
    """Return the course of the only position of a scenario."""
    written = write(folder, scenario)
    run = read_run(folder)
    bars = bars_of(written)
    known = Knowledge(run.terms, bars, higher_of(written))
    (course,) = read_courses(run, bars, known, funding_due(run.terms, bars, None))
    assert course is not None
    return course


def test_the_average_range_is_wilders() -> None:
    bars = [(10, 11, 9, 10), (10, 13, 10, 12), (12, 12, 8, 9), (15, 16, 14, 15), (15, 15, 15, 15)]
    ranges = [2, 3, 4, 7, 0]  # the fourth bar jumps from 9 to 16
    expected = [sum(ranges[:3]) / 3]
    for value in ranges[3:]:
        expected.append(expected[-1] + (value - expected[-1]) / 3)
    frame = pl.DataFrame(bars, schema=["open", "high", "low", "close"], orient="row")

    found = average_range(columns_of(frame), 3).tolist()

    assert found == pytest.approx([math.nan, math.nan, *expected], rel=1e-12, nan_ok=True)
    assert np.isnan(average_range(columns_of(frame[:2]), 3)).tolist() == [True, True]


def test_the_average_range_starts_anew_behind_a_gap(tmp_path: Path) -> None:
    gaps = [["2024-01-01T00:01:00Z", "2024-01-01T00:03:00Z", 2]]
    scenario = TRAILING_BESIDE
    whole = write(tmp_path / "whole", scenario)
    cut = write(tmp_path / "cut", scenario)
    edit_json(cut.folder / "manifest.json", "data.gaps", gaps)

    values = []
    for written in (whole, cut):
        run = read_run(written.folder)
        bars = bars_of(written)
        values.append(Knowledge(run.terms, bars, higher_of(written)).average_range(run.trades[0], "atr_3"))

    assert values[0] == pytest.approx(Decimal("0.5"))
    assert values[1] is None  # two bars since 00:03 are fewer than three


def test_a_stop_moves_at_closes_only_and_from_the_next_bar_on(tmp_path: Path) -> None:
    path = course_of(tmp_path, TRAILING).path
    assert path is not None

    assert [(row, path.at(row).tight) for row in range(5, 10)] == [
        (5, (Decimal("99.1"), "sl")), (6, (Decimal("99.1"), "sl")), (7, (Decimal("100.3"), "trailing")),
        (8, (Decimal("101.5"), "trailing")), (9, (Decimal("101.5"), "trailing")),
    ]  # fmt: skip
    assert all(stage.loose == stage.tight for stage in path.stages)


def test_a_stop_never_widens(tmp_path: Path) -> None:
    path = course_of(tmp_path, TRAILING_BESIDE).path
    assert path is not None

    assert all(after.tight.price < before.tight.price for before, after in pairwise(path.stages))


def test_an_activation_that_is_met_to_the_last_digit_may_count_or_not(tmp_path: Path) -> None:
    bars = [*TRAILING.bars[:5], (100.0, 101.0, 100.0, 100.5201), *TRAILING.bars[6:]]
    path = course_of(tmp_path, replace(TRAILING, bars=bars)).path
    assert path is not None

    assert path.at(6).loose.price == Decimal("99.1")
    assert path.at(6).tight == (Decimal("99.6"), "trailing")


def test_the_steps_of_a_ladder_lie_nearest_first_and_the_last_takes_the_rest(tmp_path: Path) -> None:
    steps = course_of(tmp_path, LADDER).steps

    assert [(step.near, step.far) for step in steps] == [(Decimal("102.0"),) * 2, (Decimal("103.0"),) * 2]
    assert [step.quantities for step in steps] == [{Decimal(4)}, frozenset()]


def test_funding_falls_due_at_opens_of_every_eighth_hour(tmp_path: Path) -> None:
    written = write(tmp_path, PARTIAL)
    bars = bars_of(written, execution=False)

    rate = Decimal("0.0001")
    assert funding_due(read_run(tmp_path).terms, bars, None) == [Due(0, rate, None), Due(8, rate, None)]


def test_recorded_funding_falls_to_the_first_bar_that_opens_at_it_or_later(tmp_path: Path) -> None:
    written = write(tmp_path, PARTIAL)
    edit_json(tmp_path / "manifest.json", "data.funding", {"recorded": 5, "missing": 0, "unmarked": 1})
    bars = bars_of(written, execution=False)
    opens = written.base["open_ns"]
    stamps = [opens[0], opens[0] + 1, opens[2], opens[2] + 1, opens[-1] + 1]
    recorded = pl.DataFrame({
        "stamp_ns": stamps, "rate": [0.1, 0.2, 0.3, -0.4, 0.5], "mark": [1.0, math.nan, 99.5, 101.25, 1.0]
    })  # fmt: skip

    assert funding_due(read_run(tmp_path).terms, bars, recorded) == [
        Due(1, Decimal("0.2"), None), Due(2, Decimal("0.3"), Decimal("99.5")),
        Due(3, Decimal("-0.4"), Decimal("101.25")),
    ]  # fmt: skip


def test_without_the_recorded_funding_a_run_is_checked_as_if_without_bars(tmp_path: Path) -> None:
    written = write(tmp_path, PARTIAL)
    edit_json(tmp_path / "manifest.json", "data.funding", {"recorded": 1, "missing": 0, "unmarked": 0})

    checks = {check.name: check for check in audit(tmp_path, base_bars=written.base, higher_bars=written.higher)}

    assert checks["FUNDING"].skipped
    assert checks["OHLCV_VALID"].skipped


@pytest.mark.parametrize(
    ("side", "rate", "amount"), [(1, "0.0001", "-1.002"), (-1, "0.0001", "1.002"), (1, "-0.00025", "2.505")]
)
def test_funding_of_the_golden_vector(side: int, rate: str, amount: str) -> None:
    bar = Bar(START_NS, START_NS + MINUTE, 50100.0, 50100.0, 50100.0, 50100.0, 1.0)

    paid = payment(Stake(side, Decimal("0.2"), Decimal(50010)), Due(0, Decimal(rate), None), bar)
    marked = payment(Stake(side, Decimal("0.4"), Decimal(1)), Due(0, Decimal(rate), Decimal(25050)), bar)

    assert (paid.amount, paid.unsure) == (Decimal(amount), False)
    assert marked.amount == Decimal(amount)


def test_a_payment_between_two_postings_may_become_either() -> None:
    bar = Bar(START_NS, START_NS + MINUTE, 50100.05, 50100.05, 50100.05, 50100.05, 1.0)

    paid = payment(Stake(1, Decimal("0.001"), Decimal(50010)), Due(0, Decimal("0.0001"), None), bar)

    assert paid.unsure  # 0.005010005 has nine decimals, the last of them a 5
    assert abs(paid.amount + Decimal("0.005010005")) == Decimal("0.5e-8")


@pytest.mark.parametrize(("at", "payments"), [(480, 0), (420, 1)])
def test_a_position_opened_at_the_instant_does_not_pay(at: int, payments: int, tmp_path: Path) -> None:
    hand = replace(PARTIAL.trades[0], decided=at, entry=at, exit=540)
    scenario = replace(PARTIAL, bars=flat(50000.0, 12), trades=[hand])

    assert len(course_of(tmp_path, scenario).payments) == payments


def test_a_position_closed_at_the_open_of_the_instant_still_pays(tmp_path: Path) -> None:
    scenario = replace(PARTIAL, trades=[replace(PARTIAL.trades[0], exit=480)])

    assert len(course_of(tmp_path, scenario).payments) == 1


def test_bars_longer_than_the_period_of_funding_pay_none(tmp_path: Path) -> None:
    written = write(tmp_path, FORTY_DAYS)
    edit_json(tmp_path / "manifest.json", "account.funding", {"enabled": True, "fixed_rate": "0.0001"})

    assert funding_due(read_run(tmp_path).terms, bars_of(written, execution=False), None) == []


@pytest.mark.parametrize(
    ("mode", "bps", "price"), [("linear", "2.5", "50022.5"), ("sqrt", "11.1803398875", "50065.90")]
)
def test_impact_of_the_golden_vector(mode: str, bps: str, price: str) -> None:
    impact = Impact(mode, Decimal("0.005"), Decimal("0.01"))
    taking = Taking(Decimal("0.0002"), impact, Decimal(1), Decimal(1000000))

    assert round(impact.at(Decimal("0.05")) * 10000, 10) == Decimal(bps)
    assert round(taking.price(Decimal(50000), 1), 2) == Decimal(price)
    assert abs(taking.base(taking.price(Decimal(50000), -1), -1) - 50000) < Decimal("1e-20")


def test_impact_has_a_largest_value() -> None:
    assert Impact("linear", Decimal("0.005"), Decimal("0.01")).at(Decimal(9)) == Decimal("0.01")
    assert Impact("disabled", Decimal("0.005"), Decimal("0.01")).at(Decimal(9)) == 0


def test_what_free_cash_cannot_pay_comes_from_the_margin(tmp_path: Path) -> None:
    funding = {"enabled": True, "fixed_rate": "0.01"}
    changes = {**LIQUIDATED.changes, "account.start_equity": "510", "account.funding": funding}
    hand = replace(LIQUIDATED.trades[0], exit=600)
    course = course_of(tmp_path, replace(LIQUIDATED, bars=flat(50000.0, 12), trades=[hand], changes=changes))

    # 510 less 2.75 of fee and 500 of margin leave 7.25; the payment at 08:00 is 0.1 x 50000 x 0.01 = 50
    assert [holding.stake.extra for holding in course.holdings] == [0, Decimal("-42.75")]
    terms = read_terms(Document(tmp_path / "manifest.json")).margin
    assert position_margin(terms, course.stake_at(8)) == Decimal("457.25")
    assert bankruptcy_price(terms, course.stake_at(8)) > bankruptcy_price(terms, course.stake_at(7))


def test_margin_and_its_extra_shrink_with_the_position(tmp_path: Path) -> None:
    course = course_of(tmp_path, PARTIAL)

    assert [(holding.row, holding.stake.units) for holding in course.holdings] == [
        (7, Decimal("0.2")), (10, Decimal("0.12")),
    ]  # fmt: skip
    terms = read_terms(Document(tmp_path / "manifest.json")).margin
    assert [position_margin(terms, holding.stake) for holding in course.holdings] == [
        Decimal("1000.2"), Decimal("600.12"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("actions", "long", "short"),
    [
        ({"entry_long": [], "exit_long": []}, {1}, set()),
        ([{"cases": [{"when": [], "emit": ["exit_all"]}]}], {1}, {1}),
        ([{"cases": [{"when": [], "emit": [{"action": "exit_short", "percent": 25}]}],
           "else": {"emit": [{"action": "exit_all", "percent": 50}]}}],
         {Decimal("0.5")}, {Decimal("0.25"), Decimal("0.5")}),
    ],
)  # fmt: skip
def test_parts_that_signals_close(actions: object, long: set[object], short: set[object], tmp_path: Path) -> None:
    write(tmp_path, PARTIAL)
    edit_json(tmp_path / "manifest.json", "strategy.resolved.actions", actions)

    assert read_exit_shares(Document(tmp_path / "manifest.json")) == {1: long, -1: short}


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("risk.take_profit", {"type": "ladder", "steps": [{"rr": 1, "pct": 2, "close_pct": 100}]}, "exactly one of rr"),
        ("risk.take_profit", {"type": "ladder", "steps": "x"}, "a list of objects was expected"),
        ("risk.trailing", {"type": "percent", "value": 2}, "one of trailing_atr, trailing_pct was expected"),
        ("risk.trailing", {"type": "trailing_pct"}, "trail_pct is missing"),
        ("account.liquidation_bps", 10000, "the fee of a liquidation is 1"),
    ],
)
def test_terms_that_make_no_sense_are_refused(key: str, value: object, words: str, tmp_path: Path) -> None:
    write(tmp_path, PARTIAL)
    edit_json(tmp_path / "manifest.json", key, value)

    with pytest.raises(Unreadable, match=words):
        read_terms(Document(tmp_path / "manifest.json"))
