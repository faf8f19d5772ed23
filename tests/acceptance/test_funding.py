"""Funding of a perpetual from recorded rates, end to end: what was imported is what is paid (plays.md 6.5, T18).

What is expected is worked out in `Decimal` from the files themselves and the fills of the run.
"""

from __future__ import annotations

import csv
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from acceptance.keel import Keel, Said

PLAY = Path(__file__).with_name("plays") / "btc_both_ways.yaml"
CENT = Decimal("1e-8")
SYMBOL = ("--instrument", "BTCUSDT")


def recorded(folder: Path, name: str, column: str) -> dict[str, Decimal]:
    """Return a column of a file by instant, each number as the shortest decimal that reads back as it."""
    frame = pl.read_parquet(folder / f"{name}.parquet", columns=["ts", column])
    stamps = frame["ts"].dt.strftime("%Y-%m-%dT%H:%M:%SZ").to_list()
    return dict(zip(stamps, (Decimal(repr(value)) for value in frame[column].to_list()), strict=True))


def trades_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "trades.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def by_hand(trade: dict[str, str], rates: dict[str, Decimal], prices: dict[str, Decimal]) -> Decimal:
    """Return what a position that was closed whole pays (-) or receives at the settlements behind its entry."""
    side = 1 if trade["side"] == "long" else -1
    held = [stamp for stamp in rates if trade["entry_time"] < stamp <= trade["exit_time"]]
    paid = (-side * Decimal(trade["qty"]) * prices[stamp] * rates[stamp] for stamp in held)
    return sum((amount.quantize(CENT, ROUND_HALF_EVEN) for amount in paid), Decimal(0))


def run(keel: Keel, folder: Path, *options: object) -> Said:
    return keel.ok("backtest", PLAY, "--symbol", "BTCUSDT", "--out", folder, "--no-report", "--json", *options)


def manifest(folder: Path) -> dict[str, Any]:
    return Said(0, (folder / "manifest.json").read_text(), "").document


@pytest.fixture(scope="module")
def source(shared_data: Path) -> Path:
    return shared_data / "binance_usdm" / "BTCUSDT"


@pytest.fixture(scope="module")
def keel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Keel:
    keel = Keel(tmp_path_factory.mktemp("funding") / "home")
    keel.ok("data", "import", source / "1m.parquet", *SYMBOL, "--tf", "1m")
    keel.ok("data", "import", source / "funding.parquet", *SYMBOL, "--kind", "funding")
    return keel


@pytest.mark.parametrize("lane", ["research", "engine"])
def test_t18_recorded_rates_are_paid_at_recorded_mark_prices(
    keel: Keel, source: Path, tmp_path: Path, lane: str
) -> None:
    keel.ok("data", "import", source / "mark-8h.parquet", *SYMBOL, "--kind", "mark")
    run(keel, tmp_path, "--lane", lane)

    rates, prices = recorded(source, "funding", "funding_rate"), recorded(source, "mark-8h", "open")
    trades = trades_of(tmp_path)
    expected = [by_hand(trade, rates, prices) for trade in trades]
    assert sum(amount != 0 for amount in expected) > 10
    assert {amount > 0 for amount in expected if amount} == {True, False}
    assert [Decimal(trade["funding"]) for trade in trades] == expected
    facts = manifest(tmp_path)
    assert facts["data"]["funding"] == {"recorded": 89, "missing": 1, "unmarked": 0}
    assert set(facts["data"]["beside"]) == {"funding", "mark"}
    assert "FUNDING_PARTIAL" in facts["marks"]
    assert not {"FUNDING_ASSUMED", "FUNDING_NOT_MODELLED"} & set(facts["marks"])


def test_both_lanes_and_the_audit_agree_and_a_replay_finds_the_same(keel: Keel, tmp_path: Path) -> None:
    said = [run(keel, tmp_path / lane, "--lane", lane).document for lane in ("research", "engine")]

    assert said[0]["result_hash"] == said[1]["result_hash"]
    for lane in ("research", "engine"):
        checks = keel.ok("audit", tmp_path / lane, "--json").document["checks"]
        (funding,) = [check for check in checks if check["name"] == "FUNDING"]
        assert (funding["ok"], funding["skipped"]) == (True, False)
        assert "at recorded rates" in funding["detail"]
        keel.ok("replay", tmp_path / lane)


def test_a_replay_reads_what_the_run_read_and_refuses_when_that_is_gone(source: Path, tmp_path: Path) -> None:
    keel = Keel(tmp_path / "home")
    keel.ok("data", "import", source / "1m.parquet", *SYMBOL, "--tf", "1m")
    keel.ok("data", "import", source / "funding.parquet", *SYMBOL, "--kind", "funding")
    first = run(keel, tmp_path / "first").document
    pinned = manifest(tmp_path / "first")["data"]
    corrected = tmp_path / "rates.csv"
    corrected.write_text("time,rate\n2025-05-10T00:00:00Z,0.01\n")
    keel.ok("data", "import", corrected, *SYMBOL, "--kind", "funding", "--replace")

    second = run(keel, tmp_path / "second").document

    assert pinned["hash"] != manifest(tmp_path / "second")["data"]["hash"] != pinned["revision"]
    assert first["run"] != second["run"]
    keel.ok("replay", tmp_path / "first")
    keel.ok("audit", tmp_path / "first")
    (keel.home / "catalog" / "BTCUSDT.BYBIT" / "funding" / f"{pinned['beside']['funding']}.cols").unlink()
    said = keel("replay", tmp_path / "first")
    assert (said.code, "is missing; restore it from a backup" in said.message) == (3, True)
    for file in (keel.home / "catalog" / "BTCUSDT.BYBIT" / "funding").iterdir():
        file.unlink()
    said = keel("replay", tmp_path / "first")
    assert said.code == 2
    assert (
        f"revision {pinned['beside']['funding'][:12]} of the funding of BTCUSDT.BYBIT is in no catalog" in said.message
    )


def test_without_any_rate_of_its_time_a_run_takes_the_fixed_one_and_says_so(source: Path, tmp_path: Path) -> None:
    keel = Keel(tmp_path / "home")
    keel.ok("data", "import", source / "1m.parquet", *SYMBOL, "--tf", "1m")
    old = tmp_path / "rates.csv"
    old.write_text("time,rate\n2024-05-10T00:00:00Z,0.01\n")
    keel.ok("data", "import", old, *SYMBOL, "--kind", "funding")

    run(keel, tmp_path / "fixed", "--set", "account.funding.fixed_rate=0.0001")
    run(keel, tmp_path / "none")
    run(keel, tmp_path / "off", "--set", "account.funding.enabled=false")

    marks = {name: set(manifest(tmp_path / name)["marks"]) for name in ("fixed", "none", "off")}
    assert "FUNDING_ASSUMED" in marks["fixed"]
    assert "FUNDING_NOT_MODELLED" in marks["none"] & marks["off"]
    assert any(Decimal(trade["funding"]) for trade in trades_of(tmp_path / "fixed"))
    assert not any(Decimal(trade["funding"]) for name in ("none", "off") for trade in trades_of(tmp_path / name))
