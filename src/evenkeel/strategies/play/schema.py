"""The shape of a play file: every section as a model, from which files are checked and the JSON Schema is made.

Only what is built stands here. What is specified but missing is refused by `refusals` before these models see it, and
what lies inside expressions, `params` and `metadata` is checked by the modules that know the registry.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from evenkeel.model.errors import UsageError
from evenkeel.model.time import TIMEFRAME_ALIASES, TIMEFRAMES, Timeframe

SCHEMA_VERSION = "3.0.0"
"""Version of the play format; another major version is refused."""


def _canonical_timeframe(value: Any) -> Any:
    """Understand `1d` and its like; leave the rest for the check against the list."""
    try:
        return Timeframe.parse(value).name if isinstance(value, str) else value
    except UsageError:
        return value


TimeframeName: TypeAlias = Annotated[
    Literal["1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "D", "W", "M"],
    BeforeValidator(_canonical_timeframe),
    WithJsonSchema({"anyOf": [{"enum": [*TIMEFRAMES]}, {"pattern": f"^({'|'.join(TIMEFRAME_ALIASES)})$"}]}),
]
AMOUNT_MAX = 1e12
"""Largest quantity, distance or limit that a play may name; beyond it nothing is meant."""

SYMBOLS_MAX = 100
"""Most instruments of one play: each is a run of its own."""

LEVERAGE_MAX = 125
"""Largest leverage that a simulation takes."""

MONEY_MAX = 1e10
"""Most money of an account: books count 1e-8 in 64 bits, which ends at 9.2e10, and profits need room."""

Positive: TypeAlias = Annotated[float, Field(gt=0, le=AMOUNT_MAX)]
NotNegative: TypeAlias = Annotated[float, Field(ge=0, le=AMOUNT_MAX)]
Money: TypeAlias = Annotated[float, Field(gt=0, le=MONEY_MAX)]
Cost: TypeAlias = Annotated[float, Field(ge=0, le=MONEY_MAX)]
BasisPoints: TypeAlias = Annotated[float, Field(ge=0, lt=10_000)]
Percent: TypeAlias = Annotated[float, Field(gt=0, le=100)]
Id: TypeAlias = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[a-z][A-Za-z0-9_]*$")]

CONDITION_MARK = "x-condition"
"""Where this stands in the models' own JSON Schema, `json_schema` puts the grammar of conditions."""

Expression: TypeAlias = Annotated[Any, WithJsonSchema({CONDITION_MARK: True})]


