"""Sets of a strategy that trades several instruments on one account: each set is one run of all of them.

    evaluator = JointEvaluator(source, CatalogMarkets(catalogs), (None, None), ["SPY.US", "EURUSD.FX"])
    evaluator.run({"fast": 10}).metrics["sharpe"]

Each set passes the walk over all instruments by itself. The figures and the hash are those of the account that
`keel backtest` of the same symbols gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from evenkeel.engine.core import RunFacts
from evenkeel.engine.market import Market
from evenkeel.engine.metrics import session_returns
from evenkeel.engine.playbook.outcome import session_ends
from evenkeel.engine.portfolio.driver import PortfolioDriver
from evenkeel.engine.portfolio.instance import Instance, in_order
from evenkeel.engine.portfolio.outcome import account_figures
from evenkeel.engine.portfolio.record import PortfolioRecord
from evenkeel.engine.portfolio.research import run_portfolio_research
from evenkeel.engine.portfolio.run import hash_of
from evenkeel.engine.sweep.crew import Found
from evenkeel.engine.sweep.evaluate import Evaluator, MarketOf, Outcome, ParameterSet, Refusal
from evenkeel.engine.sweep.source import CatalogMarkets, StrategySource, Window
from evenkeel.engine.sweep.together import Job, Told
from evenkeel.engine.trials import DataSet, Trial, kept, session_blocks
from evenkeel.model.errors import UsageError
from evenkeel.model.ids import RunId, StrategyId
from evenkeel.model.number import postings_from_money
from evenkeel.strategies.strategy import Strategy
from evenkeel.venues.simulated.desks import Point


class JointEvaluator(Evaluator):
    """Runs a strategy on several instruments with many sets of parameters.

    Args:
        source: The strategy; its own symbol is not used.
        market_of: Gives the market of a strategy over a window; called by several threads.
        window: The range of each run.
        symbols: The instruments; their order means nothing.
    """

    def __init__(self, source: StrategySource, market_of: MarketOf, window: Window, symbols: Sequence[str]) -> None:
        super().__init__(source, market_of, window)
        self._symbols = tuple(symbols)

    def instances(self, values: ParameterSet) -> tuple[Instance, ...]:
        """Return the instruments with the strategy of a set, in the order of their ids.

        Raises:
            UsageError: If the strategy is not valid with it, there is no data, or they cannot share an account.
        """
        strategies = [replace(self._source, symbol=symbol).load(values) for symbol in self._symbols]
        return in_order([Instance(one, self._market_of(one, self._window)) for one in strategies])

    def load(self, values: ParameterSet) -> tuple[Strategy, Market]:
        """Return strategy and market of the first instrument; see `Evaluator.load`."""
        first = self.instances(values)[0]
        return first.strategy, first.market

    def more_facts(self, values: ParameterSet) -> dict[str, Any]:
        """Return every instrument with the hash of its data, for the head of a sweep."""
        return {"instruments": {str(one.id): one.market.data_hash for one in self.instances(values)}}

    def sessions_per_year(self, values: ParameterSet) -> float:
        """Return by what the figures a year of a set are taken: of several calendars that with the most sessions."""
        return max(one.market.calendar.sessions_per_year for one in self.instances(values))

    def run(self, sets: ParameterSet) -> Outcome:
        """Run one set and take its hash.

        Raises:
            UsageError: If the strategy cannot run with it.
        """
        instances = self.instances(sets)
        return judge_account(instances, run_instances(instances), hashed=True)

    def run_chunk(
        self, sets: Sequence[tuple[int, ParameterSet]], hashed: bool, told: Told, stopped: Callable[[], bool]
    ) -> Found:
        """Run numbered sets in this thread, one after the other; arguments as of `Evaluator.run_all`."""
        found: Found = []
        for number, values in sets:
            if stopped():
                break
            try:
                instances = self.instances(values)
                outcome = judge_account(instances, run_instances(instances), hashed=hashed)
            except UsageError as error:
                found.append((number, Refusal(error.reason, error.message)))
            else:
                found.append((number, outcome))
                told(instances[0].market.base_bars)
        return found

    def jobs(self, sets: Iterable[tuple[int, ParameterSet]]) -> Iterator[Job | tuple[int, Refusal]]:
        """Refuse to be sent away: a cluster runs jobs of one instrument.

        Raises:
            UsageError: Always.
        """
        del sets
        raise UsageError("a sweep of several instruments runs on this machine only; leave --ray out")

    def apart(self) -> JointEvaluator:
        """Return an equal evaluator for another process, without what this one has loaded."""
        market_of = self._market_of.apart() if isinstance(self._market_of, CatalogMarkets) else self._market_of
        return JointEvaluator(self._source, market_of, self._window, self._symbols)


def run_instances(instances: Sequence[Instance]) -> PortfolioRecord:
    """Run several instruments on one account: in the research lane where all have a kernel, else in the engine lane."""
    if all(one.strategy.kernel is not None for one in instances):
        return run_portfolio_research(instances)
    facts = [
        RunFacts(
            mode="backtest", run=RunId("sweep"), strategy=StrategyId(one.strategy.name), instrument=one.id,
            start_equity=one.strategy.terms.account.start_equity,
        )
        for one in instances
    ]  # fmt: skip
    return PortfolioDriver(facts, instances).run()


def judge_account(instances: Sequence[Instance], record: PortfolioRecord, *, hashed: bool) -> Outcome:
    """Return the figures of a run of several instruments."""
    metrics = account_figures(record, instances)
    first, data = instances[0].strategy, DataSet.of(*(one.market for one in instances))
    days, ends = session_ends(record.times_ns, record.curve[Point.EQUITY])
    returns = session_returns(postings_from_money(first.terms.account.start_equity), ends.tolist())
    look = Trial(
        family=first.name, play=hash_of(instances), source="sweep", data=data, metrics=kept(metrics),
        blocks=session_blocks(data, days, returns),
    )  # fmt: skip
    trades = sum(len(legs) for legs in record.legs())
    return Outcome(metrics, record.result_hash() if hashed else None, trades, returns, record.stop_reason.value, look)
