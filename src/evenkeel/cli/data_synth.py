"""`keel data synth`: make a synthetic market and store it as a series of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from evenkeel.cli.console import print_table
from evenkeel.cli.home import current_home
from evenkeel.cli.output import emit, note, say
from evenkeel.cli.params import INSTANT, json_option
from evenkeel.cli.running import read_sets
from evenkeel.model.errors import UsageError

if TYPE_CHECKING:
    from evenkeel.data.revision import Revision
    from evenkeel.data.synthetic import Recipe, SyntheticMarket

DEFAULT_TF = "15m"
DEFAULT_BARS = 4_000
"""Six weeks of quarters of an hour: enough for a report, and each part of a regime still has hundreds of bars."""


@click.command(name="synth")
@click.argument("regime", required=False)
@click.option("--list", "listed", is_flag=True, help="List the regimes and what each does.")
@click.option(
    "--bars", type=click.IntRange(min=1), metavar="N",
    help=f"How many bars of --tf the market is long. Default: {DEFAULT_BARS:,}, or as many as there may be.",
)  # fmt: skip
@click.option("--tf", default=DEFAULT_TF, metavar="TF", help=f"What --bars counts. Default: {DEFAULT_TF}.")
@click.option("--seed", type=int, metavar="N", help="Another seed is another market. Default: 42.")
@click.option("--for", "play", metavar="STRATEGY", help="The market that a play's `validation` asks for.")
@click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="Set a parameter of the shape.")
@click.option("--instrument", "name", metavar="ID", help="Store it under this id. Default: REGIME.SIM.")
@click.option("--price", type=float, metavar="NUMBER", help="First price. Default: 50,000.")
@click.option("--start", type=INSTANT, metavar="T", help="When the first bar opens. Default: 2018-01-01.")
@click.option("--halts", type=int, default=0, metavar="N", help="Halts of the exchange: stretches without bars.")
@click.option("--missing", type=float, default=0.0, metavar="SHARE", help="Share of single bars that are missing.")
@click.option(
    "--catalog",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder of the catalog. Default: `catalog` in the home folder.",
)
@json_option
def command(
    regime: str | None, listed: bool, bars: int | None, tf: str, seed: int | None, play: str | None,
    sets: tuple[str, ...], name: str | None, price: float | None, start: int | None, halts: int, missing: float,
    catalog: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Make a synthetic market and store its one-minute bars, with funding and open interest beside them.

    The same regime, length, seed and parameters give the same bars on every machine. They are stored under the venue
    SIM, as a perpetual of their own, and never beside recorded bars; another market of the same id takes their place.
    Slower bars are aggregated from them by whoever needs some. What a strategy earns on them says nothing of what it
    will earn.

    \b
    Example:
      keel data synth --list
      keel data synth trend_up_clean
      keel data synth breakout_false --bars 2000 --tf 1h --seed 7 --set hunt_depth=0.03
      keel data synth range_wide --halts 2 --instrument HALTED.SIM
      keel data synth --for my_play.yaml
    """
    if listed:
        _list(as_json=as_json)
        return
    if play is not None:
        regime, bars, tf, seed = _asked_for(play, regime, bars, seed)
    if regime is None:
        raise UsageError(
            "name a regime, for example `keel data synth trend_up_clean`; `keel data synth --list` shows all"
        )
    made = _make(regime, name, catalog, _Length(bars, tf), sets, {
        "seed": 42 if seed is None else seed, "base": price, "first_open_ns": start, "halts": halts, "missing": missing,
    })  # fmt: skip
    if as_json:
        emit(_document(made))
        return
    _say(made)


def _asked_for(play: str, regime: str | None, bars: int | None, seed: int | None) -> tuple[str, int, str, int]:
    """Return regime, length in minutes and seed that a play asks for."""
    from evenkeel.data.definitions import Definitions
    from evenkeel.examples import locate
    from evenkeel.strategies.library import Library
    from evenkeel.strategies.play.load import load_plays
    from evenkeel.strategies.play.lower import lower
    from evenkeel.strategies.play.validation import synthetic_check

    if regime is not None or bars is not None or seed is not None:
        raise UsageError("--for takes regime, length and seed from the play; leave REGIME, --bars and --seed out")
    home = current_home().root
    loaded = load_plays(locate(play), instruments=Definitions.load(home).find, library=Library(home))[0]
    asked = synthetic_check(loaded, lower(loaded).program)
    return asked.regime, asked.minutes, "1m", asked.seed


class _Length(NamedTuple):
    """How long a market is to be: bars of a timeframe, as they were typed."""

    bars: int | None
    tf: str


