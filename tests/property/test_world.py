"""The whole account of a real play in simulated worlds: whatever dies or is lost, it ends as its venue has it."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import numpy as np
import pytest

from evenkeel.data.calendar import load_calendar
from evenkeel.data.definitions import Definitions
from evenkeel.engine.account.desk import Desk, DeskId
from evenkeel.engine.core import Core, RunFacts
from evenkeel.engine.simulation.checks import look_at_rest, look_flat
from evenkeel.engine.simulation.overheard import Overheard
from evenkeel.engine.simulation.profiles import rates_of
from evenkeel.engine.simulation.scenario import START_NS, STEP_NS, Ground, Scenario
from evenkeel.engine.simulation.world import World
from evenkeel.execution.books import Books
from evenkeel.execution.supervisor.supervisor import Identity, Supervisor
from evenkeel.execution.supervisor.venue_terms import Capabilities, Timing
from evenkeel.features.timeline import FeatureRun, Series
from evenkeel.model.bar import Bars, Floats
from evenkeel.model.halt import HaltLevel
from evenkeel.model.ids import InstrumentId, RunId, StrategyId
from evenkeel.model.time import MINUTE, Timeframe
from evenkeel.risk.gates.entry import EntryGates
from evenkeel.risk.limits.limits import Limits
from evenkeel.risk.limits.profiles import PERP_SMALL, RESEARCH
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.program import PlayStrategy

D = Decimal
PLAY = """
version: "3.0.0"
name: restless
symbol: BTCUSDT.BYBIT
timeframes: { low_tf: 1m, med_tf: 1m, high_tf: 1m, exec: low_tf }
account: { starting_equity: 10000, max_drawdown_pct: 90 }
features:
  fast: { indicator: ema, params: { length: 2 } }
  slow: { indicator: ema, params: { length: 5 } }
  atr: { indicator: atr, params: { length: 5 } }
actions:
  entry_long: ["fast", cross_above, "slow"]
  entry_short: ["fast", cross_below, "slow"]
  exit_long: ["fast", cross_below, "slow"]
  exit_short: ["fast", cross_above, "slow"]
position_policy: { mode: long_short, exit_mode: first_hit }
risk_model:
  stop_loss: { type: atr_multiple, value: 2, atr_feature_id: atr }
  take_profit: { type: rr_ratio, value: 2 }
  sizing: { model: percent_equity, value: 20 }
"""
BARS = 240
SYMBOL = InstrumentId("BTCUSDT.BYBIT")


def a_path(seed: int) -> tuple[tuple[Decimal, ...], Bars]:
    rng = np.random.default_rng(seed)
    count = BARS * int(MINUTE // STEP_NS)
    prices = np.round(40_000 * np.exp(np.cumsum(rng.normal(size=count) * 2e-4)), 1)
    table = prices.reshape(BARS, -1)
    opens = START_NS + np.arange(BARS, dtype=np.int64) * MINUTE
    columns = (table[:, 0], table.max(axis=1), table.min(axis=1), table[:, -1], np.ones(BARS))
    bars = Bars(Timeframe.parse("1m"), opens, opens + MINUTE, *(np.ascontiguousarray(c) for c in columns))
    return tuple(D(repr(float(price))) for price in prices), bars


class Whole:
    """Features of all bars at once."""

    def __init__(self, strategy: PlayStrategy, bars: Bars) -> None:
        self._run = FeatureRun(strategy.program, Series(bars, load_calendar("24/7")), block=len(bars))
        self._run.advance()

    def at(self, segment: int, bar: int) -> tuple[Floats, int, int, float]:
        bars = self._run.bars.bars
        return self._run.x, self._run.column + bar, int(bars.close_ns[bar]), float(bars.close[bar])


FULL = PERP_SMALL.replaced(
    {
        "pace.signal_cooldown_s": None, "pace.trades": None, "pace.duplicate_s": None, "exposure.order_notional": None,
        "exposure.max_position_notional": None, "exposure.gross_notional": D(100_000), "losses.daily": D(5_000),
        "losses.account_streak": None, "losses.strategy_streak": None, "losses.health": False, "trade.friction": None,
    },
    name="full",
)  # fmt: skip
"""Every gate of `perp_small`, with room for a lively session."""


def a_world(seed: int, venue: Capabilities, limits: Limits = RESEARCH) -> World:
    prices, bars = a_path(seed)
    instrument = Definitions.load().find(SYMBOL)
    play = load_play(PLAY, instruments=lambda _: instrument)

    def make() -> Overheard:
        strategy = PlayStrategy(play)
        name = StrategyId(strategy.name)
        facts = RunFacts("live", RunId("r"), name, SYMBOL, D(10_000))
        core = Core(facts, strategy, EntryGates(strategy.terms, instrument), Whole(strategy, bars))
        supervisor = Supervisor(Identity("live", RunId("r")), {SYMBOL: instrument.tick_size}, venue, Timing())
        desk = Desk(DeskId(name, SYMBOL), core, instrument.tick_size)
        return Overheard([desk], supervisor, Books(D(10_000), {SYMBOL: D(1)}), Timing(), limits)

    draw = Random(seed)
    scenario = Scenario(
        seed=seed, profile="all", grounds=(Ground(instrument, StrategyId("restless"), prices, {}),), venue=venue,
        timing=Timing(), rates=rates_of(draw, "all"), killable=seed % 3 == 0, limits=limits,
    )  # fmt: skip
    return World(scenario, lambda name: Random(f"{seed}/{name}"), make=make)


VENUES = [
    Capabilities(),
    Capabilities(reduce_only=False),
    Capabilities(reserves=True),
    Capabilities(amends_quantity=False, amends_price=False),
]


@pytest.mark.parametrize("seed", range(12))
def test_an_account_ends_as_its_venue_has_it(seed: int) -> None:
    world = a_world(seed, VENUES[seed % len(VENUES)])
    world.run()
    world.awake()
    assert world.process.rebuilt().state() == world.account.state()
    world.settle()
    look_at_rest(world.account, world.exchange)
    (desk,) = world.account.desks.values()
    idle = world.account.reconciling.blocked or world.account.halt.level is HaltLevel.KILLED
    assert desk.core.state.trades > 0 or idle
    world.flatten()
    world.settle(300)
    look_flat(world.account, world.exchange)


@pytest.mark.parametrize("seed", range(40, 44))
def test_under_a_full_profile_it_trades_and_ends_so_too(seed: int) -> None:
    world = a_world(seed, VENUES[seed % len(VENUES)], FULL)
    world.run()
    world.awake()
    assert world.process.rebuilt().state() == world.account.state()
    world.settle()
    look_at_rest(world.account, world.exchange)
    (desk,) = world.account.desks.values()
    idle = world.account.reconciling.blocked or world.account.halt.level >= HaltLevel.PAUSED
    assert desk.core.state.trades > 0 or idle
    world.flatten()
    world.settle(300)
    look_flat(world.account, world.exchange)
