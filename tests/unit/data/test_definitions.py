"""Instrument definitions: what ships, how names find it, and what the user may add."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from evenkeel.data.calendar import calendar_names
from evenkeel.data.contracts import MONTH_CODES, ExpiryRule, last_trading_day
from evenkeel.data.definition_file import as_json, from_json, read_file
from evenkeel.data.definitions import Definitions
from evenkeel.model.errors import DataError, StorageError, UsageError
from evenkeel.model.ids import InstrumentId
from evenkeel.model.instrument import Instrument

SHIPPED = Definitions.load()


def own(**changes: Any) -> Instrument:
    return msgspec.structs.replace(SHIPPED.find("SPY"), **{"id": InstrumentId("OWN.US"), **changes})


def test_a_bare_btcusdt_is_the_linear_perpetual_of_bybit() -> None:
    found = SHIPPED.find("BTCUSDT")
    assert (found.id, found.kind, found.quote) == ("BTCUSDT.BYBIT", "perpetual", "USDT")
    assert (found.fees.maker_bps, found.fees.taker_bps) == (Decimal(2), Decimal("5.5"))


@pytest.mark.parametrize("name", ["btcusdt", " BTCUSDT ", "BTCUSDT.BYBIT", "btcusdt.bybit"])
def test_small_letters_and_the_full_id_find_the_same(name: str) -> None:
    assert SHIPPED.find(name).id == "BTCUSDT.BYBIT"


def test_every_shipped_symbol_is_unique_so_that_it_works_bare() -> None:
    symbols = [instrument.symbol for instrument in {each.id: each for each in SHIPPED.all()}.values()]
    assert len(symbols) == len(set(symbols))


def test_every_shipped_definition_has_a_calendar_a_description_and_survives_its_own_file_form() -> None:
    for instrument in SHIPPED.all():
        assert instrument.calendar in calendar_names()
        assert instrument.description
        assert from_json(as_json(instrument), where="test") == instrument


@pytest.mark.parametrize("name", ["SPY", "QQQ", "AAPL", "KO", "PEP", "GLD", "TLT", "ORCL", "BAC", "IBM", "GOOG", "FB"])
def test_us_shares_trade_in_cents_and_single_shares_on_new_york_hours(name: str) -> None:
    share = SHIPPED.find(name)
    assert (share.tick_size, share.lot_size, share.calendar) == (Decimal("0.01"), Decimal(1), "NYSE")
    assert share.id == f"{name}.US"


def test_spot_cannot_be_sold_short_and_a_missing_minute_of_a_crypto_market_is_a_fault() -> None:
    spot, share = SHIPPED.find("BTC-USDT"), SHIPPED.find("SPY")
    assert (spot.shortable, spot.absence_is_fault) == (False, True)
    assert (share.shortable, share.absence_is_fault) == (True, False)


@pytest.mark.parametrize(
    ("name", "id_", "expiry", "multiplier"),
    [
        ("ESZ2013", "ESZ2013.CME", "2013-12-20", "50"),  # recorded: the last bars are of that day
        ("ESH2008", "ESH2008.CME", "2008-03-20", "50"),  # the third Friday was Good Friday
        ("ESM2026", "ESM2026.CME", "2026-06-18", "50"),  # the third Friday is Juneteenth
        ("MESZ2024.CME", "MESZ2024.CME", "2024-12-20", "5"),
        ("MNQU2025", "MNQU2025.CME", "2025-09-19", "2"),
        ("GCZ2013", "GCZ2013.COMEX", "2013-12-27", "100"),
        ("GCG2024", "GCG2024.COMEX", "2024-02-27", "100"),
        ("6EH2024", "6EH2024.CME", "2024-03-18", "125000"),
        ("6EM2023", "6EM2023.CME", "2023-06-16", "125000"),  # Monday before the Wednesday is Juneteenth
    ],
)
def test_a_contract_of_any_month_and_year_is_made_by_rule(name: str, id_: str, expiry: str, multiplier: str) -> None:
    contract = SHIPPED.find(name)
    assert (contract.id, contract.kind, contract.expiry) == (id_, "future", expiry)
    assert contract.multiplier == Decimal(multiplier)


def test_the_last_trading_day_lies_in_the_contract_month_for_every_rule_and_month() -> None:
    for rule in ExpiryRule:
        for year in range(2001, 2030):
            for month in range(1, 13):
                assert last_trading_day(rule, year, month).startswith(f"{year}-{month:02d}-")


def test_a_contract_month_or_year_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(UsageError, match="no contract of month F; its months are H, M, U, Z"):
        SHIPPED.find("ESF2024")
    with pytest.raises(UsageError, match="MES are known from 2019"):
        SHIPPED.find("MESZ2010")


def test_a_root_alone_is_the_continuous_series() -> None:
    assert (SHIPPED.find("ES").id, SHIPPED.find("ES").kind) == ("ES.CME", "continuous_future")
    assert SHIPPED.find("GC").id == "GC.COMEX"


def test_month_codes_are_twelve_and_families_use_only_them() -> None:
    assert len(MONTH_CODES) == 12
    assert all(set(family.months) <= set(MONTH_CODES) for family in SHIPPED.families())


@pytest.mark.parametrize(
    ("name", "on", "tick"),
    [
        ("6E", "2016-01-10", "0.0001"),
        ("6E", "2016-01-11", "0.00005"),
        ("6E", None, "0.00005"),
        ("6EH2014", None, "0.0001"),  # by default a contract's own last day decides
        ("6EH2016", "2016-01-08", "0.0001"),
        ("6EH2016", None, "0.00005"),
    ],
)
def test_the_definition_that_held_on_the_day_is_found(name: str, on: str | None, tick: str) -> None:
    assert SHIPPED.find(name, on=on).tick_size == Decimal(tick)


def test_a_day_without_a_definition_is_refused_with_the_days_that_have_one() -> None:
    with pytest.raises(
        UsageError, match=r"FB\.US has no definition on 2023-01-01; it has for 2012-05-18 to 2022-06-09"
    ):
        SHIPPED.find("FB", on="2023-01-01")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("BTCUSD", "BTC-USD.BITSTAMP"),
        ("BTCUDST", "BTCUSDT.BYBIT"),
        ("APPL", "AAPL.US"),
        ("EUR/USD", "EURUSD.FX"),
        ("BTCUSDT.BYBT", "BTCUSDT.BYBIT"),
        ("ESZ13", "ESZ2013.CME"),
        ("ESZ3", "ESZ2013.CME"),
    ],
)
def test_a_mistyped_name_is_refused_with_the_nearest_id(typed: str, offered: str) -> None:
    with pytest.raises(UsageError, match="did you mean") as caught:
        SHIPPED.find(typed)
    assert offered in caught.value.message
    assert offered in SHIPPED.nearest(typed)


def test_a_name_like_nothing_else_gets_no_offer() -> None:
    assert SHIPPED.nearest("QWERTYUIOP") == []
    with pytest.raises(UsageError, match="`keel instruments add` defines another"):
        SHIPPED.find("QWERTYUIOP")


def test_recorded_prices_lie_on_the_shipped_ticks(shared_data: Path) -> None:
    """All of them, except where the provider of the data says that it has float noise or prints off the grid."""
    for path, name in (
        ("cme/ESZ2013/1m", "ESZ2013"), ("comex/GCZ2013/1m", "GCZ2013"), ("cme/6EH2024/1m", "6EH2024"),
        ("binance_usdm/BTCUSDT/1m", "BTCUSDT-PERP"), ("binance_usdm/ETHUSDT/1m", "ETHUSDT-PERP"),
        ("binance_usdm/LTCUSDT/1m", "LTCUSDT-PERP"), ("binance_usdm/ADAUSDT/1m", "ADAUSDT-PERP"),
    ):  # fmt: skip
        grid = SHIPPED.find(name).tick_grid
        closes = pl.read_parquet(shared_data / f"{path}.parquet")["close"].to_list()
        assert all(grid.holds(Decimal(repr(close))) for close in closes), path


def test_an_added_definition_is_stored_and_found_again(tmp_path: Path) -> None:
    definitions = Definitions.load(tmp_path)
    path = definitions.add(own(tick_size=Decimal("0.05")))
    assert path == tmp_path / "instruments" / "OWN.US.json"
    assert definitions.find("OWN").tick_size == Decimal("0.05")
    assert Definitions.load(tmp_path).find("OWN") == definitions.find("OWN")
    assert [entry.name for entry in path.parent.iterdir()] == ["OWN.US.json"]


def test_an_added_definition_stands_in_for_the_shipped_one(tmp_path: Path) -> None:
    Definitions.load(tmp_path).add(msgspec.structs.replace(SHIPPED.find("SPY"), tick_size=Decimal(1)))
    assert Definitions.load(tmp_path).find("SPY").tick_size == Decimal(1)
    assert Definitions.load().find("SPY").tick_size == Decimal("0.01")


def test_definitions_of_one_id_follow_each_other_in_time(tmp_path: Path) -> None:
    definitions = Definitions.load(tmp_path)
    definitions.add(own(tick_size=Decimal(1), valid_to="2020-01-01"))
    definitions.add(own(tick_size=Decimal(2), valid_from="2020-01-01"))
    again = Definitions.load(tmp_path)
    assert again.find("OWN", on="2019-12-31").tick_size == Decimal(1)
    assert again.find("OWN", on="2020-01-01").tick_size == Decimal(2)
    assert again.find("OWN").tick_size == Decimal(2)


def test_the_same_first_day_replaces_and_overlapping_days_are_refused(tmp_path: Path) -> None:
    definitions = Definitions.load(tmp_path)
    definitions.add(own(tick_size=Decimal(1)))
    definitions.add(own(tick_size=Decimal(3)))
    assert definitions.find("OWN").tick_size == Decimal(3)
    with pytest.raises(DataError, match="overlaps the one from 2020-01-01; end it with valid_to 2020-01-01"):
        definitions.add(own(valid_from="2020-01-01"))
    assert Definitions.load(tmp_path).find("OWN").tick_size == Decimal(3)


def test_of_several_definitions_none_is_stored_when_one_is_bad(tmp_path: Path) -> None:
    definitions = Definitions.load(tmp_path)
    with pytest.raises(DataError, match="calendar"):
        definitions.add_all([own(), own(id=InstrumentId("TWO.US"), calendar="MOON")])
    assert not (tmp_path / "instruments").exists()


def test_without_a_home_nothing_can_be_added() -> None:
    with pytest.raises(UsageError, match="--home"):
        Definitions.load().add(own())


def test_a_folder_that_cannot_be_written_is_a_storage_fault(tmp_path: Path) -> None:
    (tmp_path / "instruments").write_text("a file where the folder should be")
    with pytest.raises(StorageError):
        Definitions.load(tmp_path).add(own())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tick_sise": "1"}, "unknown key 'tick_sise', did you mean 'tick_size'"),
        ({"kind": "equty"}, r"\(OWN\.US\)\.kind: Invalid enum value 'equty'"),
        ({"tick_size": "NaN"}, "tick_size 'NaN' is not a number"),
        ({"tick_size": "0"}, "tick_size must be positive"),
        ({"tick_size": None}, r"\.tick_size: Expected `decimal`"),
        ({"fees": {"taker": "5"}}, r"fees: unknown key 'taker', did you mean 'taker_bps'"),
        ({"fees": {"taker_bps": "1e400"}}, "taker_bps '1e400' is not a number"),
        ({"calendar": "NYES"}, "calendar 'NYES' is not known, did you mean 'NYSE'"),
        ({"valid_from": "2020-02-30"}, "valid_from '2020-02-30' is not a date"),
        ({"valid_from": "2020-02-03", "valid_to": "2020-02-03"}, "is not later than|must be later than"),
        ({"min_quantity": "0.5"}, "min_quantity must be a multiple of lot_size"),
        ({"max_quantity": "0.5"}, "max_quantity 0.5 is below min_quantity"),
        ({"min_notional": "-1"}, "min_notional -1 must not be negative"),
        ({"id": "OTHER.US"}, "the file must be named after the id"),
    ],
)
def test_a_bad_file_of_the_users_is_refused_by_file_and_key(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    path = tmp_path / "instruments" / "OWN.US.json"
    path.parent.mkdir()
    entry = {**as_json(own()), **change}
    path.write_text(json.dumps({"schema": "evenkeel.instruments/1", "instruments": [entry]}))
    with pytest.raises(DataError, match=said) as caught:
        Definitions.load(tmp_path)
    assert str(path) in caught.value.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "expected an object"),
        ('{"schema": "other/1", "instruments": []}', "schema is 'other/1'; expected"),
        ('{"schema": "evenkeel.instruments/1", "instruments": {}}', "must be a list of objects"),
        ('{"schema": "evenkeel.instruments/1", "instruments": [{"id": "A.B"}]}', "misses the key `kind`"),
        ('{"schema": "evenkeel.instruments/1", "instruments": [], "defaults": 1}', "defaults must be an object"),
        ('{"schema": "evenkeel.instruments/1", "instrument": []}', "did you mean 'instruments'"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "any.json"
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        read_file(path)


@pytest.mark.parametrize("id_", ["../UP.US", "A/B.US", "lower.us", "A..US", ".US", "A B.US"])
def test_an_id_that_is_no_file_name_is_refused(tmp_path: Path, id_: str) -> None:
    with pytest.raises(UsageError):
        Definitions.load(tmp_path).add(own(id=InstrumentId(id_)))
    assert list(tmp_path.iterdir()) == []


def test_defaults_fill_what_an_entry_leaves_out(tmp_path: Path) -> None:
    path, entry = tmp_path / "many.json", as_json(own())
    defaults = {key: entry.pop(key) for key in ("kind", "quote", "calendar", "fees")}
    path.write_text(json.dumps({"schema": "evenkeel.instruments/1", "defaults": defaults, "instruments": [entry]}))
    assert read_file(path) == [own()]
