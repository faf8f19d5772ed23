"""The page of an account that several parts share, from files of four points made by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from evenkeel.model.errors import DataError
from evenkeel.model.time import HOUR
from evenkeel.monitor.report.joint import write_account_report

START_NS = 1_704_067_200_000_000_000
FEES = {"name": "by_liquidity", "text": "taker 2 bps"}
QUEUE = {"name": "touch", "text": "a resting limit fills when the price touches it"}


def write_points(folder: Path, equity: list[int], hours: list[int], **more: list[float]) -> None:
    """Write the equity of a part, or of all, at hours after the start; falls are left at zero."""
    folder.mkdir(parents=True, exist_ok=True)
    times = pl.Series([START_NS + hour * HOUR for hour in hours]).cast(pl.Datetime("ns", "UTC"))
    levels = pl.Series(equity).cast(pl.Decimal(38, 8))
    pl.DataFrame({"time": times, "equity": levels, **more, "drawdown": [0.0] * len(hours)}).write_parquet(
        folder / "equity.parquet"
    )


def write_part(folder: Path, equity: list[int], hours: list[int], positions: list[float], fees: dict[str, str]) -> None:
    write_points(folder, equity, hours, position=positions)
    (folder / "manifest.json").write_bytes(msgspec.json.encode({"models": {"fees": fees, "queue": QUEUE}}))


def document(**changes: Any) -> dict[str, Any]:
    """Return what `result.json` of an account has in common, whatever its parts are."""
    return {
        "run": "both-1", "lane": "research", "symbols": ["A.SIM", "B.SIM"],
        "data": {"start": "2024-01-01T00:00:00Z", "end": "2024-01-01T04:00:00Z"},
        "account": {"currency": "USD", "start_equity": "1000", "end_equity": "1100"},
        "metrics": {"net_pnl": 100.0, "return_pct": 10.0, "trades": 3, "sharpe": None},
        "stop_reason": "end_of_data", "stop_time": "2024-01-01T03:00:00Z", "marks": ["COARSE_FILLS"],
        "checks": [{"name": "PORTFOLIO_EQUITY", "ok": False, "skipped": False, "detail": "1099, not 1100"}],
        "evidence": None,
    } | changes  # fmt: skip


def line(folder: str, trades: int, net: float, **more: Any) -> dict[str, Any]:
    return {"folder": folder, "trades": trades, "net_pnl": net, "refusals": {}, "checks_failed": [], **more}


@pytest.fixture
def instruments(tmp_path: Path) -> str:
    """A: long 12 for two points, then short 6, +150; its bars end an hour before. B: never held, -50 of fees, say."""
    positions = {"position_A.SIM": [0.0, 12.0, -6.0, 0.0], "position_B.SIM": [0.0, 0.0, 0.0, 0.0]}
    write_points(tmp_path, [1000, 1100, 1150, 1100], [0, 1, 2, 3], **positions)
    write_part(tmp_path / "instruments/A.SIM", [1000, 1100, 1150], [0, 1, 3], [0.0, 12.0, 0.0], FEES)
    write_part(tmp_path / "instruments/B.SIM", [1000, 950], [0, 3], [0.0, 0.0], FEES | {"text": "maker 9 bps"})
    parts = [
        line("instruments/A.SIM", 2, 150.0, symbol="A.SIM"),
        line("instruments/B.SIM", 1, -50.0, symbol="B.SIM", refusals={"X": 4, "Y": 3}, checks_failed=["FEES"]),
    ]
    result = document(strategy={"name": "<both>", "kind": "play", "hash": "ab"}, instruments=parts)
    return write_account_report(tmp_path, result).read_text()


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.split("</style>")[1]).split())


def drawn(page: str, label: str) -> str:
    """Return the plot whose label begins so."""
    found = re.search(rf'aria-label="{re.escape(label)}[^"]*">(.*?)</svg>', page)
    assert found is not None
    return found[1]


def test_each_part_is_named_with_what_it_made_and_a_link_to_its_report(instruments: str) -> None:
    text = words(instruments)
    assert "A.SIM: +150.00" in text
    assert "B.SIM: −50.00" in text
    assert "A.SIM 2 +150.00 +15.00 % 0 agrees Open its report" in text
    assert "B.SIM 1 −50.00 −5.00 % 7 1 check failed Open its report" in text
    assert 'href="instruments/A.SIM/report.html"' in instruments


def test_names_marks_and_failed_checks_stand_at_the_head(instruments: str) -> None:
    text = words(instruments)
    head = text[: text.index("Equity and drawdown")]
    assert "&lt;both&gt;" in head
    assert "Bars coarser than one minute" in head
    assert "1 audit check failed: do not trust these figures." in head


def test_what_all_assume_is_said_once_and_the_rest_of_each(instruments: str) -> None:
    text = words(instruments)
    assert text.count(QUEUE["text"]) == 1
    assert "Assumed of the market and the venue Queue" in text
    assert "Assumed of A.SIM Fees by_liquidity taker 2 bps" in text
    assert "Assumed of B.SIM Fees by_liquidity maker 9 bps" in text


def test_contributions_share_one_scale(instruments: str) -> None:
    """From -50 to 150 with a margin of 10 both ways: 220 high, so 0 lies at 160/220, -50 at 210/220 of the height."""
    assert "M0 7273L3333 2727L10000 455" in drawn(instruments, "A.SIM: ")
    assert "M0 7273L10000 9545" in drawn(instruments, "B.SIM: ")


def test_positions_are_steps_up_to_the_end_of_the_account(instruments: str) -> None:
    """From -6 to 12 with a margin of 1.8: 21.6 high; 12 lies at 1.8/21.6, 0 at 13.8/21.6, -6 at 19.8/21.6."""
    plot = drawn(instruments, "A.SIM: held at 50 % of the points, 12 at most")
    assert "M0 6389L3333 6389L3333 833L6667 833L6667 9167L10000 9167L10000 6389V6389H0Z" in plot
    assert "B.SIM: held at 0 % of the points, 0 at most" in words(instruments)


def test_the_plays_of_a_playbook_begin_with_their_shares(tmp_path: Path) -> None:
    """A play with 400 of the 1,000 that ends with 430 made 30; its positions are in its own table."""
    write_points(tmp_path, [1000, 1030], [0, 3])
    write_part(tmp_path / "plays/calm", [400, 430], [0, 3], [2.5, 0.0], FEES)
    result = document(
        playbook={"name": "moods", "hash": "ab", "mode": "regime"}, symbols=["A.SIM"],
        plays=[line("plays/calm", 1, 30.0, name="calm", symbols=["A.SIM"], start_equity="400")],
        attribution=[{"play": "calm", "regime": "quiet", "trades": 1, "wins": 1, "net_pnl": "30"}],
    )  # fmt: skip
    text = words(write_account_report(tmp_path, result).read_text())
    assert "Backtest of a playbook moods A.SIM on one account" in text
    assert "calm on A.SIM: +30.00" in text
    assert "calm on A.SIM: held at 50 % of the points, 2.500 at most" in text
    assert "calm quiet 1 1 +30.00" in text


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"equity\.parquet is missing"):
        write_account_report(tmp_path, document(strategy={"name": "both"}))