class Section(BaseModel):
    """A map with known keys, values of exactly the stated types, and finite numbers."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False, defer_build=True)


class IncludeSection(Section):
    """A block to include."""

    block: Annotated[str, Field(min_length=1)] = Field(description="Name of the block, or its path from this file.")
    as_: Id | None = Field(default=None, alias="as", description="Prefix of its ids; default: the block's name.")
    with_: dict[str, Any] | None = Field(default=None, alias="with", description="Parameter to value.")


class Head(Section):
    """What the play is and what it trades."""

    kind: Literal["play"] = Field(default="play", description="What the file is.")
    version: str = Field(description=f'Version of the format: "{SCHEMA_VERSION}".', examples=[SCHEMA_VERSION])
    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[a-z][a-z0-9_]*$")] = Field(
        description="Name in snake_case, the same as the file's.", examples=["my_play"]
    )
    id: Id | None = Field(default=None, description="Explicit id; default: the name.")
    description: str = Field(default="", description="Free text for people.")
    symbol: Annotated[str, Field(min_length=1)] | None = Field(
        default=None,
        description="Instrument, `SYMBOL.VENUE` or a symbol that is unique; `keel instruments list` shows them.",
        examples=["BTCUSDT", "SPY.US"],
    )
    symbols: Annotated[list[str], Field(min_length=1, max_length=SYMBOLS_MAX)] | None = Field(
        default=None, description="Several instruments: each is a run of its own."
    )


class ThreeTimeframes(Section):
    """Three timeframes and which of them decisions are made on."""

    low_tf: TimeframeName = Field(description="Fastest timeframe.")
    med_tf: TimeframeName = Field(description="Middle timeframe; may equal the others.")
    high_tf: TimeframeName = Field(description="Slowest timeframe.")
    exec: Literal["low_tf", "med_tf", "high_tf"] = Field(description="Which of the three the decisions are made on.")


class TimeframesSection(ThreeTimeframes):
    """Three timeframes and how the play steps on them."""

    evaluate: Literal["bar_close", "intrabar"] = Field(
        default="bar_close", description="One decision at each close of that timeframe, or at each close of a minute."
    )
    max_entries_per_bar: Literal[1] = Field(default=1, description="Entries per execution bar.")
    allow_coarse: bool = Field(
        default=False, description="Accept fills from base bars coarser than 1m; they are marked."
    )


class FundingSection(Section):
    """Funding of a perpetual, each eight hours."""

    enabled: bool = Field(default=True, description="Whether funding is paid and received.")
    fixed_rate: Annotated[float, Field(gt=-1, lt=1)] | None = Field(
        default=None,
        description="Fraction of the notional that a long pays each eight hours where no history is known.",
    )


class ImpactSection(Section):
    """How the price moves against us with the size of a fill."""

    mode: Literal["disabled", "linear", "sqrt"] = Field(
        default="disabled", description="With the participation in a bar's volume, or with its square root."
    )
    coef_bps: BasisPoints = Field(default=50.0, description="Move at a participation of 1, in basis points.")
    max_bps: BasisPoints = Field(default=100.0, description="Never more than this, in basis points.")


class QueueSection(Section):
    """When a resting limit is our turn, an entry or a Limit target."""

    model: Literal["touch", "trade_through", "volume_ahead"] = Field(
        default="touch",
        description="At its price; `ticks` beyond it; or when `share` of a bar's volume before it is worked off.",
    )
    ticks: Annotated[int, Field(ge=1, le=1000)] = Field(default=1, description="trade_through only: ticks beyond.")
    share: Annotated[float, Field(ge=0, le=100)] = Field(
        default=0.1, description="volume_ahead only: part of the volume of the bar in which it comes to rest."
    )


class ContractMarginSection(Section):
    """What a futures contract ties up; default: the instrument's."""

    initial: Positive = Field(description="Free money that an entry needs, per contract.")
    maintenance: Positive = Field(description="Equity per contract below which the broker closes the position.")
    intraday: Positive | None = Field(
        default=None, description="In place of `initial` where nothing stays overnight; default: the same."
    )


class FeeModel(Section):
    """What a fill costs; default: the instrument's fees."""

    taker_bps: BasisPoints | None = Field(default=None, description="Basis points of the notional of a fill that took.")
    maker_bps: BasisPoints | None = Field(
        default=None, description="Basis points of the notional of a fill that rested."
    )
    per_contract: Cost | None = Field(default=None, description="Per unit and side, in account currency.")
    liquidation_bps: BasisPoints | None = Field(
        default=None, description="Basis points of the notional at a liquidation; default: as taker_bps."
    )


