"""Shares and futures as a user meets them: a split in a play, trades as base bars, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from .keel import Keel

SPLIT_PLAY = """
version: "3.0.0"
name: split_play
symbol: AAPL.US
timeframes: { low_tf: D, med_tf: D, high_tf: D, exec: low_tf }
account: { starting_equity: 100000, slippage_bps: 0, max_drawdown_pct: 100 }
features: { atr_3: { indicator: atr, params: { length: 3 } } }
actions: { entry_long: [close, ">", 0] }
position_policy: { mode: long_only, exit_mode: first_hit }
risk_model:
  stop_loss: { type: atr_multiple, value: 3.0, atr_feature_id: atr_3 }
  sizing: { model: fixed_quantity, value: 100 }
"""

GOLD_PLAY = """
version: "3.0.0"
name: gold
symbol: GCZ2013.COMEX
timeframes: { low_tf: 1m, med_tf: 5m, high_tf: 15m, exec: low_tf }
account: { starting_equity: 200000, slippage_bps: 0, max_drawdown_pct: 100 }
features:
  ema_5: { indicator: ema, params: { length: 5 } }
  ema_20: { indicator: ema, params: { length: 20 } }
  atr_14: { indicator: atr, params: { length: 14 } }
actions:
  entry_long: [ema_5, cross_above, ema_20]
  entry_short: [ema_5, cross_below, ema_20]
position_policy: { mode: long_short, exit_mode: sl_tp_only }
risk_model:
  stop_loss: { type: atr_multiple, value: 2.0, atr_feature_id: atr_14 }
  take_profit: { type: rr_ratio, value: 1.5 }
  sizing: { model: fixed_quantity, value: 1 }
"""


@pytest.fixture
def keel(tmp_path: Path) -> Keel:
    return Keel(tmp_path / "home")


@pytest.fixture
def gold(keel: Keel, shared_data: Path, tmp_path: Path) -> Path:
    """Return a play on gold, whose trades and minutes of 7 October 2013 have been imported."""
    folder = shared_data / "comex" / "GCZ2013"
    keel.ok("data", "import", folder / "trades.parquet", "--instrument", "GCZ2013.COMEX", "--kind", "trades")
    keel.ok("data", "import", folder / "1m.parquet", "--instrument", "GCZ2013.COMEX", "--tf", "1m")
    path = tmp_path / "gold.yaml"
    path.write_text(GOLD_PLAY)
    return path


class TestTrades:
    DAY = ("--start", "2013-10-07", "--end", "2013-10-08", "--gaps", "report", "--no-report", "--json")

    def test_fills_happen_at_prices_that_were_traded_and_the_audit_agrees(
        self, keel: Keel, gold: Path, shared_data: Path, tmp_path: Path
    ) -> None:
        import polars as pl

        out = tmp_path / "trades"
        said = keel.ok("backtest", gold, *self.DAY, "--set", "backtest.match=trades", "--out", out)

        assert said.document["data"]["base_tf"] == "tick"
        assert all(check["ok"] or check["skipped"] for check in said.document["checks"])
        traded = pl.read_parquet(shared_data / "comex" / "GCZ2013" / "trades.parquet")
        prices = {(stamp, price) for stamp, price in traded.select("ts", "price").iter_rows()}
        fills = pl.read_csv(out / "fills.csv", try_parse_dates=True)
        market = fills.filter(pl.col("order_kind") == "market")
        assert len(market) >= 40
        assert all((stamp, price) in prices for stamp, price in market.select("time", "price").iter_rows())

    def test_the_bars_only_twin_is_compared(self, keel: Keel, gold: Path) -> None:
        said = keel.ok("backtest", gold, *self.DAY, "--set", "backtest.match=trades")

        twin = said.document["bars_twin"]
        assert twin["trades"] == said.document["metrics"]["trades"] == 49
        assert twin["equal"] + twin["different"] + twin["only_here"] == 49
        assert twin["net_pnl"] == pytest.approx(-722.06)

    def test_both_lanes_agree_on_trades(self, keel: Keel, gold: Path) -> None:
        lanes = [
            keel.ok("backtest", gold, *self.DAY, "--set", "backtest.match=trades", "--lane", lane).document
            for lane in ("research", "engine")
        ]
        assert lanes[0]["result_hash"] == lanes[1]["result_hash"]

    def test_without_trades_the_message_says_how_to_get_them(self, keel: Keel, tmp_path: Path) -> None:
        path = tmp_path / "gold.yaml"
        path.write_text(GOLD_PLAY.replace("GCZ2013.COMEX", "SPY.US"))
        said = keel("backtest", path, "--set", "backtest.match=trades")
        assert said.code == 2
        assert "no catalog has trades of it" in said.message
        assert "--kind trades" in said.message


class TestSplits:
    def test_a_stop_after_a_split_counts_in_new_shares(self, keel: Keel, shared_data: Path, tmp_path: Path) -> None:
        source = shared_data / "us_equity" / "AAPL" / "1d.parquet"
        keel.ok("data", "import", source, "--instrument", "AAPL.US", "--tf", "D")
        keel.ok("data", "import", source, "--instrument", "AAPL.US", "--kind", "actions", "--from-factor")
        path = tmp_path / "split_play.yaml"
        path.write_text(SPLIT_PLAY)
        out = tmp_path / "out"

        said = keel.ok(
            "backtest", path, "--start", "2020-07-01", "--end", "2020-10-01", "--out", out, "--no-report", "--json"
        )

        # Four for one on 31 August 2020: a position of 100 becomes one of 400 at a quarter of its price.
        import polars as pl

        assert all(check["ok"] or check["skipped"] for check in said.document["checks"])
        fills = pl.read_csv(out / "fills.csv", try_parse_dates=True)
        (new,) = fills.filter(pl.col("order_kind") == "split").select("qty", "price").rows()
        assert new == (300, 0.0)
        trades = pl.read_csv(out / "trades.csv", try_parse_dates=True)
        risked = trades.select((pl.col("entry_price") - pl.col("stop_price")) / pl.col("entry_price")).to_series()
        assert risked.max() < 0.2
