"""What the detector of a playbook sees at each of its closes; it sees the market only, so it can be looked at ahead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evenkeel.engine.market import Market
from evenkeel.features.timeline import FeatureRun, Program
from evenkeel.model.bar import Ints
from evenkeel.strategies.play.lower import lower_rules
from evenkeel.strategies.playbook.playbook import Detector, Playbook


@dataclass(frozen=True)
class Eye:
    """A detector as graphs and rows.

    Attributes:
        program: Its graphs.
        rows: Of its rules in order: 1 where one is true.
        regimes: Number of the regime of each rule.
        default: Number of the regime when none is true.
    """

    program: Program
    rows: tuple[int, ...]
    regimes: tuple[int, ...]
    default: int


@dataclass(frozen=True)
class Sightings:
    """The regime seen at each close of the detector, from the first at which it has warmed up.

    Attributes:
        times_ns: The closes.
        regimes: Numbers of regimes.
    """

    times_ns: Ints
    regimes: Ints


NOTHING_SEEN = Sightings(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


def open_eye(playbook: Playbook, detector: Detector) -> Eye:
    """Return the detector of a playbook, ready to look."""
    program, rows = lower_rules(detector, [condition for _, condition in detector.rules])
    numbers = tuple(playbook.regimes.index(regime) for regime, _ in detector.rules)
    return Eye(program, rows, numbers, playbook.regimes.index(detector.default))


def look(eye: Eye, market: Market) -> Sightings:
    """Return what the detector sees over its market: the first rule that is true wins, else it is the default."""
    times, seen = [], []
    for stretch in market.stretches:
        run = FeatureRun(eye.program, stretch.series)
        closes = run.bars.bars.close_ns
        while run.advance():
            start = max(run.start, stretch.first_exec)
            if start >= run.stop:
                continue
            columns = slice(run.column + start, run.column + run.stop)
            found = np.full(run.stop - start, eye.default, dtype=np.int64)
            for row, regime in reversed(list(zip(eye.rows, eye.regimes, strict=True))):
                found[run.x[row, columns] == 1.0] = regime
            times.append(closes[start : run.stop])
            seen.append(found)
    return Sightings(np.concatenate(times), np.concatenate(seen)) if times else NOTHING_SEEN
