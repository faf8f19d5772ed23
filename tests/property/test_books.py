"""Books: positions sum up, money is conserved whatever order fills come in, and realised profit is one thing."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from evenkeel.execution.books import Books, Holding, Owner, Posting, booked
from evenkeel.model.ids import InstrumentId, StrategyId

D = Decimal
ONE = InstrumentId("BTCUSDT.BYBIT")
TWO = InstrumentId("MES.CME")
MULTIPLIERS = {ONE: D(1), TWO: D(5)}
OWNERS = [Owner(StrategyId(name), instrument) for name in ("a", "b") for instrument in (ONE, TWO)]

trades = st.lists(
    st.tuples(
        st.sampled_from(OWNERS),
        st.integers(-9, 9).filter(bool),
        st.integers(1, 1000),
        st.integers(0, 5),
    ),
    max_size=30,
)


def test_realised_profit_by_hand() -> None:
    """Bought 2 at 100 and 2 at 110, sold 3 at 120, then 2 more: 3 x 15, 1 x 15, a short of 1 at 120; multiplier 5."""
    holding, gross = booked(Holding(), D(2), D(100), D(5))
    assert gross == 0
    holding, gross = booked(holding, D(2), D(110), D(5))
    assert (holding.average, gross) == (D(105), D(0))
    holding, gross = booked(holding, D(-3), D(120), D(5))
    assert (holding.quantity, holding.average, gross) == (D(1), D(105), D(225))
    holding, gross = booked(holding, D(-2), D(120), D(5))
    assert (holding.quantity, holding.average, gross) == (D(-1), D(120), D(75))
    assert holding.realised == 300
    assert holding.unrealised(D(118), D(5)) == 10


@given(trades, st.integers(1, 1000))
def test_equity_is_the_money_that_flowed_and_what_is_held(drawn: list[tuple[Owner, int, int, int]], price: int) -> None:
    books = Books(D(10_000), MULTIPLIERS)
    flowed = Fraction(10_000)
    held: dict[Owner, int] = {}
    for owner, quantity, at, fee in drawn:
        books.fill(owner, D(quantity), D(abs(quantity) * at), D(fee), 1 if quantity > 0 else -1)
        flowed -= Fraction(quantity * at) * int(MULTIPLIERS[owner.instrument]) + fee
        held[owner] = held.get(owner, 0) + quantity
    worth = sum(quantity * price * int(MULTIPLIERS[owner.instrument]) for owner, quantity in held.items())
    equity = books.equity({ONE: D(price), TWO: D(price)})
    assert equity is not None
    assert abs(equity - D(int(flowed + worth))) < D("1e-15")
    for instrument in (ONE, TWO):
        assert books.position(instrument) == sum(q for owner, q in held.items() if owner.instrument == instrument)


@given(trades, st.data())
def test_what_a_closed_position_realised_does_not_depend_on_when_a_price_became_known(
    drawn: list[tuple[Owner, int, int, int]], data: st.DataObject
) -> None:
    books = Books(D(0), MULTIPLIERS)
    owner = OWNERS[0]
    flowed = held = D(0)
    for _, quantity, at, _ in drawn:
        guess = data.draw(st.integers(1, 1000))
        side = 1 if quantity > 0 else -1
        books.fill(owner, D(quantity), D(abs(quantity) * guess), D(0), side)
        books.fill(owner, D(0), D(abs(quantity) * (at - guess)), D(0), side)
        flowed -= D(quantity * at)
        held += quantity
    books.fill(owner, -held, abs(held) * 500, D(0), -1 if held > 0 else 1) if held else None
    assert abs(books.holdings.get(owner, Holding()).realised - (flowed + held * 500)) < D("1e-15")


def test_without_a_price_there_is_no_equity() -> None:
    books = Books(D(100), MULTIPLIERS)
    books.fill(OWNERS[0], D(1), D(50), D(0), 1)
    assert books.equity({}) is None
    assert books.equity({ONE: D(60)}) == 110


def test_postings_belong_to_a_holding_and_transfers_to_the_account() -> None:
    books = Books(D(100), MULTIPLIERS)
    books.post(Posting.FUNDING, D(-2), OWNERS[0])
    books.post(Posting.FEE, D(-1), OWNERS[0])
    books.post(Posting.TRANSFER, D(50))
    assert books.balance == 147
    assert books.holdings[OWNERS[0]].net == -3
