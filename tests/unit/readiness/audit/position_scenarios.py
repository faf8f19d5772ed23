"""Scenarios of positions that are closed in legs, whose stops move, or that are margined, worked out by hand.

As in `scenarios.py`: 10000 to start, slippage 2 bps, taker 5.5 bps, maker 2 bps, tick 0.1, lot 0.001, minutes of bars
and decisions at each fifth close, unless stated.
"""

from __future__ import annotations

from dataclasses import replace

from .audited_run import Hand, Scenario, flat

LONG = {
    "side": "long", "decided": 5, "entry": 5, "entry_price": "100.02", "entry_fee": "0.55011", "qty": "10",
    "entry_slippage": "0.2",
}  # fmt: skip
SHORT = {
    "side": "short", "decided": 5, "entry": 5, "entry_price": "99.98", "entry_fee": "0.54989", "qty": "10",
    "entry_slippage": "0.2",
}  # fmt: skip

TRAILING = Scenario(
    bars=[
        *flat(100.0, 5), (100.0, 100.4, 99.9, 100.3), (100.3, 101.3, 100.2, 101.25), (101.25, 102.6, 101.2, 102.5),
        (102.5, 102.55, 101.6, 101.7), (101.7, 101.8, 101.4, 101.45), *flat(101.45, 5),
    ],
    trades=[
        Hand(
            **LONG, stop="99.1", final_stop="101.5", exit=9, exit_price="101.4797", exit_fee="0.55813835",
            reason="trailing", exit_point="inside", gross="14.597", net="13.48875165", exit_slippage="0.203",
            mae=0.00119976, mfe=2.58 / 100.02,
        )
    ],
    changes={
        "risk.stop_loss": {"type": "trailing_pct", "trail_pct": "1", "activation_pct": "0.5"},
        "risk.take_profit": None,
    },
)  # fmt: skip
"""1 % behind: 99.02 is rounded up to 99.1. 100.3 is no half percent; 101.25 leads to 100.2375, 102.5 to 101.475."""

TRAILING_BESIDE = Scenario(
    bars=[
        *[(100.0, 100.2, 99.8, 100.0)] * 2, (100.0, 100.5, 99.8, 100.0), (100.0, 100.1, 99.9, 100.0),
        (100.0, 100.5, 99.8, 100.0), (100.0, 100.3, 99.5, 99.6), (99.6, 100.5, 98.9, 99.0),
        (100.2, 100.4, 100.1, 100.2), *flat(100.2, 7),
    ],
    trades=[
        Hand(
            **SHORT, stop="101.9", final_stop="100.0", exit=7, exit_price="100.22004", exit_fee="0.55121022",
            reason="trailing", exit_point="open", gross="-2.4004", net="-3.50150022", exit_slippage="0.2004",
            mae=0.00520104, mfe=0.01080216,
        )
    ],
    changes={
        "risk.take_profit": None,
        "risk.trailing": {"type": "trailing_atr", "atr_multiplier": "2", "atr_feature_id": "atr_3"},
        "strategy.resolved": {"features": {"atr_3": {"indicator": "atr", "params": {"length": 3}, "tf": "1m"}}},
    },
)  # fmt: skip
"""True ranges 0.4, 0.4, 0.7 have the mean 0.5; 0.2 leads to 0.4, 0.7 to 0.5 again: the stop follows at 1.0."""

