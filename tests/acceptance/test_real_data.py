"""Recorded market data from eleven files, each imported, traded in both lanes, audited, replayed and explained.

Everything goes through the command line. Nothing of what is expected here comes from a run of ours: exit codes,
equality between lanes, and facts that stand in the files themselves.
"""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from acceptance.keel import Keel, Said

PLAYS = Path(__file__).with_name("plays")
CHECKS_MIN = 20
"""So many checks of the audit must have run."""


@dataclass(frozen=True)
class Case:
    """A file, the play that trades it, and what is known of it from its own notes.

    Attributes:
        play: Name of the play in `plays`.
        file: Below the folder of recorded data.
        instrument: As a person would type it.
        timeframe: Of the bars in the file.
        bars: Rows in the file.
        stored: First and last instant that `keel data list` must show.
        options: Further options of the import.
        window: Range of the backtest.
    """

    play: str
    file: str
    instrument: str
    timeframe: str
    bars: int
    stored: tuple[str, str]
    options: tuple[str, ...] = ()
    window: tuple[str, ...] = ()


CASES = [
    Case(
        "orcl_trend", "raw/backtrader/orcl-2014.txt", "ORCL", "D", 252,
        ("2014-01-02T14:30:00Z", "2014-12-31T21:00:00Z"),
    ),
    Case(
        "mnq_reversion", "raw/orb/MNQ_F_5m.csv", "MNQ", "5m", 13_433,
        ("2025-06-20T04:05:00Z", "2025-08-29T03:40:00Z"),
    ),
    Case(
        "euro_breakout", "raw/nautilus/6EH4.XCME_1min_bars_20240101_20240131.csv.gz", "6EH2024", "1m", 29_996,
        ("2024-01-01T23:00:00Z", "2024-01-31T23:59:00Z"), options=("--stamp", "close"),
    ),
    Case(
        "spy_weekly_trend", "raw/lean/equity/usa/daily/spy.zip", "SPY", "D", 5_849,
        ("1998-01-02T14:30:00Z", "2021-03-31T20:00:00Z"),
    ),
    Case(
        "es_structure", "raw/lean/future/cme/minute/es/20131007_trade.zip", "ESZ2013", "1m", 1_344,
        ("2013-10-07T00:00:00Z", "2013-10-08T00:00:00Z"),
    ),
    Case(
        "ada_short", "raw/lean/cryptofuture/binance/minute/adausdt/20221213_trade.zip", "ADAUSDT", "1m", 1_440,
        ("2022-12-13T00:00:00Z", "2022-12-14T00:00:00Z"),
    ),
    Case(
        "xrp_timeframes", "raw/freqtrade/futures/XRP_USDT_USDT-5m-futures.feather", "XRPUSDT", "5m", 1_999,
        ("2021-11-15T00:00:00Z", "2021-11-21T22:35:00Z"),
    ),
    Case(
        "bnb_pullback", "raw/freqtrade/typhonun/BNB_USDT_USDT-1m-futures.feather", "BNBUSDT", "1m", 43_199,
        ("2025-05-04T15:34:00Z", "2025-06-03T15:33:00Z"),
    ),
    Case(
        "btc_both_ways", "binance_usdm/BTCUSDT/1m.parquet", "BTCUSDT", "1m", 43_199,
        ("2025-05-04T15:33:00Z", "2025-06-03T15:32:00Z"),
    ),
    Case(
        "es_structure", "cme/ESZ2013/1m.parquet", "ESZ2013", "1m", 9_553,
        ("2013-10-06T22:00:00Z", "2013-12-20T22:13:00Z"), window=("--start", "2013-10-06", "--end", "2013-10-12"),
    ),
    Case(
        "spy_weekly_trend", "us_equity/SPY/1d.parquet", "SPY", "D", 5_849,
        ("1998-01-02T14:30:00Z", "2021-03-31T20:00:00Z"),
    ),
]  # fmt: skip


@dataclass(frozen=True)
class Desk:
    """A home with one imported file and the same run in both lanes."""

    case: Case
    keel: Keel
    imported: Said
    research: Path
    engine: Path
    said: tuple[Said, Said]

    def backtest(self, *options: object) -> Said:
        return self.keel("backtest", PLAYS / f"{self.case.play}.yaml", *options)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case.play}-{Path(case.file).suffix[1:]}")
