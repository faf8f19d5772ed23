"""What a broker asks beside the fills, one story for each kind of account; figures worked out by hand (decision 0016).

Every story runs through both lanes, which must agree. Prices, dates and amounts are small enough to check on paper.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal as D
from typing import Any

import numpy as np
import pytest

from desk import (
    Piece,
    ScriptedStrategy,
    account,
    engine_run,
    facts_of,
    flat,
    instrument,
    long,
    market_of,
    piece,
    run,
    short,
    story,
    stretch_of,
    terms,
    units,
)
from evenkeel.engine.backtest import StretchFeatures
from evenkeel.engine.core import Core
from evenkeel.engine.record import RunRecord
from evenkeel.model.bar import Bars
from evenkeel.model.errors import InvariantBroken
from evenkeel.model.event import Carried, OrderFilled
from evenkeel.model.ids import InstrumentId
from evenkeel.model.instrument import ContractMargin, Instrument, InstrumentKind
from evenkeel.model.intent import OrderKind
from evenkeel.model.reason import ExitReason, Reason
from evenkeel.model.time import MINUTE, Timeframe, parse_time
from evenkeel.risk.gates.entry import EntryGates
from evenkeel.strategies.account_rules import AccountKind, AccountRules
from evenkeel.strategies.terms import AccountTerms, OrderTerms, SizingTerms
from evenkeel.venues.simulated.account_events import merged
from evenkeel.venues.simulated.carry import Carry, CarryKind

MES = ContractMargin(initial=D(1350), maintenance=D(1200), intraday=D(500))


def future(**facts: Any) -> Instrument:
    """Return a micro index future: 5 USD a point, ticks of a quarter, whole contracts."""
    return instrument(
        id=InstrumentId("MES.DESK"), kind=InstrumentKind.FUTURE, tick_size="0.25", lot_size=1, min_quantity=1,
        multiplier=5, contract_margin=MES, absence_is_fault=False, **facts,
    )  # fmt: skip


def share(**facts: Any) -> Instrument:
    """Return a share: whole units, ticks of a cent, New York hours."""
    plain: dict[str, Any] = {
        "id": InstrumentId("SHARE.DESK"), "kind": InstrumentKind.EQUITY, "lot_size": 1, "min_quantity": 1,
        "calendar": "NYSE", "absence_is_fault": False,
    }  # fmt: skip
    return instrument(**{**plain, **facts})


def futures(*, overnight: bool = True, **facts: Any) -> AccountTerms:
    rules = AccountRules(kind=AccountKind.FUTURES, contract=MES, overnight=overnight)
    return account(rules=rules, include_close_fee=False, **facts)


def on_margin(**rules: Any) -> AccountTerms:
    return account(rules=AccountRules(kind=AccountKind.MARGIN, **rules), include_close_fee=False, max_position=1)


def leveraged(model: str, value: Any) -> SizingTerms:
    return SizingTerms(model=model, value=D(str(value)), max_leverage=D(100))


def due(*events: tuple[int, CarryKind, float]) -> Carry:
    """Return what is due: base row, kind and value of each."""
    return merged(
        [
            Carry(
                rows=np.array([row], dtype=np.int64), kinds=np.array([int(kind)], dtype=np.int64),
                values=np.array([value]), prices=np.array([np.nan]),
            )
            for row, kind, value in events
        ]
    )  # fmt: skip


def reasons(record: RunRecord) -> list[str]:
    return [str(fill.event.exit_reason) for fill in record.fills if fill.event.exit_reason is not None]


HALF_HOURS = 13
"""Half hours of a session in New York."""


def sessions(
    *prices: float, first: str = "2024-06-04", gap: int = 1, moved: Mapping[int, tuple[float, ...]] | None = None
) -> Bars:
    """Return half hours of sessions, each at one price.

    Args:
        prices: Of the sessions.
        first: The first of them.
        gap: Days from one to the next.
        moved: Rows that are otherwise, by their number.
    """
    rows = [(price, price, price, price, 1.0) for price in prices for _ in range(HALF_HOURS)]
    for place, row in (moved or {}).items():
        rows[place] = (*row, 1.0)
    opens = np.concatenate(
        [
            parse_time(f"{first}T13:30Z") + (day * gap * 1440 + np.arange(HALF_HOURS, dtype=np.int64) * 30) * MINUTE
            for day in range(len(prices))
        ]
    )
    timeframe = Timeframe.parse("30m")
    columns = (np.ascontiguousarray(column) for column in np.array(rows).T)
    return Bars(timeframe, opens, opens + timeframe.nanoseconds, *columns)


class TestFutures:
    def test_an_entry_ties_up_the_initial_margin_of_each_contract(self) -> None:
        # 5,000 USD carry three contracts of 1,350, which is 4,050, and not four; each is worth 25,000.
        costs = futures(start_equity=5000, per_contract="0.62", max_position=1)
        sizing = leveraged("percent_equity", 1)
        record = run(piece(flat(5000.0, 5), {0: long()}, [2]), asset=future(), costs=costs, sizing=sizing)
        assert [fill.event.quantity for fill in record.fills] == [D(3), D(-3)]
        assert [fill.event.fee for fill in record.fills] == [D("1.86"), D("1.86")]

    def test_a_size_of_ones_own_that_the_margin_does_not_carry_is_refused(self) -> None:
        costs, sizing = futures(start_equity=5000, max_position=1), leveraged("fixed_quantity", 4)
        record = run(piece(flat(5000.0, 5), {0: long()}), asset=future(), costs=costs, sizing=sizing)
        assert (len(record.fills), record.refusals) == (0, {"INSUFFICIENT_MARGIN": 1})

    def test_below_the_maintenance_margin_the_broker_closes_at_the_next_open(self) -> None:
        # 5,000 less 15 USD a point: 3,600 is what three contracts must keep, so 4,906.50 is too low and 4,907 is not.
        rows = [*flat(5000.0, 2), *[(4907.0,) * 4] * 2, *[(4906.5,) * 4] * 2, *flat(4900.0, 2)]
        sizing = leveraged("fixed_quantity", 3)
        record = run(piece(rows, {0: long()}), asset=future(), costs=futures(start_equity=5000), sizing=sizing)
        assert story(record) == [("entry", 1, "open", 5000.0), ("guard", 5, "open", 4906.5)]
        assert reasons(record) == [ExitReason.MARGIN_CALL]
        assert record.trades()[0].net == D("-1402.5")

    def test_a_margin_call_waits_until_the_whole_position_is_not_covered(self) -> None:
        rows = [*flat(5000.0, 2), *flat(4906.75, 4)]
        sizing = leveraged("fixed_quantity", 3)
        record = run(piece(rows, {0: long()}), asset=future(), costs=futures(start_equity=5000), sizing=sizing)
        # 5,000 - 15 x 93.25 = 3,601.25: it covers 3,600.
        assert reasons(record) == [ExitReason.END_OF_DATA]

    def test_intraday_margin_carries_more_and_nothing_stays_overnight(self) -> None:
        costs = futures(overnight=False, start_equity=5000, max_position=1)
        part = Piece(sessions(5000.0, 5010.0), {1: long(), 12: long()})
        record = run(
            part, asset=future(calendar="NYSE"), costs=costs, sizing=leveraged("percent_equity", 1), exec_tf="30m"
        )
        # 5,000 / 500 = ten contracts; out at the open of 15:30. What the last bar decides fills the next morning, with
        # nothing gained or lost so far, and is closed in the last bar of that session.
        assert story(record) == [
            ("entry", 2, "open", 5000.0), ("guard", 12, "open", 5000.0), ("entry", 13, "open", 5010.0),
            ("guard", 25, "open", 5010.0),
        ]  # fmt: skip
        assert [abs(fill.event.quantity) for fill in record.fills] == [10, 10, 10, 10]
        assert reasons(record) == [ExitReason.SESSION_END, ExitReason.SESSION_END]


class TestCash:
    def cash(self, **facts: Any) -> AccountTerms:
        return account(rules=AccountRules(kind=AccountKind.CASH, **facts), include_close_fee=False, max_position=1)

    def test_a_sale_buys_nothing_before_it_is_settled(self) -> None:
        # 10,000 buys 100 at 100; sold at 110 on Tuesday, the 11,000 are cash on Wednesday (T+1 since 2024-05-28).
        moved = {4: (110.0, 110.0, 100.0, 100.0)}
        part = Piece(sessions(100.0, 100.0, moved=moved), {0: long(), 6: long(), 13: long()}, [3])
        sizing = SizingTerms(model="percent_equity", value=D(1))
        record = run(part, asset=share(), costs=self.cash(), sizing=sizing, exec_tf="30m")
        assert story(record)[:3] == [
            ("entry", 1, "open", 100.0), ("exit", 4, "open", 110.0), ("entry", 14, "open", 100.0),
        ]  # fmt: skip
        assert record.refusals == {"INSUFFICIENT_MARGIN": 1}
        assert [fill.event.quantity for fill in record.fills] == [D(100), D(-100), D(110), D(-110)]

    def test_a_market_that_settles_at_once_lets_the_money_work_again(self) -> None:
        part = Piece(sessions(100.0), {0: long(), 6: long()}, [3])
        sizing = SizingTerms(model="percent_equity", value=D(1))
        record = run(part, asset=share(), costs=self.cash(settlement=0), sizing=sizing, exec_tf="30m")
        assert [row for _, row, _, _ in story(record)][:3] == [1, 4, 7]

    def test_nobody_sells_short(self) -> None:
        record = run(piece(flat(100.0, 4), {0: short()}), asset=share(calendar="24/7"), costs=self.cash())
        assert (len(record.fills), record.refusals) == (0, {"SHORT_NOT_ALLOWED": 1})


class TestMargin:
    def test_half_of_a_position_is_credit(self) -> None:
        sizing = leveraged("percent_equity", 1)
        record = run(piece(flat(100.0, 4), {0: long()}), asset=share(calendar="24/7"), costs=on_margin(), sizing=sizing)
        assert record.fills[0].event.quantity == D(200)

    def test_below_two_thousand_there_is_no_credit(self) -> None:
        rules = AccountRules(kind=AccountKind.MARGIN)
        costs = account(rules=rules, include_close_fee=False, max_position=1, start_equity=1900)
        sizing = leveraged("percent_equity", 1)
        record = run(piece(flat(100.0, 4), {0: long()}), asset=share(calendar="24/7"), costs=costs, sizing=sizing)
        assert record.fills[0].event.quantity == D(19)

    @pytest.mark.parametrize(
        ("wish", "covered", "too_far", "called"),
        [
            # 10,000 - 200 x fall = a quarter of 200 x price: 66.67. 10,000 - 200 x rise = 30 % of 200 x price: 115.38.
            (long(), 66.67, 66.66, 66.66), (short(), 115.38, 115.39, 115.39),
        ],
    )  # fmt: skip
    def test_the_broker_closes_what_is_no_longer_covered(
        self, wish: Any, covered: float, too_far: float, called: float
    ) -> None:
        rows = [*flat(100.0, 2), *flat(covered, 2), *flat(too_far, 3)]
        record = run(
            piece(rows, {0: wish}),
            asset=share(calendar="24/7"),
            costs=on_margin(),
            sizing=leveraged("fixed_quantity", 200),
        )
        assert story(record)[1] == ("guard", 5, "open", called)
        assert reasons(record) == [ExitReason.MARGIN_CALL]

    def test_a_short_pays_for_the_days_it_borrows(self) -> None:
        # Sold on Friday 7 June at 50; over the weekend three days at 3.6 % a year on the close of 52, a hundred shares:
        # 5,200 x 0.036 x 3 / 360 = 1.56.
        moved = {12: (50.0, 52.0, 50.0, 52.0)}
        part = Piece(sessions(50.0, 52.0, first="2024-06-07", gap=3, moved=moved), {0: short()})
        costs = on_margin(borrow_rate=D("0.036"))
        record = run(part, asset=share(), costs=costs, sizing=units(100), exec_tf="30m")
        assert [(one.amount, one.kind) for one in record.fundings] == [(D("-1.56"), Carried.BORROW)]
        assert record.trades()[0].funding == D("-1.56")

    def test_the_entry_that_could_be_the_fourth_day_trade_is_refused(self) -> None:
        # Three day trades on Tuesday stand until the following Monday: Tuesday is the first of its five sessions.
        wishes = {bar: long() for bar in (0, 3, 6, 9)} | {13: long()}
        part = Piece(sessions(100.0, 100.0), wishes, [1, 4, 7, 14])
        record = run(part, asset=share(), costs=on_margin(day_trades=3), sizing=units(1), exec_tf="30m")
        assert [row for _, row, _, _ in story(record)] == [1, 2, 4, 5, 7, 8]
        assert record.refusals == {"PDT_LIMIT": 2}

    def test_with_twenty_five_thousand_day_trades_do_not_matter(self) -> None:
        wishes = {bar: long() for bar in (0, 3, 6, 9)}
        rules = AccountRules(kind=AccountKind.MARGIN, day_trades=3)
        costs = account(rules=rules, start_equity=25_000)
        part = Piece(sessions(100.0), wishes, [1, 4, 7, 10])
        record = run(part, asset=share(), costs=costs, sizing=units(1), exec_tf="30m")
        assert (len(record.fills), record.refusals) == (8, {})

    def test_what_is_held_overnight_is_no_day_trade(self) -> None:
        wishes = {bar: long() for bar in (11, 14, 17, 20)}
        part = Piece(sessions(100.0, 100.0), wishes, [13, 15, 18, 21])
        record = run(part, asset=share(), costs=on_margin(day_trades=3), sizing=units(1), exec_tf="30m")
        assert (len(record.fills), record.refusals) == (8, {})


class TestDividends:
    @pytest.mark.parametrize(("wish", "amount"), [(long(), "25"), (short(), "-25")])
    def test_a_long_receives_and_a_short_pays_at_the_open_of_the_ex_date(self, wish: Any, amount: str) -> None:
        part = piece(flat(100.0, 6), {0: wish}, carry=due((3, CarryKind.DIVIDEND, 0.5)))
        record = run(part, asset=share(calendar="24/7"), sizing=units(50))
        assert [(one.amount, one.kind) for one in record.fundings] == [(D(amount), Carried.DIVIDEND)]
        assert record.trades()[0].net == D(amount)

    def test_who_buys_at_that_open_has_none_and_who_sells_at_it_has_it(self) -> None:
        part = piece(flat(100.0, 6), {0: long(), 2: long()}, [1], carry=due((2, CarryKind.DIVIDEND, 0.5)))
        record = run(part, asset=share(calendar="24/7"), sizing=units(50))
        assert [(one.amount, one.trade) for one in record.fundings] == [(D(25), 1)]


class TestSplits:
    def test_four_for_one_multiplies_lots_divides_prices_and_moves_no_money(self) -> None:
        rows = [*flat(400.0, 3), *flat(100.0, 2), (100.0, 100.0, 90.0, 95.0), *flat(95.0, 2)]
        part = piece(rows, {0: long(stop=32.0, target=80.0)}, carry=due((3, CarryKind.SPLIT, 4.0)))
        record = run(part, asset=share(calendar="24/7"), sizing=units(10))
        # Stop 400 - 32 = 368, in new units 92. Lost 8 on each of 40.
        assert story(record) == [
            ("entry", 1, "open", 400.0), ("entry", 3, "open", 0.0), ("stop", 5, "inside", 92.0),
        ]  # fmt: skip
        trade = record.trades()[0]
        assert (trade.quantity, trade.entry.event.price, trade.net) == (D(40), D(100), D(-320))
        assert record.curve[0][2:5].tolist() == [10_000 * 10**8] * 3

    def test_how_far_the_price_went_is_told_in_units_of_after_the_split(self) -> None:
        # Highest 410 before it, which is 102.5 of new units; lowest the stop at 92; both from an entry at 100.
        moved = (400.0, 410.0, 396.0, 400.0)
        rows = [*flat(400.0, 50), moved, *flat(400.0, 49), *flat(100.0, 50), (100.0, 100.0, 90.0, 95.0)]
        part = piece(rows, {0: long(stop=32.0, target=80.0)}, carry=due((100, CarryKind.SPLIT, 4.0)))
        leave = run(part, asset=share(calendar="24/7"), sizing=units(10)).trades()[0].exit.event
        assert (float(leave.favourable), float(leave.adverse)) == (pytest.approx(0.025), pytest.approx(0.08))

    def test_a_second_report_of_a_split_is_refused_before_it_counts(self) -> None:
        part = piece([*flat(400.0, 3), *flat(100.0, 3)], {0: long()}, carry=due((3, CarryKind.SPLIT, 4.0)))
        asset = share(calendar="24/7")
        stretch = stretch_of(part, 0, Reason.END_OF_DATA, Timeframe.parse("1m"))
        strategy = ScriptedStrategy(asset, terms(sizing=units(10)), Timeframe.parse("1m"))
        _, _, steps = engine_run(strategy, market_of([stretch], asset))
        core = Core(facts_of(strategy), strategy, EntryGates(strategy.terms, asset), StretchFeatures())
        for step in steps:
            for entry in (step.event, *step.decisions, *step.commands):
                core.fold(entry)
            if isinstance(step.event, OrderFilled) and step.event.kind is OrderKind.SPLIT:
                break
        with pytest.raises(InvariantBroken, match="while a position was held"):
            core.fold(step.event)

    def test_what_is_less_than_a_share_is_paid_at_the_open(self) -> None:
        # 101 shares at 150, three for two: 151.5 at 100. The half share brings 0.5 x (104 - 100) = 2.
        rows = [*flat(150.0, 3), *flat(104.0, 3)]
        part = piece(rows, {0: long()}, [3], carry=due((3, CarryKind.SPLIT, 1.5)))
        record = run(part, asset=share(calendar="24/7"), sizing=units(101), costs=account(start_equity=20_000))
        assert [(one.amount, one.kind) for one in record.fundings] == [(D(2), Carried.SPLIT)]
        trade = record.trades()[0]
        assert (trade.quantity, trade.gross, trade.net) == (D(151), D(604), D(606))

    def test_a_reverse_split_makes_fewer_units_of_more_worth(self) -> None:
        rows = [*flat(2.0, 3), *flat(20.0, 3)]
        part = piece(rows, {0: short()}, [3], carry=due((3, CarryKind.SPLIT, 0.1)))
        record = run(part, asset=share(calendar="24/7"), sizing=units(1000))
        trade = record.trades()[0]
        assert (trade.quantity, trade.entry.event.price, trade.net) == (D(100), D(20), D(0))

    def test_less_than_one_new_unit_is_closed_in_old_ones(self) -> None:
        rows = [*flat(2.0, 3), *flat(20.0, 3)]
        part = piece(rows, {0: long()}, carry=due((3, CarryKind.SPLIT, 0.1)))
        record = run(part, asset=share(calendar="24/7"), sizing=units(5))
        assert story(record) == [("entry", 1, "open", 2.0), ("guard", 3, "open", 2.0)]
        assert reasons(record) == [ExitReason.FORCE]

    def test_a_resting_entry_is_carried_over_in_new_units(self) -> None:
        rows = [*flat(400.0, 3), *flat(100.0, 2), (100.0, 100.0, 94.0, 95.0), *flat(95.0, 2)]
        part = piece(rows, {0: long(kind="limit", price=380.0)}, carry=due((3, CarryKind.SPLIT, 4.0)))
        record = run(part, asset=share(calendar="24/7"), sizing=units(10))
        assert [fill.event.quantity for fill in record.fills] == [D(40), D(-40)]
        assert story(record)[0] == ("entry", 5, "inside", 95.0)

    def test_parts_sold_before_a_split_and_after_it_add_up(self) -> None:
        rows = [*flat(400.0, 4), *flat(100.0, 4)]
        part = piece(rows, {0: long()}, {1: 0.5, 5: 1.0}, carry=due((4, CarryKind.SPLIT, 4.0)))
        record = run(part, asset=share(calendar="24/7"), sizing=units(10), costs=account(taker="0.001"))
        assert [trade.quantity for trade in record.trades()] == [D(5), D(20)]
        assert sum(trade.fees for trade in record.trades()) == D(8)


class TestExtendedHours:
    """Half hours from 08:00 New York to 11:00, and the two after the close of Tuesday 4 June 2024."""

    OPENS = ("12:00", "12:30", "13:00", "13:30", "14:00", "14:30", "20:00", "20:30")

    def story(self, rows: list[tuple[float, ...]], wishes: Any, **facts: Any) -> list[tuple[str, int, str, float]]:
        timeframe = Timeframe.parse("30m")
        opens = np.array([parse_time(f"2024-06-04T{clock}Z") for clock in self.OPENS[: len(rows)]], dtype=np.int64)
        columns = (np.ascontiguousarray(column) for column in np.array([(*row, 1.0) for row in rows]).T)
        part = Piece(Bars(timeframe, opens, opens + timeframe.nanoseconds, *columns), wishes)
        rules = AccountRules(regular_hours="NYSE")
        asset = share(calendar="NYSE_EXTENDED")
        return story(run(part, asset=asset, costs=account(rules=rules), exec_tf="30m", **facts))

    def test_a_market_order_waits_for_the_regular_open_and_a_limit_does_not(self) -> None:
        rows = [*flat(100.0, 2), (100.0, 100.0, 98.0, 99.0), *flat(101.0, 3)]
        assert self.story(rows, {0: long()})[0] == ("entry", 3, "open", 101.0)
        assert self.story(rows, {0: long(kind="limit", price=98.5)})[0] == ("entry", 2, "inside", 98.5)

    def test_a_stop_waits_and_then_fills_at_the_gap(self) -> None:
        rows = [*flat(100.0, 1), (100.0, 100.0, 94.0, 96.0), (96.0, 97.0, 93.0, 94.0), *flat(92.0, 3)]
        wishes = {0: long(kind="limit", price=100.0, stop=5.0)}
        assert self.story(rows, wishes) == [("entry", 1, "open", 100.0), ("stop", 3, "open", 92.0)]

    def test_a_limit_target_fills_outside_regular_hours_and_a_market_target_does_not(self) -> None:
        rows = [*flat(100.0, 1), (100.0, 100.0, 100.0, 100.0), (101.0, 106.0, 101.0, 102.0), *flat(103.0, 3)]
        wishes = {0: long(kind="limit", price=100.0, target=5.0)}
        resting = self.story(rows, wishes, order=OrderTerms(target_is_limit=True))
        assert resting == [("entry", 1, "open", 100.0), ("target", 2, "inside", 105.0)]
        assert self.story(rows, wishes)[1] == ("guard", 5, "close", 103.0)

    def test_after_the_close_the_market_is_extended_again(self) -> None:
        rows = [*flat(100.0, 6), (100.0, 100.0, 90.0, 95.0), (95.0, 95.0, 90.0, 95.0)]
        assert self.story(rows, {3: long(stop=5.0)}) == [("entry", 4, "open", 100.0), ("guard", 7, "close", 95.0)]
