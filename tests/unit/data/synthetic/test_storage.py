"""Generated bars in the catalog: named for what they are, and never beside recorded ones."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from evenkeel.data.catalog import Catalog
from evenkeel.data.side import SideKind
from evenkeel.data.synthetic import Parameters, Recipe, generate
from evenkeel.data.synthetic.storage import (
    default_id,
    definition_of,
    derived_source,
    is_synthetic,
    require_recordable,
    source_of,
    store,
)
from evenkeel.data.synthetic.walk import random_walk
from evenkeel.engine.market import load_market
from evenkeel.features.timeline import ProgramBuilder
from evenkeel.model.errors import DataError, UsageError
from evenkeel.model.ids import InstrumentId
from evenkeel.model.instrument import InstrumentKind
from evenkeel.model.time import HOUR, MINUTE, Timeframe

M1 = Timeframe.parse("1m")
ID = default_id("ranging")
MARKET = generate(Recipe(regime="ranging", minutes=500))
ASSET = definition_of(ID, MARKET.recipe)


def test_the_definition_is_a_perpetual_of_its_own_that_never_closes() -> None:
    assert (ASSET.id, ASSET.kind, ASSET.quote, ASSET.calendar) == (
        "RANGING.SIM", InstrumentKind.PERPETUAL, "USDT", "24/7"
    )  # fmt: skip
    assert (ASSET.tick_size, ASSET.lot_size, ASSET.min_quantity) == (Decimal("0.1"), Decimal("0.001"), Decimal("0.001"))
    assert ASSET.absence_is_fault
    assert ASSET.description.startswith("Generated market")


def test_bars_are_stored_with_the_recipe_in_the_source(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    revision = store(MARKET, ASSET, catalog, stored_ns=7)

    assert catalog.read(ID, M1).bars.close.tolist() == MARKET.bars.close.tolist()
    assert revision.source == f"synthetic: ranging, 500 minutes, seed 42, digest {MARKET.digest}"
    assert is_synthetic(revision)
    assert revision.imported_ns == 7


def test_funding_and_open_interest_are_stored_beside_the_bars(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    revision = store(MARKET, ASSET, catalog, stored_ns=7)

    for kind, readings in ((SideKind.FUNDING, MARKET.funding), (SideKind.OPEN_INTEREST, MARKET.open_interest)):
        series = catalog.side(ID, kind)
        assert series is not None
        assert len(series) > 0
        assert series.stamps_ns.tolist() == readings.times_ns.tolist()
        assert series.columns[kind.columns()[0]].tolist() == readings.values.tolist()
        assert series.revision.source == revision.source


def test_a_market_is_not_mixed_with_what_another_one_left_beside_its_bars(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    store(MARKET, ASSET, catalog, stored_ns=7)
    began = MARKET.recipe.first_open_ns + 8 * HOUR + MINUTE
    later = generate(Recipe(regime="ranging", minutes=200, first_open_ns=began))
    assert len(later.funding.values) == 0
    store(later, ASSET, catalog, stored_ns=8)
    builder = ProgramBuilder(M1)
    for name in ("close", "funding_rate", "open_interest"):
        builder.on(M1).column(name)

    market = load_market([catalog], ASSET, builder.build(), start_ns=None, end_ns=None)

    assert set(market.pins) == market.side_columns == {"open_interest"}
    store(MARKET, ASSET, catalog, stored_ns=9)
    market = load_market([catalog], ASSET, builder.build(), start_ns=None, end_ns=None)
    assert market.side_columns == {"funding_rate", "open_interest"}


def test_the_source_names_everything_that_is_not_usual() -> None:
    market = generate(
        Recipe(
            regime="ranging", minutes=500, seed=1, base=2_000.125_5, tick=Decimal("0.50"), lot=Decimal("0.1"),
            first_open_ns=1_577_836_800_000_000_000, parameters=Parameters(range_width=0.1), halts=1, missing=0.01,
        )
    )  # fmt: skip

    assert source_of(market) == (
        "synthetic: ranging, 500 minutes, seed 1, base 2000.1255, tick 0.5, lot 0.1, "
        "first_open_ns 2020-01-01T00:00:00Z, "
        f"halts 1, missing 0.01, range_width 0.1, digest {market.digest}"
    )


def test_another_recipe_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    store(MARKET, ASSET, catalog, stored_ns=1)
    other = generate(Recipe(regime="ranging", minutes=200, seed=2))
    revision = store(other, ASSET, catalog, stored_ns=2)

    assert len(catalog.read(ID, M1).bars) == 200
    assert len(catalog.history(ID, M1)) == 2
    assert store(other, ASSET, catalog, stored_ns=3) == revision


def test_recorded_bars_of_any_timeframe_keep_generated_ones_out(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    catalog.write(ID, random_walk(10), source="klines.csv", imported_ns=1)
    store_again = generate(Recipe(regime="ranging", minutes=500))

    with pytest.raises(DataError, match=r"RANGING.SIM has recorded 1m bars in .* \(from klines.csv\).* another id"):
        store(store_again, ASSET, catalog, stored_ns=2)
    assert len(catalog.history(ID, M1)) == 1


@pytest.mark.parametrize(("id_", "instead"), [("BTCUSDT.BYBIT", "BTCUSDT.SIM"), ("BTCUSDT", "BTCUSDT.SIM")])
def test_another_venue_is_refused(id_: str, instead: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"under the venue SIM only.*write {instead} instead of {id_}"):
        definition_of(InstrumentId(id_), MARKET.recipe)
    if "." in id_:
        asset = msgspec.structs.replace(ASSET, id=InstrumentId(id_))
        with pytest.raises(UsageError, match="under the venue SIM only"):
            store(MARKET, asset, Catalog(tmp_path), stored_ns=1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tick_size": Decimal("0.5")}, "RANGING.SIM is defined with tick_size 0.5, the generated market has 0.1"),
        ({"lot_size": Decimal("0.0001")}, "lot_size 0.0001, the generated market has 0.001"),
        ({"calendar": "NYSE"}, "calendar NYSE, the generated market has 24/7; choose another id"),
    ],
)
def test_a_definition_that_the_bars_contradict_is_refused(
    changes: dict[str, object], said: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=said):
        store(MARKET, msgspec.structs.replace(ASSET, **changes), Catalog(tmp_path), stored_ns=1)
    assert not list(tmp_path.iterdir())


def test_bars_that_are_made_of_generated_ones_stay_generated(tmp_path: Path) -> None:
    generated = store(MARKET, ASSET, Catalog(tmp_path), stored_ns=1)
    recorded = msgspec.structs.replace(generated, source="synthetic.csv")
    elsewhere = msgspec.structs.replace(generated, instrument=InstrumentId("RANGING.US"))

    assert derived_source(generated) == f"synthetic: 1m bars of revision {generated.id[:12]}"
    assert derived_source(recorded) == f"1m bars of revision {generated.id[:12]}"
    assert is_synthetic(generated)
    assert not is_synthetic(recorded)
    assert not is_synthetic(elsewhere)


def test_recorded_bars_are_not_imported_under_the_venue_of_generated_ones() -> None:
    with pytest.raises(UsageError, match=r"RANGING.SIM: the venue SIM is kept for generated markets"):
        require_recordable(ID)
    require_recordable(InstrumentId("RANGING.US"))