class AccountSection(Section):
    """Money, costs and limits of the account."""

    starting_equity: Money | None = Field(default=None, description="Money at the start; default 10000.")
    starting_equity_usdt: Money | None = Field(default=None, description="The same in USDT.")
    currency: str | None = Field(
        default=None, description="Account currency; default: the instrument's quote currency."
    )
    max_leverage: Annotated[float, Field(gt=0, le=LEVERAGE_MAX)] = Field(
        default=1.0,
        description="Largest position in proportion to its margin; above 1 for accounts that give credit only.",
    )
    max_drawdown_pct: Percent = Field(default=20.0, description="The run stops at this fall from the peak; 100 is off.")
    kind: Literal["isolated", "futures", "cash", "margin", "unlevered"] | None = Field(
        default=None,
        description="How positions are paid for; default: isolated for perpetuals, cash for coins, futures where the "
        "contract margin is known, else unlevered: in full, and no more asked.",
    )
    contract_margin: ContractMarginSection | None = Field(
        default=None, description="futures only: margin per contract; default: the instrument's."
    )
    overnight: bool = Field(
        default=True, description="futures only: false closes every position in the last bar of its session."
    )
    pattern_day_trader: bool = Field(
        default=True, description="margin only: count day trades, and refuse the entry that could be the fourth."
    )
    borrow_rate_pct: NotNegative | None = Field(
        default=None, description="margin only: yearly fee of a short position, in percent of its market value."
    )
    settlement_days: Annotated[int, Field(ge=0, le=5)] | None = Field(
        default=None, description="cash only: sessions until a sale is settled; default: the rule of its day."
    )
    extended_hours: bool = Field(
        default=False, description="Whether bars of the early and late session take part; limit orders only."
    )
    margin_mode: Literal["isolated_usdt"] = Field(
        default="isolated_usdt", description="Each position has a margin of its own; there is no other mode."
    )
    position_mode: Literal["oneway"] = Field(
        default="oneway", description="One position at a time; there is no other mode."
    )
    fee_model: FeeModel = FeeModel()
    maintenance_margin_rate: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.005, description="Fraction of the notional below which a leveraged position is liquidated."
    )
    mm_deduction: NotNegative = Field(default=0.0, description="Maintenance margin deduction of the risk tier.")
    on_sl_beyond_liq: Literal["reject", "adjust", "warn"] = Field(
        default="reject", description="When the stop would lie behind the liquidation price."
    )
    min_liq_distance_pct: Annotated[float, Field(ge=0, lt=100)] = Field(
        default=5.0, description="An entry is refused if its liquidation is closer than this; 0 is off."
    )
    continue_after_liquidation: bool = Field(default=False, description="Whether the run goes on after a liquidation.")
    funding: FundingSection = Field(default=FundingSection(), description="Funding of a perpetual.")
    impact: ImpactSection = Field(default=ImpactSection(), description="How the price moves with the size of a fill.")
    slippage_bps: BasisPoints = Field(default=2.0, description="Against us on every market fill, in basis points.")
    min_trade_notional: NotNegative | None = Field(default=None, description="Smaller orders are not sent; default 10.")
    min_trade_notional_usdt: NotNegative | None = Field(default=None, description="The same in USDT.")
    max_notional: Positive | None = Field(default=None, description="Largest position, in account currency.")
    max_notional_usdt: Positive | None = Field(default=None, description="The same in USDT.")
    max_margin: Positive | None = Field(default=None, description="Largest margin of a position, in account currency.")
    max_margin_usdt: Positive | None = Field(default=None, description="The same in USDT.")
    risk_per_trade_pct: Percent | None = Field(default=None, description="Sizing when the risk section names none.")
    max_position_equity_pct: Percent = Field(default=95.0, description="Largest position, in percent of equity.")
    include_close_fee: bool = Field(default=True, description="Keep the fee of the close free when an entry is sized.")
    require_trade_through: bool = Field(
        default=False, description="A resting limit fills only if price goes beyond it."
    )
    stop_equity: NotNegative = Field(default=0.0, description="The run stops when equity falls to this; 0 is off.")
    trigger_source: Literal["LastPrice", "MarkPrice", "IndexPrice"] = Field(
        default="LastPrice", description="The price that sets off stops, market targets and stop entries."
    )
    max_volume_fraction: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None,
        description="Part of a bar's volume that can fill; the rest of an order waits. Default: no limit.",
    )
    latency_ms: Annotated[int, Field(ge=0, le=86_400_000)] = Field(
        default=0, description="How much later than its decision an order is at the venue; it meets the next open."
    )
    half_spread_bps: BasisPoints = Field(
        default=0.0, description="Half the spread around the price, in basis points; paid on top of slippage."
    )
    queue: QueueSection = Field(default=QueueSection(), description="When a resting limit is our turn.")


