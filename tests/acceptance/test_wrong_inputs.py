"""What a hurried or hostile person types and feeds: one clear message, the right exit code, and nothing left behind.

Every case is run twice, for people and with `--json`; the folder that it works in is compared before and after.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest

from acceptance.keel import Keel, contents
from evenkeel import examples

HEAD = "time,open,high,low,close,volume"
GOOD = [f"2024-01-01T{row // 60:02d}:{row % 60:02d}:00Z,100,101,99,100.5,3" for row in range(120)]
PLAY = examples.find("ema_cross").read_text().replace("name: ema_cross", "name: play")
IMPORT = ("data", "import", "{file}", "--instrument", "BTCUSDT", "--tf", "1m")
NOISE = bytes(range(255, -1, -1)) * 20


class Wrong(NamedTuple):
    """A mistake.

    Attributes:
        what: In a few words.
        arguments: After `keel`; `{file}` and `{folder}` are filled in.
        says: Parts that the message must have: what, where, the limit, the remedy.
        name: Of the file to write, if there is one.
        data: Its content.
        code: Exit code.
    """

    what: str
    arguments: tuple[str, ...]
    says: tuple[str, ...]
    name: str = ""
    data: bytes = b""
    code: int = 2


def csv_file(
    what: str, change: Callable[[list[str]], list[str]], *says: str, head: str = HEAD, more: str = ""
) -> Wrong:
    """A CSV that is good but for one thing."""
    text = "\n".join([head, *change(list(GOOD))]) + "\n"
    return Wrong(what, (*IMPORT, *more.split()), says, "bars.csv", text.encode())


def line(number: int, row: str) -> Callable[[list[str]], list[str]]:
    """Put `row` in place of a line of the file, counted from 1 with the names."""
    return lambda rows: [*rows[: number - 2], row, *rows[number - 1 :]]


def play_file(what: str, old: str, new: str, *says: str) -> Wrong:
    """A play that is good but for one thing."""
    assert old in PLAY, old
    return Wrong(what, ("backtest", "{file}"), says, "play.yaml", PLAY.replace(old, new, 1).encode())


def raw(what: str, name: str, data: bytes, *says: str) -> Wrong:
    """A file of any bytes, imported or, if it is a play, backtested."""
    return Wrong(what, ("backtest", "{file}") if name.endswith(".yaml") else IMPORT, says, name, data)


def typed(what: str, arguments: str, *says: str, code: int = 2) -> Wrong:
    """Something wrong on the command line itself."""
    return Wrong(what, tuple(arguments.split()), says, code=code)


def parquet() -> bytes:
    target = io.BytesIO()
    pl.read_csv(io.BytesIO("\n".join([HEAD, *GOOD]).encode())).write_parquet(target)
    return target.getvalue()


def zipped() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(
            "20240101_btcusdt_minute_trade.csv", "\n".join(f"{row * 60_000},1,2,1,2,3" for row in range(99))
        )
    return target.getvalue()


FILES = [
    csv_file(
        "a column is missing", lambda rows: [",".join(row.split(",")[:4] + row.split(",")[5:]) for row in rows],
        "bars.csv has no column for close", "found time, open, high, low, volume", head="time,open,high,low,volume",
    ),
    csv_file(
        "a price is NaN", line(9, "2024-01-01T00:07:00Z,100,101,99,NaN,3"),
        "bars.csv, line 9: close is not a number (nan)", "Nothing was stored", "correct or remove the row",
    ),
    csv_file(
        "a price is a word", line(9, "2024-01-01T00:07:00Z,100,101,99,n/a,3"),
        "bars.csv, line 9: the column close holds 'n/a'", "correct or remove the row",
    ),
    csv_file(
        "a price is negative", line(9, "2024-01-01T00:07:00Z,-100,101,-101,100,3"),
        "bars.csv, line 9: open is not above zero (-100.0)",
    ),
    csv_file(
        "the high is below the low", line(9, "2024-01-01T00:07:00Z,100,98,99,100,3"),
        "bars.csv, line 9: high 98.0 is below low 99.0",
    ),
    csv_file(
        "the volume is negative", line(9, "2024-01-01T00:07:00Z,100,101,99,100,-3"),
        "bars.csv, line 9: volume is negative (-3.0)",
    ),
    csv_file("the rows run backwards", lambda rows: rows[::-1], "runs backwards in time", "--newest-first"),
    csv_file(
        "two rows are swapped", lambda rows: [rows[1], rows[0], *rows[2:]],
        "bars.csv, line 3", "the times must rise from row to row", "sort the file",
    ),
    csv_file("a time stands twice", lambda rows: [rows[0], *rows], "line 3", "2024-01-01T00:00:00Z appears twice"),
    csv_file("a day does not exist", line(5, "2024-02-30T00:03:00Z,1,2,1,2,3"), "line 5", "2024-02-30T00:03:00Z"),
    csv_file("a time is between minutes", line(5, "2024-01-01T00:03:30Z,1,2,1,2,3"), "line 5", "not on a whole minute"),
    csv_file(
        "the bars are still to come", lambda rows: [row.replace("2024", "2124") for row in rows],
        "bars.csv: the last bar ends at 2124-01-01T02:00:00Z, which is still to come", "correct the times",
    ),
    csv_file("a line is short", line(5, "2024-01-01T00:03:00Z,100,101"), "bars.csv, line 5", "column low is empty"),
    csv_file("only names", lambda rows: [], "bars.csv holds no bars", "no row of data"),
    csv_file(
        "--tf is slower than the file", lambda rows: rows, "its rows are 1 minute apart, so they are not 1h bars",
        "give the right --tf", more="--tf 1h",
    ),
    csv_file(
        "--tf is faster than the file", lambda rows: rows[::5], "its rows are 5 minutes apart, so they are not 1m bars",
    ),
    csv_file(
        "the instrument does not exist", lambda rows: rows, "there is no instrument 'BTCUSDTT'",
        "did you mean BTCUSDT.BYBIT", "keel instruments list", more="--instrument BTCUSDTT",
    ),
    csv_file(
        "the timeframe does not exist", lambda rows: rows, "'7m' is not a timeframe", "1m, 3m, 5m", more="--tf 7m",
    ),
    csv_file("the zone does not exist", lambda rows: rows, "'Mars/X' is not a time zone", "IANA", more="--tz Mars/X"),
    csv_file("the format is another", lambda rows: rows, "is a file of the format csv, not lean", more="--format lean"),
    raw("an empty file", "bars.csv", b"", "bars.csv is empty"),
    raw("binary noise", "bars.csv", NOISE, "bars.csv is not text in UTF-8", "export it as CSV in UTF-8"),
    raw("Latin-1", "bars.csv", f"{HEAD}\n{GOOD[0]} \xe9\n".encode("latin-1"), "bars.csv, line 2: byte 0xe9", "UTF-8"),
    raw(
        "a cut Parquet file", "bars.parquet", parquet()[:900], "bars.parquet is a damaged Parquet file", "fetch it",
    ),
    raw("noise that begins like Parquet", "bars.parquet", b"PAR1" + NOISE, "damaged Parquet file"),
    raw("a cut zip", "bars.zip", zipped()[:300], "bars.zip is a damaged zip file", "fetch it again"),
    raw("a cut gzip", "bars.csv.gz", gzip.compress("\n".join([HEAD, *GOOD]).encode())[:150], "damaged gzip file"),
    raw("cut JSON", "bars.json", b"[[1704067200000,1,2,1,2,3],[17", "bars.json is not JSON", "fetch it again"),
    raw("JSON of another kind", "bars.json", b'{"a": 1}', "bars.json holds no bars: expected a list of [milliseconds"),
]  # fmt: skip

PLAYS = [
    play_file("an unknown key", "account:", "stopp: 1\naccount:", "play.yaml:13:1: stopp: unknown key", "known are"),
    play_file("a misspelt key", "slippage_bps:", "slipage_bps:", "unknown key", "did you mean 'slippage_bps'?"),
    play_file(
        "a word for a number", "100000", "lots", "play.yaml:14:20: account.starting_equity: 'lots' is not a number",
    ),
    play_file(
        "no such operator", "cross_above", "crosses_above", "actions.entry_long[1]", "did you mean 'cross_above'?",
    ),
    play_file("no such indicator", "indicator: atr", "indicator: atrr", "no indicator 'atrr'", "did you mean 'atr'?"),
    play_file("a length of 0", "fast: 20", "fast: 0", "length is 0; it must be at least 1 and at most 5000"),
    play_file("a length of -3", "fast: 20", "fast: -3", "length is -3; it must be at least 1 and at most 5000"),
    play_file("a length of a billion", "fast: 20", "fast: 1e9", "length is 1e+09; it must be at least 1"),
    play_file("a length that is NaN", "fast: 20", "fast: .nan", "'nan' is not a whole number"),
    play_file("more money than there is", "100000", "1e30", "starting_equity", "it must be at most 10,000,000,000"),
    play_file(
        "a debt at the start", "100000", "-5", "account.starting_equity: '-5' is out of bounds; it must be above 0",
    ),
    play_file("slippage beyond the price", "slippage_bps: 2.0", "slippage_bps: 20000", "it must be below 10000"),
    play_file(
        "setups in a circle", "actions:", "setups: { a: { setup: b }, b: { setup: a } }\nactions:", "a -> b -> a",
    ),
    play_file(
        "a key twice", "account:", "name: play\naccount:", "the key 'name' stands twice, in line 5 and in line 13",
    ),
    play_file(
        "a tab", "  starting_equity", "\tstarting_equity", "play.yaml:14:1", "a tab stands", "indent with spaces",
    ),
    play_file("an open bracket", "actions:", "foo: [1\nactions:", "play.yaml:", "this is not YAML"),
    play_file(
        "deep nesting", "actions:", f"setups: {{ a: {'[' * 900}{']' * 900} }}\nactions:", "deeper than 64 levels",
    ),
    play_file("code in a tag", "name: play", "name: !!python/object/apply:os.system [ls]", "the tag", "is not allowed"),
    play_file(
        "no such instrument", "SPY.US", "SPYY.US", "symbol: there is no instrument 'SPYY.US'; did you mean SPY.US?",
    ),
    play_file(
        "what is not built", "account:", "account:\n  currency: EUR", "not available yet", "keel doctor --gaps",
    ),
    raw(
        "a play in Latin-1", "play.yaml", PLAY.encode().replace(b"Holds", b"H\xf6lds"), "is 0xf6, in line 6", "UTF-8",
    ),
    raw("a play of noise", "play.yaml", NOISE, "is not UTF-8 text"),
    raw("an empty play", "play.yaml", b"", "the file is empty", "keel new NAME"),
    raw("a huge play", "play.yaml", b"# x\n" * 600_000, "2400000 characters", "the limit is 1000000"),
    raw("aliases that explode", "play.yaml", b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
        b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(9)
    ), "its aliases unfold into too many values"),
]  # fmt: skip

COMMANDS = [
    typed(
        "no such variable", "backtest ema_cross --set speed=3", "no variable 'speed'", "known are fast, slow, stop_atr",
    ),
    typed("--set without a value", "backtest ema_cross --set speed", "--set takes NAME=VALUE"),
    typed("the start is behind the end", "backtest ema_cross --start 2020-01-01 --end 2019-01-01", "must lie before"),
    typed(
        "the range begins after the data", "backtest ema_cross --start 2050-01-01",
        "no bars from 2050-01-01T00:00:00Z on", "2025-12-30T21:00:00Z",
    ),
    typed(
        "the range ends before the data", "backtest ema_cross --start 1980-01-01 --end 1981-01-01",
        "SPY.US", "2015-01-02T14:30:00Z", "none between 1980-01-01T00:00:00Z and 1981-01-01T00:00:00Z",
    ),
    typed(
        "a time that is none", "backtest ema_cross --start yesterday", "'yesterday' is not a time", "2024-01-31T14:30",
    ),
    typed("a year that is none", "backtest ema_cross --start 0001-01-01", "outside the years 1700 to 2200"),
    typed("no data of it", "backtest ema_cross --symbol ESZ2013", "no bars of ESZ2013.CME", "keel data import FILE"),
    typed(
        "no such catalog", "backtest ema_cross --catalog {folder}/nowhere", "there is no catalog", "keel data import",
    ),
    typed("no such example", "backtest ema_crss", "there is no example 'ema_crss'; did you mean 'ema_cross'?"),
    typed("no such file", "backtest nowhere.yaml", "there is no file 'nowhere.yaml'"),
    typed("no such command", "bactest ema_cross", "there is no command 'bactest'; did you mean 'backtest'?"),
    typed("no such option", "backtest ema_cross --lan engine", "no option '--lan'; did you mean '--lane'?"),
    typed("no such lane", "backtest ema_cross --lane fast", "'fast' is not one of auto, engine, research"),
    typed("a command that is not built", "drill all", "`keel drill` is not available yet", "keel doctor --gaps"),
    typed("no such run", "report nowhere", "there is no run 'nowhere'", "keel backtest STRATEGY"),
    typed("no run yet", "explain latest --trade 1", "there is no run 'latest'", "keel backtest STRATEGY"),
    typed("no such instrument to show", "data show NOPE", "there is no instrument 'NOPE'"),
    typed("faster bars than there are", "data resample SPY --to 1m", "1m bars cannot be made of D bars"),
    typed("no such regime", "data synth trend_up_clen", "no regime 'trend_up_clen'; did you mean trend_up_clean"),
    typed("no bars to generate", "data synth trending --bars 0", "0 is not in the range x>=1"),
    typed("more bars than can be generated", "data synth trending --bars 300000", "Ask for fewer: 7 to 266,666 bars"),
    typed("generated under a real name", "data synth trending --instrument BTCUSDT", "under the venue SIM only"),
    typed("no such indicator to show", "indicators emma", "no indicator or structure 'emma'", "did you mean 'ema'"),
    typed("a bad name for a play", "new Bad-Name", "'Bad-Name' cannot name a play", "lower-case letter"),
]  # fmt: skip

CASES = [*FILES, *PLAYS, *COMMANDS]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in; whatever a command leaves in it is seen."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_a_mistake_is_one_clear_message_and_leaves_nothing(case: Wrong, folder: Path) -> None:
    keel, file = Keel(folder / "home"), folder / case.name
    if case.name:
        file.write_bytes(case.data)
    before = contents(folder)
    arguments = [part.format(file=file, folder=folder) for part in case.arguments]

    said = keel(*arguments)
    told = keel(*arguments, "--json")

    assert said.code == case.code, said
    assert said.out == ""
    for part in case.says:
        assert part in said.message
    document = told.document
    assert (told.code, document["exit_code"], document["ok"]) == (case.code, case.code, False)
    assert said.message.startswith(document["message"])
    assert document["reason"].isupper()
    assert contents(folder) == before


def test_the_cases_are_not_wrong_for_another_reason(folder: Path) -> None:
    """What every case changes is accepted when it is left alone."""
    keel = Keel(folder / "home")
    (folder / "bars.csv").write_text("\n".join([HEAD, *GOOD]) + "\n")
    (folder / "play.yaml").write_text(PLAY)

    keel.ok("data", "import", folder / "bars.csv", "--instrument", "BTCUSDT", "--tf", "1m")
    keel.ok("backtest", folder / "play.yaml", "--no-report")


def test_bars_that_contradict_the_stored_ones_are_refused_until_they_are_called_a_correction(folder: Path) -> None:
    keel, file = Keel(folder / "home"), folder / "bars.csv"
    options = ("--instrument", "BTCUSDT", "--tf", "1m")
    file.write_text("\n".join([HEAD, *GOOD]) + "\n")
    keel.ok("data", "import", file, *options)
    before = contents(keel.home)
    file.write_text("\n".join([HEAD, *GOOD]).replace("100.5", "100.4") + "\n")

    said = keel("data", "import", file, *options)
    assert said.code == 2
    assert "120 of the 120 bars that are already stored differ" in said.message
    assert "--replace" in said.message
    assert contents(keel.home) == before
    assert keel.ok("data", "import", file, *options, "--replace", "--json").document["changed"] == 120


def test_a_folder_with_files_of_others_is_not_written_into(folder: Path) -> None:
    keel, out = Keel(folder / "home"), folder / "precious"
    out.mkdir()
    for name, text in (("report.html", "mine"), ("manifest.json", '{"name": "a web page"}')):
        (out / name).write_text(text)
        before = contents(folder)
        said = keel("backtest", "ema_cross", "--out", out)

        assert said.code == 2
        assert f"'{out}' holds other files" in said.message
        assert "name a new or empty folder" in said.message
        assert contents(folder) == before


def test_every_problem_of_a_play_is_told_at_once_with_its_line(folder: Path) -> None:
    keel, file = Keel(folder / "home"), folder / "play.yaml"
    file.write_text(PLAY.replace("100000", "lots").replace("cross_above", "crosses_above").replace("atr,", "atrr,"))

    said = keel("validate", file)
    assert said.code == 2
    for place in ("play.yaml:14:20:", "play.yaml:21:24:", "play.yaml:24:31:"):
        assert place in said.out
    assert "play.yaml: 3 problems" in said.out
    assert len(keel("validate", file, "--json").document["files"][0]["problems"]) == 3
