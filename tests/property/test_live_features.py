"""Features that are fed bar by bar have the bits of a whole run, for any play, market, cut and restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import desk
from drawn_runs import rich_strategy
from evenkeel import examples
from evenkeel.data.calendar import Calendar, day_number, load_calendar
from evenkeel.data.definitions import Definitions
from evenkeel.engine.core import Core
from evenkeel.engine.playbook.regimes import open_eye
from evenkeel.features import conditions
from evenkeel.features.compute import USES, place
from evenkeel.features.node import Node
from evenkeel.features.plugin import load_plugin, using
from evenkeel.features.registry import all_indicators, all_structures, find_indicator
from evenkeel.features.timeline import Program, ProgramBuilder, Series
from evenkeel.model.bar import Bars, Floats, Ints
from evenkeel.model.time import MINUTE, Timeframe
from evenkeel.risk.gates.entry import EntryGates
from evenkeel.strategies.play import placing
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.lower import lower
from evenkeel.strategies.play.problems import PlayErrors
from evenkeel.strategies.play.program import PlayStrategy
from evenkeel.strategies.playbook.load import load_playbook
from grid_worlds import WORLDS, desk_of, play_text, series_of
from live_feed import Feed, assert_same, together, values_of, whole
from random_conditions import tree
from random_plays import Rng
from suites import document, instruments
from suites.rows import all_rows

PLUGIN = Path(__file__).parents[1] / "acceptance" / "plugins" / "stretch.py"
TRADING = (40, 42, 45, 46, 47, 50)
"""Seeds of drawn plays that trade."""

NEEDED: dict[str, dict[str, Any]] = {
    "zone": {"zone_type": "demand", "width_atr": 0.5}, "fibonacci": {"levels": [0.382, 0.618]},
    "swing": {"left": 2, "right": 2},
    "derived_zone": {"max_active": 3, "levels": [0.5, 0.618]}, "rolling_window": {"mode": "max", "size": 5},
}  # fmt: skip
"""Parameters that have no default."""


def opens_of(calendar: Calendar, timeframe: Timeframe, count: int) -> list[int]:
    """Return opens of bars from summer on, and of the closing auction of each session where there are such."""
    first = day_number("2024-06-20")
    if timeframe.is_calendar:
        days = calendar.trading_days(first, first + 40 * count)
        opens, _ = calendar.bucket_of(calendar.session_bounds(days)[0], timeframe)
        return sorted(set(opens.tolist()))[:count]
    found: list[int] = []
    for opened, closed in zip(*calendar.session_bounds(calendar.trading_days(first, first + count)), strict=True):
        for begin, end in zip(*calendar.open_intervals(int(opened), int(closed)), strict=True):
            found += range(int(begin), int(end), timeframe.nanoseconds)
        if not calendar.always_open:
            found.append(int(closed))
        if len(found) >= count:
            break
    return sorted(set(found))[:count]


def closed_hours(calendar: Calendar, opens: Ints, timeframe: Timeframe) -> Ints:
    """Return opens of bars outside every session: before, after, and in the break of a day."""
    if calendar.always_open or timeframe.is_calendar:
        return opens[:0]
    beside = np.concatenate([opens + step * timeframe.nanoseconds for step in (-2, 1, 2, 9)])
    ends = calendar.session_of(beside + timeframe.nanoseconds - 1)
    return beside[(calendar.session_of(beside) < 0) & (ends < 0)]


def a_series(rng: Rng, calendar: Calendar, timeframe: Timeframe, count: int, *, splits: bool = False) -> Series:
    """Return a walk with missing bars, closing auctions, values beside it, and splits."""
    opens = np.array(opens_of(calendar, timeframe, count), dtype=np.int64)
    kept = rng.random(len(opens)) > 0.04
    at = int(rng.integers(len(opens) - 60))
    kept[at : at + 45] = False
    opens = np.union1d(opens[kept][int(rng.integers(0, 30)) :], closed_hours(calendar, opens, timeframe))
    closes = calendar.bar_close(opens, timeframe)
    closes = np.where(closes < 0, opens + timeframe.minutes * MINUTE, closes)
    close = 100 * np.exp(np.cumsum(rng.normal(size=len(opens)) * 2e-3))
    opened = np.concatenate([[100.0], close[:-1]]) * (1 + rng.normal(size=len(opens)) * 2e-4)
    reach = 1 + np.abs(rng.normal(size=(2, len(opens)))) * 1e-3
    high, low = np.maximum(opened, close) * reach[0], np.minimum(opened, close) / reach[1]
    volume = np.round(rng.random(len(opens)) * 900, 1)
    told = closes[7::31] + 20_000_000_000
    side = {
        "mark_price": (closes[::3], close[::3] + 0.25),
        "funding_rate": (told, rng.normal(size=len(told)) / 1e4),
        "open_interest": (opens[5::2] + 1, volume[5::2]),
    }
    scale = np.cumprod(np.where(rng.random(len(opens)) < 0.01, 3.0, 1.0)).astype(np.float64) if splits else None
    return Series(Bars(timeframe, opens, closes, opened, high, low, close, volume), calendar, side, scale)


def check(program: Program, series: Series, rng: Rng, *, restarts: float = 0.01) -> Feed:
    """Feed a stretch and hold it against a whole run."""
    feed = Feed(program, series)
    feed.run(rng, restarts=restarts)
    assert_same(feed, whole(program, series))
    return feed


def every_node(timeframe: Timeframe, slower: Timeframe, nodes: list[Node]) -> Program:
    """Return a program with nodes on two timeframes."""
    builder = ProgramBuilder(timeframe)
    short = {"atr": {"length": 5}, "swing": {"left": 2, "right": 2}}
    for node in nodes:
        for on in (timeframe, slower):
            values = node.resolve(NEEDED.get(node.name, {}))
            rows = place(builder.on(on), node, values, "close", {**USES, **short})
            if on == slower:
                for row in rows:
                    builder.hold(on, row)
    return builder.build()


@pytest.mark.parametrize("calendar", ["24/7", "NYSE"])
@pytest.mark.parametrize("kind", ["indicators", "structures", "plugin"])
def test_every_node_has_the_bits_of_a_whole_run(kind: str, calendar: str) -> None:
    with using([load_plugin(PLUGIN)]):
        nodes = {
            "indicators": list(all_indicators().values()), "structures": list(all_structures().values()),
            "plugin": [find_indicator("stretch")],
        }[kind]  # fmt: skip
        program = every_node(Timeframe.parse("5m"), Timeframe.parse("1h"), nodes)
        for base in ("1m", "5m"):
            rng = np.random.default_rng(len(kind) + len(base))
            series = a_series(rng, load_calendar(calendar), Timeframe.parse(base), 5000, splits=calendar == "NYSE")
            feed = check(program, series, rng)
            assert feed.met["restarts"] > 5
            assert feed.met["settled bars"] > 3 or base == "5m"


@pytest.fixture
def _no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "WARMUP_MAX", 10**6)


@pytest.mark.usefixtures("_no_limit")
@pytest.mark.parametrize("name", WORLDS)
def test_conditions_between_decisions_are_the_same(name: str) -> None:
    """Grids, windows in other timeframes, bars in progress, setups, decisions inside a bar, sessions, holes."""
    for seed in range(8):
        rng: Rng = np.random.default_rng(77_000 + seed)
        setups = {"deep": tree(rng, desk_of(name), 1)}
        text = play_text(name, tree(rng, desk_of(name, ("deep",)), 3), setups)
        program = lower(load_play(text, instruments=lambda _: WORLDS[name].instrument)).program
        check(program, series_of(name), rng)


@pytest.mark.parametrize("seed", range(20))
def test_drawn_plays_are_the_same(seed: int) -> None:
    strategy, market, _, text = rich_strategy(seed)
    rng: Rng = np.random.default_rng(seed)
    for stretch in market.stretches:
        feed = Feed(strategy.program, stretch.series)
        feed.run(rng)
        assert_same(feed, whole(strategy.program, stretch.series))
        count = len(stretch.series.on(stretch.exec).bars)
        first = count if feed.live.first is None else feed.live.first
        assert first <= stretch.first_exec, text
        if int(stretch.series.on(stretch.exec).bars.open_ns[min(first, count - 1)]) >= market.window[0]:
            assert first == stretch.first_exec, text


def shipped() -> list[tuple[str, PlayStrategy]]:
    """Return every example and every play of the suites that loads, one of each form."""
    known = Definitions.load()
    found = [
        (path.stem, PlayStrategy(load_play(path, instruments=known.find)))
        for path in examples.files("play")
        if path.suffix == ".yaml"
    ]
    for row in all_rows():
        if not row.is_negative:
            try:
                found.append((row.id, PlayStrategy(load_play(document.text(row), instruments=instruments.find))))
            except PlayErrors:  # an example of a file that is included by others
                continue
    return found


@pytest.mark.parametrize("seed", TRADING)
def test_a_core_that_reads_live_features_decides_as_a_backtest_did(seed: int) -> None:
    """Each event of an engine-lane run is told to another core; what that concludes and commands is what was then."""
    strategy, market, _, text = rich_strategy(seed)
    _, _, steps = desk.engine_run(strategy, market)
    rng: Rng = np.random.default_rng(seed)
    feeds = {one.number: Feed(strategy.program, one.series, one.number) for one in market.stretches}
    sets = {number: iter(together(values_of(feed.series))) for number, feed in feeds.items()}

    class Source:
        def at(self, segment: int, bar: int) -> tuple[Floats, int, int, float]:
            feed = feeds[segment]
            while feed.live.bars <= bar:
                feed.take(next(sets[segment]))
                if rng.random() < 0.002:
                    feed.restart()
            return feed.live.at(segment, bar)

    core = Core(desk.facts_of(strategy), strategy, EntryGates(strategy.terms, strategy.instrument), Source())
    for step in steps:
        assert core.apply(step.event) == step, text
    assert any(step.commands for step in steps)


SHARES = 8


@pytest.mark.parametrize("share", range(SHARES))
def test_shipped_plays_are_the_same(share: int) -> None:
    seen = set()
    for name, strategy in shipped()[share::SHARES]:
        program = strategy.program
        base = min({*program.graphs, *program.warmup})
        calendar = load_calendar(strategy.instrument.calendar)
        key = (repr(program.decisions.steps), base, calendar.name)
        if key in seen:
            continue
        seen.add(key)
        rng = np.random.default_rng(len(name) + share)
        series = a_series(rng, calendar, base, 900, splits=not calendar.always_open)
        check(program, series, rng)
    assert len(seen) > 5


def test_the_detector_of_a_playbook_sees_the_same() -> None:
    playbook = load_playbook(examples.find("spy_regimes"), instruments=Definitions.load().find)
    assert playbook.detector is not None
    program = open_eye(playbook, playbook.detector).program
    calendar = load_calendar(playbook.detector.instrument.calendar)
    rng: Rng = np.random.default_rng(8)
    series = a_series(rng, calendar, min({*program.graphs, *program.warmup}), 900, splits=not calendar.always_open)
    feed = check(program, series, rng)
    assert feed.live.bars > 100


def test_the_close_of_a_bar_is_that_of_its_session_not_of_trades_in_the_break_after_it() -> None:
    calendar = load_calendar("CME_EQUITY")
    opened, closed = (int(one[0]) for one in calendar.session_bounds(np.array([day_number("2019-06-20")])))
    begins, ends = calendar.open_intervals(opened, closed)
    assert len(begins) == 2, "a session with a break"
    inside = np.arange(int(ends[0]) - 5 * MINUTE, int(ends[0]), MINUTE)
    opens = np.concatenate([inside, inside[-1:] + 3 * MINUTE])
    prices = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 99.0])
    bars = Bars(Timeframe.parse("1m"), opens, opens + MINUTE, prices, prices, prices, prices.copy(), np.ones(6))
    builder = ProgramBuilder(Timeframe.parse("D"))
    builder.on(Timeframe.parse("D")).column("close")
    feed = Feed(builder.build(), Series(bars, calendar))
    for bar in values_of(feed.series):
        feed.take([bar])
    feed.settle(closed)
    assert feed.closed == [], "a session that was not seen from its open"
    following = values_of(Series(Bars(
        Timeframe.parse("1m"), opens + 24 * 60 * MINUTE, opens + (24 * 60 + 1) * MINUTE, prices, prices, prices,
        prices.copy(), np.ones(6),
    ), calendar))  # fmt: skip
    for bar in following:
        feed.take([bar])
    feed.settle(closed + 24 * 60 * MINUTE)
    assert [(close_ns, close) for _, close_ns, close in feed.closed] == [(closed + 24 * 60 * MINUTE, 5.0)]


def test_each_way_of_a_bar_to_end_was_met() -> None:
    """The drawn feeds above are worth what they meet; this one meets each thing by itself."""
    builder = ProgramBuilder(Timeframe.parse("15m"))
    on_hours = builder.on(Timeframe.parse("1h"))
    builder.hold(Timeframe.parse("1h"), on_hours.add(conditions.lag, (on_hours.column("close"),), {"bars": 2})[0])
    builder.on(Timeframe.parse("15m")).column("close")
    program = builder.build()
    rng: Rng = np.random.default_rng(4)
    series = a_series(rng, load_calendar("24/7"), Timeframe.parse("1m"), 4000)
    feed = check(program, series, rng, restarts=0.1)
    assert feed.met["settled bars"] > 0
    assert feed.met["restarts"] > 100
    late = [bar for bar in series.on(Timeframe.parse("15m")).bars.close_ns if bar not in set(series.base.close_ns)]
    assert len(late) > 3, "a bar whose last minute had no trade"
    assert series.base.open_ns[0] % (15 * MINUTE), "a first bar that was not seen whole"
