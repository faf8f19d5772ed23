"""The trial ledger counts every look, once for each set of parameters, whoever writes at the same time."""

from __future__ import annotations

import multiprocessing
import statistics
import sys
from pathlib import Path

import numpy as np
import pytest

from evenkeel.engine.trials import BLOCKS, DataSet, SessionBlocks, Trial, TrialLedger, session_blocks
from evenkeel.model.errors import StorageError
from evenkeel.model.time import DAY

YEAR = DataSet("one", ("A.X",), 0, 320 * DAY)
METRICS = {"return_pct": 3.5, "sharpe": None, "trades": 4, "fees": 1.0}


def add(ledger: TrialLedger, play: str, data: DataSet = YEAR, family: str = "cross") -> None:
    ledger.add(family, data, play, METRICS, "backtest")


def plays(ledger: TrialLedger, data: DataSet = YEAR, family: str = "cross") -> list[str]:
    return [look.play for look in ledger.trials(family, data).looks]


def test_a_repeated_run_stays_on_record_and_counts_once(tmp_path: Path) -> None:
    ledger = TrialLedger(tmp_path)
    for play in ("a", "b", "a", "a"):
        add(ledger, play)

    found = TrialLedger(tmp_path).trials("cross", YEAR)

    assert [look.play for look in found.looks] == ["a", "b", "a", "a"]
    assert [look.play for look in found.distinct] == ["a", "b"]
    assert found.looks[0].metrics == {"return_pct": 3.5, "sharpe": None, "trades": 4}
    assert found.damaged == 0


def test_an_empty_home_has_no_trials_and_stays_empty(tmp_path: Path) -> None:
    assert TrialLedger(tmp_path).trials("cross", YEAR).looks == ()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "seen"),
    [
        (DataSet("two", ("A.X",), 0, 321 * DAY), True),
        (DataSet("two", ("B.X", "A.X"), 100 * DAY, 120 * DAY), True),
        (DataSet("one", ("B.X",), 319 * DAY, 400 * DAY), True),
        (DataSet("two", ("B.X",), 0, 320 * DAY), False),
        (DataSet("one", ("A.X",), 320 * DAY, 400 * DAY), False),
        (DataSet("one", ("A.X",), -9 * DAY, 0), False),
    ],
    ids=["a newer revision", "one of several instruments", "the same bars", "others", "later", "earlier"],
)
def test_a_trial_counts_wherever_it_saw_a_part_of_the_same_history(tmp_path: Path, data: DataSet, seen: bool) -> None:
    ledger = TrialLedger(tmp_path)
    add(ledger, "a")

    assert plays(ledger, data) == (["a"] if seen else [])


def test_of_the_same_play_the_longest_window_stands_for_it(tmp_path: Path) -> None:
    ledger = TrialLedger(tmp_path)
    half = DataSet("one", ("A.X",), 0, 160 * DAY)
    for data in (half, YEAR, half):
        add(ledger, "a", data)

    assert [look.data for look in ledger.trials("cross", YEAR).distinct] == [YEAR]


def test_families_do_not_mix_and_any_name_has_a_file(tmp_path: Path) -> None:
    ledger = TrialLedger(tmp_path)
    names = ["cross", "Cross", "cross/../x", "cross:x", "üß" * 200, "cross x", "cross_x", ""]
    for name in names:
        add(ledger, f"of {name}", family=name)

    assert [plays(ledger, family=name) for name in names] == [[f"of {name}"] for name in names]
    assert all(path.parent == tmp_path / "trials" for path in map(ledger.path, names))


def _write(home: Path, writer: int) -> None:
    for number in range(60):
        trials = [
            Trial(family="cross", play=f"{writer}-{number}-{part}", source="sweep", data=YEAR, metrics={"x": 1.0 / 3})
            for part in range(40)
        ]
        TrialLedger(home).add_all(trials)


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(tmp_path, writer)) for writer in range(4)]
    for process in writers:
        process.start()
    for process in writers:
        process.join()

    found = TrialLedger(tmp_path).trials("cross", YEAR)

    assert [process.exitcode for process in writers] == [0] * 4
    assert found.damaged == 0
    assert {look.play for look in found.looks} == {
        f"{w}-{n}-{p}" for w in range(4) for n in range(60) for p in range(40)
    }
    assert len(found.looks) == 4 * 60 * 40


def test_a_line_torn_by_a_crash_is_counted_as_damaged_and_the_next_one_is_whole(tmp_path: Path) -> None:
    ledger = TrialLedger(tmp_path)
    add(ledger, "a")
    with ledger.path("cross").open("ab") as file:
        file.write(b'{"family":"cross","pl')
    add(ledger, "b")

    found = ledger.trials("cross", YEAR)

    assert ([look.play for look in found.looks], found.damaged) == (["a", "b"], 1)


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no such modes there")
def test_a_ledger_that_cannot_be_written_stops_the_look(tmp_path: Path) -> None:
    (tmp_path / "trials").write_text("a file")

    with pytest.raises(StorageError):
        add(TrialLedger(tmp_path), "a")


def test_blocks_give_the_sharpe_ratio_of_all_sessions() -> None:
    rng = np.random.default_rng(3)
    returns = rng.normal(0.001, 0.01, 300)

    blocks = session_blocks(YEAR, range(20, 320), returns)

    assert blocks is not None
    assert sum(blocks.counts) == 300
    assert blocks.counts[:2] == (0, 20)
    assert len(blocks.counts) == len(blocks.sums) == len(blocks.squares) == BLOCKS
    expected = statistics.fmean(returns) / statistics.stdev(returns)
    assert blocks.sharpe == pytest.approx(expected, rel=1e-12)
    assert blocks.sums[1] == pytest.approx(sum(returns[:20]), abs=1e-15)
    assert blocks.squares[1] == pytest.approx(sum(r * r for r in returns[:20]), abs=1e-15)


def test_the_parts_of_a_window_do_not_depend_on_when_a_trial_began() -> None:
    returns = np.full(320, 0.01)

    whole, late = session_blocks(YEAR, range(320), returns), session_blocks(YEAR, range(50, 320), returns[50:])

    assert whole is not None
    assert late is not None
    assert whole.counts[3:] == late.counts[3:]
    assert whole.counts == (20,) * 16


@pytest.mark.parametrize("returns", [[], [0.01], [0.01] * 9])
def test_without_spread_there_is_no_sharpe_ratio(returns: list[float]) -> None:
    blocks = session_blocks(YEAR, range(len(returns)), np.array(returns))

    assert (blocks or SessionBlocks((), (), ())).sharpe is None
