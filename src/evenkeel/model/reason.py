"""Why: the closed lists of reasons, each with a sentence in English.

`Reason` is the one list of codes in journal and JSON. `ExitReason` says how a trade ended and `StopReason` how a run
ended; both appear in files in lower_snake.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why something was decided, refused or ended.

    The value is the code; `text` is the sentence for a person.
    """

    text: str

    def __new__(cls, code: str, text: str) -> Reason:
        """Bind the sentence to the code."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.text = text
        return member

    OK = ("OK", "Nothing stands against it.")
    ENTRY_SIGNAL = ("ENTRY_SIGNAL", "The strategy's entry rule was met.")
    EXIT_SIGNAL = ("EXIT_SIGNAL", "The strategy's exit rule was met.")
    CONFLICT = ("CONFLICT", "Long and short entries were asked for at the same instant, so neither was taken.")
    POSITION_EXISTS = ("POSITION_EXISTS", "A position or a working entry already exists in this instrument.")
    RISK_INPUT_MISSING = ("RISK_INPUT_MISSING", "A value that stop, target or size need is missing at this bar.")
    STOP_TOO_CLOSE = ("STOP_TOO_CLOSE", "The stop would lie less than one tick from the price.")
    STOP_BEYOND_ZERO = ("STOP_BEYOND_ZERO", "The stop or target would lie at or below a price of zero.")
    BELOW_MIN_NOTIONAL = ("BELOW_MIN_NOTIONAL", "The order would be worth less than the smallest allowed.")
    BELOW_MIN_QUANTITY = ("BELOW_MIN_QUANTITY", "The order rounds down to less than the smallest quantity.")
    INSUFFICIENT_MARGIN = ("INSUFFICIENT_MARGIN", "The account cannot carry the order and its fees.")
    QUANTITY_ABOVE_LIMIT = ("QUANTITY_ABOVE_LIMIT", "The order is larger than the instrument allows.")
    ENTRIES_DISABLED = ("ENTRIES_DISABLED", "The run no longer opens positions.")
    POST_ONLY_WOULD_CROSS = ("POST_ONLY_WOULD_CROSS", "A post-only order would have traded at once and was cancelled.")
    IOC_UNFILLED = ("IOC_UNFILLED", "An immediate-or-cancel order found no price and was cancelled.")
    FOK_UNFILLED = ("FOK_UNFILLED", "A fill-or-kill order could not be filled at once and was cancelled.")
    EXPIRED = ("EXPIRED", "The order's life ended before it was filled.")
    CANCELLED = ("CANCELLED", "The order was cancelled.")
    MAX_DRAWDOWN = ("MAX_DRAWDOWN", "The account fell from its peak by the largest drawdown allowed.")
    EQUITY_STOP = ("EQUITY_STOP", "The account's equity fell to the level at which the run stops.")
    DATA_GAP = ("DATA_GAP", "Bars that the calendar expects are missing.")
    END_OF_DATA = ("END_OF_DATA", "The data ended.")
    POSITION_CONFLICT = ("POSITION_CONFLICT", "Another strategy owns this instrument.")
    LIQUIDATION_TOO_CLOSE = ("LIQUIDATION_TOO_CLOSE", "The position would be liquidated too close to its entry.")
    SL_BEYOND_LIQUIDATION = ("SL_BEYOND_LIQUIDATION", "The stop would lie behind the liquidation price.")
    REGIME_INACTIVE = ("REGIME_INACTIVE", "The playbook gives the play no capital now: by its regime, or its turn.")
    ACTIVE_PLAYS_LIMIT = ("ACTIVE_PLAYS_LIMIT", "As many plays of the playbook as may are in the market already.")
    CORRELATION_LIMIT = (
        "CORRELATION_LIMIT",
        "Another play holds what moves alike, or it is not known that it does not: the same position twice.",
    )
    EXPOSURE_LIMIT = ("EXPOSURE_LIMIT", "The positions of the playbook together would be larger than allowed.")
    LIQUIDITY = ("LIQUIDITY", "The bar traded too little: what it could not fill of the order was cancelled.")
    REDUCE_ONLY_NO_POSITION = ("REDUCE_ONLY_NO_POSITION", "An order to close was wished without a position.")
    SHORT_NOT_ALLOWED = ("SHORT_NOT_ALLOWED", "The account does not sell short.")
    PDT_LIMIT = ("PDT_LIMIT", "The entry could become a fourth day trade within five sessions, below 25,000 USD.")
    SESSION_ENDED = ("SESSION_ENDED", "The session ended, and nothing may stay over its end.")
    BAD_REQUEST = ("BAD_REQUEST", "The request is not whole: quantity, kind or an id is missing or impossible.")
    BAD_PRICE = ("BAD_PRICE", "A price is not above zero, or trigger and limit price contradict each other.")
    BAD_BRACKET = ("BAD_BRACKET", "Stop and target do not lie on their sides of the price.")
    MARKET_ENTRY = ("MARKET_ENTRY", "The profile allows no entry at the market.")
    HALT_FLAG = ("HALT_FLAG", "The account is halted, or its halt flag cannot be read.")
    PANIC = ("PANIC", "The engine has panicked; only the kill path may send.")
    MODE_MISMATCH = ("MODE_MISMATCH", "Mode, key, host and account do not belong together, or the key may withdraw.")
    LIVE_NOT_ARMED = ("LIVE_NOT_ARMED", "Live trading was not armed by a person.")
    LEASE_LOST = ("LEASE_LOST", "This process does not hold the account any more.")
    ENGINE_NOT_READY = ("ENGINE_NOT_READY", "The engine is starting, reconnecting, stopping or not warmed up.")
    PAUSED = ("PAUSED", "Trading is paused.")
    DUPLICATE_SUPPRESSED = ("DUPLICATE_SUPPRESSED", "The order exists already: it was not sent again.")
    IDEMPOTENCY_UNKNOWN = ("IDEMPOTENCY_UNKNOWN", "It is not known whether the order was sent before.")
    ORDER_STATE_UNKNOWN = ("ORDER_STATE_UNKNOWN", "What became of an earlier order is not known yet.")
    DUPLICATE_SIGNAL = ("DUPLICATE_SIGNAL", "The signal had its order already, or an order like it was just sent.")
    UNKNOWN_INSTRUMENT = ("UNKNOWN_INSTRUMENT", "The instrument is not known, or what is known of it is too old.")
    NOT_TRADABLE = ("NOT_TRADABLE", "The instrument cannot be traded now, or not in such a fraction.")
    NOT_SHORTABLE = ("NOT_SHORTABLE", "The instrument cannot be sold short now.")
    MIXED_ASSET_CLASS = ("MIXED_ASSET_CLASS", "A session does not mix asset classes.")
    BELOW_MIN_SIZE = ("BELOW_MIN_SIZE", "The order is smaller than the smallest that makes sense.")
    OFF_GRID = ("OFF_GRID", "Price or quantity does not lie on the instrument's grid.")
    SESSION_CLOSED = ("SESSION_CLOSED", "The market is closed, or its calendar does not say.")
    NO_TRADE_WINDOW = ("NO_TRADE_WINDOW", "Nothing is opened at this time of the session.")
    AFTER_FLATTEN = ("AFTER_FLATTEN", "Positions of the session are being closed: nothing is opened any more.")
    EVENT_BLACKOUT = ("EVENT_BLACKOUT", "An economic event that moves markets is near.")
    EVENT_CALENDAR_STALE = ("EVENT_CALENDAR_STALE", "The calendar of economic events is missing or has expired.")
    REGIME_LOCKOUT = ("REGIME_LOCKOUT", "The market was in shock a short while ago.")
    DVS_TOO_LOW = ("DVS_TOO_LOW", "The data are not good enough to open anything.")
    EQS_TOO_LOW = ("EQS_TOO_LOW", "Execution is not good enough to open anything.")
    STALE_DATA = ("STALE_DATA", "The newest bar or quote is too old.")
    STREAM_UNHEALTHY = ("STREAM_UNHEALTHY", "A stream of market or account data is silent or unhealthy.")
    PRICE_COLLAR = ("PRICE_COLLAR", "A price lies too far from the last one.")
    NO_REFERENCE_PRICE = ("NO_REFERENCE_PRICE", "There is no fresh price to compare with.")
    SPREAD_TOO_WIDE = ("SPREAD_TOO_WIDE", "Bid and ask are too far apart, crossed, or not known.")
    PARTICIPATION = ("PARTICIPATION", "The order is too large for what the market trades.")
    QTY_LIMIT = ("QTY_LIMIT", "Order or position would have more units than allowed.")
    NOTIONAL_LIMIT = ("NOTIONAL_LIMIT", "The order would be worth more than allowed.")
    POSITION_SIZE_LIMIT = ("POSITION_SIZE_LIMIT", "The position would be too large a part of the equity.")
    SIZE_CLAMPED = ("SIZE_CLAMPED", "A limit made the order smaller than it was wished.")
    GROSS_EXPOSURE = ("GROSS_EXPOSURE", "All positions together would be larger than allowed.")
    NET_EXPOSURE = ("NET_EXPOSURE", "Long less short positions would be larger than allowed.")
    SECTOR_EXPOSURE = ("SECTOR_EXPOSURE", "The positions of the sector would be larger than allowed.")
    MAX_POSITIONS = ("MAX_POSITIONS", "As many instruments as allowed are held or reserved already.")
    RESERVATION_FAILED = ("RESERVATION_FAILED", "It is not known what is held and reserved.")
    NO_ADDING = ("NO_ADDING", "A position exists, and it may not be added to.")
    TOO_MANY_OPEN_ORDERS = ("TOO_MANY_OPEN_ORDERS", "As many orders as allowed are working already.")
    ORDER_RATE = ("ORDER_RATE", "Orders are sent faster than allowed.")
    ENTRY_COOLDOWN = ("ENTRY_COOLDOWN", "The last entry is too short a while ago.")
    SIGNAL_COOLDOWN = ("SIGNAL_COOLDOWN", "The strategy's last entry signal here is too short a while ago.")
    TRADES_PER_DAY = ("TRADES_PER_DAY", "As many trades as a session may have were made or are open.")
    STOP_REQUIRED = ("STOP_REQUIRED", "The entry carries no protective stop.")
    STOP_DISTANCE = ("STOP_DISTANCE", "The protective stop is too near or too far.")
    TRADE_RISK = ("TRADE_RISK", "The trade could lose more than one trade may.")
    FRICTION = ("FRICTION", "Costs would take too much of the move that the trade expects.")
    DAILY_LOSS = ("DAILY_LOSS", "The session's loss with the worst case of this order would reach its limit.")
    WEEKLY_LOSS = ("WEEKLY_LOSS", "The week's loss with the worst case of this order would reach its limit.")
    MONTHLY_LOSS = ("MONTHLY_LOSS", "The month's loss with the worst case of this order would reach its limit.")
    CONSECUTIVE_LOSSES = ("CONSECUTIVE_LOSSES", "Too many trades in a row have lost.")
    DRAWDOWN = ("DRAWDOWN", "The fall from the peak is too large.")
    STRATEGY_QUARANTINED = ("STRATEGY_QUARANTINED", "The strategy is in quarantine after its losses.")
    STRATEGY_NOT_ALLOWED = ("STRATEGY_NOT_ALLOWED", "The strategy may not trade this account.")
    VAR = ("VAR", "The loss of a bad day (value at risk) would be too large.")
    ES = ("ES", "The mean loss of the worst days (expected shortfall) would be too large.")
    VOLATILITY = ("VOLATILITY", "The instrument moves or has fallen too much.")
    PORTFOLIO_RISK = ("PORTFOLIO_RISK", "All stops together could lose more than allowed.")
    INSUFFICIENT_HISTORY = ("INSUFFICIENT_HISTORY", "There is too little history to measure the risk.")
    LEVERAGE = ("LEVERAGE", "The account or the position would have too much leverage.")
    MARGIN = ("MARGIN", "Margin is used up too far, or too little of it is free.")
    LIQUIDATING = ("LIQUIDATING", "A position is being liquidated.")
    REDUCE_ONLY_SYMBOL = ("REDUCE_ONLY_SYMBOL", "The broker lets positions in this instrument be reduced only.")
    BUYING_POWER = ("BUYING_POWER", "The order costs more than the money that is free for it.")
    WASH_SALE = ("WASH_SALE", "The loss of a sale short before may not count for taxes.")
    FUNDING_COST = ("FUNDING_COST", "Funding would cost too much a day.")
    RECON_UNHEALTHY = ("RECON_UNHEALTHY", "Books and broker differ, or were not compared for too long.")
    CLOCK_SKEW = ("CLOCK_SKEW", "The clock is too far from the broker's.")
    AUDIT_UNAVAILABLE = ("AUDIT_UNAVAILABLE", "The journal cannot be written.")
    NO_POSITION_TO_EXIT = ("NO_POSITION_TO_EXIT", "There is no position to reduce.")
    EXIT_EXCEEDS_POSITION = ("EXIT_EXCEEDS_POSITION", "More would be closed than is held and not being closed yet.")
    POSITION_UNKNOWN = ("POSITION_UNKNOWN", "What is held is not known.")
    FAKE_EXIT = ("FAKE_EXIT", "The order was called an exit and would open or enlarge a position.")
    KILL_PATH_ONLY = ("KILL_PATH_ONLY", "The kill path closes and cancels, and only while the account is killed.")

    REJECTED = ("REJECTED", "The venue rejected the order.")
    ABORTED = ("ABORTED", "The order never reached the venue.")


REASONS = tuple(Reason)
"""Reasons by the number that kernels use for them; new ones are only ever appended."""


def reason_number(reason: Reason) -> int:
    """Return the number of a reason in kernels."""
    return REASONS.index(reason)


class ExitReason(StrEnum):
    """How a trade ended."""

    TAKE_PROFIT = "tp"
    STOP_LOSS = "sl"
    SIGNAL = "signal"
    MAX_DRAWDOWN = "max_drawdown"
    EQUITY_STOP = "equity_stop"
    DATA_GAP = "data_gap"
    END_OF_DATA = "end_of_data"
    TRAILING = "trailing"
    BREAKEVEN = "breakeven"
    LIQUIDATION = "liquidation"
    REGIME = "regime"
    PLAYBOOK = "playbook"
    FORCE = "force"
    MARGIN_CALL = "margin_call"
    SESSION_END = "session_end"


class StopReason(StrEnum):
    """How a run ended."""

    END_OF_DATA = "end_of_data"
    MAX_DRAWDOWN = "max_drawdown"
    EQUITY_STOP = "equity_stop"
    LIQUIDATED = "liquidated"
    PLAYBOOK = "playbook"


class Mark(StrEnum):
    """Something a reader must know before believing the figures of a run; each has a sentence in `MARK_TEXTS`."""

    COARSE_FILLS = "COARSE_FILLS"
    CONTINUOUS_UNADJUSTED = "CONTINUOUS_UNADJUSTED"
    FUNDING_NOT_MODELLED = "FUNDING_NOT_MODELLED"
    FUNDING_ASSUMED = "FUNDING_ASSUMED"
    FUNDING_PARTIAL = "FUNDING_PARTIAL"
    STOP_BEHIND_LIQUIDATION = "STOP_BEHIND_LIQUIDATION"
    SIDE_DATA_MISSING = "SIDE_DATA_MISSING"
    BORROW_NOT_MODELLED = "BORROW_NOT_MODELLED"
    GAPS_REPORTED = "GAPS_REPORTED"
    PRICES_AS_IMPORTED = "PRICES_AS_IMPORTED"
    STOPS_BY_QUOTES = "STOPS_BY_QUOTES"
    SYNTHETIC_DATA = "SYNTHETIC_DATA"


MARK_TEXTS: dict[Mark, str] = {
    Mark.COARSE_FILLS: "Bars coarser than one minute drove the fills: the order of events inside a bar is not known.",
    Mark.CONTINUOUS_UNADJUSTED: "A continuous, unadjusted futures series: rolls are price jumps; it is no evidence.",
    Mark.FUNDING_NOT_MODELLED: "A perpetual's funding payments are not part of the result.",
    Mark.FUNDING_ASSUMED: "A perpetual's funding was paid at the play's fixed rate, not at recorded ones.",
    Mark.FUNDING_PARTIAL: "Some settlements of a perpetual's funding are not recorded: nothing was paid at those.",
    Mark.STOP_BEHIND_LIQUIDATION: "The play lets stops lie behind the liquidation price: the margin may go first.",
    Mark.SIDE_DATA_MISSING: "The play reads mark price, funding or open interest, and the data has none: never met.",
    Mark.BORROW_NOT_MODELLED: "Borrow fees of short positions are not part of the result.",
    Mark.GAPS_REPORTED: "The calendar does not explain some gaps; the run closed before each and warmed up anew.",
    Mark.PRICES_AS_IMPORTED: "Prices are as imported: splits and dividends are not applied by the engine.",
    Mark.STOPS_BY_QUOTES: "There are quotes and no trades: stops were set off by the bid or ask that they would meet.",
    Mark.SYNTHETIC_DATA: "The market was generated, not recorded: the result is a test of the rules and no evidence.",
}
