"""`keel lookahead`: strategies that peek are caught, in whichever way, and honest ones pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import desk
from acceptance.keel import Keel
from evenkeel.engine.search.poison import poisoned
from evenkeel.model.time import parse_time

HERE = Path(__file__).parent
CROSS = HERE / "strategies" / "cross.py"

PEEKS = {
    "the next bar of the window": "view.x.base[self.close_row, min(view.column + 1, view.x.base.shape[1] - 1)]",
    "the last bar of the window": "view.x.base[self.close_row, -1]",
    "ten bars on": "view.x.base[self.close_row, min(view.column + 10, view.x.base.shape[1] - 1)]",
}

PEEKING = """
from typing import ClassVar
from evenkeel.model.intent import Intent
from evenkeel.strategies.python_strategy import Features, PythonStrategy
from evenkeel.strategies.strategy import View


class Peek(PythonStrategy):
    symbol = "BTC-USD.BITSTAMP"
    timeframe = "5m"
    account: ClassVar = {"start_equity": "20000", "max_drawdown": "0.9"}
    sizing: ClassVar = {"model": "percent_equity", "value": "0.5"}

    def setup(self, features: Features) -> None:
        self.close_row = features.column("close")
        self.mean = features.indicator("sma", length=20)

    def decide(self, view: View) -> Intent:
        seen = SEEN
        if view.position == 0 and view.bar % 7 == 0 and seen > view.price * 1.0005:
            return self.long(stop=50.0, reason="it will rise")
        if view.position > 0 and seen < view.price:
            return self.close("it will fall")
        return self.nothing()
"""

PLUGIN = """
import math
from evenkeel.features.node import Output, Param, indicator


@indicator(
    "tomorrow", summary="The close of the next bar", inputs=("close",), params=(), outputs=(Output("value"),),
    state=lambda _: 1, lookback=lambda _: 0, first=lambda _: {"value": 1}, warmup=lambda _: 1, formula="C[+1]",
    source="test",
)
def tomorrow(p, s, x, r, start, stop):
    for i in range(start, stop):
        x[r[1], i] = x[r[0], i + 1] if i + 1 < stop else x[r[0], i]
"""

PLAY = """\
version: "3.0.0"
name: clairvoyant
symbol: BTC-USD.BITSTAMP
timeframes: { low_tf: 5m, med_tf: 15m, high_tf: 1h, exec: low_tf }
account: { max_drawdown_pct: 100 }
features: { next: { indicator: tomorrow } }
actions:
  entry_long: [["next", ">", "close"]]
  exit_long: [["next", "<", "close"]]
position_policy: { mode: long_only, exit_mode: signal }
risk: { stop_loss_pct: 5, max_position_pct: 50 }
"""


@pytest.fixture
def keel(tmp_path: Path) -> Keel:
    return Keel(tmp_path / "home")


@pytest.mark.parametrize("peek", PEEKS)
def test_a_python_strategy_that_peeks_is_caught(keel: Keel, tmp_path: Path, peek: str) -> None:
    file = tmp_path / "peek.py"
    file.write_text(PEEKING.replace("SEEN", PEEKS[peek]))

    said = keel("lookahead", file, "--samples", 12, "--json")

    assert said.code == 1
    found = said.document
    assert found["passed"] is False
    first = found["difference"]
    assert parse_time(first["at"]) <= parse_time(first["instant"])
    assert first["whole"] != first["other"]
    spoken = keel("lookahead", file, "--samples", 12)
    assert spoken.code == 1
    assert spoken.out.startswith("LOOK-AHEAD in Peek: with ")
    assert first["instant"] in spoken.out


def test_the_same_strategy_without_the_peek_passes(keel: Keel, tmp_path: Path) -> None:
    file = tmp_path / "honest.py"
    file.write_text(PEEKING.replace("SEEN", "view.value(self.mean)"))

    found = keel.ok("lookahead", file, "--samples", 6, "--json").document

    assert found["passed"] is True
    assert found["instants"] == 6
    assert found["decisions"] > 100
    assert "no look-ahead in Cross" in keel.ok("lookahead", CROSS, "--samples", 4).out


def test_an_indicator_of_the_users_own_that_peeks_is_caught(keel: Keel, tmp_path: Path) -> None:
    plugin, play = tmp_path / "tomorrow.py", tmp_path / "clairvoyant.yaml"
    plugin.write_text(PLUGIN)
    play.write_text(PLAY)

    said = keel("lookahead", play, "--plugin", plugin, "--samples", 6, "--json")

    assert said.code == 1
    assert said.document["difference"]["play"] == "clairvoyant"


@pytest.mark.parametrize("name", ["btc_swing_break", "aapl_opening_gap", "two_markets", "spy_regimes"])
def test_plays_and_playbooks_pass(keel: Keel, name: str) -> None:
    found = keel.ok("lookahead", name, "--samples", 6, "--json").document

    assert found["passed"] is True
    assert found["difference"] is None
    assert found["steps"] > found["decisions"] > 10
    assert not (keel.home / "trials").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("ema_cross", "--samples", "0"), "--samples is 0; it is 1 to 10,000"),
        (("ema_cros",), "did you mean"),
        (("two_markets", "--symbol", "SPY.US"), "--symbol is for plays"),
        (("ema_cross", "--symbol", "SPY.US", "--symbol", "EURUSD.FX"), "give --symbol once"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(keel: Keel, arguments: tuple[str, ...], says: str) -> None:
    said = keel("lookahead", *arguments)

    assert said.code == 2
    assert says in said.message


def test_garbage_begins_at_the_instant_and_is_sane_within_each_bar() -> None:
    bars = desk.walk(4, 500)
    cut = int(bars.open_ns[300])

    found = poisoned(bars, cut, seed=9)

    for name in ("open", "high", "low", "close", "volume"):
        true, false = getattr(bars, name), getattr(found, name)
        assert np.array_equal(true[:300], false[:300])
        assert not np.any(np.isclose(true[300:], false[300:], rtol=1e-6)), name
    assert (found.low <= np.minimum(found.open, found.close)).all()
    assert (found.high >= np.maximum(found.open, found.close)).all()
    assert (found.low > 0).all()
    assert np.array_equal(found.open_ns, bars.open_ns)
    assert not np.array_equal(poisoned(bars, cut, seed=10).close, found.close)
    assert np.array_equal(poisoned(bars, int(bars.close_ns[-1]) + 1, seed=9).close, bars.close)