BREAK_EVEN = Scenario(
    bars=[*flat(187.36, 4), (187.36, 193.345678, 181.0, 187.36), (187.41, 190.0, 187.0, 189.5),
          (189.5, 189.6, 187.5, 188.0), *flat(188.0, 8)],
    trades=[
        Hand(
            side="long", qty="2", decided=5, entry=5, entry_price="187.41", entry_fee="0.206151", stop="160.16",
            target="255.54", final_stop="187.7", exit=6, exit_price="187.7", exit_fee="0.20647", reason="breakeven",
            exit_point="inside", gross="0.58", net="0.167379", mae=0.41 / 187.41, mfe=2.59 / 187.41,
        )
    ],
    changes={
        "instrument.tick_size": "0.01", "account.slippage_bps": "0", "sizing.model": "fixed_quantity",
        "sizing.value": "2",
        "risk.stop_loss": {"type": "atr_multiple", "value": "2.2", "atr_feature_id": "atr_1", "buffer_pct": "0.05"},
        "risk.take_profit": {"type": "rr_ratio", "value": "2.5"},
        "risk.break_even": {"activation_pct": "1.0", "offset_pct": "0.15"},
        "strategy.resolved": {"features": {"atr_1": {"indicator": "atr", "params": {"length": 1}, "tf": "5m"}}},
    },
)  # fmt: skip
"""Golden vectors 25, 27 and 28: an ATR of 12.345678, a fill 0.05 above the price at decision, break-even at 187.70."""

BREAK_EVEN_SHORT = replace(
    BREAK_EVEN,
    bars=[*BREAK_EVEN.bars[:5], (187.41, 187.8, 184.9, 185.0), (185.0, 187.3, 184.9, 186.0), *flat(186.0, 8)],
    trades=[
        replace(
            BREAK_EVEN.trades[0], side="short", stop="214.66", target="119.28", final_stop="187.12",
            exit_price="187.12", exit_fee="0.205832", net="0.168017", mae=0.39 / 187.41, mfe=2.51 / 187.41,
        )
    ],
)  # fmt: skip

LADDER = Scenario(
    bars=[
        *flat(100.0, 6), (100.0, 102.4, 99.8, 101.0), *flat(101.0, 1), (103.5, 103.6, 103.0, 103.2), *flat(103.2, 6),
    ],
    trades=[
        Hand(
            **LONG | {"qty": "4", "entry_fee": "0.220044", "entry_slippage": "0.08"}, stop="98.1", target="102.0",
            exit=6, exit_price="102", exit_fee="0.0816", reason="tp", exit_point="inside", exit_liquidity="maker",
            gross="7.92", net="7.618356", mae=0.00219956, mfe=0.01979604,
        ),
        Hand(
            **LONG | {"qty": "6", "entry_fee": "0.330066", "entry_slippage": "0.12"}, stop="98.1", target="102.0",
            exit=8, exit_price="103.5", exit_fee="0.1242", reason="tp", exit_point="open", exit_liquidity="maker",
            gross="20.88", net="20.425734", mae=0.00219956, mfe=0.03479304, leg=2,
        ),
    ],
    changes={
        "risk.take_profit": {"type": "ladder", "steps": [{"pct": 3.0, "close_pct": 60}, {"rr": 1.0, "close_pct": 40}]},
        "risk.tp_order_type": "Limit",
    },
)  # fmt: skip
"""The stop is 2.0 away: 102.02 is rounded down to 102.0 for 40 %, 103.02 to 103.0, which the market jumps over."""

