"""The closed word lists and limits of the play language."""

from __future__ import annotations

NUMERIC_OPERATORS = (">", "<", ">=", "<=")
EQUALITY_OPERATORS = ("==", "!=")
NEAR_OPERATORS = ("near_abs", "near_pct")
CROSS_OPERATORS = ("cross_above", "cross_below")
OPERATORS = (*NUMERIC_OPERATORS, *EQUALITY_OPERATORS, "between", *NEAR_OPERATORS, "in", *CROSS_OPERATORS)
"""The twelve comparisons."""

ARITHMETIC = ("+", "-", "*", "/", "%")

WINDOWS = ("holds_for", "occurred_within", "count_true")
DURATION_WINDOWS = tuple(f"{name}_duration" for name in WINDOWS)

BAR_COLUMNS = ("open", "high", "low", "close", "volume")
"""Of the last closed execution bar."""

FORMING_COLUMNS = ("bar_open", "bar_high", "bar_low")
"""Of the execution bar that is forming, up to the minute just closed."""

MINUTE_PRICES = ("last_price", "mark_price")
"""Closes of the minute that ends at the instant."""

SIDE_RATES = ("funding_rate", "open_interest")
"""As known at the instant; missing where a market has no such data."""

BUILTINS = (*BAR_COLUMNS, *FORMING_COLUMNS, *MINUTE_PRICES, *SIDE_RATES)
"""Values that need no declaration."""

SOURCES = (*BAR_COLUMNS, "hl2", "hlc3", "ohlc4")
"""What a single-series indicator can read, besides another feature."""

ENUM_WORDS = (
    "active", "broken", "none", "expired", "bullish", "bearish", "neutral", "high", "low", "up", "down", "flat",
    "ranging", "higher_high", "higher_low", "lower_high", "lower_low", "premium", "discount", "equilibrium",
)  # fmt: skip

ENTRY_ACTIONS = ("entry_long", "entry_short")
EXIT_ACTIONS = ("exit_long", "exit_short", "exit_all")
ACTIONS = (*ENTRY_ACTIONS, *EXIT_ACTIONS)

ROLES = ("exec", "low_tf", "med_tf", "high_tf")

RESERVED = frozenset((*ENUM_WORDS, *BUILTINS, *ARITHMETIC, *SOURCES))
"""Words that no feature or structure may be called."""

OFFSET_MAX = 1000
"""Furthest look back by `offset`, in bars."""

WINDOW_MAX = 500
"""Most samples of a window."""

WARMUP_MAX = 1000
"""Most bars of a timeframe that a play may need before its first decision, unless its `warmup` asks for more."""
