"""An engine-lane backtest with its journal: started anew, or taken up where a killed one stopped."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evenkeel.engine import results
from evenkeel.engine.backtest import BacktestDriver
from evenkeel.engine.core import RunFacts, Step
from evenkeel.engine.journal import JOURNAL_FOLDER, Journal, RealDisk, read_journal
from evenkeel.engine.market import Market
from evenkeel.engine.record import RunRecord
from evenkeel.engine.research import Progress
from evenkeel.engine.runs import RESULT_NAME
from evenkeel.engine.steps import JournalLog, decode_steps
from evenkeel.model.command import Command
from evenkeel.strategies.strategy import Strategy


def run_journaled(
    folder: Path,
    manifest: dict[str, Any],
    facts: RunFacts,
    strategy: Strategy,
    market: Market,
    *,
    progress: Progress | None = None,
    told: Callable[[str], None] | None = None,
    on_command: Callable[[Command], None] | None = None,
    timer: Callable[[], float] | None = None,
) -> tuple[RunRecord, int]:
    """Run in the engine lane with the journal in the run's folder; return the record and how many steps were taken up.

    A journal of the same run without a result belongs to a session that was killed: its steps are folded and the run
    goes on. A journal of a finished or of another run is removed first.

    Args:
        folder: Of the run.
        manifest: Facts of the run, the first entry of each session.
        facts: What ids derive from.
        strategy: What decides.
        market: What it runs on.
        progress: Told of base bars passed.
        told: Given a sentence when an earlier session is taken up.
        on_command: Told of each new command as it leaves.
        timer: Seconds on a monotonic clock.
    """
    with journal_session(folder, manifest, told) as (log, recorded):
        driver = BacktestDriver(facts, strategy, market, log=log, recorded=recorded, on_command=on_command, timer=timer)
        record = driver.run(progress)
    results.write_decisions(folder, driver.decisions)
    return record, len(recorded)


@contextmanager
def journal_session(
    folder: Path, manifest: dict[str, Any], told: Callable[[str], None] | None
) -> Iterator[tuple[JournalLog, list[Step]]]:
    """Open the journal of a run for a session, with the steps of a killed one.

    Whoever writes the result walks the whole of it first, see `evenkeel.engine.recorded.journal_mark`.

    Raises:
        StorageError: If the journal cannot be read or written, or is not what was written.
    """
    recorded = unfinished_steps(folder, manifest)
    if not recorded:
        shutil.rmtree(folder / JOURNAL_FOLDER, ignore_errors=True)
    elif told is not None:
        told(f"taking up run {manifest['run']}, which was interrupted after {len(recorded)} steps")
    (folder / RESULT_NAME).unlink(missing_ok=True)
    with Journal.open(RealDisk(), str(folder / JOURNAL_FOLDER), durable=False) as journal:
        log = JournalLog(journal)
        log.open_session(manifest)
        yield log, recorded


def unfinished_steps(folder: Path, manifest: dict[str, Any]) -> list[Step]:
    """Return the steps of a session of this very run that did not finish; none if there is no such session."""
    if not (folder / JOURNAL_FOLDER).is_dir() or (folder / RESULT_NAME).exists():
        return []
    manifests, steps = decode_steps(read_journal(RealDisk(), str(folder / JOURNAL_FOLDER)))
    if not manifests or manifests[-1]["run"] != manifest["run"]:
        return []
    return steps