LADDER_IN_ONE_BAR = Scenario(
    bars=[*flat(100.0, 6), *flat(99.5, 1), (99.5, 99.6, 96.5, 96.8), *flat(96.8, 7)],
    trades=[
        Hand(
            **SHORT | {"qty": "3", "entry_fee": "0.164967", "entry_slippage": "0.06"}, stop="101.9", target="99.0",
            exit=7, exit_price="99.0198", exit_fee="0.16338267", reason="tp", exit_point="inside", gross="2.8806",
            net="2.55225033", exit_slippage="0.0594", mae=0.00020004, mfe=0.03,
        ),
        Hand(
            **SHORT | {"qty": "3", "entry_fee": "0.164967", "entry_slippage": "0.06"}, stop="101.9", target="99.0",
            exit=7, exit_price="98.0196", exit_fee="0.16173234", reason="tp", exit_point="inside", gross="5.8812",
            net="5.55450066", exit_slippage="0.0588", mae=0.00020004, mfe=0.03, leg=2,
        ),
        Hand(
            **SHORT | {"qty": "4", "entry_fee": "0.219956", "entry_slippage": "0.08"}, stop="101.9", target="99.0",
            exit=7, exit_price="97.0194", exit_fee="0.21344268", reason="tp", exit_point="inside", gross="11.8424",
            net="11.40900132", exit_slippage="0.0776", mae=0.00020004, mfe=0.03, leg=3,
        ),
    ],
    changes={
        "instrument.lot_size": "1", "instrument.min_quantity": "1",
        "risk.take_profit": {
            "type": "ladder",
            "steps": [{"rr": 0.5, "close_pct": 33}, {"rr": 1, "close_pct": 33}, {"rr": 1.5, "close_pct": 34}],
        },
    },
)  # fmt: skip
"""3.3 units are 3 at 99.0 and 3 at 98.0; the last step takes the remaining 4 at 97.0; each pays slippage."""

STEP_BEFORE_SIGNAL = Scenario(
    bars=[*flat(100.0, 10), (102.5, 102.6, 102.3, 102.4), *flat(102.4, 4)],
    trades=[
        Hand(
            **LONG | {"qty": "4", "entry_fee": "0.220044", "entry_slippage": "0.08"}, stop="98.1", target="102.0",
            exit=10, exit_price="102.5", exit_fee="0.082", reason="tp", exit_point="open", exit_liquidity="maker",
            gross="9.92", net="9.617956", bars_held=1, mae=0.00019996001, mfe=0.024795041,
        ),
        Hand(
            **LONG | {"qty": "5", "entry_fee": "0.275055", "entry_slippage": "0.1"}, stop="98.1", target="102.0",
            exit=10, exit_price="102.4795", exit_fee="0.28181863", reason="signal", exit_point="open",
            gross="12.2975", net="11.74062637", exit_slippage="0.1025", bars_held=1, mae=0.00019996001,
            mfe=0.024795041, leg=2,
        ),
        Hand(
            **LONG | {"qty": "1", "entry_fee": "0.055011", "entry_slippage": "0.02"}, stop="98.1", target="102.0",
            exit=14, exit_price="102.37952", exit_fee="0.05630874", reason="end_of_data", exit_point="close",
            gross="2.35952", net="2.24820026", exit_slippage="0.02048", bars_held=2, mae=0.00019996001,
            mfe=0.025794841, leg=3,
        ),
    ],
    changes={
        "risk.take_profit": {"type": "ladder", "steps": [{"rr": 1, "close_pct": 40}, {"pct": 5, "close_pct": 60}]},
        "risk.tp_order_type": "Limit",
        "strategy.resolved": {
            "actions": [{"id": "out", "cases": [{"when": [], "emit": [{"action": "exit_long", "percent": 50}]}]}]
        },
    },
)  # fmt: skip
"""A signal asks for half of 10 at the tenth close; the open of 102.5 fills a step of 4 first, then its 5."""

BOTH_STEPS_ON_A_TICK = replace(
    LADDER,
    bars=[*flat(100.0, 6), (100.0, 101.5, 99.8, 101.0), *flat(101.0, 8)],
    trades=[
        replace(
            LADDER.trades[1], leg=1, target="101.0", exit=6, exit_price="101", exit_fee="0.1212", exit_point="inside",
            gross="5.88", net="5.428734", mfe=0.98 / 100.02,
        ),
        replace(
            LADDER.trades[0], leg=2, target="101.0", exit=6, exit_price="101", exit_fee="0.0808", gross="3.92",
            net="3.619156", mfe=0.98 / 100.02,
        ),
    ],
    changes={
        "risk.take_profit": {"type": "ladder", "steps": [{"pct": 1.05, "close_pct": 40}, {"pct": 1, "close_pct": 60}]},
        "risk.tp_order_type": "Limit",
    },
)  # fmt: skip
"""101.07 and 101.02 are both rounded down to 101.0; the step that was nearer before that comes first."""