class _Made(NamedTuple):
    """What the command did."""

    market: SyntheticMarket
    revision: Revision
    definition: Path
    catalog: Path


def _make(
    regime: str, name: str | None, folder: Path | None, length: _Length, sets: Sequence[str], options: Mapping[str, Any]
) -> _Made:
    """Generate the market, store its bars and define the instrument if it is new; refuse before anything is written."""
    from evenkeel.data.catalog import Catalog
    from evenkeel.data.definition_file import check
    from evenkeel.data.definitions import Definitions
    from evenkeel.data.synthetic import generate
    from evenkeel.data.synthetic.storage import default_id, definition_of, require_storable, store
    from evenkeel.model.ids import InstrumentId

    home = current_home()
    definitions, catalog = Definitions.load(home.root), Catalog(folder or home.catalog)
    id_ = InstrumentId(name.upper()) if name else default_id(regime)
    known = next((each for each in definitions.all() if each.id == id_), None)
    grid = {"tick": known.tick_size, "lot": known.lot_size} if known else {}
    recipe = _recipe(regime, length, sets, {**options, **grid})
    instrument = known or definition_of(id_, recipe)
    check(instrument, where="--instrument")
    require_storable(instrument, recipe, catalog)
    market = generate(recipe)
    revision = store(market, instrument, catalog, stored_ns=time.time_ns())
    if not known:
        definitions.add(instrument)
    return _Made(market, revision, home.instruments / f"{id_}.json", catalog.folder)


def _recipe(regime: str, length: _Length, sets: Sequence[str], options: Mapping[str, Any]) -> Recipe:
    """Return the recipe that the options ask for."""
    from evenkeel.data.synthetic import Parameters, Recipe, bars_max, minutes_of, regime_of
    from evenkeel.model.time import Timeframe

    regime_of(regime)
    timeframe = Timeframe.parse(length.tf)
    count = length.bars or min(DEFAULT_BARS, bars_max(timeframe))
    parameters = Parameters.of({key: _number(key, text) for key, text in read_sets(sets).items()})
    given = {key: value for key, value in options.items() if value is not None}
    return Recipe(regime=regime, minutes=minutes_of(count, timeframe), parameters=parameters, **given)


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"--set {name}={text}: '{text}' is not a number; write {name}=0.1") from None


def _list(*, as_json: bool) -> None:
    from evenkeel.data.synthetic import EXTENSIONS, REGIMES, regime_of

    rows = [(name, regime_of(name).group, regime_of(name).summary) for name in (*REGIMES, *EXTENSIONS)]
    if as_json:
        found = [{"regime": name, "group": group, "summary": summary} for name, group, summary in rows]
        emit({"schema": "evenkeel.regime_list/1", "regimes": found})
        return
    print_table(("regime", "group", "path; T is trend_magnitude"), rows)
    note("next: `keel data synth REGIME`; docs/reference/regimes.md has a picture of each")


def _say(made: _Made) -> None:
    from evenkeel.data.synthetic import regime_of
    from evenkeel.model.time import format_time

    market, revision = made.market, made.revision
    absent = market.recipe.minutes - len(market.bars)
    say(f"{revision.instrument} 1m: {market.recipe.regime}, {regime_of(market.recipe.regime).summary}")
    say(f"  {revision.rows:,} generated bars from {format_time(revision.first_ns)} to {format_time(revision.last_ns)}")
    rates, interest = len(market.funding.values), len(market.open_interest.values)
    say(f"  beside them {rates:,} funding rates and {interest:,} readings of open interest")
    say(f"  data hash {market.digest}, seed {market.recipe.seed}")
    say(f"  revision {revision.id[:12]}")
    if absent:
        say(f"  {absent:,} bars are missing, as asked for")
        note(f"next: `keel data check {revision.instrument}` names the gaps; a backtest needs `--gaps report`")
    note(f"next: `keel backtest STRATEGY --symbol {revision.instrument}`")


def _document(made: _Made) -> dict[str, object]:
    from evenkeel.model.time import format_time

    market, revision, recipe = made.market, made.revision, made.market.recipe
    return {
        "schema": "evenkeel.data_synth/1", "instrument": revision.instrument, "timeframe": "1m",
        "regime": recipe.regime, "seed": recipe.seed, "parameters": asdict(recipe.parameters),
        "bars": revision.rows, "missing": recipe.minutes - revision.rows, "start": format_time(revision.first_ns),
        "end": format_time(revision.last_ns), "data_hash": market.digest, "revision": revision.id,
        "source": revision.source, "catalog": str(made.catalog), "definition": str(made.definition),
    }  # fmt: skip
