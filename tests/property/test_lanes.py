"""Two lanes, one result: what the research lane and the engine lane make of a play is equal to the last bit.

Plays are drawn from whatever is built (`random_plays`), markets are random walks and the bundled recordings.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

import desk
from drawn_runs import RICH_RUNS, compare_lanes, rich_case
from evenkeel.data.catalog import Catalog
from evenkeel.data.definitions import Definitions
from evenkeel.engine.market import Market, load_market
from evenkeel.engine.record import RunRecord
from evenkeel.engine.research import run_research
from evenkeel.features.conditions import constant
from evenkeel.features.graph import Graph, Step
from evenkeel.model.bar import Bars
from evenkeel.model.instrument import Instrument, InstrumentKind
from evenkeel.strategies.play.program import PlayStrategy
from evenkeel.strategies.terms import SizingTerms
from plain_plays import volatile
from random_plays import random_play

PLAYS = 200
MINUTES = 4000
TRADING_MIN = 0.35
"""Share of the drawn plays that must trade, or the comparison says nothing."""

INSTRUMENTS: tuple[Instrument, ...] = (
    desk.instrument(),
    desk.instrument(kind=InstrumentKind.FUTURE, tick_size="0.25", lot_size="1", min_quantity="1", multiplier="5"),
    desk.instrument(tick_size="0.05", lot_size="0.1", min_quantity="0.3", max_quantity="40"),
)

DAY = 1440
RECORDINGS = {
    "BTC-USDT.BINANCE": ((("1m", "5m", "15m"), ("5m", "5m", "30m")), 1000),
    "AAPL.US": ((("1m", "5m", "15m"), ("5m", "15m", "1h")), 1000),
    "EURUSD.FX": ((("1h", "4h", "D"), ("1h", "1h", "D")), 60 * DAY),
    "SPY.US": ((("D", "D", "W"), ("D", "W", "W")), 400 * DAY),
}
"""Symbol to timeframes and the warm-up, in minutes, that its recording has room for."""


@pytest.fixture(scope="module")
def walks() -> list[Bars]:
    """Quiet ones and two wide ones; liquidations are drawn more often in `test_exchange_plays`, in both lanes too."""
    wild = [desk.bars(volatile(np.random.default_rng(seed), MINUTES)) for seed in (1, 2)]
    return [*(desk.walk(seed, MINUTES) for seed in range(3)), *wild]


def compare(strategy: PlayStrategy, market: Market, told: str) -> RunRecord:
    """Run both lanes; on a difference show what differs and the play."""
    research = run_research(strategy, market)
    engine, _, _ = desk.engine_run(strategy, market)
    assert desk.differences(research, engine) == [], told
    assert research.result_hash() == engine.result_hash(), told
    return research


@pytest.mark.parametrize("first", range(0, PLAYS, 40))
def test_drawn_plays_end_equal_in_both_lanes_on_random_walks(first: int, walks: list[Bars]) -> None:
    seen: Counter[str] = Counter()
    for seed in range(first, first + 40):
        asset = INSTRUMENTS[seed % len(INSTRUMENTS)]
        text = random_play(np.random.default_rng(seed), perpetual=asset.kind is InstrumentKind.PERPETUAL)
        strategy = desk.play_of(text, asset)
        record = compare(strategy, desk.play_market(strategy, walks[seed % len(walks)]), f"play {seed}\n{text}")
        seen["trading"] += bool(record.fills)
        seen.update(str(fill.event.exit_reason) for fill in record.fills)
        seen["intrabar"] += "intrabar" in text and bool(record.fills)

    assert seen["trading"] >= TRADING_MIN * 40
    assert all(seen[what] > 0 for what in ("sl", "tp", "signal", "end_of_data", "intrabar"))


@pytest.mark.parametrize("symbol", RECORDINGS)
def test_drawn_plays_end_equal_in_both_lanes_on_recorded_markets(symbol: str, bundled: Path) -> None:
    """With their calendars: sessions, holidays, missing minutes, daily bars."""
    asset, (intervals, minutes) = Definitions.load().find(symbol), RECORDINGS[symbol]
    trading = 0
    for seed in range(12):
        rng = np.random.default_rng(1000 + seed)
        text = random_play(
            rng, intervals=intervals, shorts=asset.shortable, by_minutes=intervals[0][0] == "1m",
            perpetual=asset.kind is InstrumentKind.PERPETUAL, intrabar=intervals[0][0] == "1m", warmup_minutes=minutes,
        )  # fmt: skip
        strategy = desk.play_of(text, asset)
        market = load_market([Catalog(bundled)], asset, strategy.program, start_ns=None, end_ns=None, gaps="report")
        trading += bool(compare(strategy, market, f"play {seed}\n{text}").fills)

    assert trading >= 4


@pytest.mark.parametrize("first", range(0, RICH_RUNS, 50))
def test_drawn_plays_end_equal_in_both_lanes_on_markets_of_every_shape(first: int) -> None:
    """Gaps, wicks, minutes without volume, a mark price, a history of funding; 2,000 with KEEL_RICH_RUNS."""
    trading = 0
    for seed in range(first, min(first + 50, RICH_RUNS)):
        case = rich_case(seed)
        compare_lanes(case)
        trading += bool(case.research.fills)

    assert trading >= 15


def test_drawn_plays_end_equal_in_both_lanes_across_gaps(walks: list[Bars]) -> None:
    trading = 0
    for seed in range(30):
        text = random_play(np.random.default_rng(5000 + seed), intervals=(("1m", "1m", "5m"), ("1m", "3m", "15m")))
        whole = walks[seed % len(walks)]
        kept = np.r_[0:1700, 1760:2500, 2501:4000]
        columns = (getattr(whole, n)[kept] for n in ("open_ns", "close_ns", "open", "high", "low", "close", "volume"))
        strategy = desk.play_of(text)
        market = desk.play_market(strategy, Bars(whole.timeframe, *columns), gaps="report")
        record = compare(strategy, market, f"play {seed}\n{text}")
        assert len(market.gaps) == 2
        trading += len(record.fills) > 0

    assert trading >= 12


class Sleepless:
    """A play that is woken at every execution bar, whatever it asks for."""

    def __init__(self, play: PlayStrategy) -> None:
        self._play = play
        graph = play.program.decisions
        always = Step(constant, (("value", 1.0),), (), (graph.rows,))
        awake = Graph((*graph.steps, always), graph.columns, graph.rows + 1)
        self.program = replace(play.program, decisions=awake)
        self.wake_flat = self.wake_hold = graph.rows

    def __getattr__(self, name: str) -> object:
        return getattr(self._play, name)


def test_waking_only_where_a_rule_may_speak_is_as_good_as_waking_at_every_bar(walks: list[Bars]) -> None:
    """Ruling 28: a wake column may be too wide, never too narrow."""
    fills = 0
    for seed in range(60):
        text = random_play(np.random.default_rng(9000 + seed))
        strategy = desk.play_of(text)
        market = desk.play_market(strategy, walks[seed % len(walks)])

        asked = run_research(strategy, market)
        always = run_research(Sleepless(strategy), market)  # type: ignore[arg-type]

        assert desk.differences(asked, always) == [], f"play {seed}\n{text}"
        fills += len(asked.fills)
    assert fills > 500


def test_an_account_too_large_for_whole_floats_is_sized_alike_in_both_lanes() -> None:
    """Above 90 million units a count of 1e-8 has no exact float64; both lanes must round it in the same way."""
    for cents in range(7, 400, 13):
        record = desk.run(
            desk.piece(desk.flat(1.0, 4), {0: desk.long()}),
            asset=desk.instrument(lot_size="1e-8", min_quantity="1e-8"),
            costs=desk.account(start_equity=f"166130382.750{cents:05d}"),
            sizing=SizingTerms(model="percent_equity", value=Decimal("0.5")),
        )
        assert len(record.fills) == 2


def test_a_run_repeated_is_the_same_run(walks: list[Bars]) -> None:
    for seed in (1, 2, 3, 4):
        strategy = desk.play_of(random_play(np.random.default_rng(seed)))
        market = desk.play_market(strategy, walks[0])

        assert run_research(strategy, market).result_hash() == run_research(strategy, market).result_hash()


def test_the_size_of_a_block_of_features_never_shows(walks: list[Bars], monkeypatch: pytest.MonkeyPatch) -> None:
    """Incremental is vectorised (plays.md 8.3): thousands of bars at once, some, or each bar by itself.

    Blocks end in the middle of positions, orders and windows.
    """
    from evenkeel.engine import research
    from evenkeel.features.timeline import FeatureRun, Series

    whole = {}
    for block, plays in ((2048, 20), (7, 20), (100, 20), (1, 6)):
        monkeypatch.setattr(
            research, "FeatureRun", lambda program, series, b=block: FeatureRun(program, series, block=b)
        )
        for seed in range(plays):
            strategy = desk.play_of(random_play(np.random.default_rng(300 + seed)))
            record = run_research(strategy, desk.play_market(strategy, walks[seed % len(walks)]))
            assert record.result_hash() == whole.setdefault(seed, record.result_hash())
    assert Series is not None