HOURS = {"minutes": 60, "step": 1, "base_tf": "1h", "exec_tf": "1h"}
ON_MARGIN = {
    "account.max_leverage": "10", "sizing.model": "fixed_quantity", "sizing.value": "0.1", "risk.stop_loss": None,
    "risk.take_profit": None, "position_policy.exit_mode": "signal", "account.slippage_bps": "0",
}  # fmt: skip

PARTIAL = Scenario(
    bars=[
        *flat(50000.0, 7), (50000.0, 50200.0, 49900.0, 50100.0), (50100.0, 50600.0, 50000.0, 50500.0),
        (50500.0, 50700.0, 50400.0, 50600.0), (50600.0, 51100.0, 50500.0, 51050.0), *flat(51050.0, 1),
    ],
    trades=[
        Hand(
            side="long", qty="0.08", decided=420, entry=420, entry_price="50010", entry_fee="2.20044", stop="49010",
            target="51000", entry_slippage="0.8", exit=540, exit_price="50489.9", exit_fee="2.2215556",
            reason="signal", exit_point="open", gross="38.392", net="33.5692044", exit_slippage="0.808", bars_held=2,
            mae=110 / 50010, mfe=590 / 50010, funding="-0.4008",
        ),
        Hand(
            side="long", qty="0.12", decided=420, entry=420, entry_price="50010", entry_fee="3.30066", stop="49010",
            target="51000", entry_slippage="1.2", exit=600, exit_price="51000", exit_fee="1.224", reason="tp",
            exit_point="inside", exit_liquidity="maker", gross="118.8", net="113.67414", bars_held=3, mae=110 / 50010,
            mfe=990 / 50010, leg=2, funding="-0.6012",
        ),
    ],
    changes={
        "account.max_leverage": "10", "sizing.model": "fixed_quantity", "sizing.value": "0.2",
        "risk.take_profit": {"type": "fixed_points", "value": "990"}, "risk.tp_order_type": "Limit",
        "account.funding": {"enabled": True, "fixed_rate": "0.0001"},
        "strategy.resolved": {
            "actions": [{"id": "out", "cases": [{"when": [], "emit": [{"action": "exit_long", "percent": 40}]}]}]
        },
    },
    payments=((480, "-1.002"),),
    **HOURS,
)  # fmt: skip
"""Golden vectors 44 to 46: funding at 08:00 on a mark of 50100, 40 % closed at the next open, the rest at a target."""

LIQUIDATED = Scenario(
    bars=[
        *flat(50000.0, 2), (49000.0, 49000.0, 45300.0, 46000.0), (46000.0, 46000.0, 45200.0, 45500.0),
        *flat(45500.0, 2),
    ],
    trades=[
        Hand(
            side="long", qty="0.1", decided=60, entry=60, entry_price="50000", entry_fee="2.75", exit=180,
            exit_price="45024.763619991", exit_fee="2.476362", reason="liquidation", exit_point="inside",
            gross="-497.523638", net="-502.75", bars_held=2, mae=0.096, mfe=0.0,
        )
    ],
    changes=ON_MARGIN,
    stop_reason="liquidated",
    last_point=240,
    **HOURS,
)  # fmt: skip
"""Golden vectors 1 and 2: liquidated at 45251.14 and closed at 45024.76, which costs the margin of 500."""

LIQUIDATED_IN_A_GAP = Scenario(
    bars=[*flat(50000.0, 3), *flat(44000.0, 3)],
    trades=[
        replace(
            LIQUIDATED.trades[0], stop="49000", exit=180, exit_point="open", mae=0.0995047276,
        )
    ],
    changes={**ON_MARGIN, "risk.stop_loss": {"type": "fixed_points", "value": "1000"}},
    stop_reason="liquidated",
    last_point=240,
    **HOURS,
)  # fmt: skip
"""Golden vector 47: the stop at 49000 comes first, but at 44000 it would cost more than the margin."""

