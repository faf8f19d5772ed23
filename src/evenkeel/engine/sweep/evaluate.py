"""One set of parameters, run and judged: what sweeps and searches ask for.

    evaluator = Evaluator(StrategySource("ema_cross", definitions.find), CatalogMarkets(catalogs), (None, None))
    evaluator.run({"fast": 10, "slow": 50}).metrics["sharpe"]

The figures and the hash of a set are those that `keel backtest` gives for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from evenkeel.engine.backtest import BacktestDriver
from evenkeel.engine.core import RunFacts
from evenkeel.engine.market import Market
from evenkeel.engine.metrics import metrics, session_returns
from evenkeel.engine.record import RunRecord
from evenkeel.engine.research import run_research
from evenkeel.engine.results import session_equity
from evenkeel.engine.sweep.crew import Crew, Found, Processes, Threads
from evenkeel.engine.sweep.outcome import Outcome, Refusal
from evenkeel.engine.sweep.source import CatalogMarkets, StrategySource, Window
from evenkeel.engine.sweep.together import Job, Told, alike, run_together
from evenkeel.engine.trials import look_of
from evenkeel.model.errors import UsageError
from evenkeel.model.ids import RunId, StrategyId
from evenkeel.model.number import postings_from_money
from evenkeel.strategies.load import is_python
from evenkeel.strategies.strategy import Strategy

ParameterSet: TypeAlias = "Mapping[str, object]"
MarketOf: TypeAlias = "Callable[[Strategy, Window], Market]"

__all__ = ["Evaluator", "MarketOf", "Outcome", "ParameterSet", "Refusal", "judge", "run_alone"]


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
        crew: Crew | None = None,
    ) -> Iterator[Found]:
        """Run numbered sets and yield each number with what it brought, some at a time, as they come.

        Whoever stops asking stops the work.

        Args:
            sets: Numbers and sets.
            workers: Most at work, where no crew is given.
            hashed: Whether to take the hash of each.
            told: Of base bars passed, once for each set; called by several threads.
            crew: Who does the work; None takes threads, or processes where a strategy decides in Python.
        """
        if crew is None:
            crew = Processes(workers) if is_python(self._source.text) else Threads(workers)
        return crew.run(self, sets, hashed=hashed, told=told)

    def run_chunk(
        self,
        sets: Sequence[tuple[int, ParameterSet]],
        hashed: bool,
        told: Told,
        stopped: Callable[[], bool],
    ) -> Found:
        """Run numbered sets in this thread; arguments as of `run_all`."""
        found: Found = []
        jobs: list[Job] = []
        for one in self.jobs(sets):
            if stopped():
                return found
            if isinstance(one, Job):
                jobs.append(one)
            else:
                found.append(one)
        return found + run_jobs(jobs, hashed=hashed, told=told, stopped=stopped)

    def jobs(self, sets: Iterable[tuple[int, ParameterSet]]) -> Iterator[Job | tuple[int, Refusal]]:
        """Yield a job for each numbered set, or why it cannot run."""
        for number, values in sets:
            try:
                strategy, market = self.load(values)
            except UsageError as error:
                yield number, Refusal(error.reason, error.message)
            else:
                yield Job(number, strategy, market)

    def more_facts(self, values: ParameterSet) -> dict[str, Any]:
        """Return what else makes a sweep what it is, beside strategy, instrument and data of a set; here nothing."""
        del values
        return {}

    def sessions_per_year(self, values: ParameterSet) -> float:
        """Return by what the figures a year of a set are taken."""
        return self.load(values)[1].calendar.sessions_per_year

    def apart(self) -> Evaluator:
        """Return an equal evaluator for another process, without what this one has loaded."""
        market_of = self._market_of.apart() if isinstance(self._market_of, CatalogMarkets) else self._market_of
        return Evaluator(self._source, market_of, self._window)

    def load(self, values: ParameterSet) -> tuple[Strategy, Market]:
        """Return the strategy with a set of values, and its market.

        Raises:
            UsageError: If it is not valid with them, or there is no data for it.
        """
        strategy = self._source.load(values)
        return strategy, self._market_of(strategy, self._window)


def run_jobs(jobs: Sequence[Job], *, hashed: bool, told: Told, stopped: Callable[[], bool]) -> Found:
    """Run jobs in this thread, those that are alike together.

    Args:
        jobs: What to run.
        hashed: Whether to take the hash of each, for which it runs alone.
        told: Of base bars passed, once for each job.
        stopped: Whether to give up.
    """
    found: Found = []
    groups: dict[object, list[Job]] = {}
    for job in jobs:
        if not hashed and job.strategy.kernel is not None:
            groups.setdefault(alike(job), []).append(job)
        elif not stopped():
            record = run_alone(job.strategy, job.market)
            found.append((job.number, judge(job.strategy, job.market, record)))
            told(job.market.base_bars)
    for group in groups.values():
        found += run_together(group, told=told, stopped=stopped)
    return found


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