class FeatureSection(Section):
    """One indicator on one timeframe."""

    indicator: str = Field(description="Name of the indicator; `keel indicators` lists them.")
    params: dict[str, Any] = Field(default_factory=dict, description="Parameters that differ from the defaults.")
    tf: str | None = Field(
        default=None, description="low_tf, med_tf, high_tf or their interval; default: the execution one."
    )
    source: str | None = Field(default=None, description="close, open, hl2, … or indicator:<feature>[.<output>].")


class StructureSection(Section):
    """One structure detector."""

    type: str = Field(description="Name of the detector; `keel indicators` lists them.")
    key: str = Field(description="Name for conditions.")
    uses: str | list[str] = Field(default_factory=list, description="Detectors above that it reads.")
    params: dict[str, Any] = Field(default_factory=dict, description="Parameters that differ from the defaults.")


ActionName: TypeAlias = Literal["entry_long", "entry_short", "exit_long", "exit_short", "exit_all", "no_action"]


class IntentSection(Section):
    """What a block wants when a case holds."""

    action: ActionName = Field(description="What is wanted.")
    percent: Percent | None = Field(default=None, description="Exits only; 100 is the whole position.")
    metadata: dict[str, Any] = Field(default_factory=dict, description="Literals, or { feature_id: … }, for the trade.")


class EmitSection(Section):
    """Intents without a condition."""

    emit: list[ActionName | IntentSection] = Field(min_length=1, description="What is wanted, in order.")


class CaseSection(EmitSection):
    """Intents with their condition."""

    when: Expression = Field(description="The condition of this case.")


class BlockSection(Section):
    """Cases in order: the first that holds emits."""

    id: Id = Field(description="Name of the block, for reports.")
    cases: list[CaseSection] = Field(min_length=1, description="Tried in order; the first that holds emits.")
    else_: EmitSection | None = Field(default=None, alias="else", description="What is wanted when no case holds.")


class ShortActions(Section):
    """One expression for each action."""

    entry_long: Expression = Field(default=None, description="Opens a long position when this holds.")
    entry_short: Expression = Field(default=None, description="Opens a short position when this holds.")
    exit_long: Expression = Field(default=None, description="Closes a long position when this holds.")
    exit_short: Expression = Field(default=None, description="Closes a short position when this holds.")
    exit_all: Expression = Field(default=None, description="Closes a position of either side when this holds.")


class PolicySection(Section):
    """Which positions may exist and how they end."""

    mode: Literal["long_only", "short_only", "long_short"] = Field(
        default="long_only", description="Which sides may be opened."
    )
    exit_mode: Literal["sl_tp_only", "signal", "first_hit"] = Field(
        default="sl_tp_only",
        description="sl_tp_only: stop and target only, both needed. signal: exit actions; a stop or target stays "
        "armed. first_hit: whatever comes first.",
    )
    max_positions_per_symbol: Literal[1] = Field(default=1, description="One position at a time.")
    allow_flip: Literal[False] = Field(default=False, description="A position is never turned round in one order.")
    allow_scale_in: Literal[False] = Field(default=False, description="A position is never added to.")
    allow_scale_out: Literal[False] = Field(default=False, description="No separate mode for partial exits.")


class EntrySection(Section):
    """How an entry is ordered."""

    order_type: Literal["MARKET", "LIMIT"] = Field(
        default="MARKET", description="MARKET fills at the next base open; LIMIT rests at a price of its own."
    )
    limit_offset_pct: Annotated[float, Field(ge=0, lt=100)] = Field(
        default=0.0, description="LIMIT only: percent of the price at the decision, on our side of it."
    )
    time_in_force: Literal["GTC", "IOC", "FOK", "PostOnly"] = Field(
        default="GTC",
        description="GTC rests until filled. IOC and FOK fill at once or die. PostOnly dies if it would take.",
    )
    expire_after_bars: Annotated[int, Field(ge=0, le=100_000)] = Field(
        default=0,
        description="Execution bars after which a resting entry dies; 0 is never. LIMIT with GTC or PostOnly.",
    )


