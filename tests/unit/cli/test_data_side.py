"""`keel data ... --kind`: import, list, check and show of what lies beside bars."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from evenkeel.cli.data_side import KINDS
from evenkeel.cli.entry import run
from evenkeel.data.side import SideKind

Keel = Callable[..., tuple[int, str, str]]

RATES = "time,rate\n2024-01-01T00:00:00Z,0.0001\n2024-01-01T08:00:00Z,-0.00025\n2024-01-02T00:00:00Z,0.0003\n"


@pytest.fixture
def keel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Keel:
    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(["--home", str(tmp_path / "home"), "data", *arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


@pytest.fixture
def rates(tmp_path: Path) -> Path:
    path = tmp_path / "rates.csv"
    path.write_text(RATES)
    return path


def import_rates(keel: Keel, path: Path, *more: str) -> tuple[int, str, str]:
    return keel("import", str(path), "--instrument", "BTCUSDT", "--kind", "funding", *more)


def test_the_kinds_offered_are_those_of_the_catalog() -> None:
    assert set(KINDS) == {"bars", *(kind.value for kind in SideKind)}


def test_an_import_is_stored_and_summed_up(keel: Keel, rates: Path, tmp_path: Path) -> None:
    code, out, err = import_rates(keel, rates)

    assert code == 0
    assert "BTCUSDT.BYBIT funding: 3 rows added, 0 changed, 0 removed" in out
    assert "3 rows from 2024-01-01T00:00:00Z to 2024-01-02T00:00:00Z" in out
    assert "next: `keel data check BTCUSDT.BYBIT --kind funding`" in err
    assert (tmp_path / "home" / "catalog" / "BTCUSDT.BYBIT" / "funding" / "index.json").is_file()
    assert "nothing new, all rows are stored" in import_rates(keel, rates)[1]


def test_a_difference_is_refused_until_it_is_called_a_correction(keel: Keel, rates: Path) -> None:
    import_rates(keel, rates)
    rates.write_text(RATES.replace("0.0003", "0.0004"))

    code, _, err = import_rates(keel, rates)
    assert code == 2
    assert "where rate is 0.0003 in the catalog and 0.0004 in the file" in err
    assert "0 rows added, 1 changed, 0 removed" in import_rates(keel, rates, "--replace")[1]


def test_an_import_as_json_is_one_document(keel: Keel, rates: Path) -> None:
    document = json.loads(import_rates(keel, rates, "--json")[1])

    assert document["schema"] == "evenkeel.data_import_side/1"
    assert (document["kind"], document["added"], document["rows"], document["is_new"]) == ("funding", 3, 3, True)


def test_the_list_shows_bars_and_what_lies_beside_them(keel: Keel, rates: Path) -> None:
    import_rates(keel, rates)

    assert [line.split()[:3] for line in keel("list")[1].splitlines() if "funding" in line] == [
        ["BTCUSDT.BYBIT", "funding", "3"]
    ]
    (beside,) = json.loads(keel("list", "--json")[1])["beside"]
    assert (beside["instrument"], beside["kind"], beside["rows"]) == ("BTCUSDT.BYBIT", "funding", 3)
    assert (beside["timeframe"], beside["source"], beside["in"]) == (None, "rates.csv", "catalog")


def test_a_check_names_faults_and_fails(keel: Keel, rates: Path) -> None:
    import_rates(keel, rates)

    code, out, _ = keel("check", "BTCUSDT", "--kind", "funding")
    assert code == 1
    assert "1 settlements of every 8 hours are missing from 2024-01-01T16:00:00Z to 2024-01-01T16:00:00Z" in out
    document = json.loads(keel("check", "BTCUSDT", "--kind", "funding", "--json")[1])
    assert [fault["rows"] for fault in document["faults"]] == [1]


def test_rows_are_shown_as_they_are_stored(keel: Keel, rates: Path) -> None:
    import_rates(keel, rates)

    code, out, err = keel("show", "BTCUSDT", "--kind", "funding", "--tail", "1")
    assert code == 0
    assert out.splitlines()[-1].split() == ["2024-01-02T00:00:00Z", "0.0003"]
    assert "1 of 3 rows" in err
    document = json.loads(keel("show", "BTCUSDT", "--kind", "funding", "--start", "2024-01-02", "--json")[1])
    assert document["rows"] == [{"time": "2024-01-02T00:00:00Z", "rate": 0.0003}]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "BTCUSDT", "--kind", "mark"), "no mark data of BTCUSDT.BYBIT is stored; there is funding."),
        (("show", "ETHUSDT", "--kind", "mark"), "there is nothing beside its bars"),
        (("show", "BTCUSDT", "--kind", "funding", "--with", "rsi"), "--with can be said of bars only"),
        (("check", "BTCUSDT", "--kind", "funding", "--tf", "1m"), "--tf can be said of bars only"),
        (("show", "BTCUSDT", "--kind", "fundings"), "funding"),
        (("show", "BTCUSDT", "--kind", "funding", "--revision", "0" * 64), "is gone"),
    ],
)
def test_what_cannot_be_shown_is_refused(keel: Keel, rates: Path, arguments: tuple[str, ...], said: str) -> None:
    import_rates(keel, rates)

    code, _, err = keel(*arguments)

    assert code == 2
    assert said in err


def test_what_cannot_be_imported_is_refused(keel: Keel, rates: Path) -> None:
    file, btc = str(rates), ("--instrument", "BTCUSDT")
    for arguments, said in {
        (file, *btc): "say the interval of the bars with --tf",
        (file, *btc, "--tf", "1m"): "rates.csv holds funding, not bars; import it with --kind funding",
        (file, *btc, "--kind", "funding", "--stamp", "open"): "--stamp can be said of bars only",
        (file, "--instrument", "RANGE.SIM", "--kind", "funding"): "RANGE.SIM",
    }.items():
        code, _, err = keel("import", *arguments)
        assert code == 2
        assert said in err
    rates.write_text("time,rate\n2099-01-01T00:00:00Z,0.0001\n")
    assert "which is still to come. Nothing was stored" in import_rates(keel, rates)[2]


def test_trades_make_bars_that_do_not_take_the_place_of_recorded_ones(keel: Keel, tmp_path: Path) -> None:
    ticks = tmp_path / "ticks.csv"
    lines = [f"2024-01-01T00:{minute:02d}:{second:02d}Z,{100 + minute},2" for minute in range(4) for second in (5, 40)]
    ticks.write_text("\n".join(["time,price,size", *lines]) + "\n")
    keel("import", str(ticks), "--instrument", "BTCUSDT", "--kind", "trades")

    assert (
        "2 1m bars of BTCUSDT.BYBIT from 8 trades" in keel("resample", "BTCUSDT", "--from", "trades", "--to", "1m")[1]
    )
    whole = keel("resample", "BTCUSDT", "--from", "trades", "--to", "1m", "--whole")[1]
    assert "4 1m bars of BTCUSDT.BYBIT from 8 trades: revision" in whole
    document = json.loads(keel("show", "BTCUSDT", "--tf", "1m", "--json", "--head", "1")[1])
    assert [document["bars"][0][name] for name in ("open", "high", "low", "close", "volume")] == [100, 100, 100, 100, 4]

    part = ("resample", "BTCUSDT", "--from", "trades", "--to", "1m", "--whole", "--start", "2024-01-01T00:01")
    assert "3 1m bars" in keel(*part, "--end", "2024-01-01T00:04", "--out", str(tmp_path / "out.csv"))[1]
    bars = tmp_path / "bars.csv"
    bars.write_text("time,open,high,low,close,volume\n2024-01-01T00:00:00Z,1,1,1,1,1\n")
    keel("import", str(bars), "--instrument", "ETHUSDT", "--tf", "1m")
    keel("import", str(ticks), "--instrument", "ETHUSDT", "--kind", "trades")
    code, _, err = keel("resample", "ETHUSDT", "--from", "trades", "--to", "1m")
    assert code == 2
    assert "has 1m bars from bars.csv; bars of trades do not take their place. Write them with --out FILE" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "trades", "--to", "1h", "--tf", "1m"), "--tf names the bars to start from"),
        (("--to", "1h", "--whole"), "--whole says something of trades; use it with --from trades"),
        (("--from", "trades", "--to", "1h"), "no trades data of BTCUSDT.BYBIT is stored"),
    ],
)
def test_resampling_that_makes_no_sense_is_refused(keel: Keel, arguments: tuple[str, ...], said: str) -> None:
    code, _, err = keel("resample", "BTCUSDT", *arguments)

    assert code == 2
    assert said in err
