"""What is measured is checked, and a figure says whether it is good."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from evenkeel.cli import bench
from evenkeel.cli.benchmark.campaign import PARTS, Campaign, _with_ratios
from evenkeel.cli.benchmark.drawn import DRAWN_PLAYS, drawn_workload
from evenkeel.cli.benchmark.figure import Figure, Timing
from evenkeel.cli.benchmark.fills import Fills, differences, expected_of_peer, fills_of_run
from evenkeel.cli.benchmark.lane import RESEARCH_LOOP, lane_differences, run_engine
from evenkeel.cli.benchmark.live_bar import NODES, forty_nodes
from evenkeel.cli.benchmark.peer import PEERS, READY, REFERENCE, SCRIPTS, Measured, Peer, environment, measure_peer
from evenkeel.cli.benchmark.process import run_process
from evenkeel.cli.benchmark.workload import WORKLOADS, Prepared, prepare_workload
from evenkeel.cli.entry import run
from evenkeel.data.definitions import Definitions
from evenkeel.engine.research import run_research
from evenkeel.model.errors import DataError
from evenkeel.strategies.play.load import load_play

BARS = 3_000


@pytest.fixture(scope="module", params=sorted(WORKLOADS))
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare_workload(WORKLOADS[request.param], BARS, tmp_path_factory.mktemp(request.param))


def test_both_lanes_and_a_plain_loop_trade_the_same(prepared: Prepared, tmp_path: Path) -> None:
    record = run_research(prepared.strategy, prepared.market)

    assert lane_differences(record, run_engine(prepared)) == []
    measured = measure_peer(REFERENCE, Path(sys.executable), prepared, tmp_path, runs=1)
    assert measured.differences == []
    assert measured.fills > 20
    assert measured.bars == BARS


def test_lanes_that_differ_are_told(prepared: Prepared) -> None:
    record, other = (run_research(prepared.strategy, prepared.market) for _ in range(2))
    other.fills = other.fills[:-1]

    (sentence,) = lane_differences(record, other)
    assert f"{len(record.fills)} fills in the research lane, {len(other.fills)} in the engine lane" in sentence


def test_the_terms_tell_a_peer_from_which_bar_on_we_decide(prepared: Prepared) -> None:
    needed = {"W1": 3 * 50, "W2": 5 * 14}[prepared.workload.name]

    assert prepared.terms == {"first": needed - 1, "cash": 1e6, "fee": 5.5e-4, "tick": 0.1, "lot": 0.001}


def fills() -> Fills:
    return Fills(np.array([2, 5]), np.array([1, -1]), np.array([100.0, 101.0]), np.array([1.0, 1.0]), 1000.9)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"bars": np.array([2, 6])}, "fill 2 is sell 1 at 101 in bar 6 instead of sell 1 at 101 in bar 5"),
        ({"signs": np.array([-1, -1])}, "fill 1 is sell 1 at 100 in bar 2 instead of buy 1 at 100 in bar 2"),
        ({"prices": np.array([100.0, 101.01])}, "fill 2 is sell 1 at 101.01"),
        ({"quantities": np.array([1.0, 0.5])}, "fill 2 is sell 0.5"),
        ({"equity": 1001.0}, "equity 1001.0000 instead of 1000.9000"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_each_kind_of_difference_is_found(change: dict[str, object], sentence: str) -> None:
    assert differences(fills(), fills()) == []
    (found,) = differences(fills(), dataclasses.replace(fills(), **change))
    assert sentence in found


def test_equity_is_compared_at_each_close_that_both_know() -> None:
    ours = dataclasses.replace(fills(), curve=np.array([1000.0, 1002.0, 1000.9]))

    def told(*curve: float) -> list[str]:
        return differences(ours, dataclasses.replace(fills(), curve=np.array(curve)))

    assert told(999.0, 999.5, 1000.0, 1002.0, 1000.9) == told(1000.0, 1002.0, 1000.9) == told() == []
    assert told(999.0, 1000.0, 1002.1, 1000.9) == ["equity 1002.1000 at close 2 instead of 1002.0000"]
    assert told(float("nan"), 1002.0, 1000.9) == ["equity nan at close 0 instead of 1000.0000"]


def test_a_missing_fill_is_counted() -> None:
    whole = fills()
    short = Fills(whole.bars[:1], whole.signs[:1], whole.prices[:1], whole.quantities[:1], whole.equity)

    assert differences(whole, short) == ["1 fills instead of 2"]


def test_a_peer_that_fills_at_the_close_is_held_to_the_close_before(prepared: Prepared) -> None:
    bars = prepared.bars
    expected = expected_of_peer(fills(), bars, "this close", cash=1000.0, fee=0.01)

    bought, sold = bars.close[1], bars.close[4]
    assert expected.bars.tolist() == [1, 4]
    assert expected.prices.tolist() == [bought, sold]
    assert expected.equity == pytest.approx(1000.0 - bought + sold - 0.01 * (bought + sold))
    assert expected_of_peer(fills(), bars, "next open", cash=0.0, fee=0.0).bars.tolist() == [2, 5]


def test_the_close_at_the_end_of_the_data_is_left_out(prepared: Prepared) -> None:
    record = run_research(prepared.strategy, prepared.market)
    found = fills_of_run(record, prepared)
    held = float((found.signs * found.quantities).sum())

    assert held == 0 or len(found) == len(record.fills) - 1
    spent = float((found.signs * found.quantities * found.prices + found.quantities * found.prices * 5.5e-4).sum())
    assert found.equity == pytest.approx(1e6 - spent + held * float(prepared.bars.close[-1]), abs=1e-4)


def test_a_rate_is_good_when_it_is_high_and_a_time_when_it_is_low() -> None:
    rate = Timing((2.0, 1.0, 4.0)).figure("W1", "lane", unit="bars/s", count=1000, aim=400.0)
    time = Timing((2.0, 1.0, 4.0)).figure("live", "bar", unit="ms", count=10, scale=1000.0, aim=150.0)

    assert (rate.value, rate.worst, rate.met) == (500.0, 250.0, True)
    assert (time.value, time.worst, time.met) == (200.0, 400.0, False)
    assert rate.beside("slow", 100.0, 4.0).ratios[0].met is True
    assert rate.beside("slow", 100.0, 6.0).ratios[0].met is False
    assert time.beside("slow", 1000.0).ratios[0].times == 5.0
    assert time.beside("slow", 1000.0).ratios[0].met is None


def test_a_peer_that_can_leave_its_curve_out_stands_beside_us_without_and_with_it() -> None:
    """The aim is held against the faster one."""
    ours, plain, curved = (Figure("W1", RESEARCH_LOOP, value, "bars/s", value, 1) for value in (500.0, 100.0, 40.0))
    vectorbt = next(peer for peer in PEERS if peer.name == "vectorbt")
    measured = Measured(vectorbt, "W1", 10, plain, 1.0, 1.0, {}, 4, [], curved)

    ratios = _with_ratios(ours, [measured]).ratios

    assert [(one.peer, one.times, one.aim) for one in ratios] == [
        ("vectorbt", 5.0, 10.0), ("vectorbt with its equity curve", 12.5, None),
    ]  # fmt: skip


def test_a_process_that_fails_says_its_last_line() -> None:
    with pytest.raises(DataError, match="failed with code 3: no such market"):
        run_process([sys.executable, "-c", "import sys; print('no such market', file=sys.stderr); sys.exit(3)"])


def test_a_process_whose_answer_is_no_is_told_as_that() -> None:
    with pytest.raises(DataError, match="says no: a check of its result failed"):
        run_process([sys.executable, "-c", "import sys; sys.exit(1)"])


@pytest.mark.skipif(sys.platform == "win32", reason="the platform does not tell the memory of a child")
def test_memory_is_that_of_the_child_alone() -> None:
    small = run_process([sys.executable, "-S", "-c", "pass"])
    large = run_process([sys.executable, "-S", "-c", "b'x' * 200_000_000"])

    assert 1 < small.memory_mb < 60
    assert 200 < large.memory_mb < 260


def test_an_environment_that_is_ready_is_used_and_another_version_is_made_anew(tmp_path: Path) -> None:
    peer = Peer("some peer", "some", ("some==1",), ("W1",))
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / READY).write_text(json.dumps(peer.requirements), "utf-8")
    told: list[str] = []

    assert environment(peer, tmp_path, told.append).is_relative_to(tmp_path / "some")
    assert told == []
    assert environment(REFERENCE, tmp_path, told.append) == Path(sys.executable)


@pytest.mark.slow
def test_a_peer_that_cannot_be_installed_is_named_with_its_log(tmp_path: Path) -> None:
    peer = Peer("some peer", "some", ("this is no requirement",), ("W1",))

    with pytest.raises(DataError, match=r"could not be installed; .*some\.log says why"):
        environment(peer, tmp_path, lambda _: None)
    assert "Invalid requirement" in (tmp_path / "some.log").read_text("utf-8")


def test_every_peer_has_a_script_that_knows_its_workloads() -> None:
    for peer in (REFERENCE, *PEERS):
        text = (SCRIPTS / f"{peer.script}_peer.py").read_text("utf-8")
        known = {name for name in (*WORKLOADS, "W3") if f'"{name}": run_' in text}
        assert known == set(peer.workloads), peer.name
        assert "import evenkeel" not in text
        assert "from evenkeel" not in text


def test_every_drawn_play_is_valid_and_always_the_same() -> None:
    definitions = Definitions.load()
    plays = [drawn_workload(number).play for number in range(DRAWN_PLAYS)]

    assert len(set(plays)) == DRAWN_PLAYS
    assert plays[3] == drawn_workload(3).play
    for play in plays:
        load_play(play, instruments=definitions.find)


def test_the_live_graph_has_as_many_nodes_as_it_says() -> None:
    assert len(forty_nodes().steps) == NODES


def test_the_command_names_the_parts_that_there_are() -> None:
    assert bench.PARTS == PARTS


def test_one_part_is_measured_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--home", str(tmp_path), "bench", "--only", "live", "--runs", "1", "--json"]) == 0

    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "evenkeel.bench/1"
    assert document["ok"] is True
    assert {figure["part"] for figure in document["figures"]} == {"live"}
    assert all(figure["value"] > 0 for figure in document["figures"])
    aims = {figure["name"]: figure["aim"] for figure in document["figures"]}
    assert all(aim == (None if "restart" in name else 10.0) for name, aim in aims.items())
    assert document["machine"]["numba"]
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "--only", "W9"]) == 2
    assert "'W9' is not one of W1, W2, W3, live, drawn, start" in capsys.readouterr().err


def test_the_table_shows_figures_ratios_absences_and_complaints(capsys: pytest.CaptureFixture[str]) -> None:
    figure = Figure("W1", "research lane", 2e7, "bars/s", 1.5e7, 3, aim=1e7).beside("vectorbt", 1e6, 10.0)
    campaign = Campaign([figure], [], {"nautilus": "it could not be installed"}, ["W1: the lanes disagree"])

    bench._print(campaign, asked_for_peers=False)

    shown = capsys.readouterr()
    assert "20,000,000 bars/s" in shown.out
    assert "over 10,000,000: met" in shown.out
    assert "20.00 x vectorbt (aim 10: met)" in shown.out
    assert "DIFFERS W1: the lanes disagree" in shown.out
    assert "nautilus was not measured: it could not be installed" in shown.err
    assert "keel bench --peers" in shown.err
