"""`keel data`: what it prints, stores and refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from evenkeel.cli.data import FORMATS
from evenkeel.cli.entry import run
from evenkeel.data.importers import Format

Keel = Callable[..., tuple[int, str, str]]

HEAD = "time,open,high,low,close,volume\n"


def rows(first: int, last: int, price: str = "10") -> str:
    return "".join(f"2024-01-01T00:{number:02d}:00Z,{price},11,9,10,1\n" for number in range(first, last + 1))


@pytest.fixture
def keel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Keel:
    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(["--home", str(tmp_path / "home"), "data", *arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bars.csv"
    path.write_text(HEAD + rows(0, 9))
    return path


def import_bars(keel: Keel, file: Path, *more: str) -> tuple[int, str, str]:
    return keel("import", str(file), "--instrument", "BTCUSDT", "--tf", "1m", *more)


def test_the_formats_offered_are_those_of_the_importers() -> None:
    assert tuple(Format) == FORMATS


class TestImport:
    def test_a_file_is_stored_and_summed_up(self, keel: Keel, file: Path, tmp_path: Path) -> None:
        code, out, err = import_bars(keel, file)

        assert code == 0
        assert "BTCUSDT.BYBIT 1m: 10 bars added, 0 changed, 0 removed" in out
        assert "10 bars from 2024-01-01T00:00:00Z to 2024-01-01T00:10:00Z" in out
        assert "quality 100 of 100, 0 faults, 0 remarks" in out
        assert "next: `keel backtest STRATEGY --symbol BTCUSDT.BYBIT`" in err
        assert (tmp_path / "home" / "catalog" / "BTCUSDT.BYBIT" / "1m" / "index.json").is_file()

    def test_a_second_import_of_the_same_finds_nothing_new(self, keel: Keel, file: Path) -> None:
        import_bars(keel, file)

        assert "nothing new, all bars are stored" in import_bars(keel, file)[1]

    def test_a_difference_is_refused_until_it_is_called_a_correction(self, keel: Keel, file: Path) -> None:
        import_bars(keel, file)
        file.write_text(HEAD + rows(5, 12, price="10.5"))

        code, _, err = import_bars(keel, file)
        assert code == 2
        assert "5 of the 5 bars that are already stored differ; the first is 2024-01-01T00:05:00Z" in err
        assert "--replace" in err
        assert "3 bars added, 5 changed, 0 removed" in import_bars(keel, file, "--replace")[1]

    def test_faults_are_named_with_the_command_that_lists_them(self, keel: Keel, file: Path) -> None:
        file.write_text(HEAD + rows(0, 3) + rows(6, 9))

        code, out, err = import_bars(keel, file)

        assert code == 0
        assert "2 bars are missing from 2024-01-01T00:04:00Z to 2024-01-01T00:06:00Z" in out
        assert "`keel data check BTCUSDT.BYBIT --tf 1m`" in err

    def test_json_is_one_document(self, keel: Keel, file: Path) -> None:
        document = json.loads(import_bars(keel, file, "--json")[1])

        assert document["schema"] == "evenkeel.data_import/1"
        assert (document["added"], document["is_new"], document["quality"]["score"]) == (10, True, 100.0)

    def test_patterns_are_expanded_where_the_shell_did_not(self, keel: Keel, file: Path, tmp_path: Path) -> None:
        (tmp_path / "bars2.csv").write_text(HEAD + rows(10, 12))

        code, out, _ = import_bars(keel, tmp_path / "bars*.csv")

        assert code == 0
        assert "13 bars added" in out

    def test_a_missing_file_is_refused_with_the_nearest_name(self, keel: Keel, file: Path, tmp_path: Path) -> None:
        code, _, err = import_bars(keel, tmp_path / "bar.csv")
        assert code == 2
        assert "there is no file" in err
        assert "did you mean bars.csv?" in err

        code, _, err = import_bars(keel, tmp_path)
        assert code == 2
        assert "is a folder; name the files in it" in err

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("--instrument", "BTCUDST", "--tf", "1m"), "there is no instrument 'BTCUDST'; did you mean"),
            (("--instrument", "BTCUSDT", "--tf", "7m"), "'7m' is not a timeframe"),
            (("--instrument", "BTCUSDT", "--tf", "1m", "--tz", "Nowhere"), "'Nowhere' is not a time zone"),
            (("--instrument", "BTCUSDT", "--tf", "1m", "--format", "cvs"), "did you mean 'csv'?"),
            (("--instrument", "BTCUSDT", "--tf", "1m", "--format", "lean"), "of the format csv, not lean"),
            (("--instrument", "BTCUSDT", "--tf", "5m"), "rows are 1 minute apart, so they are not 5m bars"),
        ],
    )
    def test_wrong_options_are_refused_and_nothing_is_stored(
        self, arguments: tuple[str, ...], said: str, keel: Keel, file: Path, tmp_path: Path
    ) -> None:
        code, out, err = keel("import", str(file), *arguments)

        assert code == 2
        assert said in err
        assert out == ""
        assert not (tmp_path / "home").exists()

    def test_a_folder_that_cannot_be_written_is_an_outside_failure(self, keel: Keel, file: Path) -> None:
        code, _, err = import_bars(keel, file, "--catalog", str(file / "inside"))

        assert code == 3
        assert "Traceback" not in err
        assert str(file) in err


class TestList:
    def test_the_shipped_sample_is_there_from_the_start(self, keel: Keel) -> None:
        code, out, _ = keel("list")

        assert code == 0
        assert {line.split()[0] for line in out.splitlines()[1:]} >= {"SPY.US", "EURUSD.FX", "BTC-USD.BITSTAMP"}

    def test_a_series_of_the_user_stands_before_the_shipped_one(self, keel: Keel, tmp_path: Path) -> None:
        path = tmp_path / "spy.csv"
        path.write_text("Date,Open,High,Low,Close,Volume\n2024-07-02,1,2,1,2,3\n")
        keel("import", str(path), "--instrument", "SPY", "--tf", "D")

        series = json.loads(keel("list", "--json")[1])["series"]

        assert [(each["bars"], each["in"]) for each in series if each["instrument"] == "SPY.US"] == [(1, "catalog")]

    def test_a_catalog_that_is_named_must_exist(self, keel: Keel, tmp_path: Path) -> None:
        code, _, err = keel("list", "--catalog", str(tmp_path / "nowhere"))

        assert code == 2
        assert "there is no catalog" in err


class TestCheck:
    def test_sound_bars_exit_with_zero(self, keel: Keel) -> None:
        code, out, _ = keel("check", "EURUSD")

        assert code == 0
        assert out.startswith("EURUSD.FX 1h: quality ")

    def test_faults_exit_with_one(self, keel: Keel, file: Path) -> None:
        file.write_text(HEAD + rows(0, 3) + rows(6, 9))
        import_bars(keel, file)

        code, out, _ = keel("check", "BTCUSDT", "--json")

        assert code == 1
        document = json.loads(out)
        assert [fault["kind"] for fault in document["faults"]] == ["gap"]
        assert document["missing"] == 2

    def test_what_is_not_stored_is_refused(self, keel: Keel) -> None:
        assert "no bars of QQQ.US are stored" in keel("check", "QQQ")[2]
        code, _, err = keel("check", "SPY", "--tf", "5m")
        assert code == 2
        assert "there are no 5m bars of SPY.US" in err
        assert "there are D." in err


class TestShow:
    def test_head_tail_and_range(self, keel: Keel, file: Path) -> None:
        import_bars(keel, file)

        document = json.loads(keel("show", "BTCUSDT", "--head", "1", "--tail", "2", "--json")[1])
        assert [bar["open_time"][14:16] for bar in document["bars"]] == ["00", "08", "09"]
        document = json.loads(
            keel("show", "BTCUSDT", "--start", "2024-01-01T00:03", "--end", "2024-01-01T00:05", "--json")[1]
        )
        assert [bar["open_time"][14:16] for bar in document["bars"]] == ["03", "04"]

    def test_prices_are_printed_as_they_are_stored(self, keel: Keel) -> None:
        out = keel("show", "EURUSD", "--head", "1")[1]

        assert out.splitlines()[1].split() == [
            "2017-01-01T22:00:00Z", "2017-01-01T23:00:00Z", "1.05236", "1.05253", "1.05221", "1.05227", "143539993.3",
        ]  # fmt: skip

    def test_an_old_revision_can_be_shown(self, keel: Keel, file: Path) -> None:
        first = json.loads(import_bars(keel, file, "--json")[1])["revision"]
        file.write_text(HEAD + rows(0, 9, price="10.5"))
        import_bars(keel, file, "--replace")

        assert json.loads(keel("show", "BTCUSDT", "--json")[1])["bars"][0]["open"] == 10.5
        assert json.loads(keel("show", "BTCUSDT", "--revision", first[:8], "--json")[1])["bars"][0]["open"] == 10.0

    def test_a_series_with_several_timeframes_wants_one_named(self, keel: Keel, file: Path) -> None:
        import_bars(keel, file)
        keel("resample", "BTCUSDT", "--to", "5m")

        assert "is stored as 1m, 5m; choose one with --tf" in keel("show", "BTCUSDT")[2]


class TestResample:
    def test_slower_bars_are_stored_beside_the_faster_ones(self, keel: Keel, file: Path) -> None:
        import_bars(keel, file)

        code, out, _ = keel("resample", "BTCUSDT", "--to", "5m")

        assert code == 0
        assert out.startswith("2 5m bars of BTCUSDT.BYBIT from 10 1m bars: revision ")
        shown = json.loads(keel("show", "BTCUSDT", "--tf", "5m", "--json")[1])["bars"]
        assert [bar["volume"] for bar in shown] == [5.0, 5.0]

    def test_a_file_can_be_written_instead_and_read_back(self, keel: Keel, tmp_path: Path) -> None:
        path = tmp_path / "hours.csv"

        assert keel("resample", "BTC-USD", "--to", "1h", "--out", str(path))[0] == 0
        assert "336 bars added" in keel("import", str(path), "--instrument", "BTC-USD", "--tf", "1h")[1]

    def test_what_cannot_be_made_is_refused(self, keel: Keel, file: Path) -> None:
        import_bars(keel, file)

        assert "hold no complete 1h bar" in keel("resample", "BTCUSDT", "--to", "1h")[2]
        assert "30m bars cannot be made of 1h bars" in keel("resample", "EURUSD", "--to", "30m")[2]
