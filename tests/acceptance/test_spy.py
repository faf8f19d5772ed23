"""SPY bought once and held from 1998 to 2021, against the adjusted prices of the file, in `Decimal` by hand.

The file has raw prices and a factor: an adjusted price is the raw one times its factor. With C the close before an
ex-date and f the factor before it over the factor on it, the factor implies a dividend of C * (1 - f) a share. Whoever
reinvests it at C less the dividend holds 1 / f times the shares: that, and nothing else, is the adjusted return.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from acceptance.keel import Keel

PLAYS = Path(__file__).with_name("plays")
DAILY = "us_equity/SPY/1d.parquet"
EXACT = Decimal("1e-9")
"""Of the factor, which the file gives with seven digits, sixty-digit arithmetic loses nothing more than this."""


@dataclass(frozen=True)
class Held:
    """The run and what it was run on."""

    rows: list[dict[str, Any]]
    keel: Keel
    folder: Path
    result: dict[str, Any]

    def decimal(self, name: str, row: int) -> Decimal:
        return Decimal(repr(self.rows[row][name]))


@pytest.fixture(scope="module")
def held(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Held:
    folder = tmp_path_factory.mktemp("spy")
    keel = Keel(folder / "home")
    keel.ok("data", "import", shared_data / DAILY, "--instrument", "SPY", "--tf", "D")
    run = keel.ok("backtest", PLAYS / "spy_hold.yaml", "--out", folder / "run", "--no-report", "--json")
    return Held(pl.read_parquet(shared_data / DAILY).to_dicts(), keel, folder / "run", run.document)


def dividends(held: Held) -> dict[int, Decimal]:
    """Return the dividend a share that each change of the factor implies, by the row of the ex-date."""
    found = {}
    with localcontext(prec=60):
        for row in range(1, len(held.rows)):
            before, after = held.decimal("adj_factor", row - 1), held.decimal("adj_factor", row)
            if before != after:
                found[row] = held.decimal("close", row - 1) * (1 - before / after)
    return found


def shares_after(held: Held, first: int) -> Decimal:
    """Return how many shares one share bought at row `first` has become, each dividend reinvested without its price."""
    with localcontext(prec=60):
        shares = Decimal(1)
        for row, dividend in dividends(held).items():
            if row > first:
                shares += shares * dividend / (held.decimal("close", row - 1) - dividend)
        return shares


def test_the_factor_implies_the_dividends_that_spy_paid(held: Held) -> None:
    """Four a year from March 1998 to March 2021, and a few more; the first was of 0.318 dollars."""
    paid = dividends(held)

    assert 92 <= len(paid) <= 95
    assert all(0 < dividend < 2 for dividend in paid.values())
    assert abs(next(iter(paid.values())) - Decimal("0.318")) < Decimal("0.005")


def test_dividends_reinvested_are_the_adjusted_return(held: Held) -> None:
    last = len(held.rows) - 1
    with localcontext(prec=60):
        grown = shares_after(held, 0) * held.decimal("close", last) / held.decimal("close", 0)
        adjusted = (
            held.decimal("close", last)
            * held.decimal("adj_factor", last)
            / (held.decimal("close", 0) * held.decimal("adj_factor", 0))
        )

        assert abs(grown / adjusted - 1) < EXACT
    assert Decimal("6.1") < adjusted < Decimal("6.3")


def test_the_run_earns_what_the_shares_earned_at_every_close(held: Held) -> None:
    (trade,) = csv.DictReader((held.folder / "trades.csv").read_text().splitlines())
    quantity, price = Decimal(trade["qty"]), Decimal(trade["entry_price"])
    curve = pl.read_parquet(held.folder / "equity.parquet")
    opens = next(row for row in range(len(held.rows)) if f"{held.rows[row]['ts']:%Y-%m-%d}" == trade["entry_time"][:10])

    assert price == held.decimal("open", opens)
    assert (trade["exit_reason"], Decimal(trade["fees"])) == ("end_of_data", 0)
    assert Decimal(trade["exit_price"]) == held.decimal("close", len(held.rows) - 1)
    points = curve.filter(pl.col("position") > 0)
    closes = [held.decimal("close", row) for row in range(opens, len(held.rows))]
    expected = [100_000 + quantity * (close - price) for close in closes]
    assert points["equity"].to_list() == expected[: len(points)]
    assert len(points) >= len(expected) - 1
    assert curve["equity"][-1] == expected[-1]


def test_the_run_with_its_dividends_reinvested_is_the_adjusted_return(held: Held) -> None:
    """From the entry at an open to the last close: the price return of the run times the growth of the shares."""
    (trade,) = csv.DictReader((held.folder / "trades.csv").read_text().splitlines())
    entry = next(row for row in range(len(held.rows)) if f"{held.rows[row]['ts']:%Y-%m-%d}" == trade["entry_time"][:10])
    last, quantity, price = len(held.rows) - 1, Decimal(trade["qty"]), Decimal(trade["entry_price"])
    with localcontext(prec=60):
        end = Decimal(held.result["account"]["end_equity"])
        worth = quantity * price + end - 100_000
        grown = worth / (quantity * price) * shares_after(held, entry)
        adjusted = (
            held.decimal("close", last)
            * held.decimal("adj_factor", last)
            / (held.decimal("open", entry) * held.decimal("adj_factor", entry))
        )

        assert abs(grown / adjusted - 1) < EXACT


def test_a_run_with_its_actions_is_paid_each_dividend_in_cash(held: Held, shared_data: Path) -> None:
    """The ex-dates behind the entry, each at its open: the same shares, and the cash beside what they earned."""
    (trade,) = csv.DictReader((held.folder / "trades.csv").read_text().splitlines())
    entry = next(row for row in range(len(held.rows)) if f"{held.rows[row]['ts']:%Y-%m-%d}" == trade["entry_time"][:10])
    keel = Keel(held.folder.parent / "paid")
    keel.ok("data", "import", shared_data / DAILY, "--instrument", "SPY", "--tf", "D")
    keel.ok("data", "import", shared_data / DAILY, "--instrument", "SPY", "--kind", "actions", "--from-factor")

    run = keel("backtest", PLAYS / "spy_hold.yaml", "--no-report", "--json").document

    with localcontext(prec=60):
        cash = Decimal(trade["qty"]) * sum(paid for row, paid in dividends(held).items() if row > entry)
        grown = Decimal(run["account"]["end_equity"]) - Decimal(held.result["account"]["end_equity"])
        assert abs(grown - cash) < Decimal("0.01")
    assert run["metrics"]["funding"] == pytest.approx(float(cash), abs=0.01)