FREED_BY_A_PART = Scenario(
    bars=[*flat(100.0, 10), (99.6, 99.7, 99.3, 99.5), *flat(99.5, 4)],
    trades=[
        Hand(
            side="long", qty="6", decided=5, entry=5, entry_price="100", entry_fee="0.33", exit=10,
            exit_price="99.6", exit_fee="0.328680", reason="signal", exit_point="open", gross="-2.4", net="-3.05868",
            bars_held=1, mae=0.004, mfe=0.0,
        ),
        Hand(
            side="long", qty="4", decided=5, entry=5, entry_price="100", entry_fee="0.22", exit=14,
            exit_price="99.5", exit_fee="0.2189", reason="end_of_data", exit_point="close", gross="-2",
            net="-2.4389", bars_held=2, mae=0.007, mfe=0.0, leg=2,
        ),
    ],
    changes={
        **ON_MARGIN, "account.max_leverage": "100", "sizing.value": "10", "account.mm_deduction": "1.2",
        "account.min_liq_distance_pct": "0",
    },
)  # fmt: skip
"""Ten units are liquidated at 99.4318, the four that a signal leaves at 99.2508: a low of 99.3 does not touch them."""

BANKRUPT_BY_SLIPPAGE = Scenario(
    bars=[*flat(100.0, 10), (99.8, 99.9, 99.7, 99.8), *flat(99.8, 4)],
    trades=[
        Hand(
            side="long", qty="10", decided=5, entry=5, entry_price="101", entry_fee="0.5555", entry_slippage="10",
            exit=10, exit_price="99.03446895792686", exit_fee="0.54468958", reason="liquidation", exit_point="open",
            gross="-19.65531042", net="-20.7555", bars_held=1, mae=0.0194607, mfe=0.0,
        )
    ],
    changes={
        **ON_MARGIN, "account.max_leverage": "50", "sizing.value": "10", "account.slippage_bps": "100",
        "account.min_liq_distance_pct": "0", "account.continue_after_liquidation": True,
    },
)  # fmt: skip
"""A signal at 99.8 with 1 % slippage lies beyond the bankruptcy price of 99.034: it costs the margin of 20.2."""

INTRABAR = Scenario(
    bars=[*flat(100.0, 12), *flat(101.5, 3)],
    trades=[
        Hand(
            **LONG | {"decided": 7, "entry": 7}, stop="98.1", target="104.0", exit=12, exit_price="101.4797",
            exit_fee="0.55813835", reason="signal", exit_point="open", gross="14.597", net="13.48875165",
            exit_slippage="0.203", bars_held=1, mae=0.00019996001, mfe=0.0147970406,
        )
    ],
    changes={"strategy.resolved": {"timeframes": {"evaluate": "intrabar", "max_entries_per_bar": 1}}},
)  # fmt: skip
"""Decided at the seventh and the twelfth base close, neither of which ends an execution bar."""

ALL = {
    "trailing": TRAILING,
    "trailing_beside": TRAILING_BESIDE,
    "break_even": BREAK_EVEN,
    "break_even_short": BREAK_EVEN_SHORT,
    "ladder": LADDER,
    "ladder_in_one_bar": LADDER_IN_ONE_BAR,
    "step_before_signal": STEP_BEFORE_SIGNAL,
    "both_steps_on_a_tick": BOTH_STEPS_ON_A_TICK,
    "partial": PARTIAL,
    "liquidated": LIQUIDATED,
    "liquidated_in_a_gap": LIQUIDATED_IN_A_GAP,
    "freed_by_a_part": FREED_BY_A_PART,
    "bankrupt_by_slippage": BANKRUPT_BY_SLIPPAGE,
    "intrabar": INTRABAR,
}
