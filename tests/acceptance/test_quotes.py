"""Quotes as a user meets them: recorded ones of a perpetual, with the trades between them and without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .keel import Keel

if TYPE_CHECKING:
    import polars as pl

SYMBOL = "BTCUSDT-PERP.BINANCE"
PLAY = f"""
version: "3.0.0"
name: quoted
symbol: {SYMBOL}
timeframes: {{ low_tf: 1m, med_tf: 1m, high_tf: 1m, exec: low_tf }}
account: {{ starting_equity: 100000, max_leverage: 2, max_drawdown_pct: 90, slippage_bps: 0 }}
features: {{ mom_1: {{ indicator: mom, params: {{ length: 1 }} }} }}
position_policy: {{ mode: long_short, exit_mode: first_hit }}
actions:
  entry_long: [mom_1, ">", 0]
  entry_short: [mom_1, "<", 0]
  exit_long: [mom_1, "<", 0]
  exit_short: [mom_1, ">", 0]
backtest: {{ match: quotes }}
risk_model:
  stop_loss: {{ type: percent, value: 0.05, basis: price }}
  take_profit: {{ type: percent, value: 0.1, basis: price }}
  sizing: {{ model: fixed_quantity, value: 0.1 }}
"""

RUN = ("--gaps", "report", "--no-report", "--json")

UNJUDGED = {
    "EXIT_REASON", "MTF_AGGREGATION", "NO_LOOKAHEAD", "SIGNAL_REPLAY", "ENTRY_PRICE", "EXIT_FILL", "TP_SL_FIRST",
    "LIQ_DISTANCE", "EQUITY_MARK", "ENTRY_TIME", "EXIT_TIME", "EXCURSION", "STOP_PATH",
}  # fmt: skip


@pytest.fixture
def keel(tmp_path: Path) -> Keel:
    return Keel(tmp_path / "home")


@pytest.fixture
def recorded(shared_data: Path) -> Path:
    return shared_data / "binance_usdm" / "BTCUSDT"


@pytest.fixture
def play(keel: Keel, recorded: Path, tmp_path: Path) -> Path:
    """Return a play on a perpetual whose quotes of six minutes have been imported."""
    keel.ok("data", "import", recorded / "quotes.parquet", "--instrument", SYMBOL, "--kind", "quotes")
    path = tmp_path / "quoted.yaml"
    path.write_text(PLAY)
    return path


def stood(recorded: Path) -> dict[object, tuple[float, float]]:
    """Return the last bid and ask of each instant of the file."""
    import polars as pl

    quotes = pl.read_parquet(recorded / "quotes.parquet").with_columns(pl.col("ts").dt.cast_time_unit("us"))
    return {stamp: (bid, ask) for stamp, bid, ask in quotes.select("ts", "bid", "ask").iter_rows()}


def fills_of(folder: Path) -> pl.DataFrame:
    import polars as pl

    return pl.read_csv(folder / "fills.csv", try_parse_dates=True)


def with_trades(keel: Keel, recorded: Path) -> None:
    keel.ok("data", "import", recorded / "trades.parquet", "--instrument", SYMBOL, "--kind", "trades")


@pytest.mark.parametrize("trades", [True, False], ids=["with trades", "quotes alone"])
def test_every_fill_is_at_the_side_of_a_recorded_quote(
    keel: Keel, play: Path, recorded: Path, tmp_path: Path, *, trades: bool
) -> None:
    if trades:
        with_trades(keel, recorded)
    said = keel.ok("backtest", play, *RUN, "--out", tmp_path / "run")

    quotes, fills = stood(recorded), fills_of(tmp_path / "run")
    assert len(fills) >= 6
    for stamp, side, price in fills.select("time", "side", "price").iter_rows():
        bid, ask = quotes[stamp]
        assert price == (ask if side == "buy" else bid), stamp
    assert ("STOPS_BY_QUOTES" in said.document["marks"]) is not trades
    data = json.loads((tmp_path / "run" / "manifest.json").read_text())["data"]
    assert data["quotes"]["crossed"] == 0
    assert (data["quotes"]["trades"] > 0) is trades
    assert ("trades" in data["beside"]) is trades


def test_a_market_entry_is_at_the_first_quote_after_its_decision(
    keel: Keel, play: Path, recorded: Path, tmp_path: Path
) -> None:
    import polars as pl

    with_trades(keel, recorded)
    keel.ok("backtest", play, *RUN, "--out", tmp_path / "run")

    stamps = pl.Series(sorted(stood(recorded)))
    trades = pl.read_csv(tmp_path / "run" / "trades.csv", try_parse_dates=True)
    for decided, entered in trades.select("decided_time", "entry_time").iter_rows():
        assert entered == stamps.filter(stamps >= decided)[0]


def test_both_lanes_agree_and_the_twin_on_minutes_is_told(keel: Keel, play: Path, recorded: Path) -> None:
    with_trades(keel, recorded)

    research, engine = (keel.ok("backtest", play, *RUN, "--lane", lane).document for lane in ("research", "engine"))

    assert research["result_hash"] == engine["result_hash"]
    twin = research["bars_twin"]
    assert twin["equal"] + twin["different"] + twin["only_here"] == research["metrics"]["trades"] > 0
    assert twin["net_pnl"] != research["metrics"]["net_pnl"]


def test_checks_that_cannot_judge_quotes_say_so(keel: Keel, play: Path, recorded: Path) -> None:
    with_trades(keel, recorded)

    checks = {check["name"]: check for check in keel.ok("backtest", play, *RUN).document["checks"]}

    assert [name for name, check in checks.items() if not check["ok"] and not check["skipped"]] == []
    skipped = {name: check["detail"] for name, check in checks.items() if check["skipped"]}
    assert skipped.keys() >= UNJUDGED
    assert {skipped[name] for name in UNJUDGED} == {
        "orders met the bid and ask of quotes; what a quote fills is not derived again"
    }
    assert checks["NET_PNL"]["ok"]
    assert checks["FEES"]["ok"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("half_spread_bps: 1", "quotes have a spread of their own"),
        ("max_volume_fraction: 0.1", "max_volume_fraction asks for the volume that was traded in a bar"),
        ("impact: { mode: linear }", "impact asks for the volume that was traded in a bar"),
        ("queue: { model: volume_ahead }", "queue asks for the volume that was traded in a bar"),
        ("latency_ms: 20", "latency_ms counts base bars; trades and quotes are none"),
    ],
)
def test_what_quotes_make_wrong_is_refused(keel: Keel, play: Path, change: str, said: str) -> None:
    play.write_text(PLAY.replace("slippage_bps: 0", f"slippage_bps: 0, {change}"))

    refused = keel("backtest", play, *RUN)

    assert refused.code == 2
    assert said in refused.message


def test_without_quotes_the_message_says_how_to_get_them(keel: Keel, tmp_path: Path) -> None:
    path = tmp_path / "quoted.yaml"
    path.write_text(PLAY)

    refused = keel("backtest", path, *RUN)

    assert refused.code == 2
    assert "no catalog has quotes of it" in refused.message
    assert "--kind quotes" in refused.message


def test_a_replay_reads_the_trades_that_the_run_read(keel: Keel, play: Path, recorded: Path, tmp_path: Path) -> None:
    """A run without trades is replayed without them, though the catalog has some by then; one with them, with them."""
    alone, both = tmp_path / "alone", tmp_path / "both"
    keel.ok("backtest", play, *RUN, "--lane", "engine", "--out", alone)
    with_trades(keel, recorded)
    keel.ok("backtest", play, *RUN, "--lane", "engine", "--out", both)

    for folder in (alone, both):
        keel.ok("replay", folder)
