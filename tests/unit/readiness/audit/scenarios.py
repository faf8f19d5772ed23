"""The scenarios: what the market did, and what a correct run must have made of it, worked out by hand.

Unless stated: one-minute bars, decisions at each fifth close, 10000 to start, size 10 % (10 units at 100), slippage
2 bps, taker 5.5 bps, maker 2 bps, tick 0.1, stop 2 % of the price at decision, target twice that.
"""

from __future__ import annotations

from dataclasses import replace

from . import position_scenarios, rule_scenarios
from .audited_run import Hand, Scenario, flat

LONG = {
    "side": "long", "qty": "10", "decided": 5, "entry": 5, "entry_price": "100.02", "entry_fee": "0.55011",
    "stop": "98.1", "target": "104.0", "entry_slippage": "0.2",
}  # fmt: skip
"""Bought at the open of 100 after a close of 100: 98.02 is rounded up to 98.1, 104.02 down to 104.0."""

LONG_STOP = Scenario(
    bars=[*flat(100.0, 5), (100.0, 100.5, 99.5, 100.0), *flat(99.5, 1), (99.5, 99.6, 98.0, 98.2), *flat(98.2, 7)],
    trades=[
        Hand(
            **LONG, exit=7, exit_price="98.08038", exit_fee="0.53944209", reason="sl", exit_point="inside",
            gross="-19.3962", net="-20.48575209", exit_slippage="0.1962", mae=0.0193923215, mfe=0.004799040,
        )
    ],
)  # fmt: skip

LONG_STOP_GAP = Scenario(
    bars=[*flat(100.0, 8), (97.0, 97.5, 96.5, 97.2), *flat(97.2, 6)],
    trades=[
        Hand(
            **LONG, exit=8, exit_price="96.9806", exit_fee="0.5333933", reason="sl", exit_point="open",
            gross="-30.394", net="-31.4775033", exit_slippage="0.194", mae=0.030387922, mfe=0.0,
        )
    ],
)  # fmt: skip
"""The bar opens at 97, beyond the stop: the open counts."""

SHORT_TARGET = Scenario(
    bars=[*flat(100.0, 6), *flat(98.0, 5), *flat(97.0, 1), (97.0, 97.1, 95.5, 96.5), *flat(96.5, 2)],
    trades=[
        Hand(
            side="short", qty="10", decided=5, entry=5, entry_price="99.98", entry_fee="0.54989", stop="101.9",
            target="96.0", entry_slippage="0.2", exit=12, exit_price="96.0192", exit_fee="0.5281056", reason="tp",
            exit_point="inside", gross="39.608", net="38.5300044", exit_slippage="0.192", bars_held=1,
            mae=0.00020004001, mfe=0.03961592,
        )
    ],
)  # fmt: skip
"""Sold at 99.98: 101.98 is rounded down to 101.9, 95.98 up to 96.0; a market target pays slippage."""

LIMIT_MAKER = Scenario(
    bars=[
        *flat(100.0, 5), (100.0, 100.0, 99.8, 100.0), (100.0, 100.0, 99.4, 99.7), *flat(99.7, 1),
        (103.0, 103.5, 102.9, 103.0), *flat(103.0, 6),
    ],
    trades=[
        Hand(
            side="long", qty="10", decided=5, entry=6, entry_price="99.5", entry_fee="0.199", stop="97.5",
            target="102.5", entry_kind="limit", entry_point="inside", entry_liquidity="maker", exit=8,
            exit_price="103", exit_fee="0.206", reason="tp", exit_point="open", exit_liquidity="maker", gross="35",
            net="34.595", mae=0.001, mfe=0.03517587,
        )
    ],
    changes={
        "entry.order_type": "LIMIT", "entry.limit_offset_pct": "0.5", "entry.expire_after_bars": 1,
        "risk.take_profit": {"type": "fixed_points", "value": "3"}, "risk.tp_order_type": "Limit",
    },
)  # fmt: skip
"""A limit of 99.5 rests one bar, fills inside the next as maker; a gap over the limit target improves it."""

LIMIT_STOPPED_AT_ONCE = Scenario(
    bars=[*flat(100.0, 6), (100.0, 100.0, 97.0, 99.0), *flat(99.0, 8)],
    trades=[
        Hand(
            side="long", qty="10", decided=5, entry=6, entry_price="99.5", entry_fee="0.199", stop="97.5",
            target="103.5", entry_kind="limit", entry_point="inside", entry_liquidity="maker", exit=6,
            exit_price="97.4805", exit_fee="0.53614275", reason="sl", exit_point="inside", gross="-20.195",
            net="-20.93014275", exit_slippage="0.195", mae=0.0202964824, mfe=0.0,
        )
    ],
    changes={"entry.order_type": "LIMIT", "entry.limit_offset_pct": "0.5"},
)  # fmt: skip
"""Entered inside a bar that also reaches the stop: the stop counts."""

END_OF_DATA = Scenario(
    bars=[*flat(100.0, 10), *flat(101.0, 5)],
    trades=[
        Hand(
            **LONG, exit=14, exit_price="100.9798", exit_fee="0.5553889", reason="end_of_data", exit_point="close",
            gross="9.598", net="8.4925011", exit_slippage="0.202", bars_held=2, mae=0.00019996001, mfe=0.00979804,
        )
    ],
)  # fmt: skip

END_STAMPED_AT_CLOSE = replace(END_OF_DATA, trades=[replace(END_OF_DATA.trades[0], exit=15)])
"""The same, with the exit stamped with the close of its bar instead of the open."""

PENDING_SIGNAL = replace(
    END_OF_DATA,
    trades=[replace(END_OF_DATA.trades[0], exit=15, reason="signal")],
)
"""A signal of the last close finds no next open: it fills at that close."""

