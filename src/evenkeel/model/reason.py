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
    Mark.SYNTHETIC_DATA: "The market was generated, not recorded: the result is a test of the rules and no evidence.",
}
