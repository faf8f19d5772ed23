"""Average price of a bar."""

from __future__ import annotations

from evenkeel.features.node import Output, indicator


@indicator(
    "ohlc4",
    summary="Average price of a bar",
    inputs=("open", "high", "low", "close"),
    params=(),
    outputs=(Output("value", meaning="mean of open, high, low and close, in price units"),),
    state=lambda _: 0,
    lookback=lambda _: 0,
    first=lambda _: {"value": 1},
    warmup=lambda _: 1,
    formula="(O + H + L + C) / 4",
    source="plays.md 3.1; equals TA-Lib AVGPRICE",
)
def ohlc4(p, s, x, r, start, stop):
    """Stateless; a missing number makes the sum missing."""
    opens, highs, lows, closes = x[r[0], start:stop], x[r[1], start:stop], x[r[2], start:stop], x[r[3], start:stop]
    y = x[r[4], start:stop]
    for i in range(len(y)):
        y[i] = 0.25 * (opens[i] + highs[i] + lows[i] + closes[i])
