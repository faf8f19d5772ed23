"""One set of parameters, run and judged: what sweeps and searches ask for.

    evaluator = Evaluator(StrategySource("ema_cross", definitions.find), CatalogMarkets(catalogs), (None, None))
    evaluator.run({"fast": 10, "slow": 50}).metrics["sharpe"]

The figures and the hash of a set are those that `keel backtest` gives for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

from evenkeel.engine.backtest import BacktestDriver
from evenkeel.engine.core import RunFacts
from evenkeel.engine.market import Market
from evenkeel.engine.metrics import metrics, session_returns
from evenkeel.engine.record import RunRecord
from evenkeel.engine.research import run_research
from evenkeel.engine.results import session_equity
from evenkeel.engine.sweep.source import StrategySource, Window
from evenkeel.engine.trials import Trial, look_of
from evenkeel.model.bar import Floats
from evenkeel.model.errors import UsageError
from evenkeel.model.ids import RunId, StrategyId
from evenkeel.model.number import postings_from_money
from evenkeel.strategies.strategy import Strategy

ParameterSet: TypeAlias = "Mapping[str, object]"
MarketOf: TypeAlias = "Callable[[Strategy, Window], Market]"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a set of parameters brought.

    Attributes:
        metrics: The figures of `result.json`.
        result_hash: The digest of all that must repeat, as in `result.json`.
        trades: Closed legs.
        returns: Simple return of each session.
        stop_reason: How the run ended.
        look: The run as the trial ledger counts it.
    """

    metrics: Mapping[str, float | int | None]
    result_hash: str
    trades: int
    returns: Floats
    stop_reason: str
    look: Trial


@dataclass(frozen=True, slots=True)
class Refusal:
    """A set of parameters with which the strategy cannot run.

    Attributes:
        reason: Code for a program.
        text: What is wrong, for a person.
    """

    reason: str
    text: str


class Evaluator:
    """Runs a strategy with one set of parameters after the other.

    Args:
        source: The strategy.
        market_of: Gives the market of a strategy over a window.
        window: The range of each run.
    """

    def __init__(self, source: StrategySource, market_of: MarketOf, window: Window) -> None:
        self._source, self._market_of, self._window = source, market_of, window

    def run(self, sets: ParameterSet) -> Outcome:
        """Run one set.

        Raises:
            UsageError: If the strategy cannot run with it.
        """
        strategy = self._source.load(sets)
        market = self._market_of(strategy, self._window)
        return judge(strategy, market, run_alone(strategy, market))

    def run_many(self, sets: Sequence[ParameterSet], workers: int) -> Iterator[Outcome | Refusal]:
        """Run sets and yield what each brought, in their order; one that cannot run yields why.

        Args:
            sets: The sets.
            workers: Most threads at work.
        """
        with ThreadPoolExecutor(max_workers=workers) as pool:
            yield from pool.map(self._run_or_refuse, sets)

    def _run_or_refuse(self, sets: ParameterSet) -> Outcome | Refusal:
        try:
            return self.run(sets)
        except UsageError as error:
            return Refusal(error.reason, error.message)


def run_alone(strategy: Strategy, market: Market) -> RunRecord:
    """Run a strategy by itself: in the research lane where it has a kernel, else in the engine lane without journal."""
    if strategy.kernel is not None:
        return run_research(strategy, market)
    facts = RunFacts(
        mode="backtest", run=RunId("sweep"), strategy=StrategyId(strategy.name), instrument=strategy.instrument.id,
        start_equity=strategy.terms.account.start_equity,
    )  # fmt: skip
    return BacktestDriver(facts, strategy, market).run()


def judge(strategy: Strategy, market: Market, record: RunRecord) -> Outcome:
    """Return the figures of a run."""
    trades = record.trades()
    days, sessions = session_equity(record, market)
    start = strategy.terms.account.start_equity
    figures = metrics(record, trades, start_equity=start, sessions=sessions, per_year=market.calendar.sessions_per_year)
    returns = session_returns(postings_from_money(start), sessions)
    look = look_of(strategy, market, days, returns, figures, "sweep")
    return Outcome(figures, record.result_hash(), len(trades), returns, record.stop_reason.value, look)
