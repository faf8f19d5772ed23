"""Scenarios: everything about a world but what happens in it, made from a seed alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from evenkeel.engine.account.desk import Desk, DeskId
from evenkeel.engine.core import Core, RunFacts
from evenkeel.engine.simulation.draw import Draw, Draws
from evenkeel.engine.simulation.faults import Fault
from evenkeel.engine.simulation.market import path
from evenkeel.engine.simulation.overheard import Overheard
from evenkeel.engine.simulation.profiles import rates_of
from evenkeel.engine.simulation.whims import Closes, Whim, habits_of, strategy_of, whims_of
from evenkeel.execution.books import Books
from evenkeel.execution.supervisor.supervisor import Identity, Supervisor
from evenkeel.execution.supervisor.venue_terms import Capabilities, Timing
from evenkeel.model.ids import InstrumentId, RunId, StrategyId
from evenkeel.model.instrument import Instrument, InstrumentKind
from evenkeel.model.number import to_float
from evenkeel.model.time import MINUTE, parse_time
from evenkeel.risk.gates.entry import EntryGates
from evenkeel.risk.limits.limits import Limits
from evenkeel.risk.limits.profiles import RESEARCH
from evenkeel.strategies.terms import OrderTerms

STEP_NS = 5_000_000_000
START_NS = parse_time("2024-01-01")
START_MONEY = Decimal(10_000)
PRICES = 2_160
"""Prices of a session, all instruments together: with what orders and faults add, 2,000 events and more."""
RUN = RunId("simulated")
PATIENT = RESEARCH.replaced({"orders.stop_working_s": 60})
"""Limits under which a position that lacks its stop for a moment is closed, and the account goes on."""
AT_REST = OrderTerms()
"""Stop and target stay where they are."""


@dataclass(frozen=True, slots=True)
class Ground:
    """An instrument, what its price does, and what its strategy wishes.

    Attributes:
        instrument: The instrument.
        strategy: Who trades it.
        prices: One each step.
        whims: By bar.
        habits: How stops and targets are worked.
    """

    instrument: Instrument
    strategy: StrategyId
    prices: tuple[Decimal, ...]
    whims: Mapping[int, Whim]
    habits: OrderTerms = AT_REST


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything about a world but what happens in it.

    Attributes:
        seed: Its number.
        profile: Which faults it has.
        grounds: What is traded.
        venue: What the venue can do.
        timing: How long things may take.
        rates: How likely each fault is at one chance.
        killable: Whether an operator may pull the kill switch, which ends all trading.
        limits: Of the account; the broker tells what they ask for.
    """

    seed: int
    profile: str
    grounds: tuple[Ground, ...]
    venue: Capabilities
    timing: Timing
    rates: Mapping[Fault, float]
    killable: bool
    limits: Limits = RESEARCH

    @property
    def steps(self) -> int:
        """How many prices each instrument has."""
        return len(self.grounds[0].prices)


def scenario_of(draws: Draws, seed: int, profile: str) -> Scenario:
    """Return the scenario of a seed.

    Args:
        draws: Generators of that seed.
        seed: Its number, for reports.
        profile: A name of `PROFILES`.
    """
    draw = draws("scenario")
    count = draw.choice((1, 1, 1, 2, 2, 3))
    strategies = [StrategyId(draw.choice(("Restless", "Wavering"))) for _ in range(count)]
    return Scenario(
        seed=seed, profile=profile,
        grounds=tuple(_ground(draws, number, name, PRICES // count) for number, name in enumerate(strategies)),
        venue=_venue(draw), timing=Timing(), rates=rates_of(draw, profile), killable=draw.random() < 0.2,
        limits=RESEARCH if draw.random() < 0.3 else PATIENT,
    )  # fmt: skip


def account_of(scenario: Scenario) -> Overheard:
    """Return the account as a process finds it before it reads its journal."""
    instruments = [ground.instrument for ground in scenario.grounds]
    supervisor = Supervisor(
        Identity("live", RUN), {one.id: one.tick_size for one in instruments}, scenario.venue, scenario.timing
    )
    books = Books(START_MONEY, {one.id: one.multiplier for one in instruments})
    return Overheard(
        [_desk(ground) for ground in scenario.grounds], supervisor, books, scenario.timing, scenario.limits
    )


def bars_of(ground: Ground) -> tuple[float, ...]:
    """Return the closes of the execution bars of an instrument."""
    per_bar = MINUTE // STEP_NS
    return tuple(to_float(price) for price in ground.prices[per_bar - 1 :: per_bar])


def _desk(ground: Ground) -> Desk:
    instrument = ground.instrument
    strategy = strategy_of(ground.strategy, instrument, ground.whims, ground.habits)
    gates = EntryGates(strategy.terms, instrument)
    facts = RunFacts("live", RUN, ground.strategy, instrument.id, START_MONEY)
    core = Core(facts, strategy, gates, Closes(bars_of(ground), start_ns=START_NS, bar_ns=MINUTE))
    return Desk(DeskId(ground.strategy, instrument.id), core, instrument.tick_size)


def _ground(draws: Draws, number: int, strategy: StrategyId, steps: int) -> Ground:
    draw = draws(f"ground {number}")
    instrument = _instrument(draw, "ABC"[number])
    ticks = draw.randint(4_000, 60_000)
    prices = tuple(instrument.tick_size * price for price in path(draw, start=ticks, steps=steps))
    whims = whims_of(draw, bars=steps * STEP_NS // MINUTE, ticks=ticks)
    return Ground(instrument, strategy, prices, whims, habits_of(draw))


def _instrument(draw: Draw, letter: str) -> Instrument:
    lot = Decimal(draw.choice(("0.001", "0.01", "0.1")))
    return Instrument(
        id=InstrumentId(f"{letter}.SIM"), kind=InstrumentKind.PERPETUAL, base=letter, quote="USDT",
        tick_size=Decimal(draw.choice(("0.01", "0.05", "0.001"))), lot_size=lot, min_quantity=lot,
        multiplier=Decimal(draw.choice(("1", "1", "0.5"))), calendar="24/7",
    )  # fmt: skip


def _venue(draw: Draw) -> Capabilities:
    reserves = draw.random() < 0.25
    amends = draw.random() < 0.7
    return Capabilities(
        reduce_only=draw.random() < 0.75, reserves=reserves, pairs=reserves and draw.random() < 0.3,
        amends_quantity=amends, amends_price=amends or draw.random() < 0.5,
    )  # fmt: skip
