"""Reason codes: why a condition is true, false or unknown, on hand-made rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pytest

from evenkeel.features.node import Output, OutputType
from evenkeel.features.readings import Back, Cell
from evenkeel.model.time import Timeframe
from evenkeel.strategies.play.expression import All, Any_, Builtin, Compare, Condition, Literal, Not, SetupRef, Window
from evenkeel.strategies.play.reasons import (
    ConditionReason,
    comparison_reason,
    group_reason,
    truth_of,
    window_reason,
)
from evenkeel.strategies.play.trace import Traced, TracedValue
from evenkeel.strategies.play.verdict import Judge, Verdict, failure

NAN = math.nan
TRUE, FALSE, UNKNOWN = 1.0, 0.0, NAN
R = ConditionReason


def test_the_list_of_codes_is_the_one_of_the_specification() -> None:
    """plays.md 2.4: a closed list."""
    codes = (
        "OK MISSING_LHS MISSING_RHS MISSING_PREV TYPE_MISMATCH FLOAT_EQUALITY UNKNOWN_OPERATOR INVALID_TOLERANCE "
        "INVALID_PATH UNKNOWN_FIELD CONDITION_FALSE WINDOW_FALSE INTERNAL"
    )
    assert [reason.value for reason in ConditionReason] == codes.split()
    assert all(reason.text.endswith(".") for reason in ConditionReason)


@pytest.mark.parametrize(
    ("op", "truth", "now", "before", "reason"),
    [
        (">", True, [2, 1], [], R.OK),
        (">", False, [1, 2], [], R.CONDITION_FALSE),
        (">", None, [NAN, 2], [], R.MISSING_LHS),
        (">", None, [1, NAN], [], R.MISSING_RHS),
        (">", None, [NAN, NAN], [], R.MISSING_LHS),
        (">", None, [1, 2], [], R.INTERNAL),
        ("in", None, [NAN], [], R.MISSING_LHS),
        ("in", False, [3], [], R.CONDITION_FALSE),
        ("between", None, [5, NAN, 9], [], R.MISSING_RHS),
        ("between", None, [5, 1, NAN], [], R.MISSING_RHS),
        ("between", False, [5, NAN, 4], [], R.CONDITION_FALSE),
        ("cross_above", None, [2, 1], [NAN, 1], R.MISSING_PREV),
        ("cross_above", None, [2, 1], [1, NAN], R.MISSING_PREV),
        ("cross_above", None, [NAN, 1], [NAN, 1], R.MISSING_LHS),
        ("cross_below", False, [2, 1], [NAN, NAN], R.CONDITION_FALSE),
        ("cross_above", True, [2, 1], [1, 1], R.OK),
        ("near_pct", False, [1, 0], [], R.INVALID_TOLERANCE),
        ("near_pct", False, [0, 0], [], R.INVALID_TOLERANCE),
        ("near_pct", False, [1, 2], [], R.CONDITION_FALSE),
        ("near_pct", True, [0, 2], [], R.OK),
        ("near_abs", False, [1, 0], [], R.CONDITION_FALSE),
    ],
)
def test_a_comparison_says_why(
    op: str, truth: bool | None, now: list[float], before: list[float], reason: ConditionReason
) -> None:
    assert comparison_reason(op, truth, now, before) is reason


@pytest.mark.parametrize(
    ("truth", "unknown", "group", "window"),
    [
        (True, [R.MISSING_LHS], R.OK, R.OK),
        (False, [R.MISSING_LHS], R.CONDITION_FALSE, R.WINDOW_FALSE),
        (False, [], R.CONDITION_FALSE, R.WINDOW_FALSE),
        (None, [R.MISSING_PREV, R.MISSING_LHS], R.MISSING_PREV, R.MISSING_PREV),
        (None, [], R.INTERNAL, R.INTERNAL),
    ],
)
def test_a_group_and_a_window_say_why(
    truth: bool | None, unknown: list[ConditionReason], group: ConditionReason, window: ConditionReason
) -> None:
    assert group_reason(truth, unknown) is group
    assert window_reason(truth, unknown[0] if unknown else None) is window


@pytest.mark.parametrize(("number", "truth"), [(1.0, True), (0.0, False), (NAN, None), (0.5, None)])
def test_a_row_of_truth_holds_one_zero_or_nothing(number: float, truth: bool | None) -> None:
    assert truth_of(number) is truth


@dataclass
class Rows:
    """Hand-made rows of one graph: column k closed at instant k."""

    table: dict[int, list[float]]

    def column(self, grid: Timeframe | None, instant_ns: int) -> int:
        return instant_ns

    def instant(self, grid: Timeframe | None, column: int) -> int:
        assert column >= 0
        return column

    def read(self, cell: Cell, column: int) -> float:
        return self.table[cell.row][column] if column >= 0 else NAN

    def before(self, column: int, back: Back) -> int:
        return max(column - int(back if isinstance(back, int) else self.table[back.row][column]), -1)


class Made:
    """Traced conditions over rows that are written down."""

    def __init__(self) -> None:
        self.rows = Rows({})

    def row(self, *values: float) -> Cell:
        self.rows.table[len(self.rows.table)] = list(values)
        return Cell(None, len(self.rows.table) - 1)

    def compare(self, *truth: float, left: list[float] | None = None, right: list[float] | None = None,
                op: str = ">", name: str = "a") -> Traced:  # fmt: skip
        values = [TracedValue(name, self.row(*(left or [1.0] * len(truth))))]
        values.append(TracedValue("b", self.row(*(right or [2.0] * len(truth)))))
        condition = Compare(op=op, left=Builtin("close"), right=Builtin("open"))
        back = 1 if op.startswith("cross") else 0
        return Traced(condition, f"{name} {op} b", "", self.row(*truth), values=tuple(values), back=back)

    def group(self, kind: type, truth: list[float], *inside: Traced) -> Traced:
        conditions = tuple(one.condition for one in inside)
        made: Any = {
            All: lambda: All(conditions), Any_: lambda: Any_(conditions), Not: lambda: Not(conditions[0]),
            SetupRef: lambda: SetupRef("s"),
        }  # fmt: skip
        condition: Condition = made[kind]()
        return Traced(condition, kind.__name__, "", self.row(*truth), children=inside)

    def window(self, kind: Any, truth: list[float], inside: Traced, *, bars: int, stride: int = 1) -> Traced:
        condition = Window(kind=kind, bars=bars, min_true=1, expr=inside.condition)
        return Traced(condition, kind, "", self.row(*truth), children=(inside,), back=stride)

    def judge(self, traced: Traced, at: int = 0) -> Verdict:
        rows: Any = self.rows
        return Judge(rows).verdict(traced, at)


@pytest.mark.parametrize("kind", [All, Any_, Not, SetupRef])
def test_a_false_condition_is_never_ok(kind: type) -> None:
    """Requirement M5: a false `any` returns a condition-false reason; so does everything else that is false."""
    made = Made()
    inside = made.compare(TRUE if kind is Not else FALSE)

    verdict = made.judge(made.group(kind, [FALSE], inside))

    assert (verdict.truth, verdict.reason) == (False, R.CONDITION_FALSE)


@pytest.mark.parametrize("kind", ["holds_for", "occurred_within", "count_true"])
def test_a_false_window_says_so(kind: str) -> None:
    """Requirement M5, for windows."""
    made = Made()

    verdict = made.judge(made.window(kind, [FALSE, FALSE], made.compare(FALSE, FALSE), bars=2), at=1)

    assert (verdict.truth, verdict.reason) == (False, R.WINDOW_FALSE)


def test_the_truth_is_what_its_row_says_whatever_the_values_are() -> None:
    """One evaluator: 2 is not above 1 where the row says that it is not."""
    made = Made()

    verdict = made.judge(made.compare(FALSE, left=[2.0], right=[1.0]))

    assert (verdict.truth, verdict.reason) == (False, R.CONDITION_FALSE)
    assert verdict.found() == "a 2, b 1"


def test_an_unknown_group_takes_the_reason_of_the_first_part_that_is_unknown() -> None:
    made = Made()
    parts = made.compare(TRUE), made.compare(UNKNOWN, right=[NAN]), made.compare(UNKNOWN, left=[NAN])

    verdict = made.judge(made.group(All, [UNKNOWN], *parts))

    assert (verdict.truth, verdict.reason) == (None, R.MISSING_RHS)
    assert [child.reason for child in verdict.children] == [R.OK, R.MISSING_RHS, R.MISSING_LHS]
    assert verdict.children[1].found() == "a 1, b missing"


def test_a_cross_reads_the_sample_before() -> None:
    made = Made()
    cross = made.compare(UNKNOWN, FALSE, op="cross_above", left=[1.0, 3.0], right=[2.0, 4.0])

    first, second = made.judge(cross, at=0), made.judge(cross, at=1)

    assert (first.reason, first.found()) == (R.MISSING_PREV, "a 1 (before missing), b 2 (before missing)")
    assert (second.reason, second.found()) == (R.CONDITION_FALSE, "a 3 (before 1), b 4 (before 2)")


def test_a_window_counts_its_samples_and_shows_the_newest_that_speaks_for_the_answer() -> None:
    made = Made()
    inside = made.compare(TRUE, FALSE, UNKNOWN, FALSE, FALSE, left=[10.0, 11, 12, 13, 14])

    occurred = made.judge(made.window("occurred_within", [TRUE] * 5, inside, bars=3, stride=2), at=4)
    held = made.judge(made.window("holds_for", [FALSE] * 5, inside, bars=2), at=3)

    assert occurred.samples is not None
    assert (occurred.samples.words(), occurred.samples.shown) == ("1 of 3 samples true, 1 unknown", 2)
    assert (occurred.children[0].at_ns, occurred.children[0].found()) == (0, "a 10, b 2")
    assert occurred.found() == "1 of 3 samples true, 1 unknown, shown as of 1970-01-01T00:00:00Z"
    assert held.samples is not None
    assert (held.samples.shown, held.found()) == (0, "0 of 2 samples true, 1 unknown")


def test_a_window_goes_back_as_far_as_a_cell_says() -> None:
    made = Made()
    inside = made.compare(TRUE, FALSE, FALSE, FALSE, TRUE)
    back = made.row(9.0, 9.0, 2.0, 9.0, 2.0)
    condition = Window(kind="holds_for", bars=3, expr=inside.condition)
    window = Traced(condition, "", "", made.row(*[FALSE] * 5), children=(inside,), back=back)

    verdict = made.judge(window, at=4)

    assert verdict.samples is not None
    assert (verdict.samples.true, verdict.samples.count, verdict.samples.shown) == (2, 3, 1)
    assert verdict.children[0].at_ns == 2
    assert back in window.cells
    assert window.levels == 1


def test_an_unknown_window_says_what_its_newest_unknown_sample_lacks() -> None:
    made = Made()
    inside = made.compare(FALSE, UNKNOWN, TRUE, left=[1.0, NAN, 3.0])
    window = made.window("holds_for", [UNKNOWN] * 3, inside, bars=2)
    early = made.window("count_true", [UNKNOWN] * 3, inside, bars=9)

    assert made.judge(window, at=2).reason is R.MISSING_LHS
    assert made.judge(window, at=2).children[0].at_ns == 1
    too_short = made.judge(made.window("holds_for", [UNKNOWN], made.compare(TRUE), bars=2), at=0)
    assert too_short.reason is R.MISSING_PREV
    assert made.judge(early, at=2).reason is R.MISSING_LHS


def trail(verdict: Verdict) -> list[str]:
    return [one.traced.words for one in failure(verdict)]


def test_what_is_true_has_no_failure() -> None:
    made = Made()

    assert trail(made.judge(made.group(All, [TRUE], made.compare(TRUE)))) == []


def test_of_all_the_first_false_one_failed_even_behind_an_unknown_one() -> None:
    made = Made()
    parts = made.compare(TRUE, name="x"), made.compare(UNKNOWN, name="y"), made.compare(FALSE, name="z")

    assert trail(made.judge(made.group(All, [FALSE], *parts))) == ["All", "z > b"]


def test_of_all_that_is_unknown_the_first_unknown_one_is_named() -> None:
    made = Made()
    parts = made.compare(TRUE, name="x"), made.compare(UNKNOWN, name="y"), made.compare(UNKNOWN, name="z")

    assert trail(made.judge(made.group(All, [UNKNOWN], *parts))) == ["All", "y > b"]


def test_of_any_the_first_one_is_named_and_through_setups_the_way_goes_on() -> None:
    made = Made()
    parts = [made.group(SetupRef, [FALSE], made.compare(FALSE, name="x")), made.compare(FALSE, name="y")]

    assert trail(made.judge(made.group(Any_, [FALSE], *parts))) == ["Any_", "SetupRef", "x > b"]


def test_at_a_false_not_the_way_ends_and_at_an_unknown_one_it_goes_on() -> None:
    made = Made()

    assert trail(made.judge(made.group(Not, [FALSE], made.compare(TRUE)))) == ["Not"]
    assert trail(made.judge(made.group(Not, [UNKNOWN], made.compare(UNKNOWN, name="x")))) == ["Not", "x > b"]


def test_at_a_false_window_the_way_ends_and_at_an_unknown_one_it_goes_on() -> None:
    made = Made()

    assert trail(made.judge(made.window("holds_for", [FALSE], made.compare(FALSE), bars=1))) == ["holds_for"]
    unknown = made.window("holds_for", [UNKNOWN], made.compare(UNKNOWN, left=[NAN], name="x"), bars=1)
    assert trail(made.judge(unknown)) == ["holds_for", "x > b"]


def test_values_are_shown_as_what_they_stand_for() -> None:
    made = Made()
    word = Output("state", OutputType.ENUM, ("none", "active"))
    flag, count = Output("hit", OutputType.BOOL), Output("n", OutputType.INT)
    values = [
        TracedValue("zone.state", made.row(1.0), word), TracedValue("active", made.row(0.0), word, constant=True),
        TracedValue("zone.hit", made.row(0.0), flag), TracedValue("sw.version", made.row(7.0), count),
        TracedValue("price", made.row(61234.50)), TracedValue("share", made.row(1 / 3)),
        TracedValue("volume", made.row(1234567890.4)), TracedValue("gone", made.row(NAN), word),
    ]  # fmt: skip
    condition = Compare(op="==", left=Builtin("close"), right=Literal("active"))

    verdict = made.judge(Traced(condition, "", "", made.row(TRUE), values=tuple(values)))

    assert verdict.found() == (
        "zone.state active, zone.hit false, sw.version 7, price 61234.5, share 0.33333333, volume 1234567890, "
        "gone missing"
    )
    assert [value.now for value in verdict.values[:4]] == ["active", "none", False, 7]


def test_arithmetic_shows_what_it_was_made_of() -> None:
    made = Made()
    parts = TracedValue("volume", made.row(30.0)), TracedValue("mean", made.row(20.0))
    ratio = TracedValue("volume / mean", made.row(1.5), parts=parts)
    condition = Compare(op=">", left=Builtin("close"), right=Literal(1.2))

    verdict = made.judge(Traced(condition, "", "", made.row(TRUE), values=(ratio,)))

    assert verdict.found() == "volume / mean 1.5 (volume 30, mean 20)"
