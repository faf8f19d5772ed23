"""What a strategy knew when it decided an entry, as far as the audit derives it: the price, and ATRs."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from evenkeel.readiness.audit.artifacts import Trade
from evenkeel.readiness.audit.average_range import AverageRanges
from evenkeel.readiness.audit.bars import BaseBars, Columns
from evenkeel.readiness.audit.tally import Floats, Ints
from evenkeel.readiness.audit.terms import Terms

Moment = tuple[int, int]
"""When a trade was decided and when it was entered, nanoseconds."""


class Knowledge:
    """Prices and ATRs at the decisions of a run, each looked up once; all None where the bars were not given."""

    def __init__(self, terms: Terms, bars: BaseBars | None, higher: Mapping[str, Columns]) -> None:
        self._bars = bars
        self._ranges = None if bars is None else AverageRanges(terms, bars, higher)
        self._prices: dict[Moment, tuple[int | None, Decimal | None]] = {}
        self._averages: dict[tuple[Moment, str | None], Decimal | None] = {}

    def price(self, trade: Trade) -> Decimal | None:
        """Return the last close known at the decision: the reference of all distances."""
        return self._at_decision(trade)[1]

    def average_range(self, trade: Trade, feature: str | None) -> Decimal | None:
        """Return the ATR feature at the decision."""
        key = (trade.decided_ns, trade.entry_ns), feature
        if self._ranges is None or feature is None:
            return None
        if key not in self._averages:
            self._averages[key] = self._ranges.at(feature, self._at_decision(trade)[0])
        return self._averages[key]

    def average_ranges(self, feature: str | None, rows: Ints) -> Floats | None:
        """Return an ATR as the closes of base bars knew it, NaN where it had no value; None if it is no ATR."""
        return None if self._ranges is None or feature is None else self._ranges.at_rows(feature, rows)

    def _at_decision(self, trade: Trade) -> tuple[int | None, Decimal | None]:
        """Return the last base bar that was closed at the decision, and its close."""
        key = trade.decided_ns, trade.entry_ns
        if self._bars is None:
            return None, None
        if key not in self._prices:
            row = self._bars.decision_row(trade.decided_ns, trade.entry_ns)
            self._prices[key] = row, None if row is None else self._bars.bar(row).close
        return self._prices[key]
