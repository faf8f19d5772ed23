"""For the type checker only: right use of `evenkeel.model` has these types, and wrong use is refused.

Every `type: ignore` is a claim that the line does not type-check; mypy reports one that is not needed.
"""

from __future__ import annotations

from decimal import Decimal
from typing import assert_type

from evenkeel.model.bar import Bars, Floats, Ints
from evenkeel.model.errors import KeelError, UsageError
from evenkeel.model.gaps import not_available
from evenkeel.model.ids import ClientId, InstrumentId, Leg, RunId, StrategyId, client_id
from evenkeel.model.number import money_from_postings, postings_from_money, to_decimal, to_float
from evenkeel.model.reason import Reason
from evenkeel.model.time import Timeframe, format_time, parse_time


def right_use(bars: Bars, run: RunId, strategy: StrategyId, instrument: InstrumentId) -> None:
    assert_type(parse_time("2024-01-31"), int)
    assert_type(format_time(0), str)
    assert_type(Timeframe.parse("15m"), Timeframe)
    assert_type(bars.open_ns, Ints)
    assert_type(bars.close, Floats)
    assert_type(bars.rows(0, 1), Bars)
    assert_type(to_decimal(0.1), Decimal)
    assert_type(to_float(Decimal(1)), float)
    assert_type(money_from_postings(1), Decimal)
    assert_type(postings_from_money(Decimal(1)), int)
    assert_type(Reason.OK.text, str)
    assert_type(
        client_id("backtest", run=run, strategy=strategy, instrument=instrument, trade=1, leg=Leg.ENTRY, attempt=1),
        ClientId,
    )
    error: KeelError = not_available("explain.at")
    assert isinstance(error, UsageError)


def wrong_use(bars: Bars, run: RunId, strategy: StrategyId, instrument: InstrumentId) -> None:
    # A bare string is no id, and one kind of id is not another.
    client_id("backtest", run="r", strategy=strategy, instrument=instrument, trade=1, leg=Leg.STOP, attempt=1)  # type: ignore[arg-type]
    client_id("backtest", run=run, strategy=strategy, instrument=strategy, trade=1, leg=Leg.STOP, attempt=1)  # type: ignore[arg-type]
    client_id("backtest", run=run, strategy=strategy, instrument=instrument, trade=1, leg="stop", attempt=1)  # type: ignore[arg-type]
    # Exact and binary numbers do not mix unseen.
    to_float("1.5")  # type: ignore[arg-type]
    money_from_postings(1.5)  # type: ignore[arg-type]
    _ = Decimal(1) + 0.1  # type: ignore[operator]
    # Facts are frozen.
    bars.close = bars.open  # type: ignore[misc]
    Timeframe.parse("15m").minutes = 1  # type: ignore[misc]
