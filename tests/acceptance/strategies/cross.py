"""A crossing of two averages that asks for an entry only once in a while: what a play cannot remember, Python can."""

from __future__ import annotations

from typing import ClassVar

from evenkeel.model.intent import Intent
from evenkeel.strategies.python_strategy import Features, PythonStrategy
from evenkeel.strategies.strategy import View

REST_BARS = 60
"""Decision bars from one wish to enter to the next."""


class Cross(PythonStrategy):
    """Long after a crossing above in a rising hour, with a stop in average true ranges; out after a crossing below."""

    symbol = "BTC-USD.BITSTAMP"
    timeframe = "5m"
    account: ClassVar = {"start_equity": "20000", "slippage": "0.0002", "max_drawdown": "0.5"}
    sizing: ClassVar = {"model": "percent_equity", "value": "0.5"}

    def setup(self, features: Features) -> None:
        """Ask for the averages on our own bars and the trend of the hour."""
        features.history(1)
        self.fast = features.indicator("ema", length=10)
        self.slow = features.indicator("ema", length=30)
        self.hour = features.indicator("ema", timeframe="1h", length=20)
        self.range = features.indicator("atr", length=14)
        self.memory = {"rest_until": 0}

    def decide(self, view: View) -> Intent:
        """Answer the close of a bar."""
        above = view.value(self.fast) > view.value(self.slow)
        was_above = view.value(self.fast, ago=1) > view.value(self.slow, ago=1)
        if view.position > 0 and not above:
            return self.close("the fast average fell below the slow one")
        rested = view.bar >= self.memory["rest_until"]
        if view.position == 0 and rested and above and not was_above and view.price > view.value(self.hour):
            self.memory["rest_until"] = view.bar + REST_BARS
            return self.long(stop=2.5 * view.value(self.range), reason="crossed above in a rising hour")
        return self.nothing()
