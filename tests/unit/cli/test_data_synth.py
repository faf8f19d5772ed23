"""`keel data synth`: what it makes, says and refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from evenkeel.cli.entry import run
from evenkeel.data.catalog import Catalog
from evenkeel.data.definitions import Definitions
from evenkeel.data.synthetic import EXTENSIONS, REGIMES, Parameters, Recipe, SyntheticMarket, generate
from evenkeel.data.synthetic.walk import random_walk
from evenkeel.model.ids import InstrumentId
from evenkeel.model.time import Timeframe

M1 = Timeframe.parse("1m")
Keel = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def keel(home: Path, capsys: pytest.CaptureFixture[str]) -> Keel:
    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(["--home", str(home), *arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def test_a_market_is_stored_and_summed_up(keel: Keel, home: Path) -> None:
    code, out, err = keel("data", "synth", "trend_up_clean")
    market = generate(Recipe(regime="trend_up_clean", minutes=60_000))

    assert code == 0
    assert (
        out.splitlines()[0] == "TREND_UP_CLEAN.SIM 1m: trend_up_clean, up T in 70 %, 15 % retracement, 15 % resumption"
    )
    assert "60,000 generated bars from 2018-01-01T00:00:00Z to 2018-02-11T16:00:00Z" in out
    assert f"data hash {market.digest}, seed 42" in out
    assert "next: `keel backtest STRATEGY --symbol TREND_UP_CLEAN.SIM`" in err
    series = Catalog(home / "catalog").read(InstrumentId("TREND_UP_CLEAN.SIM"), M1)
    assert series.bars.close.tolist() == market.bars.close.tolist()
    assert series.revision.source == f"synthetic: trend_up_clean, 60000 minutes, seed 42, digest {market.digest}"
    assert Definitions.load(home).find("trend_up_clean").venue == "SIM"


def test_options_choose_length_seed_parameters_price_time_and_absences(keel: Keel) -> None:
    document = json.loads(
        keel(
            "data", "synth", "range_wide", "--bars", "20", "--tf", "4h", "--seed", "-3", "--set", "range_width=0.05",
            "--set", "stairs_steps=2", "--price", "1000", "--start", "2021-05-01T06:00", "--halts", "1",
            "--missing", "0.01", "--instrument", "wide.sim", "--json",
        )[1]
    )  # fmt: skip
    recipe = Recipe(
        regime="range_wide", minutes=4_800, seed=-3, base=1_000.0, first_open_ns=1_619_848_800_000_000_000,
        parameters=Parameters(range_width=0.05, stairs_steps=2), halts=1, missing=0.01,
    )  # fmt: skip
    market = generate(recipe)

    assert document["schema"] == "evenkeel.data_synth/1"
    assert (document["instrument"], document["regime"], document["seed"]) == ("WIDE.SIM", "range_wide", -3)
    assert (document["bars"], document["missing"]) == (len(market.bars), 4_800 - len(market.bars))
    assert document["data_hash"] == market.digest
    assert document["parameters"]["range_width"] == 0.05
    assert document["start"] == "2021-05-01T06:00:00Z"
    assert Path(document["definition"]).is_file()


def test_missing_bars_are_told_with_what_names_them(keel: Keel) -> None:
    _, out, err = keel("data", "synth", "ranging", "--bars", "500", "--halts", "2")

    assert "bars are missing, as asked for" in out
    assert "`keel data check RANGING.SIM` names the gaps; a backtest needs `--gaps report`" in err
    code, out, _ = keel("data", "check", "RANGING.SIM")
    assert code == 1
    assert "faults: 2" in out


def test_the_same_again_changes_nothing_and_another_seed_is_a_new_revision(keel: Keel, home: Path) -> None:
    for seed in ("1", "1", "2"):
        assert keel("data", "synth", "ranging", "--bars", "100", "--seed", seed)[0] == 0

    assert len(Catalog(home / "catalog").history(InstrumentId("RANGING.SIM"), M1)) == 2


def test_an_own_definition_gives_tick_and_lot(keel: Keel, home: Path) -> None:
    keel("instruments", "add", "CHEAP.SIM", "--like", "BTCUSDT", "--tick", "0.0001", "--lot", "1")
    code, _, _ = keel("data", "synth", "ranging", "--instrument", "CHEAP.SIM", "--price", "2", "--bars", "50")

    assert code == 0
    bars = Catalog(home / "catalog").read(InstrumentId("CHEAP.SIM"), M1).bars
    assert bars.open[0] == 2.0
    assert (bars.volume == bars.volume.round()).all()


def test_bars_are_counted_in_the_timeframe_that_is_named(keel: Keel) -> None:
    document = json.loads(keel("data", "synth", "trending", "--tf", "12h", "--bars", "5", "--json")[1])

    assert document["bars"] == 5 * 720


@pytest.mark.parametrize("tf", ["D", "W", "M"])
def test_the_default_number_of_slow_bars_is_accepted(keel: Keel, tf: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Recipe] = []

    def take(recipe: Recipe) -> SyntheticMarket:
        asked.append(recipe)
        return generate(replace(recipe, minutes=100))

    monkeypatch.setattr("evenkeel.data.synthetic.generate", take)

    assert keel("data", "synth", "trending", "--tf", tf)[0] == 0
    assert asked[0].minutes > 3_800_000


def test_the_list_has_a_line_for_each(keel: Keel) -> None:
    code, out, err = keel("data", "synth", "--list")

    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:]] == [*REGIMES, *EXTENSIONS]
    assert "`keel data synth REGIME`" in err
    document = json.loads(keel("data", "synth", "--list", "--json")[1])
    assert [row["regime"] for row in document["regimes"]] == [*REGIMES, *EXTENSIONS]
    assert all(row["summary"] and row["group"] for row in document["regimes"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name a regime, for example `keel data synth trend_up_clean`; `keel data synth --list` shows all"),
        (("range_wid",), "there is no regime 'range_wid'; did you mean range_wide"),
        (("trending", "--bars", "0"), "0 is not in the range x>=1"),
        (("trending", "--bars", "6"), "6 bars of 15m are 90 minutes; a generated market has 100 to 4,000,000. Ask for"),
        (("trending", "--bars", "9999999"), "Ask for fewer: 7 to 266,666 bars of 15m"),
        (("trending", "--tf", "7m"), "'7m' is not a timeframe"),
        (("trending", "--seed", "x"), "'x' is not a valid integer"),
        (("trending", "--set", "trend=1"), "no parameter 'trend'"),
        (("trending", "--set", "spike=9"), "the parameter spike is 9; it must lie from 0.01 to 0.4"),
        (("trending", "--set", "spike=big"), "--set spike=big: 'big' is not a number; write spike=0.1"),
        (("trending", "--set", "spike=nan"), "the parameter spike is nan"),
        (("trending", "--set", "stairs_steps=nan"), "the parameter stairs_steps is nan"),
        (("trending", "--set", "spike"), "--set takes NAME=VALUE"),
        (("trending", "--price", "5"), "the base price is 5 with a tick of 0.1; it must be 1,000 to"),
        (("trending", "--price", "nan"), "the base price is nan"),
        (("trending", "--halts", "99"), "there may be 0 to 20 halts, not 99"),
        (("trending", "--missing", "0.5"), "the share of missing bars is 0.5; it must lie from 0 to 0.2"),
        (("trending", "--start", "2020-01-01T00:00:30"), "it must open on a whole minute"),
        (("trending", "--instrument", "BTCUSDT.BYBIT"), "write BTCUSDT.SIM instead of BTCUSDT.BYBIT"),
        (("trending", "--instrument", "BTCUSDT"), "write BTCUSDT.SIM instead of BTCUSDT"),
        (("trending", "--instrument", "a b.sim"), "id 'A B.SIM' is not SYMBOL.VENUE"),
    ],
)
def test_what_cannot_be_made_is_refused_and_leaves_nothing(
    arguments: tuple[str, ...], said: str, keel: Keel, home: Path
) -> None:
    code, out, err = keel("data", "synth", *arguments)

    assert code == 2
    assert said in err
    assert out == ""
    assert not home.exists()


def test_recorded_bars_are_not_written_over(keel: Keel, home: Path) -> None:
    Catalog(home / "catalog").write(InstrumentId("RANGING.SIM"), random_walk(10), source="klines.csv", imported_ns=1)
    code, _, err = keel("data", "synth", "ranging")

    assert code == 2
    assert "RANGING.SIM has recorded 1m bars" in err
    assert not (home / "instruments").exists()


def test_a_market_that_closes_is_not_generated(keel: Keel) -> None:
    keel("instruments", "add", "SHARE.SIM", "--like", "SPY")
    code, _, err = keel("data", "synth", "ranging", "--instrument", "SHARE.SIM")

    assert code == 2
    assert "SHARE.SIM is defined with calendar NYSE, the generated market has 24/7" in err


def test_nothing_recorded_is_imported_beside_generated_bars(keel: Keel, tmp_path: Path) -> None:
    keel("data", "synth", "ranging", "--bars", "100")
    path = tmp_path / "bars.csv"
    path.write_text("time,open,high,low,close,volume\n2024-01-01T00:00:00Z,1,2,1,2,3\n")
    code, _, err = keel("data", "import", str(path), "--instrument", "RANGING.SIM", "--tf", "1m")

    assert code == 2
    assert "RANGING.SIM: the venue SIM is kept for generated markets" in err


def test_slower_bars_of_generated_ones_are_stored_as_generated(keel: Keel, home: Path) -> None:
    keel("data", "synth", "ranging", "--bars", "100")
    keel("data", "resample", "RANGING.SIM", "--to", "1h")
    catalog, name = Catalog(home / "catalog"), InstrumentId("RANGING.SIM")

    assert catalog.history(name, Timeframe.parse("1h"))[0].source.startswith("synthetic: 1m bars of revision")
    assert keel("data", "synth", "ranging", "--bars", "100", "--seed", "2")[0] == 0


def test_a_generated_symbol_does_not_make_a_real_one_ambiguous(keel: Keel) -> None:
    keel("data", "synth", "ranging", "--bars", "100", "--instrument", "BTCUSDT.SIM")

    assert json.loads(keel("instruments", "show", "BTCUSDT", "--json")[1])["instrument"]["id"] == "BTCUSDT.BYBIT"
    assert json.loads(keel("instruments", "show", "BTCUSDT.SIM", "--json")[1])["instrument"]["id"] == "BTCUSDT.SIM"


def test_a_catalog_that_cannot_be_written_is_an_outside_failure_without_traces(
    keel: Keel, tmp_path: Path, home: Path
) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = keel("data", "synth", "ranging", "--bars", "100", "--catalog", str(tmp_path / "file" / "inside"))

    assert code == 3
    assert "Traceback" not in err
    assert not home.exists()


PLAY = """\
version: "3.0.0"
name: checked
symbol: BTCUSDT
timeframes: { low_tf: 15m, med_tf: 1h, high_tf: 4h, exec: low_tf }
account: { starting_equity: 10000 }
features: { ema_50_1h: { indicator: ema, tf: med_tf, params: { length: 50 } } }
actions: { entry_long: [[close, ">", ema_50_1h]] }
risk: { stop_loss_pct: 1, take_profit_pct: 2 }
"""


def test_a_play_names_its_market(keel: Keel, tmp_path: Path) -> None:
    """By default W and max(2 W, 200) bars after it: an `ema` of 50 hours needs 150 of them, 600 bars of 15 minutes."""
    play = tmp_path / "checked.yaml"
    play.write_text(PLAY + "validation: { pattern: range_wide, seed: 7 }\n")

    code, out, _ = keel("data", "synth", "--for", str(play), "--json")

    made = json.loads(out)
    assert (code, made["regime"], made["seed"], made["bars"]) == (0, "range_wide", 7, 1800 * 15)

    play.write_text(PLAY + "validation: { pattern: range_wide, bars: 300 }\n")
    assert json.loads(keel("data", "synth", "--for", str(play), "--json")[1])["bars"] == 300 * 15


@pytest.mark.parametrize(
    ("validation", "arguments", "words"),
    [
        ("", [], "checked names no regime; add `validation: { pattern: … }`"),
        ("validation: { pattern: range_wid }\n", [], "there is no regime 'range_wid'; did you mean 'range_wide'?"),
        ("validation: { seed: 1 }\n", [], "`validation` names no market"),
        (
            "validation: { pattern: trending, window: { start: 2024-01-01, end: 2024-02-01 } }\n", [],
            "`pattern` and `window` exclude each other",
        ),
        ("validation: { pattern: trending }\n", ["--bars", "3"], "leave REGIME, --bars and --seed out"),
    ],
)  # fmt: skip
def test_a_play_without_a_market_is_refused(
    keel: Keel, tmp_path: Path, validation: str, arguments: list[str], words: str
) -> None:
    play = tmp_path / "checked.yaml"
    play.write_text(PLAY + validation)

    code, _, err = keel("data", "synth", "--for", str(play), *arguments)

    assert code == 2
    assert words in err
