"""The terms of a run: money, costs, limits and order habits, resolved once and used by every lane and mode."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from evenkeel.model.errors import require
from evenkeel.model.intent import TimeInForce
from evenkeel.strategies.account_rules import AccountRules
from evenkeel.strategies.fill_models import FillModel, fill_models

MODELS = ("percent_equity", "risk_based", "fixed_usdt", "fixed_quantity")
FRACTION_MODELS = ("percent_equity", "risk_based")

STOP_BEYOND = ("reject", "adjust", "warn")
IMPACT_MODES = ("disabled", "linear", "sqrt")
QUEUE_MODELS = ("touch", "trade_through", "volume_ahead")
TRIGGER_SOURCES = ("LastPrice", "MarkPrice", "IndexPrice")

MONEY_MAX = 10**10
"""Largest amount of money of a run: its count of 1e-8 and sums of it stay within 64 bits."""


class SizingTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How much an entry is.

    Attributes:
        model: `percent_equity`, `risk_based`, `fixed_usdt` or `fixed_quantity`.
        value: A fraction for the first two, account currency for the third, units for the last.
        include_costs: `risk_based` only: whether the loss at the stop includes fees and slippage.
        basis: `fixed_usdt` only: `margin` or `notional`.
        max_leverage: Largest leverage of a position.
    """

    model: str = "percent_equity"
    value: Decimal = Decimal(1)
    include_costs: bool = False
    basis: str = "margin"
    max_leverage: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        require(self.model in MODELS, f"sizing.model must be one of {', '.join(MODELS)}", was=self.model)
        require(self.basis in ("margin", "notional"), "sizing.basis is margin or notional", was=self.basis)
        top = 1 if self.model in FRACTION_MODELS else MONEY_MAX
        require(0 < self.value <= top, f"sizing.value must be above 0 and at most {top}", was=str(self.value))
        require(self.max_leverage > 0, "sizing.max_leverage must be above 0", was=str(self.max_leverage))


class MarginTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How an isolated position is margined and liquidated.

    Attributes:
        liquidates: Whether positions are liquidated at all: perpetuals are.
        maintenance: Maintenance margin rate.
        deduction: Maintenance margin deduction of the risk tier, account currency.
        liquidation_fee: Rate charged at a liquidation.
        min_distance: An entry whose liquidation lies nearer than this fraction of the price is refused; 0 is off.
        stop_beyond: What becomes of an entry whose stop lies behind it: `reject`, `adjust` or `warn`.
        goes_on: Whether the run goes on after a liquidation.
    """

    liquidates: bool = False
    maintenance: Decimal = Decimal("0.005")
    deduction: Decimal = Decimal(0)
    liquidation_fee: Decimal = Decimal(0)
    min_distance: Decimal = Decimal("0.05")
    stop_beyond: str = "reject"
    goes_on: bool = False

    def __post_init__(self) -> None:
        for name in ("maintenance", "liquidation_fee", "min_distance"):
            rate = getattr(self, name)
            require(0 <= rate < 1, f"margin.{name} is a fraction from 0 to below 1", was=str(rate))
        require(self.deduction >= 0, "margin.deduction must not be negative", was=str(self.deduction))
        require(
            self.stop_beyond in STOP_BEYOND, f"margin.stop_beyond is one of {', '.join(STOP_BEYOND)}",
            was=self.stop_beyond,
        )  # fmt: skip


class ImpactTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How the price moves with the size of a fill (plays.md 6.9).

    Attributes:
        mode: `disabled`, `linear` or `sqrt` of the participation.
        coefficient: Move at a participation of 1, as a fraction of the price.
        largest: Never more than this.
    """

    mode: str = "disabled"
    coefficient: Decimal = Decimal("0.005")
    largest: Decimal = Decimal("0.01")

    def __post_init__(self) -> None:
        require(self.mode in IMPACT_MODES, f"impact.mode is one of {', '.join(IMPACT_MODES)}", was=self.mode)
        for name in ("coefficient", "largest"):
            require(0 <= getattr(self, name) < 1, f"impact.{name} is a fraction from 0 to below 1")


class QueueTerms(msgspec.Struct, frozen=True, kw_only=True):
    """When a resting limit is our turn, an entry or a Limit target.

    Attributes:
        model: `touch`, `trade_through` or `volume_ahead`.
        ticks: `trade_through` only: how far beyond its price the market must go.
        share: `volume_ahead` only: part of the volume of the bar in which it comes to rest that stands before it.
    """

    model: str = "touch"
    ticks: int = 1
    share: Decimal = Decimal("0.1")

    def __post_init__(self) -> None:
        require(self.model in QUEUE_MODELS, f"queue.model is one of {', '.join(QUEUE_MODELS)}", was=self.model)
        require(self.ticks >= 1, "queue.ticks is at least 1", was=self.ticks)
        require(self.share >= 0, "queue.share must not be negative", was=str(self.share))


class AccountTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Money, costs and limits; rates and limits are fractions.

    Attributes:
        currency: Account currency, equal to the instrument's quote currency.
        start_equity: Money at the start.
        taker: Fee of the notional of a fill that took liquidity.
        maker: Fee of the notional of a fill that rested.
        per_contract: Fee per unit and side on top.
        slippage: Adverse price move of every fill that takes.
        half_spread: Half the spread between bid and ask, as a fraction of the price; market prices lie between them.
        max_drawdown: The run stops at this fall from the peak; 1 is off.
        stop_equity: The run stops when equity falls to this.
        min_notional: Smaller entries are refused.
        max_notional: Largest position; None is no cap.
        max_margin: Largest margin of a position; None is no cap.
        max_position: Largest position as a fraction of equity times leverage.
        include_close_fee: Whether the fee of the close is kept free when an entry is sized.
        margin: How positions are margined and liquidated.
        rules: What the broker asks of the account.
        impact: How the price moves with the size of a fill.
        latency_ms: How much later than its decision an order of ours is at the venue.
        queue: When a resting limit is our turn.
        max_volume_fraction: Part of a base bar's volume that can fill; None is no limit.
        trigger_source: Price that sets off stops: `LastPrice`, `MarkPrice` or `IndexPrice`.
        funding: Whether a position pays and receives funding: perpetuals do, unless the account says otherwise.
        funding_rate: What a long pays on its notional each eight hours where no history of rates is known; None pays
            nothing there.
    """

    currency: str
    start_equity: Decimal = Decimal(10000)
    taker: Decimal
    maker: Decimal
    per_contract: Decimal = Decimal(0)
    slippage: Decimal = Decimal(0)
    half_spread: Decimal = Decimal(0)
    max_drawdown: Decimal = Decimal("0.2")
    stop_equity: Decimal = Decimal(0)
    min_notional: Decimal = Decimal(0)
    max_notional: Decimal | None = None
    max_margin: Decimal | None = None
    max_position: Decimal = Decimal("0.95")
    include_close_fee: bool = True
    margin: MarginTerms = MarginTerms()
    rules: AccountRules = AccountRules()
    impact: ImpactTerms = ImpactTerms()
    latency_ms: int = 0
    queue: QueueTerms = QueueTerms()
    max_volume_fraction: Decimal | None = None
    trigger_source: str = "LastPrice"
    funding: bool = True
    funding_rate: Decimal | None = None

    def __post_init__(self) -> None:
        require(
            0 < self.start_equity <= MONEY_MAX, f"start_equity must be above 0 and at most {MONEY_MAX}",
            was=str(self.start_equity),
        )  # fmt: skip
        require(0 <= self.stop_equity < self.start_equity, "stop_equity must lie below start_equity")
        for name in ("taker", "maker", "slippage", "half_spread"):
            rate = getattr(self, name)
            require(0 <= rate < 1, f"{name} is a fraction from 0 to below 1", was=str(rate))
        for name in ("max_drawdown", "max_position"):
            share = getattr(self, name)
            require(0 < share <= 1, f"{name} is a fraction above 0 and at most 1", was=str(share))
        for name in ("per_contract", "min_notional", "latency_ms"):
            require(getattr(self, name) >= 0, f"{name} must not be negative", was=str(getattr(self, name)))
        part = self.max_volume_fraction
        require(part is None or 0 < part <= 1, "max_volume_fraction is above 0 and at most 1", was=str(part))
        sources = ", ".join(TRIGGER_SOURCES)
        require(self.trigger_source in TRIGGER_SOURCES, f"trigger_source is one of {sources}", was=self.trigger_source)


class LadderStep(msgspec.Struct, frozen=True, kw_only=True):
    """One of several targets.

    Attributes:
        ratio: Distance as a multiple of the stop's; None where `fraction` says it.
        fraction: Distance as a fraction of the decision price; None where `ratio` says it.
        share: Part of the position that it closes.
    """

    ratio: Decimal | None = None
    fraction: Decimal | None = None
    share: Decimal


class TrailTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How the stop follows the price.

    Attributes:
        activation: Profit at a base close, as a fraction of the entry price, from which on it follows.
        fraction: Distance from the close as a fraction of it; None keeps the distance that the entry came with.
    """

    activation: Decimal = Decimal(0)
    fraction: Decimal | None = None


class EvenTerms(msgspec.Struct, frozen=True, kw_only=True):
    """When the stop goes to break-even.

    Attributes:
        activation: Profit at a base close, as a fraction of the entry price.
        offset: How far beyond the entry price the stop then lies, as a fraction of it.
    """

    activation: Decimal
    offset: Decimal


class OrderTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How entries and targets are worked.

    Attributes:
        time_in_force: Of limit entries.
        expire_bars: Execution bars a resting entry lives; 0 is for ever.
        target_is_limit: Whether targets rest as limit orders (maker, no slippage) or fire as market orders.
        stop_is_limit: Whether a stop that is reached becomes a limit at its level, or a market order.
        trade_through: Whether a resting entry fills only when the price goes beyond it.
        target_ratio: Multiple of the stop's distance at which the target lies; None for any other target.
        ladder: Several targets, in place of one.
        trail: None does not trail.
        break_even: None does not go to break-even.
    """

    time_in_force: TimeInForce = TimeInForce.GTC
    expire_bars: int = 0
    target_is_limit: bool = False
    stop_is_limit: bool = False
    trade_through: bool = False
    target_ratio: Decimal | None = None
    ladder: tuple[LadderStep, ...] = ()
    trail: TrailTerms | None = None
    break_even: EvenTerms | None = None


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """All terms of a run."""

    account: AccountTerms
    sizing: SizingTerms = SizingTerms()
    order: OrderTerms = OrderTerms()

    def models(self) -> tuple[FillModel, ...]:
        """Return what the run assumes of market and venue, by name."""
        return fill_models(self.account, self.order)
