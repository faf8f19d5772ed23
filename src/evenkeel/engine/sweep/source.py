"""Where the strategies and the markets of a sweep come from: one file with other values each time, bars read once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from evenkeel.data.catalog import Catalog
from evenkeel.engine.market import GapPolicy, Market, MarketMemory, load_market
from evenkeel.engine.sweep.space import value_text
from evenkeel.model.instrument import Instrument
from evenkeel.strategies.library import Library
from evenkeel.strategies.load import load_strategy
from evenkeel.strategies.strategy import Strategy, run_window

Window: TypeAlias = "tuple[int | None, int | None]"
"""First instant and first instant behind, nanoseconds UTC; None takes the strategy's own, else where the data ends."""


@dataclass(frozen=True, slots=True)
class StrategySource:
    """A strategy whose values are still open.

    Attributes:
        text: A file with its path, `file.py:Class`, or the name of an example.
        instruments: Finds an instrument by id or unique symbol.
        fixed: Values that every set shares, by variable name or dotted path, as YAML text.
        library: Where the blocks of a play are looked up; None takes those that ship.
        symbol: Trade this instrument instead of the strategy's own.
    """

    text: str
    instruments: Callable[[str], Instrument]
    fixed: Mapping[str, str] = field(default_factory=dict)
    library: Library | None = None
    symbol: str | None = None

    def load(self, values: Mapping[str, object]) -> Strategy:
        """Return the strategy with a set of values.

        Raises:
            UsageError: If it is not valid with them.
        """
        sets = {**self.fixed, **{name: value_text(value) for name, value in values.items()}}
        return load_strategy(
            self.text, instruments=self.instruments, sets=sets, library=self.library, symbol=self.symbol
        )


@dataclass(frozen=True, slots=True)
class CatalogMarkets:
    """Loads the market of each strategy, and reads, checks and aggregates the bars behind it once.

    Attributes:
        catalogs: Looked through in order.
        gaps: What to do about bars that the calendar expects and that are missing.
        memory: What has been loaded.
    """

    catalogs: Sequence[Catalog]
    gaps: GapPolicy = "stop"
    memory: MarketMemory = field(default_factory=MarketMemory)

    def apart(self) -> CatalogMarkets:
        """Return equal markets that have loaded nothing yet."""
        return CatalogMarkets(self.catalogs, self.gaps)

    def __call__(self, strategy: Strategy, window: Window) -> Market:
        """Return the market of a strategy over a window.

        Raises:
            UsageError: If there is no usable data.
        """
        start, end = run_window(strategy, *window)
        return load_market(
            self.catalogs, strategy.instrument, strategy.program, start_ns=start, end_ns=end, gaps=self.gaps,
            memory=self.memory,
        )  # fmt: skip
