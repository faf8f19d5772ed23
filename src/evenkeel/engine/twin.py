"""The bars-only twin of a run that was matched against trades or quotes: what the strategy does on minutes alone.

Bars do not tell in which order prices came, nor how far bid and ask lay apart, so a simulation on them decides what it
cannot know by rule. Where trades or quotes are stored the difference can be seen, trade by trade.

    twin = compare(strategy, market, record)
    twin.net - record_net        # what the rules for bars were worth here
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from evenkeel.engine.market import Market, Stretch
from evenkeel.engine.record import RunRecord, Trade
from evenkeel.engine.research import run_research
from evenkeel.features.timeline import Series
from evenkeel.model.time import Timeframe
from evenkeel.strategies.strategy import Strategy

_MINUTE = Timeframe.parse("1m")


@dataclass(frozen=True, slots=True)
class Twin:
    """How a run on trades or quotes and its twin on minutes differ.

    Attributes:
        trades: Closed legs of the twin.
        equal: Legs decided at the same instant on the same side that brought the same, fees included.
        different: Legs decided alike that did not.
        only_here: Legs of the run that the twin does not have.
        only_there: Legs of the twin that the run does not have.
        net: What the twin brought, account currency.
    """

    trades: int
    equal: int
    different: int
    only_here: int
    only_there: int
    net: Decimal


def compare(strategy: Strategy, market: Market, record: RunRecord) -> Twin:
    """Return how a run on trades or quotes differs from the same strategy on the minutes that it computed with.

    Args:
        strategy: What decided; it must have a kernel.
        market: What it ran on.
        record: What happened.
    """
    there = run_research(strategy, on_minutes(market)).trades()
    here = {_key(trade): trade for trade in record.trades()}
    known = {_key(trade): trade for trade in there}
    both = here.keys() & known.keys()
    equal = sum(here[key].net == known[key].net for key in both)
    return Twin(
        trades=len(there), equal=equal, different=len(both) - equal, only_here=len(here) - len(both),
        only_there=len(known) - len(both), net=sum((trade.net for trade in there), Decimal(0)),
    )  # fmt: skip


def on_minutes(market: Market) -> Market:
    """Return the same market with the minutes of its trades, or of its middles, as base bars, and nothing beside."""
    stretches = tuple(_on_minutes(stretch) for stretch in market.stretches)
    return Market(
        instrument=market.instrument, calendar=market.calendar, revision=market.revision, base=_MINUTE,
        exec=market.exec, window=market.window, stretches=stretches, gaps=market.gaps, left_out=market.left_out,
        warmup_bars=market.warmup_bars,
    )  # fmt: skip


def _on_minutes(stretch: Stretch) -> Stretch:
    minutes = Series(stretch.series.on(_MINUTE).bars, stretch.series.calendar)
    decided = stretch.series.on(stretch.exec).bars.close_ns[stretch.first_exec :]
    closes = minutes.on(stretch.exec).bars.close_ns
    first = int(closes.searchsorted(decided[0])) if len(decided) else len(closes)
    return Stretch(stretch.number, minutes, stretch.exec, first, stretch.end)


def _key(trade: Trade) -> tuple[int | None, str, int]:
    return trade.entry.decided_ns, trade.direction.value, trade.leg
