"""A walk forward knows nothing of its tests: not from bars, not from trades that reach over an edge."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import desk
from evenkeel.engine.market import Market
from evenkeel.engine.record import RunRecord
from evenkeel.engine.research import run_research
from evenkeel.engine.search.folds import Fold, Scheme, read_length
from evenkeel.engine.search.goal import read_goals
from evenkeel.engine.search.ground import Ground
from evenkeel.engine.search.walkforward import Step, Walk, WalkPlan, document, stability, walk
from evenkeel.engine.sweep.source import StrategySource, Window
from evenkeel.engine.sweep.space import Axis, Values, read_axis
from evenkeel.engine.trials import DataSet, TrialLedger
from evenkeel.model.bar import Bars
from evenkeel.model.errors import StorageError, UsageError
from evenkeel.strategies.strategy import Strategy
from evenkeel.venues.simulated.book import Curve

PLAY = """\
version: "3.0.0"
name: cross
symbol: X
variables: { fast: 5, slow: 40, mode: long_short }
timeframes: { low_tf: 1m, med_tf: 15m, high_tf: 15m, exec: med_tf }
account: { starting_equity: 1000000, max_drawdown_pct: 100 }
features:
  ema_fast: { indicator: ema, params: { length: "{{ fast }}" } }
  ema_slow: { indicator: ema, params: { length: "{{ slow }}" } }
actions:
  entry_long: [["ema_fast", ">", "ema_slow"]]
  exit_long: [["ema_fast", "<=", "ema_slow"]]
  entry_short: [["ema_fast", "<", "ema_slow"]]
  exit_short: [["ema_fast", ">=", "ema_slow"]]
