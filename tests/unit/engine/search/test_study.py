"""A search is the same search whether or not it was killed, and asks only for sets that can be."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evenkeel.engine.search.goal import read_goals
from evenkeel.engine.search.study import MISSED, NO_FIGURE, Sampler, Study, Tried
from evenkeel.engine.sweep.evaluate import Outcome, Refusal
from evenkeel.engine.sweep.space import Values, read_axis
from evenkeel.engine.trials import DataSet, Trial
from evenkeel.model.errors import UsageError

LOOK = Trial(family="f", play="p", source="sweep", data=DataSet("d", ("A.X",), 0, 1))
AXES = (read_axis("a", "1:40:1"), read_axis("b", "0.0:1.0"))


def hill(values: Values) -> dict[str, float | int | None]:
    """Return figures with one best place: a 17, b 0.3."""
    a, b = float(values["a"]), float(values["b"])
    return {"sharpe": -((a - 17) ** 2) / 100 - (b - 0.3) ** 2, "max_drawdown_pct": a, "trades": 3}


def outcome(metrics: dict[str, float | int | None]) -> Outcome:
    return Outcome(metrics, f"hash {metrics}", 3, np.zeros(0), "", LOOK)


def evaluate(sets: Sequence[Values]) -> Iterator[Outcome | Refusal]:
    for values in sets:
        yield Refusal("BAD_INPUT", "three is refused") if values["a"] == 3 else outcome(hill(values))


def study(folder: Path, sampler: Sampler = "tpe", metrics: Sequence[str] = ("sharpe",), **more: Any) -> Study:
    facts = {"axes": AXES, "goals": read_goals(metrics), "seed": 5, "holds": lambda _: True} | more
    return Study(folder / "study.log", sampler=sampler, **facts)


def run(folder: Path, trials: int, *, workers: int = 1, **facts: Any) -> list[Tried]:
    found = study(folder, **facts)
    list(found.run(trials, workers=workers, evaluate=evaluate))
    return found.done()


SAMPLERS: list[tuple[Sampler, tuple[str, ...]]] = [
    ("tpe", ("sharpe",)), ("cmaes", ("sharpe",)), ("nsga2", ("sharpe", "max_drawdown_pct")),
    ("tpe", ("sharpe", "max_drawdown_pct")),
]  # fmt: skip


@pytest.mark.parametrize(("sampler", "metrics"), SAMPLERS)
def test_a_seed_gives_the_same_search(tmp_path: Path, sampler: Sampler, metrics: tuple[str, ...]) -> None:
    one, two = (run(tmp_path / name, 45, sampler=sampler, metrics=metrics) for name in ("one", "two"))
    other = run(tmp_path / "other", 45, sampler=sampler, metrics=metrics, seed=6)

    assert one == two
    assert one != other
    assert [tried.number for tried in one] == list(range(45))


@pytest.mark.parametrize("sampler", ["tpe", "cmaes"])
def test_a_search_finds_the_hill(tmp_path: Path, sampler: Sampler) -> None:
    goals = [tried.goals[0] for tried in run(tmp_path, 80, sampler=sampler) if tried.goals is not None]

    assert max(goals) > -0.02
    assert np.mean(goals[-30:]) > np.mean(goals[:15])


def _killed(folder: Path, sampler: Sampler, metrics: tuple[str, ...], after: int, workers: int) -> None:
    count = 0

    def dying(sets: Sequence[Values]) -> Iterator[Outcome | Refusal]:
        nonlocal count
        for found in evaluate(sets):
            count += 1
            if count > after:
                os._exit(9)
            yield found

    list(study(folder, sampler, metrics).run(45, workers=workers, evaluate=dying))


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize(("sampler", "metrics"), SAMPLERS)
def test_a_killed_search_goes_on_as_if_nothing_had_been(
    tmp_path: Path, sampler: Sampler, metrics: tuple[str, ...], workers: int
) -> None:
    facts: dict[str, Any] = {"sampler": sampler, "metrics": metrics, "workers": workers}
    whole = run(tmp_path / "whole", 45, **facts)
    process = multiprocessing.get_context("spawn").Process(
        target=_killed, args=(tmp_path / "killed", sampler, metrics, 22, workers)
    )
    process.start()
    process.join()
    assert process.exitcode == 9

    left = study(tmp_path / "killed", sampler, metrics).done()
    resumed = run(tmp_path / "killed", 45, **facts)

    assert 15 <= len(left) < 45
    assert resumed == whole


def test_more_trials_add_to_those_there_are(tmp_path: Path) -> None:
    few = run(tmp_path / "a", 12)

    assert run(tmp_path / "a", 12) == few
    assert run(tmp_path / "a", 20) == run(tmp_path / "b", 20)
    assert run(tmp_path / "a", 5)[:12] == few


def test_what_cannot_run_is_refused_with_its_reason_and_the_search_goes_on(tmp_path: Path) -> None:
    asked: list[Values] = []

    def few(sets: Sequence[Values]) -> Iterator[Outcome | Refusal]:
        asked.extend(sets)
        for found, values in zip(evaluate(sets), sets, strict=True):
            yield outcome({"sharpe": None, "trades": 0}) if values["a"] == 1 else found

    found = study(
        tmp_path, axes=(read_axis("a", "1:4:1"), read_axis("b", "0,1")), holds=lambda values: values["a"] != 2
    )
    list(found.run(60, workers=1, evaluate=few))

    reasons = {(tried.values["a"], None if tried.refused is None else tried.refused[0]) for tried in found.done()}
    assert reasons == {(1, NO_FIGURE), (2, MISSED), (3, "BAD_INPUT"), (4, None)}
    assert all(tried.goals is None for tried in found.done() if tried.refused is not None)
    assert {values["a"] for values in asked} == {1, 3, 4}


def test_a_set_is_run_once_however_often_it_is_asked_for(tmp_path: Path) -> None:
    asked: list[tuple[object, ...]] = []

    def counting(sets: Sequence[Values]) -> Iterator[Outcome | Refusal]:
        asked.extend(tuple(values.values()) for values in sets)
        yield from evaluate(sets)

    axes = (read_axis("a", "1,2"), read_axis("b", "0,1"))
    for trials in (10, 30):
        list(study(tmp_path, axes=axes).run(trials, workers=3, evaluate=counting))

    assert len(asked) == len(set(asked)) <= 4
    assert len(study(tmp_path, axes=axes).done()) == 30


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("1:9:2", {1, 3, 5, 7, 9}), ("0:0.3:0.1", {0.0, 0.1, 0.2, 0.3}), ("5,1,9", {5, 1, 9}),
        ("long,short", {"long", "short"}), ("true,false", {True, False}), ("3:6", {3, 4, 5, 6}), ("7,9", {7, 9}),
    ],
)  # fmt: skip
def test_values_are_those_of_the_axis(tmp_path: Path, text: str, allowed: set[object]) -> None:
    def any_of(sets: Sequence[Values]) -> Iterator[Outcome]:
        yield from (outcome({"sharpe": 1.0}) for _ in sets)

    found = study(tmp_path, axes=(read_axis("x", text),))
    list(found.run(40, workers=1, evaluate=any_of))

    values = [tried.values["x"] for tried in found.done()]
    assert set(values) == allowed
    assert {type(value) for value in values} == {type(value) for value in allowed}


def test_a_range_without_a_step_is_rounded_as_samples_of_a_sweep_are(tmp_path: Path) -> None:
    values = [tried.values["b"] for tried in run(tmp_path, 20)]

    assert all(isinstance(value, float) and 0.0 <= value <= 1.0 and round(value, 5) == value for value in values)


def test_a_list_of_words_is_nothing_for_cma_es(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="mode is a list; write a range, or take --sampler tpe"):
        study(tmp_path, "cmaes", axes=(read_axis("mode", "long,short"),))
    with pytest.raises(UsageError, match="--sampler cmaes has one goal"):
        study(tmp_path, "cmaes", ("sharpe", "trades"))
