"""One set of parameters, run and judged: what sweeps and searches ask for.

    evaluator = Evaluator(StrategySource("ema_cross", definitions.find), CatalogMarkets(catalogs), (None, None))
    evaluator.run({"fast": 10, "slow": 50}).metrics["sharpe"]

The figures and the hash of a set are those that `keel backtest` gives for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from threading import Event
from typing import TypeAlias

from evenkeel.engine.backtest import BacktestDriver
from evenkeel.engine.core import RunFacts
from evenkeel.engine.market import Market
from evenkeel.engine.metrics import metrics, session_returns
from evenkeel.engine.record import RunRecord
from evenkeel.engine.research import run_research
from evenkeel.engine.results import session_equity
from evenkeel.engine.sweep.outcome import Outcome, Refusal
from evenkeel.engine.sweep.source import StrategySource, Window
from evenkeel.engine.sweep.together import Job, Told, alike, run_together
from evenkeel.engine.trials import look_of
from evenkeel.model.errors import UsageError
from evenkeel.model.ids import RunId, StrategyId
from evenkeel.model.number import postings_from_money
from evenkeel.strategies.strategy import Strategy

ParameterSet: TypeAlias = "Mapping[str, object]"
MarketOf: TypeAlias = "Callable[[Strategy, Window], Market]"

__all__ = ["Evaluator", "MarketOf", "Outcome", "ParameterSet", "Refusal", "judge", "run_alone"]

CHUNKS_A_WORKER = 4
"""Sets are dealt out in at least so many parts a worker, so that none waits long for another at the end."""

CHUNK_SETS_MIN = 8
CHUNK_SETS_MAX = 128


class Evaluator:
    """Runs a strategy with many sets of parameters.

    Args:
        source: The strategy.
        market_of: Gives the market of a strategy over a window; called by several threads.
        window: The range of each run.
    """

    def __init__(self, source: StrategySource, market_of: MarketOf, window: Window) -> None:
        self._source, self._market_of, self._window = source, market_of, window

    def run(self, sets: ParameterSet) -> Outcome:
        """Run one set by itself, and take its hash.

        Raises:
            UsageError: If the strategy cannot run with it.
        """
        strategy, market = self.load(sets)
        return judge(strategy, market, run_alone(strategy, market))

    def run_many(
        self, sets: Sequence[ParameterSet], workers: int, *, hashed: bool = False
    ) -> Iterator[Outcome | Refusal]:
        """Run sets and yield what each brought, in their order; one that cannot run yields why.

        Args:
            sets: The sets.
            workers: Most threads at work.
            hashed: Whether to take the hash of each, which takes longer than to run it.
        """
        waiting: dict[int, Outcome | Refusal] = {}
        following = 0
        for found in self.run_all(list(enumerate(sets)), workers, hashed=hashed):
            waiting.update(found)
            while following in waiting:
                yield waiting.pop(following)
                following += 1

    def run_all(
        self,
        sets: Sequence[tuple[int, ParameterSet]],
        workers: int,
        *,
        hashed: bool = False,
        told: Told = lambda _: None,
    ) -> Iterator[list[tuple[int, Outcome | Refusal]]]:
        """Run numbered sets and yield each number with what it brought, some at a time, as they come.

        Whoever stops asking stops the work: no thread goes on behind the next block of bars.

        Args:
            sets: Numbers and sets.
            workers: Most threads at work.
            hashed: Whether to take the hash of each.
            told: Of base bars passed, once for each set; called by several threads.
        """
        ended = Event()
        share = -(-len(sets) // workers)
        size = max(1, min(share, max(CHUNK_SETS_MIN, min(CHUNK_SETS_MAX, share // CHUNKS_A_WORKER))))
        chunks = [sets[first : first + size] for first in range(0, len(sets), size)]
        with ThreadPoolExecutor(max_workers=workers) as pool:
            running = [pool.submit(self.run_chunk, chunk, hashed, told, ended.is_set) for chunk in chunks]
            try:
                for done in as_completed(running):
                    yield done.result()
            finally:
                ended.set()
                pool.shutdown(cancel_futures=True)

    def run_chunk(
        self,
        sets: Sequence[tuple[int, ParameterSet]],
        hashed: bool,
        told: Told,
        stopped: Callable[[], bool],
    ) -> list[tuple[int, Outcome | Refusal]]:
        """Run numbered sets in this thread, those that are alike together; arguments as of `run_all`."""
        found: list[tuple[int, Outcome | Refusal]] = []
        groups: dict[object, list[Job]] = {}
        for number, values in sets:
            if stopped():
                return found
            try:
                strategy, market = self.load(values)
            except UsageError as error:
                found.append((number, Refusal(error.reason, error.message)))
                continue
            if hashed or strategy.kernel is None:
                found.append((number, judge(strategy, market, run_alone(strategy, market))))
                told(market.base_bars)
            else:
                job = Job(number, strategy, market)
                groups.setdefault(alike(job), []).append(job)
        for jobs in groups.values():
            found += run_together(jobs, told=told, stopped=stopped)
        return found

    def load(self, values: ParameterSet) -> tuple[Strategy, Market]:
        """Return the strategy with a set of values, and its market.

        Raises:
            UsageError: If it is not valid with them, or there is no data for it.
        """
        strategy = self._source.load(values)
        return strategy, self._market_of(strategy, self._window)


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
    legs = record.legs()
    days, sessions = session_equity(record, market)
    start = strategy.terms.account.start_equity
    figures = metrics(record, legs, start_equity=start, sessions=sessions, per_year=market.calendar.sessions_per_year)
    returns = session_returns(postings_from_money(start), sessions)
    look = look_of(strategy, market, days, returns, figures, "sweep")
    return Outcome(figures, record.result_hash(), len(legs), returns, record.stop_reason.value, look)
