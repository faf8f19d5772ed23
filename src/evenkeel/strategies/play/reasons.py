"""Why a condition is what it is: the closed list of codes, each derived from the rows that were computed.

A condition is TRUE, FALSE or UNKNOWN. TRUE is `OK`; FALSE is never `OK`; UNKNOWN names what was missing. Nothing here
decides whether a condition holds: that has been decided, in its row of truth, and this says why it came out so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum


class ConditionReason(StrEnum):
    """Why a condition is true, false or unknown.

    The value is the code; `text` is the sentence for a person. Those whose sentence ends in "refused when the play is
    loaded" never come out of a run: the loader refuses what would lead to them.
    """

    text: str

    def __new__(cls, code: str, text: str) -> ConditionReason:
        """Bind the sentence to the code."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.text = text
        return member

    OK = ("OK", "The condition is true.")
    MISSING_LHS = ("MISSING_LHS", "The left value is missing at this instant.")
    MISSING_RHS = ("MISSING_RHS", "The right value, or an end of the range, is missing at this instant.")
    MISSING_PREV = ("MISSING_PREV", "A value of an earlier sample is missing, or history is too short for it.")
    TYPE_MISMATCH = ("TYPE_MISMATCH", "The types of both sides do not go together; refused when the play is loaded.")
    FLOAT_EQUALITY = ("FLOAT_EQUALITY", "Equality of numbers with a fraction; refused when the play is loaded.")
    UNKNOWN_OPERATOR = ("UNKNOWN_OPERATOR", "There is no such operator; refused when the play is loaded.")
    INVALID_TOLERANCE = ("INVALID_TOLERANCE", "False: a percentage of zero is no distance to be near within.")
    INVALID_PATH = ("INVALID_PATH", "The reference names nothing that is declared; refused when the play is loaded.")
    UNKNOWN_FIELD = ("UNKNOWN_FIELD", "The feature has no such output; refused when the play is loaded.")
    CONDITION_FALSE = ("CONDITION_FALSE", "The condition is false.")
    WINDOW_FALSE = ("WINDOW_FALSE", "Too few samples of the window are true.")
    INTERNAL = ("INTERNAL", "The condition is unknown although nothing that it reads is missing: a fault of ours.")


def truth_of(number: float) -> bool | None:
    """Return what a row of truth says: 1 is TRUE, 0 is FALSE, anything else is UNKNOWN."""
    return {1.0: True, 0.0: False}.get(number)


def comparison_reason(op: str, truth: bool | None, now: Sequence[float], before: Sequence[float]) -> ConditionReason:
    """Return why a comparison is what it is.

    Args:
        op: Its operator.
        truth: What its row says.
        now: The left value, then those on the right; NaN is missing.
        before: The same one sample earlier, for a cross; empty otherwise.
    """
    if truth is None:
        missing = [math.isnan(value) for value in now]
        if missing[0]:
            return ConditionReason.MISSING_LHS
        if any(missing):
            return ConditionReason.MISSING_RHS
        return ConditionReason.MISSING_PREV if any(map(math.isnan, before)) else ConditionReason.INTERNAL
    if truth:
        return ConditionReason.OK
    return ConditionReason.INVALID_TOLERANCE if op == "near_pct" and now[1] == 0.0 else ConditionReason.CONDITION_FALSE


def group_reason(truth: bool | None, unknown: Sequence[ConditionReason]) -> ConditionReason:
    """Return why `all`, `any`, `not` or a setup is what it is.

    Args:
        truth: What its row says.
        unknown: The reasons of those inside that are unknown, in order.
    """
    if truth is None:
        return unknown[0] if unknown else ConditionReason.INTERNAL
    return ConditionReason.OK if truth else ConditionReason.CONDITION_FALSE


def window_reason(truth: bool | None, unknown: ConditionReason | None) -> ConditionReason:
    """Return why a window is what it is.

    Args:
        truth: What its row says.
        unknown: The reason of its newest unknown sample; None if every sample is known.
    """
    if truth is None:
        return unknown or ConditionReason.INTERNAL
    return ConditionReason.OK if truth else ConditionReason.WINDOW_FALSE
