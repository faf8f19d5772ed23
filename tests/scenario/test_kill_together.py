"""Runs of several instruments and of playbooks, killed at any event and taken up, end as if nothing had happened."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import desk
from evenkeel.cli.entry import run as keel
from evenkeel.engine.core import Step
from evenkeel.engine.journal import JOURNAL_FOLDER, RealDisk, read_journal
from evenkeel.engine.playbook.regimes import NOTHING_SEEN
from evenkeel.engine.portfolio.driver import PortfolioDriver
from evenkeel.engine.portfolio.instance import Instance
from evenkeel.engine.steps import MemoryLog, decode_steps
from evenkeel.model.errors import InvariantBroken
from evenkeel.model.ids import InstrumentId
from portfolio_desk import facts_of
from property.test_playbooks import shop_of
from random_plays import random_play

MINUTES = 2000
KILLS = 12


PLAY = """\
version: "3.0.0"
name: together
symbols: [SPY.US, EURUSD.FX]
timeframes: { low_tf: D, med_tf: D, high_tf: D, exec: low_tf }
account: { starting_equity: 10000 }
features: { ema_5: { indicator: ema, params: { length: 5 } } }
actions: { entry_long: [close, cross_above, ema_5], exit_long: [close, cross_below, ema_5] }
position_policy: { mode: long_only, exit_mode: signal }
"""


class Killed(Exception):
    """The process is gone."""


class Dying:
    """A journal whose process dies after some steps; what it wrote before stays.

    Attributes:
        steps: Written so far, those of earlier sessions first.
    """

    def __init__(self, steps: list[Step], *, after: int) -> None:
        self.steps, self._left = list(steps), after

    def write(self, step: Step) -> None:
        if self._left == 0:
            raise Killed
        self._left -= 1
        self.steps.append(step)


def instances() -> list[Instance]:
    """Return three instruments of one play that trade much on one account."""
    text = random_play(np.random.default_rng(3), intervals=(("1m", "1m", "5m"),))
    found = []
    for place, name in enumerate(("A.DESK", "B.DESK", "C.DESK")):
        strategy = desk.play_of(text, desk.instrument(id=InstrumentId(name)))
        found.append(Instance(strategy, desk.play_market(strategy, desk.walk(place, MINUTES))))
    return found


def test_a_run_of_several_instruments_killed_at_any_event_ends_the_same() -> None:
    """Killed again and again, each time some events further, until nothing is left to do."""
    made = instances()
    facts = [facts_of(one) for one in made]
    whole = MemoryLog()
    expected = PortfolioDriver(facts, made, log=whole).run().result_hash()
    assert len(whole.steps) > 200, "the run must do enough to be killed in interesting places"
    draws, steps, kills = np.random.default_rng(1), list[Step](), 0
    while True:
        log = Dying(steps, after=int(draws.integers(0, len(whole.steps) // KILLS)))
        try:
            record = PortfolioDriver(facts, made, log=log, recorded=steps).run()
        except Killed:
            steps, kills = log.steps, kills + 1
        else:
            break
    assert kills >= KILLS
    assert record.result_hash() == expected
    assert log.steps == whole.steps


def test_steps_of_another_run_are_refused() -> None:
    made = instances()
    whole = MemoryLog()
    PortfolioDriver([facts_of(one) for one in made], made, log=whole).run()
    wrong = [*whole.steps[:7], *whole.steps[8:]]
    with pytest.raises(InvariantBroken, match="does not belong to this data or code"):
        PortfolioDriver([facts_of(one) for one in made], made, recorded=wrong).run()


@pytest.mark.parametrize("seed", range(4))
def test_a_playbook_whose_journals_end_at_any_event_ends_the_same(seed: int) -> None:
    """The journal of each play ends somewhere else, as far as it had left the process."""
    shop, terms = shop_of(seed)
    shop.run(**terms)  # type: ignore[arg-type]
    whole, expected = [list(log.taken) for log in shop.steps], shop.hash()
    draws = np.random.default_rng(seed)
    for _ in range(4):
        kept = [steps[: int(draws.integers(0, len(steps) + 1))] for steps in whole]
        taken_up = shop.taken_up(kept, terms.get("sightings", NOTHING_SEEN))  # type: ignore[arg-type]
        assert shop.hash() == expected
        assert [[*old, *log.taken] for old, log in zip(kept, taken_up, strict=True)] == whole


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVENKEEL_HOME", str(tmp_path / "home"))
    return tmp_path


def steps_of(journal: Path) -> list[Step]:
    return decode_steps(read_journal(RealDisk(), str(journal)))[1]


def result_of(folder: Path) -> dict[str, object]:
    document: dict[str, object] = json.loads((folder / "result.json").read_text())
    return document


@pytest.mark.parametrize("what", ["two_markets", "together.yaml"])
def test_journals_without_a_result_are_taken_up_from_the_disk(
    home: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    """The process died after the last event and before the result: nothing is decided again."""
    (home / "together.yaml").write_text(PLAY)
    asked = ["backtest", what, "--lane", "engine", "--out", "run", "--no-report"]
    assert keel(asked) == 0
    before, journals = result_of(home / "run"), sorted((home / "run").rglob(JOURNAL_FOLDER))
    steps = [steps_of(journal) for journal in journals]
    (home / "run" / "result.json").unlink()
    capsys.readouterr()

    assert keel(asked) == 0

    assert "taking up run" in capsys.readouterr().err
    after = result_of(home / "run")
    assert after["result_hash"] == before["result_hash"]
    assert after["metrics"] == before["metrics"]
    assert [steps_of(journal) for journal in journals] == steps
    assert all(steps)
