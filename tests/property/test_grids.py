"""Random conditions over several timeframes, grids and markets, instant by instant against `reference.language`.

Each market is a world: its bars, its features on three timeframes, what it has beside its bars, and the decisions. The
reference looks at instants; the play is lowered to graphs, and only what the entry wishes is compared.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest

from evenkeel.data.calendar import day_number, load_calendar
from evenkeel.features.readings import Readings
from evenkeel.features.registry import find_indicator, find_structure
from evenkeel.features.timeline import FeatureRun, Series
from evenkeel.model.time import MINUTE, Timeframe
from evenkeel.strategies.play import placing
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.lower import Lowered, lower
from evenkeel.strategies.play.problems import PlayErrors
from evenkeel.strategies.play.verdict import Judge, Verdict
from grid_worlds import (
    BAR_COLUMNS,
    FORMING,
    STRUCTURE_OUTPUTS,
    WORLDS,
    desk_of,
    features_of,
    minutes_of,
    play_text,
    series_of,
)
from random_conditions import Rng, pick, tree
from reference import language
from reference.wiring import compute


@cache
def spoken(name: str) -> dict[str, language.Series]:
    """Return every value of a world as it stands on its own bars: nothing held, nothing shifted."""
    world, stretch = WORLDS[name], series_of(name)
    series: dict[str, language.Series] = {}

    def take(prefix: str, tf: str, outputs: dict[str, Any], wanted: Sequence[str]) -> None:
        kind = Timeframe.parse(tf)
        closes = stretch.on(kind).bars.close_ns.tolist()
        for output in wanted:
            series[f"{prefix}.{output}"] = language.Series(closes, outputs[output].tolist(), kind.minutes)

    for feature, (indicator, tf, params) in features_of(world).items():
        outputs = compute(find_indicator(indicator), stretch.columns(Timeframe.parse(tf)), params)
        take(feature, tf, outputs, list(outputs))
    for role, tf in zip("lmh", world.intervals, strict=True):
        columns = stretch.columns(Timeframe.parse(tf))
        outputs = compute(find_structure("swing"), columns, {"left": 2, "right": 2}, absent=frozenset({"atr"}))
        take(f"sw_{role}", tf, outputs, STRUCTURE_OUTPUTS)
    bars, base = stretch.on(world.exec).bars, stretch.base
    for column in BAR_COLUMNS:
        series[column] = language.Series(bars.close_ns.tolist(), getattr(bars, column).tolist(), world.exec.minutes)
    series["last_price"] = language.Series(base.close_ns.tolist(), base.close.tolist())
    marked = language.Series(*(column.tolist() for column in stretch.side["mark_price"]))
    values = [marked.at(instant, 0) for instant in base.close_ns.tolist()]
    series["mark_price"] = language.Series(base.close_ns.tolist(), [np.nan if v is None else v for v in values])
    rates = (column.tolist() for column in stretch.side["funding_rate"])
    series["funding_rate"] = language.Series(*rates, minutes=world.exec.minutes)
    series["open_interest"] = language.Series([], [], world.exec.minutes)
    moves = 1 if world.evaluate == "intrabar" else world.exec.minutes
    for builtin, column in FORMING.items():
        series[builtin] = language.FormingBar(
            base.close_ns.tolist(), getattr(base, column).tolist(), bars_of_minutes(name), column, moves
        )
    return series


def intervals_of(name: str, minutes: int) -> list[tuple[int, int]]:
    """Return open and close of the bars of some minutes that hold a minute, by hand from the hours of the market."""
    world, base = WORLDS[name], minutes_of(name)
    days = np.array([day_number(day) for day in world.days], dtype=np.int64)
    sessions = list(zip(*(b.tolist() for b in load_calendar(world.calendar).session_bounds(days)), strict=True))
    found = []
    for begin, end in sessions:
        length = minutes * MINUTE if minutes < 1440 else end - begin
        found += [(at, min(at + length, end)) for at in range(begin, end, length)]
    traded = base.open_ns.tolist()
    return [(a, b) for a, b in found if bisect_right(traded, b - 1) > bisect_right(traded, a - 1)]


def bars_of_minutes(name: str) -> list[int | None]:
    """Return the number of the execution bar of each minute, None in a first one that was not seen from its open."""
    bars, opens = intervals_of(name, WORLDS[name].exec.minutes), minutes_of(name).open_ns.tolist()
    numbers = [bisect_right([a for a, _ in bars], at) - 1 for at in opens]
    return [None if number == 0 and opens[0] != bars[0][0] else number for number in numbers]


@cache
def earlier_of(name: str) -> Callable[[int, int], int | None]:
    """Return how a market with sessions and missing minutes goes one bar back, counting bars that exist."""
    if WORLDS[name].calendar == "24/7":
        return language.without_end
    timeframes = {Timeframe.parse(tf).minutes for tf in WORLDS[name].intervals} | {1}
    held = {minutes: intervals_of(name, minutes) for minutes in timeframes}
    instants = sorted({close for bars in held.values() for _, close in bars})
    trades = minutes_of(name).close_ns.tolist()

    def earlier(instant: int, minutes: int) -> int | None:
        bars = held[minutes]
        closed = [bar for bar in bars if bar[1] <= instant]
        forming = [bar for bar in bars if bar[0] < instant < bar[1] and any(bar[0] < t <= instant for t in trades)]
        if forming:
            if not closed:
                return None
            (begun, _), (opened, end) = forming[0], closed[-1]
            target = min(opened + (instant - begun), end)
        elif len(closed) < 2:
            return None
        else:
            target = closed[-2][1]
        place = bisect_right(instants, target) - 1
        return instants[place] if place >= 0 else None

    return cache(earlier)


@pytest.fixture(autouse=True)
def _no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "WARMUP_MAX", 10**6)


def wished(name: str, text: str, block: int = 2048) -> list[bool | None]:
    """Return at each decision whether the entry of a play is wished, None before it has warmed up.

    Where the stretch begins with whole bars, the time before counts too: nothing may be known too early.
    """
    lowered = lower(load_play(text, instruments=lambda _: WORLDS[name].instrument))
    series = series_of(name)
    run = FeatureRun(lowered.program, series, block=block)
    found: list[bool | None] = []
    while run.advance():
        part = run.x[lowered.emitted[0].row, run.column + run.start : run.column + run.stop]
        assert set(np.unique(part)) <= {0.0, 1.0}
        found += (part == 1.0).tolist()
    if WORLDS[name].whole:
        return found
    closes = np.array(decisions(name), dtype=np.int64)
    ready = [series.last_closed(tf, closes) + 1 >= needed for tf, needed in lowered.program.warmup.items()]
    return [value if warm else None for value, warm in zip(found, np.all(ready, axis=0), strict=True)]


def decisions(name: str) -> list[int]:
    world = WORLDS[name]
    timeframe = Timeframe.parse("1m") if world.evaluate == "intrabar" else world.exec
    found: list[int] = series_of(name).on(timeframe).bars.close_ns.tolist()
    return found


def expected(name: str, condition: Any, setups: dict[str, Any]) -> list[bool]:
    """Return at each decision what the reference says; at the root unknown is not met."""
    said = language.Language(spoken(name), WORLDS[name].exec.minutes, setups=setups, earlier=earlier_of(name))
    return [said.truth(condition, instant) is True for instant in decisions(name)]


TREES = 40


@pytest.mark.parametrize("name", WORLDS)
def test_random_trees_speak_where_the_language_says(name: str) -> None:
    """T6, T7, T8, T14 and L6 at once: grids, setups as of the sample, structures in windows, decisions inside a bar."""
    met = unmet = 0
    for seed in range(TREES):
        rng: Rng = np.random.default_rng(1000 * len(name) + seed)
        setups = {"deep": tree(rng, desk_of(name), 1)}
        setups["deeper"] = tree(rng, desk_of(name, ("deep",)), 1)
        condition = tree(rng, desk_of(name, ("deep", "deeper")), 3)

        found = wished(name, play_text(name, condition, setups), int(pick(rng, 1, 37, 2048)))

        right = expected(name, condition, setups)
        differing = [at for at, (a, b) in enumerate(zip(found, right, strict=True)) if a is not None and a is not b]
        assert differing == [], f"tree {seed} of {name}: {condition}\n{setups}"
        met, unmet = met + sum(right), unmet + len(right) - sum(right)
    assert met > 50
    assert unmet > 50


def reasons(verdict: Verdict) -> list[tuple[bool | None, str]]:
    """Return truth and reason of a condition and of everything inside."""
    own = (verdict.truth, verdict.reason.value)
    return [own, *(found for child in verdict.children for found in reasons(child))]


def number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def assert_explained(condition: Any, verdict: Verdict, instant: int, said: language.Language) -> None:
    """Hold a verdict and everything inside to the reference: truths, values, and which samples were looked at."""
    assert verdict.truth is said.truth(condition, instant), condition
    match condition:
        case ("setup", name):
            assert_explained(said.setups[name], verdict.children[0].children[0], instant, said)
        case ("not", child):
            assert_explained(child, verdict.children[0], instant, said)
        case ("all" | "any", children):
            for child, inside in zip(children, verdict.children, strict=True):
                assert_explained(child, inside, instant, said)
        case ("window", _, samples, _, anchor, child):
            assert_sampled(child, verdict, instant, samples, anchor or said.minutes, said)
        case ("duration", _, minutes, _, child):
            grid = 1 if said.mentions_minutes(child) else said.minutes
            assert_sampled(child, verdict, instant, minutes // grid, grid, said)
        case (_, *parts):
            sides = [part for part in parts if isinstance(part, tuple) and part[0] in ("num", "ref", "arith")]
            assert len(verdict.values) == len(sides)
            names = [name for side in sides for name in said.names(side)]
            before = said.back(instant, min(said.minutes, *(said.series[name].minutes for name in names)), 1)
            for value, side in zip(verdict.values, sides, strict=True):
                np.testing.assert_allclose(number(value.now), number(said.operand(side, instant)), rtol=1e-9)
                if value.crosses:
                    np.testing.assert_allclose(number(value.before), number(said.operand(side, before)), rtol=1e-9)


def assert_sampled(
    child: Any, verdict: Verdict, instant: int, samples: int, minutes: int, said: language.Language
) -> None:
    instants = [said.back(instant, minutes, k) for k in range(samples)]
    truths = [said.truth(child, then) for then in instants]
    found = verdict.samples
    assert found is not None
    assert (found.true, found.unknown, found.count) == (truths.count(True), truths.count(None), samples)
    shown = instants[found.shown]
    assert verdict.children[0].at_ns == shown
    assert_explained(child, verdict.children[0], shown, said)


@pytest.mark.parametrize("name", WORLDS)
def test_an_explanation_finds_in_every_part_what_the_language_says(name: str) -> None:
    """M5 too: every FALSE carries a reason of its own, and none of them is OK (plays.md 2.2 for near_pct of zero)."""
    heard: list[tuple[bool | None, str]] = []
    at = decisions(name)
    for seed in range(12):
        rng: Rng = np.random.default_rng(70_000 + 100 * len(name) + seed)
        setups = {"deep": tree(rng, desk_of(name), 1)}
        condition = tree(rng, desk_of(name, ("deep",)), 3)
        play = load_play(play_text(name, condition, setups), instruments=lambda _: WORLDS[name].instrument)
        lowered = lower(play, trace=True)
        (rule,) = lowered.rules
        assert rule.condition is not None
        said = language.Language(spoken(name), WORLDS[name].exec.minutes, setups=setups, earlier=earlier_of(name))
        for bar in rng.integers(len(at) // 2, len(at), 4).tolist():
            cells, levels = rule.condition.cells, rule.condition.levels
            readings = Readings(lowered.program, series_of(name), cells, bar=bar, levels=levels)
            verdict = Judge(readings).verdict(rule.condition, at[bar])
            assert_explained(condition, verdict.children[0], at[bar], said)
            heard += reasons(verdict)
    by_truth = {truth: {reason for known, reason in heard if known is truth} for truth in (True, False, None)}
    assert by_truth[True] == {"OK"}
    assert by_truth[False] - {"INVALID_TOLERANCE"} == {"CONDITION_FALSE", "WINDOW_FALSE"}
    assert by_truth[None] <= {"MISSING_LHS", "MISSING_RHS", "MISSING_PREV"}


def test_t5_a_negation_over_missing_data_never_fires_in_any_order_of_children() -> None:
    early = ("cmp", ">", ("ref", "st_h2.long", 0), ("num", 0))
    false = ("cmp", "<", ("ref", "close", 0), ("num", 0))
    for children in ([early, false], [false, early]):
        assert not any(wished("minutes", play_text("minutes", ("not", ("any", children)), {}), 64)[:10])
        assert all(wished("minutes", play_text("minutes", ("not", ("all", children)), {}), 64))


def test_a_cross_needs_the_bar_before_and_counts_equality_as_not_yet_above() -> None:
    text = play_text("minutes", ("cmp", "cross_above", ("ref", "close", 0), ("num", 100)), {})
    above, close = wished("minutes", text, 64), series_of("minutes").on(WORLDS["minutes"].exec).bars.close

    right = [bar > 0 and close[bar - 1] <= 100 < close[bar] for bar in range(len(close))]
    assert above == right
    assert any(close[bar - 1] == 100 and above[bar] for bar in range(1, len(close)))


def test_words_of_different_lists_are_not_compared() -> None:
    """A swing's `high` is no trend's `bullish`, although both stand second in their lists."""
    text = """
        version: "3.0.0"
        name: words
        symbol: X
        timeframes: { low_tf: 1m, med_tf: 1m, high_tf: 1m, exec: low_tf }
        account: { max_drawdown_pct: 100 }
        structures:
          exec: [{ type: swing, key: sw, params: { left: 1, right: 1 } }, { type: trend, key: tr, uses: sw }]
        actions: { entry_long: { all: [["sw.last_confirmed_pivot_type", "==", "tr.last_wave_direction"],
                                       ["sw.last_confirmed_pivot_type", "!=", "none"]] } }
        risk: { stop_loss_pct: 1, take_profit_pct: 1 }
        """
    with pytest.raises(PlayErrors, match="they cannot be compared"):
        wished("minutes", text, 64)


def inlined(condition: Any, setups: dict[str, Any]) -> Any:
    """Return a condition with its setups written in."""
    match condition:
        case ("setup", name):
            return inlined(setups[name], setups)
        case ("all" | "any" as kind, children):
            return (kind, [inlined(child, setups) for child in children])
        case ("not", child):
            return ("not", inlined(child, setups))
        case ("window" | "duration", *facts, child):
            return (condition[0], *facts, inlined(child, setups))
    return condition


def reversed_children(condition: Any) -> Any:
    """Return a condition with the children of every `all` and `any` the other way round."""
    match condition:
        case ("all" | "any" as kind, children):
            return (kind, [reversed_children(child) for child in reversed(children)])
        case ("not", child):
            return ("not", reversed_children(child))
        case ("window" | "duration", *facts, child):
            return (condition[0], *facts, reversed_children(child))
    return condition


SOME = ("minutes", "quarters", "intrabar", "sessions minutes")


@pytest.mark.parametrize("name", SOME)
def test_l6_t7_a_setup_is_the_same_as_what_it_stands_for_and_t5_order_does_not_matter(name: str) -> None:
    wanted = 0
    for seed in range(12):
        rng: Rng = np.random.default_rng(50_000 + seed)
        setups = {"deep": tree(rng, desk_of(name), 1)}
        inside = ("any", [("setup", "deep"), tree(rng, desk_of(name, ("deep",)), 1)])
        condition = ("window", "count_true", 3, 2, None, inside)

        by_name = wished(name, play_text(name, condition, setups))

        assert by_name == wished(name, play_text(name, inlined(condition, setups), {})), condition
        turned = {key: reversed_children(value) for key, value in setups.items()}
        assert by_name == wished(name, play_text(name, reversed_children(condition), turned)), condition
        wanted += sum(value is True for value in by_name)
    assert wanted > 100


@pytest.mark.parametrize("name", WORLDS)
def test_nothing_said_changes_with_what_comes_later_or_with_the_size_of_a_block(name: str) -> None:
    """Each stretch is cut at some minute: what was wished until then stays, and is the same in blocks of one."""
    whole, rng = series_of(name), np.random.default_rng(99)
    for seed in range(6):
        setups = {"deep": tree(np.random.default_rng(60_000 + seed), desk_of(name), 1)}
        condition = tree(np.random.default_rng(61_000 + seed), desk_of(name, ("deep",)), 3)
        text = play_text(name, condition, setups)
        lowered = lower(load_play(text, instruments=lambda _: WORLDS[name].instrument))
        row = lowered.emitted[0].row

        def said(series: Series, block: int, row: int = row, lowered: Lowered = lowered) -> list[float]:
            run, found = FeatureRun(lowered.program, series, block=block), []
            while run.advance():
                found += run.x[row, run.column + run.start : run.column + run.stop].tolist()
            return found

        everything = said(whole, 4096)
        assert everything == said(whole, 1) == said(whole, 29), condition
        cut = int(rng.integers(1, len(whole.base)))
        until = said(Series(whole.base.rows(0, cut), whole.calendar, whole.side), 512)
        assert until == everything[: len(until)], condition