def desk(request: pytest.FixtureRequest, shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    case: Case = request.param
    folder = tmp_path_factory.mktemp(case.play)
    keel = Keel(folder / "home")
    imported = import_case(keel, shared_data, case)
    play, said = PLAYS / f"{case.play}.yaml", []
    for lane in ("research", "engine"):
        options = ("--lane", lane, "--out", folder / lane, *case.window, "--json")
        said.append(keel("backtest", play, *options, *(() if lane == "research" else ("--no-report",))))
    return Desk(case, keel, imported, folder / "research", folder / "engine", (said[0], said[1]))


def import_case(keel: Keel, shared_data: Path, case: Case) -> Said:
    options = ("--instrument", case.instrument, "--tf", case.timeframe, *case.options, "--json")
    return keel("data", "import", shared_data / case.file, *options)


def test_the_file_is_stored_whole(desk: Desk) -> None:
    assert desk.imported.code == 0, desk.imported.err
    series = [row for row in desk.keel.ok("data", "list", "--json").document["series"] if row["in"] == "catalog"]

    assert len(series) == 1
    assert desk.imported.document["added"] == series[0]["bars"] == desk.case.bars
    assert (series[0]["start"], series[0]["end"]) == desk.case.stored


def test_both_lanes_finish_and_agree_to_the_last_digit(desk: Desk) -> None:
    research, engine = desk.said

    assert research.code == engine.code == 0, research.err + engine.err
    assert research.document["lane"] == "research"
    assert engine.document["lane"] == "engine"
    assert research.document["metrics"]["trades"] >= 1
    assert engine.document["result_hash"] == research.document["result_hash"]
    for name in ("trades.csv", "fills.csv"):
        assert (desk.engine / name).read_bytes() == (desk.research / name).read_bytes()
    assert pl.read_parquet(desk.engine / "equity.parquet").equals(pl.read_parquet(desk.research / "equity.parquet"))


def test_every_check_of_the_audit_holds(desk: Desk) -> None:
    for said in desk.said:
        checks = said.document["checks"]
        assert [check["name"] for check in checks if not check["ok"] and not check["skipped"]] == []
        assert sum(check["ok"] and not check["skipped"] for check in checks) >= CHECKS_MIN


def test_a_later_audit_finds_the_same_bars_and_no_fault(desk: Desk) -> None:
    ran = [check["name"] for check in desk.said[0].document["checks"] if not check["skipped"]]
    again = desk.keel.ok("audit", desk.research, "--json")

    assert again.err == ""
    assert [check["name"] for check in again.document["checks"] if not check["skipped"]] == ran


def test_parity_says_equal(desk: Desk) -> None:
    said = desk.keel.ok("parity", PLAYS / f"{desk.case.play}.yaml", *desk.case.window, "--json").document

    assert said["equal"] is True
    assert said["fills"] >= 2
    assert said["result_hash"]["research"] == said["result_hash"]["engine"] == desk.said[0].document["result_hash"]


def test_a_replay_of_either_run_is_equal(desk: Desk) -> None:
    for folder, reruns in ((desk.engine, False), (desk.research, True)):
        said = desk.keel.ok("replay", folder, "--json").document
        assert (said["equal"], said["rerun_in_engine_lane"]) == (True, reruns)
        assert said["decisions"] >= 1


def test_the_first_trade_is_told_as_a_story_with_the_prices_of_the_ledger(desk: Desk) -> None:
    with (desk.engine / "trades.csv").open(newline="") as file:
        trade = next(csv.DictReader(file))
    story = desk.keel.ok("explain", desk.engine, "--trade", "1").out

    assert trade["decided_time"] in story
    assert f"the rule '{trade['entry_reason']}' asked for a {trade['side']} entry in {trade['symbol']}" in story
    for figure in (trade["entry_price"], trade["exit_price"], trade["net_pnl"]):
        assert f" {figure}" in story
    assert desk.keel.ok("explain", desk.research, "--trade", "1").out == story


def test_the_journal_is_whole(desk: Desk) -> None:
    said = desk.keel.ok("journal", "verify", desk.engine, "--json").document

    assert said["ok"] is True
    assert said["torn_bytes"] == 0
    assert said["steps"] > 0


def test_the_ledger_adds_up_to_the_account(desk: Desk) -> None:
    """Plain arithmetic on the files, with nothing of ours but the file names."""
    result, trades = desk.said[0].document, pl.read_csv(desk.research / "trades.csv", infer_schema=False)
    money = trades.select(pl.col("gross_pnl", "fees", "net_pnl").str.to_decimal(scale=8))
    net = money["net_pnl"].sum()

    assert (money["gross_pnl"] - money["fees"] - money["net_pnl"]).abs().sum() == 0
    start, end = (result["account"][name] for name in ("start_equity", "end_equity"))
    assert pl.Series([end]).str.to_decimal(scale=8)[0] - pl.Series([start]).str.to_decimal(scale=8)[0] == net
    assert result["metrics"]["trades"] == trades.height


def test_a_repeated_run_is_the_same_run(desk: Desk) -> None:
    again = desk.backtest("--out", desk.research.with_name("again"), "--no-report", "--json", *desk.case.window)

    for key in ("run", "result_hash", "metrics"):
        assert again.document[key] == desk.said[0].document[key]


class TestImporters:
    """Two files of one market, in two formats, must be one series: the second adds and changes nothing."""

    @pytest.mark.parametrize(
        ("raw", "prepared"),
        [
            (CASES[3], "us_equity/SPY/1d.parquet"),
            (CASES[2], "cme/6EH2024/1m.parquet"),
            (CASES[1], "cme/MNQ/5m.parquet"),
            (CASES[5], "binance_usdm/ADAUSDT/1m.parquet"),
            (CASES[7], "binance_usdm/BNBUSDT/1m.parquet"),
        ],
        ids=lambda value: value if isinstance(value, str) else Path(value.file).name,
    )
    def test_the_original_and_the_prepared_file_are_one_series(
        self, shared_data: Path, tmp_path: Path, raw: Case, prepared: str
    ) -> None:
        keel = Keel(tmp_path / "home")
        first = import_case(keel, shared_data, raw).document
        options = ("--instrument", raw.instrument, "--tf", raw.timeframe, "--json")
        second = keel.ok("data", "import", shared_data / prepared, *options).document

        assert (second["added"], second["changed"], second["removed"]) == (0, 0, 0)
        assert second["revision"] == first["revision"]

    def test_times_that_are_closes_are_refused_as_opens(self, shared_data: Path, tmp_path: Path) -> None:
        keel, case = Keel(tmp_path / "home"), CASES[2]
        said = keel("data", "import", shared_data / case.file, "--instrument", case.instrument, "--tf", "1m")

        assert said.code == 2
        assert "--stamp close" in said.message
        assert not keel.home.exists()

    def test_a_close_stamp_moves_the_bar_back_to_its_open(self, shared_data: Path, tmp_path: Path) -> None:
        keel, case = Keel(tmp_path / "home"), CASES[2]
        import_case(keel, shared_data, case)
        with gzip.open(shared_data / case.file, "rt", newline="") as file:
            first = next(csv.DictReader(file))
        shown = keel.ok("data", "show", case.instrument, "--tf", "1m", "--head", "1", "--json").document["bars"][0]

        assert first["timestamp_utc"] == "2024-01-01 23:01:00"
        assert shown["open_time"] == "2024-01-01T23:00:00Z"
        assert [shown[name] for name in ("open", "high", "low", "close")] == [
            float(first[name]) for name in ("open", "high", "low", "close")
        ]


class TestMissingDays:
    """The December contract lacks 2013-10-15 to 12-17."""

    GAP = ("2013-10-15T22:00:00Z", "2013-12-17T22:15:00Z")

    @pytest.fixture
    def keel(self, shared_data: Path, tmp_path: Path) -> Keel:
        keel = Keel(tmp_path / "home")
        keel.ok("data", "import", shared_data / "cme/ESZ2013/1m.parquet", "--instrument", "ESZ2013", "--tf", "1m")
        return keel

    def test_a_backtest_across_them_is_refused_with_the_days_and_the_ways_out(self, keel: Keel, tmp_path: Path) -> None:
        said = keel("backtest", PLAYS / "es_structure.yaml", "--out", tmp_path / "out")

        assert said.code == 2
        assert f"{self.GAP[0]} to {self.GAP[1]} (45 missing)" in said.message
        for remedy in ("Import them", "--start and --end", "--gaps report"):
            assert remedy in said.message
        assert not (tmp_path / "out").exists()

    def test_with_the_gap_reported_the_run_closes_before_it_and_warms_up_after_it(
        self, keel: Keel, tmp_path: Path
    ) -> None:
        play, out = PLAYS / "es_structure.yaml", tmp_path / "out"
        result = keel.ok("backtest", play, "--gaps", "report", "--lane", "engine", "--out", out, "--json").document
        trades = pl.read_csv(out / "trades.csv")
        at_gap = trades.filter(pl.col("exit_reason") == "data_gap")

        assert "GAPS_REPORTED" in result["marks"]
        assert at_gap["exit_time"].to_list() == ["2013-10-14T23:59:00Z"], "the last bar before the gap"
        assert not any(self.GAP[0] <= time < self.GAP[1] for time in trades["entry_time"])
        assert trades.filter(pl.col("entry_time") > self.GAP[1])["entry_time"].min() >= "2013-12-18T13:15:00Z"
        assert keel.ok("replay", out, "--json").document["equal"] is True
        assert keel.ok("parity", play, "--gaps", "report", "--json").document["equal"] is True
        assert keel.ok("audit", out).err == ""
