"""Recipes: everything that a generated market depends on. Equal recipes give equal bytes.

recipe = Recipe(regime="trend_up_clean", minutes=43_200, seed=42, parameters=Parameters(trend_magnitude=0.1))
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from evenkeel.data.synthetic.parameters import Parameters
from evenkeel.data.synthetic.regimes import regime_of
from evenkeel.model.errors import UsageError, require
from evenkeel.model.number import plain
from evenkeel.model.time import MINUTE, SECOND, TIMEFRAMES, YEAR_MAX, Timeframe, format_time

FIRST_OPEN_NS = 1_514_764_800_000_000_000
"""2018-01-01T00:00:00Z, a Monday: the first bar of every timeframe up to a month is whole."""

MINUTES_MIN, MINUTES_MAX = 100, 4_000_000
"""Fewer have no shape; more than seven and a half years are no longer a pleasure to wait for."""

LONGEST_MONTH = 31 * 1_440

TICKS_MIN, TICKS_MAX = 1_000, 1_000_000_000_000
"""Ticks of the base price: with fewer the grid would hide the shape, with more a price would not be exact."""

TURNOVER = 500_000.0
"""Traded in an ordinary minute without a move, in the quote currency."""

HALTS_MAX = 20
MISSING_MAX = 0.2


def minutes_of(bars: int, timeframe: Timeframe) -> int:
    """Return the length of the path that holds so many complete bars of a timeframe, from `FIRST_OPEN_NS` on.

    A strategy of several timeframes wants its bars counted in the slowest one.

    Raises:
        UsageError: If a generated market cannot be that short or long.
    """
    minutes = _minutes_of_months(bars) if timeframe.name == "M" else bars * timeframe.minutes
    if MINUTES_MIN <= minutes <= MINUTES_MAX:
        return minutes
    more = "more" if minutes < MINUTES_MIN else "fewer"
    raise UsageError(
        f"{bars:,} bars of {timeframe} are {minutes:,} minutes; a generated market has {MINUTES_MIN:,} to "
        f"{MINUTES_MAX:,}. Ask for {more}: {-(-MINUTES_MIN // timeframe.minutes):,} to {bars_max(timeframe):,} bars of "
        f"{timeframe}"
    )


def bars_max(timeframe: Timeframe) -> int:
    """Return how many bars of a timeframe the longest market has at least."""
    return MINUTES_MAX // (LONGEST_MONTH if timeframe.name == "M" else timeframe.minutes)


def _minutes_of_months(count: int) -> int:
    whole, rest = divmod(count, 12)
    first = datetime.fromtimestamp(FIRST_OPEN_NS // SECOND, UTC)
    last = first.replace(year=min(first.year + whole, YEAR_MAX), month=1 + rest)
    return int((last - first).total_seconds()) // 60


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that a generated market depends on.

    Attributes:
        regime: One of `REGIMES` or `EXTENSIONS`.
        minutes: Length of the path.
        seed: Chooses the noise; another seed is another market of the same regime.
        base: First price.
        tick: Step of the prices.
        lot: Step of the volumes.
        first_open_ns: When the first bar opens, a whole minute, nanoseconds UTC.
        parameters: Of the shape.
        halts: Stretches of 30 to 240 minutes in which the exchange is halted; they have no bars.
        missing: Share of single bars that are missing.
    """

    regime: str
    minutes: int = 43_200
    seed: int = 42
    base: float = 50_000.0
    tick: Decimal = Decimal("0.1")
    lot: Decimal = Decimal("0.001")
    first_open_ns: int = FIRST_OPEN_NS
    parameters: Parameters = field(default_factory=Parameters)
    halts: int = 0
    missing: float = 0.0

    def __post_init__(self) -> None:
        regime_of(self.regime)
        minutes_of(self.minutes, TIMEFRAMES["1m"])
        require(self.tick > 0 and self.lot > 0, "tick and lot must be positive")
        require(
            TICKS_MIN <= self.base / float(self.tick) <= TICKS_MAX,
            f"the base price is {self.base:g} with a tick of {plain(self.tick)}; it must be {TICKS_MIN:,} to "
            f"{TICKS_MAX:,} ticks. Take another price or another tick",
        )
        require(
            self.first_open_ns % MINUTE == 0,
            f"the first bar opens at {format_time(self.first_open_ns)}; it must open on a whole minute",
        )
        require(0 <= self.halts <= HALTS_MAX, f"there may be 0 to {HALTS_MAX} halts, not {self.halts}")
        require(
            0.0 <= self.missing <= MISSING_MAX,
            f"the share of missing bars is {self.missing:g}; it must lie from 0 to {MISSING_MAX:g}",
        )
