"""Runs whose every step is kept in memory, again and again over other data: what the proof of no look-ahead needs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from evenkeel.api import Request, run_facts
from evenkeel.data.catalog import Catalog
from evenkeel.engine.backtest import BacktestDriver
from evenkeel.engine.market import Market, load_market
from evenkeel.engine.playbook.driver import PlaybookDriver
from evenkeel.engine.playbook.markets import load_markets
from evenkeel.engine.playbook.regimes import NOTHING_SEEN, look, open_eye
from evenkeel.engine.search.lookahead import Ran, Run
from evenkeel.engine.steps import MemoryLog
from evenkeel.examples import locate
from evenkeel.model.bar import Ints
from evenkeel.strategies.load import load_strategy
from evenkeel.strategies.play.program import PlayStrategy
from evenkeel.strategies.playbook.load import load_playbook
from evenkeel.strategies.playbook.playbook import Playbook
from evenkeel.strategies.strategy import Strategy, run_window


def strategy_runs(request: Request) -> tuple[str, tuple[str, ...], Run]:
    """Return the name of a strategy, its instrument, and how it is run; each run loads it anew."""

    def load() -> Strategy:
        return load_strategy(
            request.strategy, instruments=request.instruments.find, sets=request.sets, library=request.library,
            symbol=request.symbol,
        )  # fmt: skip

    def run(catalogs: Sequence[Catalog], end_ns: int | None) -> Ran:
        strategy = load()
        start, end = run_window(strategy, request.start_ns, request.end_ns)
        market = load_market(
            catalogs, strategy.instrument, strategy.program, start_ns=start, end_ns=end if end_ns is None else end_ns,
            gaps=request.gaps,
        )  # fmt: skip
        log = MemoryLog()
        BacktestDriver(run_facts(strategy, "lookahead"), strategy, market, log=log).run()
        return Ran({strategy.name: log.steps}, _decision_instants(market))

    strategy = load()
    return strategy.name, (str(strategy.instrument.id),), run


def playbook_runs(request: Request) -> tuple[str, tuple[str, ...], Run]:
    """Return the name of a playbook, its instruments, and how it is run; each run loads it anew."""

    def load() -> Playbook:
        return load_playbook(
            locate(request.strategy), instruments=request.instruments.find, sets=request.sets, library=request.library
        )

    def run(catalogs: Sequence[Catalog], end_ns: int | None) -> Ran:
        playbook = load()
        eye = None if playbook.detector is None else open_eye(playbook, playbook.detector)
        strategies = [PlayStrategy(member.play) for member in playbook.members]
        wanted = [(strategy.instrument, strategy.program) for strategy in strategies]
        if playbook.detector is not None and eye is not None:
            wanted.append((playbook.detector.instrument, eye.program))
        markets = load_markets(
            catalogs, wanted, start_ns=request.start_ns, end_ns=request.end_ns if end_ns is None else end_ns,
            gaps=request.gaps,
        )  # fmt: skip
        sightings = NOTHING_SEEN if eye is None else look(eye, markets[-1])
        logs = {member.name: MemoryLog() for member in playbook.members}
        traded = markets[: len(strategies)]
        runs = [
            (BacktestDriver(run_facts(strategy, f"lookahead-{name}"), strategy, market, log=log), market)
            for (name, log), strategy, market in zip(logs.items(), strategies, traded, strict=True)
        ]
        PlaybookDriver(playbook, runs, sightings, min(market.window[0] for market in traded)).run()
        common = reduce(np.intersect1d, (_closes(market) for market in markets))
        decided = np.unique(np.concatenate([_decision_instants(market) for market in traded]))
        ready = max(int(_decision_instants(market)[0]) for market in markets)
        instants = np.intersect1d(decided, common)
        return Ran({name: log.steps for name, log in logs.items()}, instants[instants >= ready])

    playbook = load()
    return playbook.name, tuple(sorted({str(member.play.instrument.id) for member in playbook.members})), run


def _decision_instants(market: Market) -> Ints:
    """Return the closes at which a strategy decides."""
    parts = [stretch.series.on(stretch.exec).bars.close_ns[stretch.first_exec :] for stretch in market.stretches]
    return np.concatenate(parts)


def _closes(market: Market) -> Ints:
    return np.concatenate([stretch.series.base.close_ns for stretch in market.stretches])
