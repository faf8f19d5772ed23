"""`keel instruments`: what it prints, stores and refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evenkeel.cli.entry import run
from evenkeel.cli.instruments import KINDS
from evenkeel.model.instrument import InstrumentKind


@pytest.fixture
def keel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(["--home", str(tmp_path), "instruments", *arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def test_the_kinds_offered_are_those_of_the_model() -> None:
    assert set(KINDS) == {kind.value for kind in InstrumentKind}


def test_list_shows_the_instruments_that_hold_the_text(keel: Any) -> None:
    code, out, err = keel("list", "bitcoin", "--kind", "perpetual")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["id", "BTCUSDT-PERP.BINANCE", "BTCUSDT.BYBIT"]
    assert "ESZ2013" in err


def test_list_as_json_holds_the_definitions_and_the_contract_families(keel: Any) -> None:
    code, out, _ = keel("list", "--json")
    document = json.loads(out)
    assert code == 0
    assert {"SPY.US", "VIX.CBOE", "EURUSD.FX"} <= {each["id"] for each in document["instruments"]}
    assert {"ES", "MNQ", "GC", "6E"} <= {each["root"] for each in document["contract_families"]}


def test_show_gives_the_definition_that_held_on_the_day(keel: Any) -> None:
    code, out, _ = keel("show", "6E", "--on", "2015-06-30", "--json")
    assert code == 0
    assert json.loads(out)["instrument"]["tick_size"] == "0.0001"


def test_show_refuses_an_unknown_name_with_the_nearest(keel: Any) -> None:
    code, out, err = keel("show", "APPL", "--json")
    assert code == 2
    assert json.loads(out)["reason"] == "UNKNOWN_INSTRUMENT"
    assert "did you mean AAPL.US" in err


def test_add_like_another_stores_what_was_given_and_takes_the_rest(keel: Any, tmp_path: Path) -> None:
    code, out, _ = keel("add", "avaxusdt.bybit", "--like", "SOLUSDT", "--tick", "0.001", "--taker-bps", "7", "--json")
    added = json.loads(out)["instrument"]
    assert code == 0
    assert (added["id"], added["base"]) == ("AVAXUSDT.BYBIT", "AVAXUSDT")
    assert (added["tick_size"], added["lot_size"]) == ("0.001", "0.1")
    assert added["fees"] == {"maker_bps": "2", "taker_bps": "7", "per_contract": "0"}
    assert (tmp_path / "instruments" / "AVAXUSDT.BYBIT.json").is_file()
    assert keel("show", "AVAXUSDT")[0] == 0


def test_add_from_nothing_asks_for_what_cannot_be_guessed(keel: Any, tmp_path: Path) -> None:
    code, _, err = keel("add", "NEW.US", "--kind", "equity", "--quote", "USD")
    assert code == 2
    assert "--tick, --lot, --calendar must be given, or --like" in err
    assert not (tmp_path / "instruments").exists()


def test_import_stores_every_entry_or_none(keel: Any, tmp_path: Path) -> None:
    _, out, _ = keel("show", "SPY", "--json")
    entry = json.loads(out)["instrument"]
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"schema": "evenkeel.instruments/1", "instruments": [
        {**entry, "id": "ONE.US"}, {**entry, "id": "TWO.US", "calendar": "MOON"},
    ]}))  # fmt: skip
    code, _, err = keel("import", str(file))
    assert (code, (tmp_path / "instruments").exists()) == (2, False)
    assert "instruments[1] (TWO.US): calendar 'MOON'" in err
    file.write_text(file.read_text().replace("MOON", "NYSE"))
    assert keel("import", str(file))[0] == 0
    assert keel("show", "TWO")[0] == 0