SIGNAL = Scenario(
    bars=[*flat(100.0, 10), *flat(101.5, 5)],
    trades=[
        Hand(
            **LONG, exit=10, exit_price="101.4797", exit_fee="0.55813835", reason="signal", exit_point="open",
            gross="14.597", net="13.48875165", exit_slippage="0.203", bars_held=1, mae=0.00019996001, mfe=0.0147970406,
        )
    ],
)  # fmt: skip

DRAWDOWN = Scenario(
    bars=[*flat(100.0, 7), (99.0, 99.0, 98.8, 98.8), *flat(98.7, 7)],
    trades=[
        Hand(
            side="long", qty="90", decided=5, entry=5, entry_price="100.02", entry_fee="4.95099", entry_slippage="1.8",
            exit=8, exit_price="98.68026", exit_fee="4.88467287", reason="max_drawdown", exit_point="open",
            gross="-120.5766", net="-130.41226287", exit_slippage="1.7766", mae=0.013394721, mfe=0.0,
        )
    ],
    changes={
        "account.max_drawdown_pct": "1", "sizing.model": "fixed_quantity", "sizing.value": "90",
        "risk.stop_loss": None, "risk.take_profit": None, "position_policy.exit_mode": "signal",
    },
    stop_reason="max_drawdown",
    last_point=10,
)  # fmt: skip
"""The close of minute 7 is 1.1 % below the peak: closed at the open of minute 8, and nothing after."""

FUTURE = Scenario(
    bars=[*flat(4000.0, 5), (4000.25, 4001.0, 3999.75, 4000.5), *flat(4000.5, 4), (4000.5, 4010.5, 4000.5, 4010.0),
          *flat(4010.0, 4)],
    trades=[
        Hand(
            side="long", qty="1", decided=5, entry=5, entry_price="4000.25", entry_fee="2.25", stop="3995.25",
            target="4010.25", exit=10, exit_price="4010.25", exit_fee="2.25", reason="tp", exit_point="inside",
            exit_liquidity="maker", gross="500", net="495.5", bars_held=1, mae=0.000124992188, mfe=0.0024998438,
        )
    ],
    changes={
        "instrument.multiplier": "50", "instrument.tick_size": "0.25", "instrument.lot_size": "1",
        "instrument.min_quantity": "1", "instrument.calendar": "CME_EQUITY", "account.taker_bps": "0",
        "account.maker_bps": "0", "account.per_contract": "2.25", "account.slippage_bps": "0",
        "account.start_equity": "1000000", "sizing.model": "risk_based", "sizing.value": "0.025",
        "risk.stop_loss": {"type": "fixed_points", "value": "5"}, "risk.tp_order_type": "Limit",
    },
)  # fmt: skip
"""One contract of 50 a point: risking 250 of 1000000 on a stop of five points is one; 2.25 a side."""

CLOSING_AUCTION = replace(
    FUTURE,
    bars=[*flat(4000.0, 5), (4000.25, 4001.0, 3999.75, 4000.5), *flat(4000.5, 3), *flat(4010.25, 1), *flat(4010.0, 5)],
    trades=[replace(FUTURE.trades[0], exit=9, exit_point="open", bars_held=0)],
    auction=9,
)
"""The bar of minute 9 is an auction without length: the execution bar that ends with it knows the fill in it."""

QUIET = Scenario(bars=flat(100.0, 15), trades=[])

_DAYS = [*flat(100.0, 2), *flat(101.0, 10), *flat(103.0, 10), *flat(99.0, 20), *flat(99.5, 18), *flat(98.0, 20)]

FORTY_DAYS = Scenario(
    bars=_DAYS,
    trades=[
        Hand(
            side="long", qty="10", decided=720, entry=720, entry_price="100.02", entry_fee="0.55011",
            entry_slippage="0.2", exit=12 * 720, exit_price="102.9794", exit_fee="0.5663867", reason="signal",
            exit_point="open", gross="29.594", net="28.4775033", exit_slippage="0.206", bars_held=11, mae=0.00019996,
            mfe=0.0295874825,
        ),
        Hand(
            side="short", qty="10", decided=30 * 720, entry=30 * 720, entry_price="98.9802", entry_fee="0.5443911",
            entry_slippage="0.198", exit=50 * 720, exit_price="99.5199", exit_fee="0.54735945", reason="signal",
            exit_point="open", gross="-5.397", net="-6.48875055", exit_slippage="0.199", bars_held=20,
            mae=0.0054526, mfe=0.0,
        ),
    ],
    changes={
        "sizing.model": "fixed_quantity", "sizing.value": "10", "risk.stop_loss": None, "risk.take_profit": None,
        "position_policy.exit_mode": "signal", "data.first_trade_time": "2024-01-01T12:00:00Z",
    },
    minutes=720, step=1, base_tf="12h", exec_tf="12h",
)  # fmt: skip
"""Bars of half a day that are execution bars too: one gain, one loss, forty sessions."""

ALL = {
    "long_stop": LONG_STOP,
    "long_stop_gap": LONG_STOP_GAP,
    "short_target": SHORT_TARGET,
    "limit_maker": LIMIT_MAKER,
    "limit_stopped_at_once": LIMIT_STOPPED_AT_ONCE,
    "end_of_data": END_OF_DATA,
    "end_stamped_at_close": END_STAMPED_AT_CLOSE,
    "pending_signal": PENDING_SIGNAL,
    "signal": SIGNAL,
    "drawdown": DRAWDOWN,
    "future": FUTURE,
    "closing_auction": CLOSING_AUCTION,
    "quiet": QUIET,
    "forty_days": FORTY_DAYS,
    **position_scenarios.ALL,
    **rule_scenarios.RULED,
}
