"""Searching as a user does it: the printed figures, the files, the ledger, and mistakes told in one sentence."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from acceptance.keel import Keel
from evenkeel.engine.trials import DataSet, TrialLedger
from evenkeel.model.time import parse_time

SMALL = ("--set", "fast=5:15:5", "--set", "slow=40:60:10", "--start", "2019-01-01", "--end", "2023-01-01")


@pytest.fixture
def keel(tmp_path: Path) -> Keel:
    return Keel(tmp_path / "home")


def test_an_optimisation_holds_back_unseen_data_and_is_counted(keel: Keel, tmp_path: Path) -> None:
    out = tmp_path / "found"
    found = keel.ok("optimize", "ema_cross", *SMALL, "--trials", 12, "--workers", 1, "--out", out, "--json").document

    (best,) = found["best"]
    # 30 % of the 1,459.9 days until the last close before the end is 438 days, back to the midnight before.
    assert found["searched"] == {"start": "2019-01-01T00:00:00Z", "end": "2021-10-18T00:00:00Z"}
    assert found["held"] == {"start": "2021-10-18T00:00:00Z", "end": "2022-12-30T21:00:00Z"}
    with (out / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    sharpes = [float(row["sharpe"]) for row in rows]
    assert len(rows) == found["trials"] == 12
    assert best["searched"]["sharpe"] == max(sharpes)
    assert best["held"]["sharpe"] != best["searched"]["sharpe"]

    distinct = len({(row["fast"], row["slow"]) for row in rows})
    assert found["evidence"]["trials"] == found["distinct"] == distinct
    assert found["evidence"]["pbo_trials"] == distinct
    assert found["evidence_held"]["reasons"]["pbo"] == "one trial"
    data = DataSet("x", ("SPY.US",), parse_time("2019-01-01"), parse_time("2020-01-01"))
    assert {look.source for look in TrialLedger(keel.home).trials("ema_cross", data).looks} == {"optimize"}

    words = [f"--set={name}={value}" for name, value in best["values"].items()]
    again = keel.ok("backtest", "ema_cross", *words, "--start", "2019-01-01", "--end", "2021-10-18", "--json").document
    assert again["metrics"] == best["searched"]
    assert again["evidence"]["trials"] == distinct
    assert "not available" not in (out / "report.html").read_text()


def test_the_same_command_gives_the_same_search_and_more_trials_add_to_it(keel: Keel) -> None:
    few = keel.ok("optimize", "ema_cross", *SMALL, "--trials", 4, "--workers", 1, "--json").document
    more = keel.ok("optimize", "ema_cross", *SMALL, "--trials", 8, "--workers", 1, "--json").document

    assert (few["trials"], more["trials"]) == (4, 8)
    assert few["search"] == more["search"]
    folder = keel.home / "optimize" / few["search"]
    assert len((folder / "trials.csv").read_text().splitlines()) == 9


def test_two_goals_give_a_front(keel: Keel) -> None:
    goals = ("--metric", "return_pct", "--metric", "max_drawdown_pct")
    found = keel.ok("optimize", "ema_cross", *SMALL, *goals, "--trials", 9, "--workers", 1, "--json").document

    pairs = [(one["searched"]["return_pct"], one["searched"]["max_drawdown_pct"]) for one in found["best"]]
    assert found["sampler"] == "nsga2"
    assert pairs == sorted(pairs, reverse=True)
    assert [fall for _, fall in pairs] == sorted((fall for _, fall in pairs), reverse=True)
    assert "The front" in (keel.home / "optimize" / found["search"] / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "a search needs a parameter: give --set NAME=A:B, NAME=A:B:STEP or NAME=a,b,c"),
        (("--set", "fast=9"), "a search needs a parameter"),
        (("--set", "fats=5:15:5"), "fats"),
        (("--set", "fast=15:5:5"), "begins above its end"),
        (("--set", "fast=5:15:5", "--metric", "sharp"), "did you mean 'sharpe'?"),
        (("--set", "fast=5:15:5", "--trials", "0"), "--trials is 0; it is 1 to 100,000"),
        (("--set", "fast=5:15:5", "--holdout", "95%"), "--holdout is 95%; it is a share from 0% to below 90%"),
        (("--set", "fast=5:15:5", "--holdout", "some"), "--holdout is 'some'; write a share such as 30%"),
        (("--set", "fast=5:15:5", "--where", "fast <"), "--where"),
        (("--set", "fast=5:15:5", "--sampler", "tpee"), "did you mean 'tpe'?"),
        (("--set", "fast=5,15,9", "--sampler", "cmaes"), "fast is a list"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(keel: Keel, arguments: tuple[str, ...], says: str) -> None:
    said = keel("optimize", "ema_cross", *arguments, "--end", "2023-01-01")

    assert said.code == 2
    assert says in said.message


WALK = ("--set", "fast=5:15:10", "--set", "slow=40:60:20", "--start", "2018-01-01", "--end", "2023-01-01")


def test_a_walk_forward_leaves_its_tests_one_after_the_other(keel: Keel, tmp_path: Path) -> None:
    lengths = ("--train", "2y", "--test", "1y", "--purge", "2bars", "--embargo", "5d")
    out = tmp_path / "walk"
    found = keel.ok("walkforward", "ema_cross", *WALK, *lengths, "--out", out, "--json").document

    windows = [(fold["train"], fold["test"]) for fold in found["folds"]]
    assert len(windows) == 2
    assert [test["start"][:7] for _, test in windows] == ["2020-01", "2021-01"]
    assert all(parse_time(test["start"]) - parse_time(train["end"]) >= 5 * 86_400 * 10**9 for train, test in windows)
    assert found["scheme"] == {"anchored": False, "train": "2y", "test": "1y", "purge": "2bars", "embargo": "5d"}
    assert set(found["stability"]) == {"fast", "slow"}
    assert found["evidence"]["trials"] == 1
    assert "Fold by fold" in (out / "report.html").read_text()

    (fold, _) = found["folds"]
    words = [f"--set={name}={value}" for name, value in fold["chosen"].items()]
    for part, ran in (("train", "fitted"), ("test", "tested")):
        window = ("--start", fold[part]["start"], "--end", fold[part]["end"])
        alone = keel.ok("backtest", "ema_cross", *words, *window, "--json").document
        assert alone["metrics"] == fold[ran]


def test_a_walk_forward_says_what_does_not_fit(keel: Keel) -> None:
    for arguments, says in (
        (("--train", "2y", "--test", "2y"), "has room for 1 folds of --train 2y and --test 2y"),
        (("--train", "2x", "--test", "1y"), "--train is '2x'; write a length such as 90d"),
        (("--train", "2y", "--test", "0"), "--test is '0'; it must be longer than nothing"),
        (("--train", "2y", "--test", "1y", "--metric", "sharpe", "--metric", "trades"), "has one --metric"),
        (("--train", "2y"), "--test"),
    ):
        said = keel("walkforward", "ema_cross", *WALK, *arguments)
        assert said.code == 2
        assert says in said.message
    said = keel("walkforward", "ema_cross", "--set", "fast=5:15", "--train", "2y", "--test", "1y")
    assert "has no step" in said.message


def test_a_report_draws_the_trades_again_and_keeps_the_figures(keel: Keel) -> None:
    ran = keel.ok("backtest", "ema_cross", "--json").document
    found = keel.ok("report", "latest", "--monte-carlo", 500, "--json").document["result"]

    assert {key: value for key, value in found.items() if key != "monte_carlo"} == ran
    drawn = found["monte_carlo"]
    assert (drawn["paths"], drawn["trades"]) == (500, ran["metrics"]["trades"])
    assert [one["method"] for one in drawn["kinds"]] == ["reshuffle", "bootstrap", "skip", "slippage"]
    reshuffled = drawn["kinds"][0]
    assert reshuffled["end"]["p50"] * 100 == pytest.approx(ran["metrics"]["return_pct"], rel=1e-9)
    assert "500 histories of each kind" in (keel.home / "runs" / ran["run"] / "report.html").read_text()
    said = keel("report", "latest", "--monte-carlo", 5)
    assert (said.code, said.message) == (2, "--monte-carlo is 5; it is 100 to 1,000,000 histories")


CROSS = """\
version: "3.0.0"
name: cross
symbols: [SPY.US, EURUSD.FX]
timeframes: { low_tf: D, med_tf: D, high_tf: D, exec: low_tf }
account: { starting_equity: 10000 }
variables: { n: 5 }
features: { average: { indicator: ema, params: { length: "{{ n }}" } } }
actions: { entry_long: [close, cross_above, average], exit_long: [close, cross_below, average] }
position_policy: { mode: long_only, exit_mode: signal }
"""


@pytest.fixture
def cross(tmp_path: Path) -> Path:
    """A play of two instruments; the data of SPY.US begin in 2015, those of EURUSD.FX are of 2017."""
    path = tmp_path / "cross.yaml"
    path.write_text(CROSS)
    return path


def test_a_search_of_several_symbols_has_the_figures_of_their_account(keel: Keel, cross: Path) -> None:
    found = keel.ok("optimize", cross, "--set", "n=3:8:1", "--trials", 3, "--workers", 1, "--json").document

    (best,) = found["best"]
    assert found["symbols"] == ["EURUSD.FX", "SPY.US"]
    assert found["searched"]["start"] == "2017-01-01T22:00:00Z"
    assert found["held"]["end"] == "2017-12-29T22:00:00Z"
    for part in ("searched", "held"):
        window = ("--start", found[part]["start"], "--end", found[part]["end"])
        values = ("--set", f"n={best['values']['n']}")
        alone = keel.ok("backtest", cross, *values, *window, "--no-report", "--json").document
        assert alone["metrics"] == best[part]
        assert all(line["trades"] > 0 for line in alone["instruments"])


def test_a_walk_forward_of_several_symbols_tests_their_account(keel: Keel, cross: Path) -> None:
    lengths = ("--train", "150d", "--test", "90d")
    found = keel.ok("walkforward", cross, "--set", "n=4,7", *lengths, "--workers", 1, "--json").document

    level = 1.0
    assert found["symbols"] == ["EURUSD.FX", "SPY.US"]
    assert len(found["folds"]) == 2
    for fold in found["folds"]:
        values = ("--set", f"n={fold['chosen']['n']}")
        window = ("--start", fold["test"]["start"], "--end", fold["test"]["end"])
        alone = keel.ok("backtest", cross, *values, *window, "--no-report", "--json").document
        assert alone["metrics"] == fold["tested"]
        level *= 1.0 + alone["metrics"]["return_pct"] / 100.0
    assert found["out_of_sample"]["return_pct"] == pytest.approx((level - 1.0) * 100.0)


def test_a_search_of_several_symbols_needs_a_time_that_all_have(keel: Keel, cross: Path) -> None:
    names = ("--symbol", "EURUSD.FX", "--symbol", "AAPL.US")
    said = keel("optimize", cross, *names, "--set", "n=3:8:1", "--trials", 3)

    assert said.code == 2
    assert "AAPL.US and EURUSD.FX have no time in common" in said.message


def test_a_search_of_a_playbook_is_refused(keel: Keel) -> None:
    said = keel("optimize", "two_markets", "--set", "n=3:8:1", "--trials", 3)

    assert said.code == 2
    assert "this file is a playbook, not a play" in said.message