class PercentStop(Section):
    """A stop some percent away."""

    type: Literal["percent"]
    value: Percent = Field(description="Percent of the margin or, with basis price, of the price.")
    basis: Literal["roi", "price"] = Field(
        default="roi", description="roi: of the margin, so leverage divides the distance. price: of the price."
    )


class AtrStop(Section):
    """A stop some average true ranges away."""

    type: Literal["atr_multiple"]
    value: Percent = Field(description="How many average true ranges.")
    atr_feature_id: str = Field(description="Id of an atr feature.")
    buffer_pct: NotNegative = Field(default=0.0, description="Added, in percent of the price.")


class StructureStop(Section):
    """A stop at a level of a structure."""

    type: Literal["structure"]
    structure_key: str = Field(description="Key of a structure that has levels.")
    field: str | None = Field(
        default=None,
        description="Output with the level; default: low_level below the price, high_level above it.",
        examples=["low_level", "high_level"],
    )
    buffer_pct: NotNegative | None = Field(default=None, description="Beyond the level, in percent of the price.")
    buffer_atr: NotNegative | None = Field(default=None, description="Beyond the level, in average true ranges.")
    atr_feature_id: str | None = Field(default=None, description="Id of the atr feature that buffer_atr counts.")
    max_distance_pct: Positive | None = Field(
        default=None, description="A level further away than this percent of the price is not used."
    )
    value: Percent | None = Field(
        default=None, description="Fallback in percent of price when there is no usable level."
    )


class AtrTrail(Section):
    """A stop that follows the price at some average true ranges."""

    type: Literal["trailing_atr"]
    atr_multiplier: Percent = Field(default=2.0, description="Distance in average true ranges at the decision.")
    atr_feature_id: str = Field(description="Id of an atr feature.")
    activation_pct: NotNegative = Field(default=0.0, description="Profit in percent of price from which on it follows.")


class PercentTrail(Section):
    """A stop that follows the price at some percent."""

    type: Literal["trailing_pct"]
    trail_pct: Annotated[float, Field(gt=0, lt=100)] = Field(description="Distance in percent of the price.")
    activation_pct: NotNegative = Field(default=0.0, description="Profit in percent of price from which on it follows.")


class LadderStepSection(Section):
    """One target of a ladder."""

    rr: Percent | None = Field(default=None, description="Distance as a multiple of the stop's.")
    pct: Annotated[float, Field(gt=0, le=10_000)] | None = Field(
        default=None, description="Or in percent of the price."
    )
    close_pct: Percent = Field(description="Part of the position that it closes; all steps sum to 100.")


class LadderTarget(Section):
    """Several targets, each for a part of the position."""

    type: Literal["ladder"]
    steps: Annotated[list[LadderStepSection], Field(min_length=1, max_length=8)] = Field(
        description="One to eight targets; their shares sum to 100."
    )


class BreakEvenSection(Section):
    """When the stop goes to break-even, once."""

    activation_pct: Annotated[float, Field(gt=0, le=10_000)] = Field(
        default=1.0, description="Profit at a base close, in percent of the entry price."
    )
    offset_pct: NotNegative = Field(default=0.1, description="How far beyond the entry the stop then lies, in percent.")


class PointsStop(Section):
    """A stop some points of price away."""

    type: Literal["fixed_points"]
    value: Positive = Field(description="Points of price.")


class PercentTarget(PercentStop):
    """A target some percent away."""

    value: Annotated[float, Field(gt=0, le=10_000)] = Field(
        description="Percent of the margin or, with basis price, of the price."
    )


