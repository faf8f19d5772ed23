"""A desk for playbooks: scripted plays over hand-made bars, run together on one account.

shop = Shop(Seat(piece(flat(100, 9), {0: long()}), "A.DESK"), Seat(piece(flat(50, 9), {2: short()}), "B.DESK"))
shop.run(max_active=1)
shop.stories()
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np

import desk
from evenkeel.engine.backtest import BacktestDriver
from evenkeel.engine.core import RunFacts, Step
from evenkeel.engine.market import Market
from evenkeel.engine.playbook.driver import PlaybookDriver
from evenkeel.engine.playbook.outcome import PlayRun, result_hash
from evenkeel.engine.playbook.regimes import NOTHING_SEEN, Sightings
from evenkeel.engine.playbook.research import ResearchAccount
from evenkeel.engine.record import RunRecord
from evenkeel.engine.replay import replay
from evenkeel.model.decision import EntryRefused
from evenkeel.model.ids import InstrumentId, RunId, StrategyId
from evenkeel.model.reason import Reason
from evenkeel.model.time import Timeframe
from evenkeel.strategies.playbook.playbook import Member, Playbook, PortfolioRisk
from evenkeel.strategies.strategy import Strategy
from evenkeel.strategies.terms import AccountTerms, OrderTerms, SizingTerms

OPEN: dict[str, Any] = {"max_exposure": 100.0, "max_correlation": 1.0, "max_active": 9, "max_drawdown": 1.0}
"""Limits that nothing meets."""


@dataclass(frozen=True)
class Seat:
    """A scripted play.

    Attributes:
        piece: Its bars and what is wished in them.
        symbol: What it trades.
        exec_tf: At whose closes.
        costs: Of its account; start equity 10,000.
        sizing: Default: one unit.
        order: How its entries are worked.
    """

    piece: desk.Piece
    symbol: str = "A.DESK"
    exec_tf: str = "1m"
    costs: AccountTerms | None = None
    sizing: SizingTerms | None = None
    order: OrderTerms | None = None

    def made(self) -> tuple[Strategy, Market]:
        """Return the strategy and its market."""
        asset, kind = desk.instrument(id=InstrumentId(self.symbol)), Timeframe.parse(self.exec_tf)
        strategy = desk.ScriptedStrategy(asset, desk.terms(self.costs, self.sizing, self.order), kind)
        stretch = desk.stretch_of(self.piece, 0, Reason.END_OF_DATA, kind, "24/7")
        return strategy, desk.market_of([stretch], asset)


def playbook(
    names: Sequence[str], weights: Sequence[tuple[float, ...]], *, mode: str = "parallel", regimes: Sequence[str] = (),
    capital: int = 10_000, exits: str = "hold", hysteresis: int = 1, blend: int = 0, **limits: Any,
) -> Playbook:  # fmt: skip
    """Return a playbook whose plays are given elsewhere; the last regime is the default."""
    nothing: Any = None
    detector: Any = SimpleNamespace(default=regimes[-1]) if regimes else None
    made: Any = mode
    return Playbook(
        name="book", description="", hash="0", resolved={}, mode=made, capital=Decimal(capital), currency="USDT",
        detector=detector, regimes=tuple(regimes) or ("all",),
        members=tuple(Member(name=n, play=nothing, weights=w) for n, w in zip(names, weights, strict=True)),
        risk=PortfolioRisk(**{**OPEN, **limits}), hysteresis_bars=hysteresis, blend_bars=blend, on_regime_exit=exits,
        warnings=(),
    )  # fmt: skip


def seen(*sightings: tuple[int, int]) -> Sightings:
    """Return what a detector sees: minute and number of a regime."""
    times = np.array([desk.minute(at) for at, _ in sightings], dtype=np.int64)
    return Sightings(times, np.array([regime for _, regime in sightings], dtype=np.int64))


class Shop:
    """Plays under one account.

    Attributes:
        driver: Of the playbook, once it has run.
        records: What each play left.
        steps: What each play would have journaled.
    """

    def __init__(self, *plays: Seat | tuple[Strategy, Market]) -> None:
        self._made = [play.made() if isinstance(play, Seat) else play for play in plays]
        self.drivers: list[BacktestDriver] = []
        self.records: list[RunRecord] = []
        self.steps: list[desk.Steps] = []

    def run(
        self, *, weights: Sequence[tuple[float, ...]] | None = None, sightings: Sightings = NOTHING_SEEN, **terms: Any
    ) -> Shop:
        """Run all plays; without weights each has an equal part."""
        count = len(self._made)
        shares = weights if weights is not None else [(1.0 / count,)] * count
        self.book = playbook([f"play{number}" for number in range(count)], shares, **terms)
        return self._run([[] for _ in self._made], sightings)

    def taken_up(self, recorded: Sequence[Sequence[Step]], sightings: Sightings = NOTHING_SEEN) -> list[desk.Steps]:
        """Run the same plays again from what their journals hold; return what each wrote from there."""
        return self._run(recorded, sightings).steps

    def _run(self, recorded: Sequence[Sequence[Step]], sightings: Sightings) -> Shop:
        self.steps = [desk.Steps() for _ in self._made]
        self.drivers = [
            BacktestDriver(self._facts(number), *made, log=log, recorded=before)
            for number, (made, log, before) in enumerate(zip(self._made, self.steps, recorded, strict=True))
        ]
        runs = [(driver, market) for driver, (_, market) in zip(self.drivers, self._made, strict=True)]
        self.driver = PlaybookDriver(self.book, runs, sightings, desk.START)
        self.driver.run()
        self.records = [driver.record for driver in self.drivers]
        return self

    def in_the_research_lane(self, sightings: Sightings = NOTHING_SEEN) -> tuple[PlaybookDriver, list[RunRecord]]:
        """Run the same plays under the same playbook once more, without cores and journals."""
        accounts = [(ResearchAccount(strategy, market), market) for strategy, market in self._made]
        driver = PlaybookDriver(self.book, accounts, sightings, desk.START)
        driver.run()
        return driver, [account.record for account, _ in accounts]

    def _facts(self, number: int) -> RunFacts:
        strategy = self._made[number][0]
        return RunFacts(
            mode="backtest", run=RunId(f"run{number}"), strategy=StrategyId(strategy.name),
            instrument=strategy.instrument.id, start_equity=strategy.terms.account.start_equity,
        )  # fmt: skip

    def stories(self) -> list[list[tuple[str, int, str, float]]]:
        """Return what happened to each play, at a glance."""
        return [desk.story(record) for record in self.records]

    def refusals(self, number: int) -> list[str]:
        """Return why entries of a play were refused, in order."""
        decisions = [decision for _, decision in self.drivers[number].decisions]
        return [str(one.reason) for one in decisions if isinstance(one, EntryRefused)]

    def hash(self) -> str:
        """Return the digest of all that must repeat."""
        nothing: Any = None
        runs = [
            PlayRun(member.name, record, nothing, {})
            for member, record in zip(self.book.members, self.records, strict=True)
        ]
        return result_hash(self.driver.allotment.changes, runs, self.driver.stopped_ns)

    def replay_differences(self) -> list[str]:
        """Return what differs when the journal of each play is decided again, by itself."""
        outcomes = [
            replay(self._facts(number), strategy, market, log.taken)
            for number, ((strategy, market), log) in enumerate(zip(self._made, self.steps, strict=True))
        ]
        return [outcome.difference for outcome in outcomes if outcome.difference is not None]
