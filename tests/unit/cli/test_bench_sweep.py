"""W3 of the bench: what is measured is checked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evenkeel.cli.benchmark import sweep


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> sweep.Swept:
    """The sweep over a day and a half."""
    return sweep.measure_sweep(2_000, 1, tmp_path_factory.mktemp("w3"))


def test_every_pair_is_run_and_some_are_checked_alone(swept: sweep.Swept) -> None:
    assert len(swept.outcomes) == len(sweep.PAIRS) == 400
    assert swept.complaints == []
    assert [figure.name for figure in swept.figures] == [sweep.RUN, sweep.LOAD]


def test_a_peer_with_another_equity_is_told(swept: sweep.Swept) -> None:
    """What is held at the end is closed by us and marked by the peer: both are the same trades."""
    start = 1_000_000.0
    finals = [start + float(outcome.metrics["net_pnl"] or 0.0) for outcome in swept.outcomes]
    assert sweep.differences(swept, finals, 0.00055) == []
    closing = float(swept.jobs[0].market.stretches[0].series.base.close[-1]) * 0.00055
    marked = [final + closing for final in finals]
    assert sweep.differences(swept, marked, 0.00055) == []
    wrong = [*finals[:-1], finals[-1] + 0.01]
    (told,) = sweep.differences(swept, wrong, 0.00055)
    assert told.startswith("(43, 240): ")
    other = replace(swept, outcomes=[*swept.outcomes[1:], swept.outcomes[0]])
    assert sweep.differences(other, finals, 0.00055) != []