class RatioTarget(Section):
    """A target some multiple of the stop's distance away."""

    type: Literal["rr_ratio"]
    value: Percent = Field(description="How many times the stop's distance.")


class AtrTarget(Section):
    """A target some average true ranges away."""

    type: Literal["atr_multiple"]
    value: Percent = Field(description="How many average true ranges.")
    atr_feature_id: str = Field(description="Id of an atr feature.")


Trail: TypeAlias = Annotated[AtrTrail | PercentTrail, Field(discriminator="type")]
Stop: TypeAlias = Annotated[
    PercentStop | AtrStop | StructureStop | PointsStop | AtrTrail | PercentTrail, Field(discriminator="type")
]
Target: TypeAlias = Annotated[
    PercentTarget | RatioTarget | AtrTarget | PointsStop | StructureStop | LadderTarget, Field(discriminator="type")
]


class SizingSection(Section):
    """How large an entry is."""

    model: Literal["percent_equity", "risk_based", "fixed_usdt", "fixed_quantity"] = Field(
        description="percent_equity: share of the free margin. risk_based: share of equity lost at the stop. "
        "fixed_usdt: an amount of account currency. fixed_quantity: a number of units."
    )
    value: Positive = Field(description="Percent for the first two models, account currency or units for the others.")
    max_leverage: Annotated[float, Field(gt=0, le=LEVERAGE_MAX)] | None = Field(
        default=None, description="Largest leverage of a position; the smaller of this and the account's counts."
    )
    include_costs: bool = Field(
        default=False, description="risk_based only: count fees and slippage as part of the risk."
    )
    basis: Literal["margin", "notional"] = Field(
        default="margin", description="fixed_usdt only: what the value counts."
    )


class Protections(Section):
    """How the stop moves, and how stop and target are ordered."""

    trailing: Trail | None = Field(default=None, description="How the stop follows the price.")
    break_even: BreakEvenSection | None = Field(default=None, description="When the stop goes to break-even.")
    tp_order_type: Literal["Market", "Limit"] = Field(
        default="Market", description="Market pays slippage and taker fee; Limit rests and pays the maker fee."
    )
    sl_order_type: Literal["Market", "Limit"] = Field(
        default="Market",
        description="Market fires at the next price. Limit rests at the stop's level: the price can jump over it.",
    )


class RiskSection(Protections):
    """Stop, target and size in short."""

    stop_loss_pct: Percent | None = Field(default=None, description="Stop, in percent of the margin.")
    take_profit_pct: Annotated[float, Field(gt=0, le=10_000)] | None = Field(
        default=None, description="Target, in percent of the margin."
    )
    max_position_pct: Percent | None = Field(default=None, description="Percent of equity in a position; default 100.")
    stop_loss: Stop | None = Field(default=None, description="Where a position that loses is closed.")
    take_profit: Target | None = Field(default=None, description="Where a position that wins is closed.")


class RiskModelSection(Protections):
    """Stop, target and size in full."""

    stop_loss: Stop | None = Field(default=None, description="Where a position that loses is closed.")
    take_profit: Target | None = Field(default=None, description="Where a position that wins is closed.")
    sizing: SizingSection | None = Field(default=None, description="Required unless account.risk_per_trade_pct is set.")


class BacktestSection(Section):
    """What only a simulation uses; overrides `account`."""

    equity: Money | None = Field(default=None, description="Instead of the account's starting equity.")
    slippage_bps: BasisPoints | None = Field(default=None, description="Instead of the account's slippage.")
    start: str | None = Field(default=None, description="First instant, ISO 8601; UTC unless it says otherwise.")
    end: str | None = Field(default=None, description="Instant after the last.")
    match: Literal["bars", "trades", "quotes"] = Field(
        default="bars",
        description="What orders are matched against: base bars, each trade, or bid and ask of each quote.",
    )


