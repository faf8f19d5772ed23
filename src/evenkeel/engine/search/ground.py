"""What a search runs on: a strategy with open values, its bars, and the window that is searched or held back.

ground = Ground.of(source, markets, (start_ns, end_ns))
searched, held = ground.split(0.3)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from evenkeel.engine.portfolio.instance import Instance, in_order
from evenkeel.engine.portfolio.run import hash_of
from evenkeel.engine.sweep.evaluate import Evaluator, MarketOf, Outcome, Refusal
from evenkeel.engine.sweep.joint import JointEvaluator
from evenkeel.engine.sweep.source import StrategySource, Window
from evenkeel.engine.sweep.space import Axis, Values
from evenkeel.engine.trials import DataSet, Source, TrialLedger
from evenkeel.model.bar import Ints
from evenkeel.model.errors import UsageError
from evenkeel.model.ids import short_hash
from evenkeel.model.time import DAY
from evenkeel.strategies.strategy import Strategy

_WHOLE_DAYS_MIN = 10
"""Windows of so many days are cut at midnights, UTC."""

HOLDOUT_MAX = 0.9


@dataclass(frozen=True)
class Ground:
    """A strategy with open values and the bars that it runs on: of one instrument, or of several on one account.

    Attributes:
        source: The strategy; of several instruments, on the first of them.
        markets: Gives its market over a window.
        instances: The strategy as it is without a search, on all bars that are asked for, in the order of the ids.
        window: First instant for which all instruments have bars, and first instant behind them.
        ledger: Where every look is counted.
    """

    source: StrategySource
    markets: MarketOf
    instances: tuple[Instance, ...]
    window: tuple[int, int]
    ledger: TrialLedger

    @classmethod
    def of(
        cls, source: StrategySource, markets: MarketOf, window: Window, ledger: TrialLedger, symbols: Sequence[str] = ()
    ) -> Ground:
        """Load a strategy as it is, and its bars.

        Args:
            source: The strategy.
            markets: Gives its market over a window.
            window: The range that is asked for.
            ledger: Where every look is counted.
            symbols: Several instruments for one account; none for that of the strategy.

        Raises:
            UsageError: If the strategy or its bars are not as they must be, or the instruments have no time in common.
        """
        strategies = [one.load({}) for one in [replace(source, symbol=symbol) for symbol in symbols] or [source]]
        instances = in_order([Instance(one, markets(one, window)) for one in strategies])
        first = replace(source, symbol=str(instances[0].id)) if symbols else source
        return cls(first, markets, instances, _common(instances), ledger)

    @property
    def strategy(self) -> Strategy:
        """As it is without a search; of several instruments, on the first of them."""
        return self.instances[0].strategy

    @property
    def several(self) -> bool:
        """Whether several instruments share the account."""
        return len(self.instances) > 1

    @property
    def hash(self) -> str:
        """Of all that trades, without a search."""
        return hash_of(self.instances) if self.several else self.strategy.hash

    @property
    def data(self) -> DataSet:
        """What is looked at."""
        return DataSet.of(*(one.market for one in self.instances))

    @property
    def sessions_per_year(self) -> float:
        """By which figures a year are taken; of several calendars that with the most."""
        return max(one.market.calendar.sessions_per_year for one in self.instances)

    def opens(self) -> Ints:
        """Return the opens of all bars on which is decided; of several instruments each instant of the common time."""
        stretches = [stretch for one in self.instances for stretch in one.market.stretches]
        found = np.concatenate([stretch.series.on(stretch.exec).bars.open_ns for stretch in stretches])
        if not self.several:
            return found
        return np.unique(found[(found >= self.window[0]) & (found < self.window[1])])

    def evaluator(self, window: Window) -> Evaluator:
        """Return who runs sets over a window."""
        if self.several:
            return JointEvaluator(self.source, self.markets, window, [str(one.id) for one in self.instances])
        return Evaluator(self.source, self.markets, window)

    def check(self, axes: Sequence[Axis]) -> None:
        """Refuse parameters that the strategy does not know, before anything is run.

        Raises:
            UsageError: If the strategy refuses every value of one, the others as they are.
        """
        for axis in axes:
            values = [axis.at(share) for share in (0.0, 0.5, 0.999999)]
            refusals = [error for value in values if (error := self._refusal({axis.name: value})) is not None]
            if len(refusals) == len(values) and axis.name not in refusals[0].message:
                continue
            if len(refusals) == len(values):
                raise refusals[0]

    def _refusal(self, values: Values) -> UsageError | None:
        try:
            self.source.load(values)
        except UsageError as error:
            return error
        return None

    def split(self, held: float) -> tuple[tuple[int, int], tuple[int, int] | None]:
        """Return the window to search, and the last part of it that is held back.

        Args:
            held: Share that is held back, 0 to below 0.9.

        Raises:
            UsageError: If it is not such a share.
        """
        if not 0.0 <= held < HOLDOUT_MAX:
            raise UsageError(f"--holdout is {held:.0%}; it is a share from 0% to below {HOLDOUT_MAX:.0%}")
        start, end = self.window
        if held == 0.0:
            return (start, end), None
        cut = end - round((end - start) * held)
        if end - start >= _WHOLE_DAYS_MIN * DAY:
            cut -= cut % DAY
        return (start, cut), (cut, end)

    def run(self, values: Values, window: Window, source: Source) -> Outcome:
        """Run one set over a window, and count it."""
        (found,) = self.run_all([values], window, 1, source)
        if isinstance(found, Refusal):
            raise UsageError(found.text, reason=found.reason)
        return found

    def run_all(
        self, sets: Sequence[Values], window: Window, workers: int, source: Source
    ) -> Iterator[Outcome | Refusal]:
        """Run sets over a window in their order; each that runs is counted before anybody sees what it brought."""
        for found in self.evaluator(window).run_many(sets, workers):
            yield self.counted(found, source) if isinstance(found, Outcome) else found

    def counted(self, found: Outcome, source: Source) -> Outcome:
        """Count a run as a look, and return it."""
        look = msgspec.structs.replace(found.look, source=source)
        self.ledger.add_all([look])
        return replace(found, look=look)

    def name(self, what: str, facts: object) -> str:
        """Return the name of the folder of a search: the same for the same strategy, bars and facts."""
        known = [what, self.hash, self.data.hash, self.window, facts]
        return f"{self.strategy.name}-{short_hash(msgspec.json.encode(known, order='deterministic'), 10)}"


def _common(instances: Sequence[Instance]) -> tuple[int, int]:
    """Return the time for which all instruments have bars: a fit or a test has all of them, or says nothing of some."""
    windows = [one.market.window for one in instances]
    start, end = max(first for first, _ in windows), min(last for _, last in windows)
    if start >= end:
        raise UsageError(
            f"{' and '.join(str(one.id) for one in instances)} have no time in common in the data, and a search of "
            "several instruments needs bars of all; search them apart with --symbol"
        )
    return start, end