position_policy: { mode: long_short, exit_mode: signal }
risk_model: { sizing: { model: percent_equity, value: 30 } }
"""

BARS = desk.walk(5, 60 * 24 * 30)
AXES = (read_axis("fast", "3,8"), read_axis("slow", "20:40:10"))


@dataclass(frozen=True)
class Shelf:
    """Bars in memory, over any window."""

    bars: Bars

    def __call__(self, strategy: Strategy, window: Window) -> Market:
        return desk.play_market(strategy, self.bars, start=window[0], end=window[1])


def ground(folder: Path, bars: Bars = BARS, text: str = PLAY) -> Ground:
    folder.mkdir(exist_ok=True)
    play = folder / "cross.yaml"
    play.write_text(text, "utf-8")
    traded = desk.instrument()
    source = StrategySource(str(play), lambda _: traded)
    return Ground.of(source, Shelf(bars), (None, None), TrialLedger(folder))


def plan(*, anchored: bool = False, purge: str = "12h", embargo: str = "16bars", trials: int | None = None) -> WalkPlan:
    lengths = (read_length(text, "--x") for text in ("10d", "5d", purge, embargo))
    (goal,) = read_goals(["return_pct"])
    return WalkPlan(
        axes=AXES, goal=goal, scheme=Scheme(*lengths, anchored=anchored), trials=trials, sampler="tpe", seed=3,
        where=(), holds=lambda _: True,
    )  # fmt: skip


def other_from(bars: Bars, first: int, stop: int | None = None) -> Bars:
    """Return the bars with another history between two instants."""
    rows = slice(*np.searchsorted(bars.open_ns, [first, bars.close_ns[-1] if stop is None else stop]).tolist())
    garbage = desk.walk(77, len(bars))
    columns = {name: getattr(bars, name).copy() for name in ("open", "high", "low", "close", "volume")}
    for name, column in columns.items():
        column[rows] = getattr(garbage, name)[rows]
    return Bars(bars.timeframe, bars.open_ns, bars.close_ns, *columns.values())


def run_of(on: Ground, values: Values, window: tuple[int, int]) -> tuple[RunRecord, Market]:
    strategy = on.source.load(values)
    market = on.markets(strategy, window)
    return run_research(strategy, market), market


@pytest.fixture(scope="module", params=[False, True], ids=["rolling", "anchored"])
def walked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ground, WalkPlan, Walk]:
    folder = tmp_path_factory.mktemp("walk")
    on, how = ground(folder), plan(anchored=request.param)
    return on, how, walk(on, how, folder, workers=2)


def test_no_trade_of_a_fit_or_a_test_reaches_over_an_edge(walked: tuple[Ground, WalkPlan, Walk]) -> None:
    """Entries and exits of both lie inside their windows, and between them nothing is held at all."""
    on, _, found = walked
    counts = [0, 0]
    for step in found.steps:
        assert step.chosen is not None
        assert step.fold.train[1] < step.fold.test[0]
        for place, window in enumerate((step.fold.train, step.fold.test)):
            record, _ = run_of(on, step.chosen, window)
            stamps = [fill.event.event_ns for fill in record.fills]
            assert window[0] <= min(stamps)
            assert max(stamps) <= window[1]
            assert len(stamps) % 2 == 0
            counts[place] += len(stamps)
    assert min(counts) > 100


def test_a_test_decides_from_its_first_bar_on_because_the_past_may_warm_it_up(
    walked: tuple[Ground, WalkPlan, Walk],
) -> None:
    on, _, found = walked
    for step in found.steps:
        assert step.chosen is not None
        _, market = run_of(on, step.chosen, step.fold.test)
        (stretch,) = market.stretches
        execution = stretch.series.on(stretch.exec).bars
        assert execution.open_ns[stretch.first_exec] == step.fold.test[0]
        assert market.warmup_bars > 0


@pytest.mark.parametrize("number", [1, 2])
def test_another_future_changes_no_fit_and_no_test_before_it(
    walked: tuple[Ground, WalkPlan, Walk], tmp_path: Path, number: int
) -> None:
    """Every bar from the end of a fit on is another: purge, embargo and test. The fit chooses the same."""
    _, how, found = walked
    step = found.steps[number]

    other = walk(ground(tmp_path, other_from(BARS, step.fold.train[1])), how, tmp_path, workers=2)

    for mine, theirs in zip(found.steps[:number], other.steps[:number], strict=True):
        assert theirs.chosen == mine.chosen
        if mine.fold.test[1] <= step.fold.train[1]:
            assert hash_of_test(theirs) == hash_of_test(mine)
    assert other.steps[number].chosen == step.chosen
    assert hash_of_fit(other.steps[number]) == hash_of_fit(step)
    assert hash_of_test(other.steps[number]) != hash_of_test(step)


def test_bars_of_purge_and_embargo_alone_change_no_choice(
    walked: tuple[Ground, WalkPlan, Walk], tmp_path: Path
) -> None:
    _, how, found = walked
    step = found.steps[1]

    other = walk(ground(tmp_path, other_from(BARS, step.fold.train[1], step.fold.test[0])), how, tmp_path, workers=2)

    assert other.steps[1].chosen == step.chosen
    assert hash_of_fit(other.steps[1]) == hash_of_fit(step)


def hash_of_fit(step: Step) -> str | None:
    assert step.fitted is not None
    return step.fitted.result_hash


def hash_of_test(step: Step) -> str | None:
    assert step.tested is not None
    return step.tested.result_hash


def test_the_best_of_the_grid_is_chosen_where_it_was_fitted(walked: tuple[Ground, WalkPlan, Walk]) -> None:
    on, _, found = walked
    step = found.steps[0]

    returns = {
        (fast, slow): (equity[-1] / 1e14 - 1) * 100
        for fast in (3, 8) for slow in (20, 30, 40)
        for equity in [run_of(on, {"fast": fast, "slow": slow}, step.fold.train)[0].curve[Curve.EQUITY]]
    }  # fmt: skip

    assert step.tried == 6
    assert step.chosen is not None
    assert tuple(step.chosen.values()) == max(returns, key=lambda key: returns[key])
    assert step.fitted is not None
    assert step.fitted.metrics["return_pct"] == pytest.approx(max(returns.values()), abs=1e-9)


def test_the_tests_are_joined_by_what_each_left(walked: tuple[Ground, WalkPlan, Walk]) -> None:
    on, how, found = walked

    parts = [1 + float(step.tested.metrics["return_pct"] or 0) / 100 for step in found.steps if step.tested is not None]
    result = document(on, how, found, name="walk")

    assert found.levels[-1] == pytest.approx(np.prod(parts), rel=1e-12)
    assert np.prod(1 + found.returns) == pytest.approx(np.prod(parts), rel=1e-12)
    assert list(found.days) == sorted(set(found.days))
    assert (np.diff(found.times_ns) >= 0).all()
    outside = result["out_of_sample"]
    assert outside["return_pct"] == pytest.approx((np.prod(parts) - 1) * 100, rel=1e-9)
    peaks = np.maximum.accumulate(np.concatenate([[1.0], found.levels]))
    assert outside["max_drawdown_pct"] == pytest.approx(float(max(1 - found.levels / peaks[1:])) * 100, abs=1e-7)
    assert result["folds_positive"] == sum(part > 1 for part in parts) / len(parts)


def test_efficiency_is_growth_in_the_tests_over_growth_in_the_fits(walked: tuple[Ground, WalkPlan, Walk]) -> None:
    on, how, found = walked
    result = document(on, how, found, name="walk")
    year = 365.25 * 24 * 3600 * 10**9

    inside = []
    for step in found.steps:
        assert step.fitted is not None
        level = 1 + float(step.fitted.metrics["return_pct"] or 0) / 100
        inside.append((level ** (year / (step.fold.train[1] - step.fold.train[0])) - 1) * 100)
    tested = found.steps[-1].fold.test[1] - found.steps[0].fold.test[0]
    outside = (float(found.levels[-1]) ** (year / tested) - 1) * 100

    mean = sum(inside) / len(inside)
    assert result["efficiency"] == (pytest.approx(outside / mean, rel=1e-9) if mean > 0 else None)


def test_every_fit_and_test_is_counted(tmp_path: Path) -> None:
    on = ground(tmp_path)
    found = walk(on, plan(), tmp_path, workers=2)

    data = DataSet("", (str(on.strategy.instrument.id),), *on.window)
    looks = on.ledger.trials("cross", data).looks
    folds = len(found.steps)
    assert {look.source for look in looks} == {"walkforward"}
    assert len(looks) == folds * (6 + 1 + 1) + 1
    assert len(on.ledger.trials("cross", data).distinct) == 7


def test_a_search_in_each_fit_takes_the_best_that_it_finds(tmp_path: Path) -> None:
    found = walk(ground(tmp_path), plan(trials=12), tmp_path, workers=1)
    again = walk(ground(tmp_path), plan(trials=12), tmp_path, workers=1)
    whole = walk(ground(tmp_path / "grid"), plan(), tmp_path, workers=1)

    assert [step.chosen for step in again.steps] == [step.chosen for step in found.steps]
    for step, other in zip(found.steps, whole.steps, strict=True):
        assert step.fitted is not None
        assert other.fitted is not None
        assert step.fitted.metrics["return_pct"] <= other.fitted.metrics["return_pct"]  # type: ignore[operator]


def test_a_fold_without_a_set_that_runs_is_flat_and_says_so(tmp_path: Path) -> None:
    """The slow average needs more history than the first fit has."""
    how = WalkPlan(**{**vars(plan()), "axes": (read_axis("slow", "330,333"),)})
    found = walk(ground(tmp_path), how, tmp_path, workers=1)

    first, *_, last = found.steps
    assert (first.chosen, first.tested, first.tried, first.refused) == (None, None, 2, 2)
    assert last.chosen is not None
    assert found.times_ns[0] > first.fold.test[1]
    result = document(ground(tmp_path), how, found, name="walk")
    assert result["folds"][0]["chosen"] is None


@pytest.mark.parametrize(
    ("axis", "chosen", "held"),
    [
        (read_axis("x", "0:10:1"), [2, 2, 2], 1.0),
        (read_axis("x", "0:10:1"), [0, 10, 0], 0.0),
        (read_axis("x", "0:10"), [0, 5, 6], 1 - (0.5 + 0.1) / 2),
        (read_axis("x", "a,b,c"), ["a", "b", "b"], 0.5),
        (read_axis("x", "0:10:1"), [2, None, 4], None),
        (read_axis("x", "0:10:1"), [2], None),
    ],
)
def test_stability_is_how_little_a_parameter_moves(axis: Axis, chosen: Sequence[object], held: float | None) -> None:
    assert stability(axis, chosen) == (None if held is None else pytest.approx(held))  # type: ignore[arg-type]


def test_an_unknown_parameter_is_refused_before_anything_is_run(tmp_path: Path) -> None:
    on = ground(tmp_path)
    with pytest.raises(UsageError, match="fats"):
        walk(on, WalkPlan(**{**vars(plan()), "axes": (read_axis("fats", "1,2"),)}), tmp_path, workers=1)
    assert not (tmp_path / "trials").exists()


def test_the_windows_are_those_of_the_folds(walked: tuple[Ground, WalkPlan, Walk]) -> None:
    on, how, found = walked
    parts = document(on, how, found, name="walk")["folds"]
    assert [step.fold for step in found.steps] == [
        Fold(step.fold.number, step.fold.train, step.fold.test) for step in found.steps
    ]
    assert [part["fold"] for part in parts] == list(range(1, len(parts) + 1))


def _killed_in_third_fold(folder: Path) -> None:
    """Walk and die in the fit of the third fold, when the first of its sets has been counted."""
    on, ran = ground(folder), 0

    class Dying:
        def __getattr__(self, name: str) -> Any:
            return getattr(on, name)

        def run_all(self, sets: Sequence[Values], window: Window, workers: int, source: Any) -> Iterator[Any]:
            nonlocal ran
            for found in on.run_all(sets, window, workers, source):
                ran += len(sets) > 1
                if ran > 2 * len(sets) + 1:
                    os._exit(9)
                yield found

    dying: Any = Dying()
    walk(dying, plan(), folder, workers=1)


def test_a_killed_walk_over_a_grid_goes_on_and_fits_no_fold_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole_on, killed_on = ground(tmp_path / "whole"), ground(tmp_path / "killed")
    whole = document(whole_on, plan(), walk(whole_on, plan(), tmp_path / "whole", workers=1), name="w")
    process = multiprocessing.get_context("spawn").Process(target=_killed_in_third_fold, args=(tmp_path / "killed",))
    process.start()
    process.join()
    assert process.exitcode == 9
    assert sorted(path.name for path in (tmp_path / "killed").glob("fold*.json")) == ["fold1.json", "fold2.json"]
    fitted: list[Window] = []
    run_all = Ground.run_all

    def counting(on: Ground, sets: Sequence[Values], window: Window, workers: int, source: Any) -> Iterator[Any]:
        if len(sets) > 1:
            fitted.append(window)
        return run_all(on, sets, window, workers, source)

    monkeypatch.setattr(Ground, "run_all", counting)
    found = walk(killed_on, plan(), tmp_path / "killed", workers=1)

    assert document(killed_on, plan(), found, name="w") == whole
    assert fitted == [step.fold.train for step in found.steps[2:]]


def test_fits_of_another_walk_are_not_taken_and_damaged_ones_are_named(tmp_path: Path) -> None:
    on = ground(tmp_path)
    first = walk(on, plan(), tmp_path, workers=1)
    other = walk(on, plan(anchored=True), tmp_path, workers=1)
    alone = walk(ground(tmp_path / "alone"), plan(anchored=True), tmp_path / "alone", workers=1)

    assert [step.chosen for step in other.steps] == [step.chosen for step in alone.steps]
    assert [step.fold.train for step in first.steps] != [step.fold.train for step in other.steps]
    (tmp_path / "fold2.json").write_text("{")
    with pytest.raises(StorageError, match=r"fold2\.json is damaged"):
        walk(on, plan(anchored=True), tmp_path, workers=1)
