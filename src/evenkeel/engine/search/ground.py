"""What a search runs on: a strategy with open values, its bars, and the window that is searched or held back.

ground = Ground.of(source, markets, (start_ns, end_ns))
searched, held = ground.split(0.3)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec

from evenkeel.engine.market import Market
from evenkeel.engine.sweep.evaluate import Evaluator, MarketOf, Outcome, Refusal
from evenkeel.engine.sweep.source import StrategySource, Window
from evenkeel.engine.sweep.space import Axis, Values
from evenkeel.engine.trials import Source, TrialLedger
from evenkeel.model.errors import UsageError
from evenkeel.model.ids import short_hash
from evenkeel.model.time import DAY
from evenkeel.strategies.strategy import Strategy

_WHOLE_DAYS_MIN = 10
"""Windows of so many days are cut at midnights, UTC."""

HOLDOUT_MAX = 0.9


@dataclass(frozen=True)
class Ground:
    """A strategy with open values and the bars that it runs on.

    Attributes:
        source: The strategy.
        markets: Gives its market over a window.
        strategy: As it is without a search.
        market: All of its bars that are asked for.
        ledger: Where every look is counted.
    """

    source: StrategySource
    markets: MarketOf
    strategy: Strategy
    market: Market
    ledger: TrialLedger

    @classmethod
    def of(cls, source: StrategySource, markets: MarketOf, window: Window, ledger: TrialLedger) -> Ground:
        """Load a strategy as it is, and its bars."""
        strategy = source.load({})
        return cls(source, markets, strategy, markets(strategy, window), ledger)

    @property
    def window(self) -> tuple[int, int]:
        """First instant of the bars and first instant behind them."""
        return self.market.window

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
        for found in Evaluator(self.source, self.markets, window).run_many(sets, workers):
            yield self.counted(found, source) if isinstance(found, Outcome) else found

    def counted(self, found: Outcome, source: Source) -> Outcome:
        """Count a run as a look, and return it."""
        look = msgspec.structs.replace(found.look, source=source)
        self.ledger.add_all([look])
        return replace(found, look=look)

    def name(self, what: str, facts: object) -> str:
        """Return the name of the folder of a search: the same for the same strategy, bars and facts."""
        known = [what, self.strategy.hash, self.market.data_hash, self.window, facts]
        return f"{self.strategy.name}-{short_hash(msgspec.json.encode(known, order='deterministic'), 10)}"
