"""Generated markets in the catalog, kept apart from recorded ones.

They live under the venue `SIM` only, their revisions say that they are synthetic and from which recipe, and they are
not written where recorded bars are.

    instrument = definition_of(default_id("range_wide"), recipe)
    store(market, instrument, catalog, stored_ns=now)
"""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal

from evenkeel.data.calendar import ALWAYS_OPEN
from evenkeel.data.catalog import Catalog
from evenkeel.data.definitions import GENERATED_VENUE
from evenkeel.data.revision import SOURCE_WORD, Revision, is_synthetic
from evenkeel.data.side import SideBatch, SideKind
from evenkeel.data.synthetic.market import SyntheticMarket
from evenkeel.data.synthetic.recipe import Recipe
from evenkeel.data.synthetic.regimes import regime_of
from evenkeel.model.errors import DataError, UsageError
from evenkeel.model.ids import InstrumentId
from evenkeel.model.instrument import Fees, Instrument, InstrumentKind
from evenkeel.model.number import plain, to_decimal
from evenkeel.model.time import format_time

MIN_NOTIONAL = Decimal(5)
FEES = Fees(maker_bps=Decimal(2), taker_bps=Decimal("5.5"))
"""As on the venues of the perpetuals that ship."""


def default_id(regime: str) -> InstrumentId:
    """Return the id under which a regime is stored if no other is chosen."""
    return InstrumentId(f"{regime.upper()}.{GENERATED_VENUE}")


def definition_of(id_: InstrumentId, recipe: Recipe) -> Instrument:
    """Return the definition of a generated market: a linear perpetual in USDT that trades around the clock.

    Raises:
        UsageError: If the id is not one of the venue `SIM`.
    """
    _require_venue(id_)
    return Instrument(
        id=id_, kind=InstrumentKind.PERPETUAL, base=id_.rpartition(".")[0], quote="USDT", tick_size=recipe.tick,
        lot_size=recipe.lot, min_quantity=recipe.lot, min_notional=MIN_NOTIONAL, calendar=ALWAYS_OPEN, fees=FEES,
        absence_is_fault=True, description=f"Generated market, {regime_of(recipe.regime).summary}",
    )  # fmt: skip


def source_of(market: SyntheticMarket) -> str:
    """Return what a revision says of where its bars came from: enough to make them again."""
    recipe = market.recipe
    said = [f"{SOURCE_WORD}: {recipe.regime}", f"{recipe.minutes} minutes", f"seed {recipe.seed}"]
    said += [
        f"{each.name} {_shown(getattr(recipe, each.name))}"
        for each in fields(recipe)
        if each.name not in ("regime", "minutes", "seed", "parameters")
        and getattr(recipe, each.name) != each.default
    ]  # fmt: skip
    said += [f"{name} {_shown(value)}" for name, value in recipe.parameters.changed().items()]
    return ", ".join([*said, f"digest {market.digest}"])


def derived_source(revision: Revision) -> str:
    """Return the source of slower bars that are made of a revision; those of generated bars stay generated."""
    word = f"{SOURCE_WORD}: " if is_synthetic(revision) else ""
    return f"{word}{revision.timeframe} bars of revision {revision.id[:12]}"


def require_recordable(id_: InstrumentId) -> None:
    """Refuse to keep recorded bars where generated ones are at home.

    Raises:
        UsageError: If the venue is `SIM`.
    """
    symbol, _, venue = id_.rpartition(".")
    if venue == GENERATED_VENUE:
        raise UsageError(
            f"{id_}: the venue {GENERATED_VENUE} is kept for generated markets; define the instrument under another "
            f"one, for example `keel instruments add {symbol}.OWN --like {id_}`"
        )


def require_storable(instrument: Instrument, recipe: Recipe, catalog: Catalog) -> None:
    """Refuse to store a market where it would be mistaken for a recorded one, or contradict a definition.

    Raises:
        UsageError: If the instrument is not one of the venue `SIM`, or lies on another grid or calendar.
        DataError: If recorded bars of it are stored, of whichever timeframe and revision.
    """
    _require_venue(instrument.id)
    for timeframe in catalog.timeframes(instrument.id):
        for revision in catalog.history(instrument.id, timeframe):
            if not is_synthetic(revision):
                raise DataError(
                    f"{instrument.id} has recorded {timeframe} bars in {catalog.folder} (from {revision.source}); "
                    f"generated ones are not stored beside them. Choose another id of the venue {GENERATED_VENUE}"
                )
    wanted = {"tick_size": recipe.tick, "lot_size": recipe.lot, "calendar": ALWAYS_OPEN}
    for name, value in wanted.items():
        found = getattr(instrument, name)
        if found != value:
            raise UsageError(
                f"{instrument.id} is defined with {name} {_shown(found)}, the generated market has {_shown(value)}; "
                f"choose another id or change the definition"
            )


def store(market: SyntheticMarket, instrument: Instrument, catalog: Catalog, *, stored_ns: int) -> Revision:
    """Make a market the newest revision of its instrument, with its funding and open interest beside its bars.

    It takes the place of another recipe's. The series of one market name the same source, and a run takes only those
    beside its bars that do, so what an earlier market left is never mixed with it.

    Args:
        market: What to store.
        instrument: Under whose id; its tick and lot are those of the recipe.
        catalog: Where.
        stored_ns: Now, by the caller's clock.

    Raises:
        UsageError: As `require_storable`.
        DataError: As `require_storable`.
        StorageError: If the catalog cannot be written.
    """
    require_storable(instrument, market.recipe, catalog)
    source = source_of(market)
    for batch in beside_of(market):
        catalog.shelf.write(instrument.id, batch, source=source, imported_ns=stored_ns)
    return catalog.write(instrument.id, market.bars, source=source, imported_ns=stored_ns)


def beside_of(market: SyntheticMarket) -> list[SideBatch]:
    """Return what a market has beside its bars; a short one has none."""
    readings = ((SideKind.FUNDING, market.funding), (SideKind.OPEN_INTEREST, market.open_interest))
    return [
        SideBatch(kind, each.times_ns, {kind.columns()[0]: each.values}) for kind, each in readings if len(each.values)
    ]


def _require_venue(id_: InstrumentId) -> None:
    symbol, _, venue = id_.rpartition(".")
    if venue != GENERATED_VENUE:
        raise UsageError(
            f"generated bars are kept under the venue {GENERATED_VENUE} only, so that nobody takes them for recorded "
            f"ones; write {symbol or venue}.{GENERATED_VENUE} instead of {id_}"
        )


def _shown(value: object) -> str:
    match value:
        case Decimal():
            return plain(value)
        case int() if value > 10**15:
            return format_time(value)
        case float():
            return plain(to_decimal(value))
    return str(value)
