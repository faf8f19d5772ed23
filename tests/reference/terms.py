"""What the slow exchange is told: bars, rules, and what a strategy wants, in exact decimals.

Rates and shares are fractions, distances and prices are prices, quantities are units of the instrument.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

ZERO, ONE = Decimal(0), Decimal(1)
CENT_OF_A_MICRO = Decimal("1e-8")
NO_FUNDING_MINUTE = 1
MINUTE_MS = 60_000


def down(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).to_integral_value(ROUND_FLOOR) * step


def up(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).to_integral_value(ROUND_CEILING) * step


def nearest(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).to_integral_value(ROUND_HALF_EVEN) * step


def posted(amount: Decimal) -> Decimal:
    return amount.quantize(CENT_OF_A_MICRO, ROUND_HALF_EVEN)


@dataclass(frozen=True)
class Bar:
    """One base bar; `minute` counts from 1970 and names its open; `mark` has open, high and low of the mark price.

    `funding` holds the historical rates that are due at its open, each with the mark price of that instant where one is
    stored; None says that there is no history.
    """

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = ONE
    minute: int = NO_FUNDING_MINUTE
    mark: tuple[Decimal, Decimal, Decimal] | None = None
    funding: tuple[tuple[Decimal, Decimal | None], ...] | None = None

    def marks(self) -> tuple[Decimal, Decimal, Decimal]:
        """Open, high and low against which liquidation is tested (6.6, 3)."""
        return self.mark or (self.open, self.high, self.low)


@dataclass(frozen=True)
class Step:
    """One target: so far away, or so many stop distances away, for this share of the entry."""

    distance: Decimal | None = None
    rr: Decimal | None = None
    share: Decimal = ONE


@dataclass(frozen=True)
class Trail:
    """Follows the close at a fixed distance, or at a share of the close, once the profit has reached `activation`."""

    distance: Decimal | None = None
    share: Decimal | None = None
    activation: Decimal = ZERO


@dataclass(frozen=True)
class BreakEven:
    """Once the profit has reached `activation`, the stop goes to the entry price plus `offset` of it."""

    activation: Decimal
    offset: Decimal


@dataclass(frozen=True)
class Plan:
    """How a position will be left; `ladder` says that the targets are steps, be it a single one."""

    stop: Decimal | None = None
    targets: tuple[Step, ...] = ()
    ladder: bool = False
    trail: Trail | None = None
    break_even: BreakEven | None = None


@dataclass(frozen=True)
class Decision:
    """What the strategy wants at a close: to enter while flat, to close a share while holding.

    `price` is the limit or the trigger, `limit` the limit of a stop-limit. `conflict` says that it wanted to enter both
    sides at once, which is no entry (1.8).
    """

    side: int = 0
    kind: str = "market"
    price: Decimal | None = None
    plan: Plan = Plan()
    leave_long: Decimal = ZERO
    leave_short: Decimal = ZERO
    conflict: bool = False
    limit: Decimal | None = None


@dataclass(frozen=True)
class Tier:
    """A row of the risk tiers: up to this notional, with this maintenance rate, deduction and largest leverage."""

    notional: Decimal
    maintenance: Decimal
    deduction: Decimal
    leverage: Decimal


@dataclass(frozen=True)
class Rules:
    """Costs, limits, grids and order habits.

    `funding` is the rate of every eighth hour where the bars carry no history of their own, None pays neither;
    `trigger` names the price that fires stops and market targets; `volume_fraction` limits what may be filled of a bar.
    `queue` says when a limit that rests is reached (0008.23): at its price, `queue_ticks` beyond it, or when what stood
    before it, `queue_share` of the volume of the bar in which it came to rest, has traded at its price.
    """

    start: Decimal = Decimal(10000)
    taker: Decimal = ZERO
    maker: Decimal = ZERO
    per_contract: Decimal = ZERO
    slippage: Decimal = ZERO
    tick: Decimal = Decimal("0.01")
    lot: Decimal = Decimal("0.001")
    multiplier: Decimal = ONE
    max_drawdown: Decimal = ONE
    stop_equity: Decimal = ZERO
    time_in_force: str = "GTC"
    expire_bars: int = 0
    target_is_limit: bool = False
    trade_through: bool = False
    model: str = "fixed_quantity"
    value: Decimal = ONE
    include_costs: bool = False
    basis: str = "margin"
    leverage: Decimal = ONE
    max_position: Decimal = Decimal("0.95")
    max_notional: Decimal | None = None
    max_margin: Decimal | None = None
    min_notional: Decimal = ZERO
    min_quantity: Decimal = Decimal("0.001")
    max_quantity: Decimal | None = None
    include_close_fee: bool = True
    perpetual: bool = True
    maintenance: Decimal = Decimal("0.005")
    deduction: Decimal = ZERO
    liquidation: Decimal | None = None
    on_sl_beyond_liq: str = "reject"
    min_liq_distance: Decimal = ZERO
    continue_after_liquidation: bool = False
    funding: Decimal | None = ZERO
    impact: str = "disabled"
    impact_coef: Decimal = Decimal("0.0050")
    impact_max: Decimal = Decimal("0.0100")
    volume_fraction: Decimal | None = None
    entries_per_bar: int = 1
    trigger: str = "LastPrice"
    half_spread: Decimal = ZERO
    latency_ms: int = 0
    base_minutes: int = 1
    queue: str = "touch"
    queue_ticks: int = 1
    queue_share: Decimal = Decimal("0.1")
    stop_is_limit: bool = False
    tiers: tuple[Tier, ...] = ()

    @property
    def latency_bars(self) -> int:
        """Whole base bars by which an order comes later to the venue (0008.22), rounded up."""
        return -(-self.latency_ms // (self.base_minutes * MINUTE_MS))

    @property
    def liquidation_rate(self) -> Decimal:
        """Fee rate of a liquidation (6.7): the taker's unless given."""
        return self.taker if self.liquidation is None else self.liquidation