class WarmupSection(Section):
    """More warm-up than computed."""

    min_bars: Annotated[int, Field(ge=0, le=100_000)] | dict[str, Annotated[int, Field(ge=0, le=100_000)]] = Field(
        description="Bars before the first decision, for all timeframes or by timeframe; never fewer than computed."
    )


class DeploySection(Section):
    """What only a run at a venue uses."""

    capital: Money = Field(default=10_000.0, description="Money that the play may use.")
    settle_coin: Literal["USDT", "USDC"] = Field(default="USDT", description="Currency of the margin.")
    dcp_window: Annotated[int, Field(ge=1, le=86_400)] = Field(
        default=30, description="Seconds without a connection after which the venue cancels entry orders."
    )


class ValidationWindow(Section):
    """Recorded data that the play is checked on."""

    start: str = Field(description="First instant, ISO 8601.")
    end: str = Field(description="Instant after the last.")


class ExpectSection(Section):
    """What the check of the play shall find."""

    min_trades: Annotated[int, Field(ge=0)] | None = Field(default=None, description="At least so many closed legs.")
    max_trades: Annotated[int, Field(ge=0)] | None = Field(default=None, description="At most so many closed legs.")
    stop_reason: Literal["end_of_data", "max_drawdown", "equity_stop", "liquidated"] | None = Field(
        default=None, description="How the run ends."
    )
    load_error: str | None = Field(default=None, description="Words of the refusal, of a play that must not load.")


class ValidationSection(Section):
    """The market that the play is checked on."""

    pattern: str | None = Field(default=None, description="A synthetic regime; `keel data synth --list` lists them.")
    bars: Annotated[int, Field(ge=1, le=10_000_000)] | None = Field(
        default=None, description="Execution bars; default: the warm-up and twice as many, at least 200, after it."
    )
    seed: Annotated[int, Field(ge=0, le=2**48)] = Field(default=42, description="Chooses the path of the pattern.")
    window: ValidationWindow | None = Field(default=None, description="Recorded data, in place of a pattern.")
    phase: Literal["accumulation", "markup", "distribution", "markdown"] | None = Field(
        default=None, description="What the recorded data looks like."
    )
    expect: ExpectSection = Field(default=ExpectSection(), description="What the check of the play shall find.")


class PlayDocument(Head):
    """A play: one complete strategy for one instrument."""

    timeframes: TimeframesSection
    account: AccountSection
    include: list[str | IncludeSection] = Field(default_factory=list, description="Blocks that are written in.")
    features: dict[str, FeatureSection] = Field(
        default_factory=dict, description="Indicators by id; a good id carries the parameters: ema_50_1h."
    )
    structures: dict[Literal["exec", "low_tf", "med_tf", "high_tf"], list[StructureSection]] = Field(
        default_factory=dict, description="Lists of structure detectors by the timeframe they run on."
    )
    variables: dict[str, str | float | bool] = Field(
        default_factory=dict, description='Values with a name, written anywhere below as "{{ name }}".'
    )
    setups: dict[str, Expression] = Field(
        default_factory=dict, description="Conditions with a name, used as { setup: name }."
    )
    actions: ShortActions | list[BlockSection] = Field(
        description="When to get in and out: a map from action to condition, or a list of blocks with cases."
    )
    position_policy: PolicySection = PolicySection()
    entry: EntrySection = EntrySection()
    risk: RiskSection | None = Field(default=None, description="Stop, target and size in short; or `risk_model`.")
    risk_model: RiskModelSection | None = Field(default=None, description="Stop, target and size in full; or `risk`.")
    backtest: BacktestSection = BacktestSection()
    warmup: WarmupSection | None = Field(default=None, description="More warm-up than computed.")
    deploy: DeploySection | None = Field(default=None, description="What only a run at a venue uses.")
    validation: ValidationSection | None = Field(default=None, description="The market that the play is checked on.")
