"""Money under any drawn play: it is conserved, a loss is bounded by the margin, and the books hold at every minute.

Scaling and mirrors are in `test_metamorphic`; the same of the slow exchange is in `test_exchange_plays`.
"""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from drawn_runs import Case, plain_case
from evenkeel.model.number import money_from_postings

SEEDS = st.integers(min_value=10_000, max_value=10_000_000)
EXAMPLES = 25
LAST_DIGIT = Decimal("1e-8")


def ran(seed: int) -> Case:
    return plain_case(seed, lanes=False)


@settings(max_examples=EXAMPLES)
@given(seed=SEEDS)
def test_cash_is_conserved(seed: int) -> None:
    """6.11, 5 to 7, and P3: what the account gained is what its legs earned, to the last digit; it ends flat."""
    case = ran(seed)
    record, rules = case.research, case.rules
    assert rules is not None
    trades = record.trades()

    end = money_from_postings(int(record.curve[1, -1]))

    assert end - rules.start == sum((trade.net for trade in trades), Decimal(0)), case.told
    assert int(record.curve[0, -1]) == int(record.curve[1, -1])
    fees = sum((fill.event.fee for fill in record.fills), Decimal(0))
    assert fees == sum((trade.fees for trade in trades), Decimal(0)), case.told
    paid = sum((funding.amount for funding in record.fundings), Decimal(0))
    assert paid == sum((trade.funding for trade in trades), Decimal(0)), case.told
    assert sum((fill.event.quantity for fill in record.fills), Decimal(0)) == 0


@settings(max_examples=EXAMPLES)
@given(seed=SEEDS)
def test_no_position_loses_more_than_its_margin(seed: int) -> None:
    """6.6, 6 and 6.7 (T19): price and fees of all legs cost at most the margin, besides what funding took."""
    case = ran(seed)
    record, rules = case.research, case.rules
    assert rules is not None
    if rules.liquidation_rate < rules.taker or rules.per_contract:
        return
    trades = record.trades()
    for number in {trade.number for trade in trades}:
        own = [trade for trade in trades if trade.number == number]
        entries = [fill.event for fill in record.fills if fill.trade == number and fill.event.exit_reason is None]
        bound = sum((abs(e.quantity) * e.price for e in entries), Decimal(0)) * rules.multiplier / rules.leverage
        lost = -sum((trade.gross - trade.exit.event.fee for trade in own), Decimal(0))
        assert lost <= bound + 4 * LAST_DIGIT * len(own), case.told
