"""The two checks that read the rules of a play again: `SIGNAL_REPLAY` (31) and `NO_LOOKAHEAD` (32)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from evenkeel.readiness.audit.artifacts import Run
from evenkeel.readiness.audit.bars import NO_BARS, BaseBars, Columns
from evenkeel.readiness.audit.check import Check, judged, skipped
from evenkeel.readiness.audit.funds import Funds
from evenkeel.readiness.audit.moment import instant_text
from evenkeel.readiness.audit.replay.distances import read_risk
from evenkeel.readiness.audit.replay.grid import Unsupported
from evenkeel.readiness.audit.replay.play import Play, read_play
from evenkeel.readiness.audit.replay.refusal import Gates
from evenkeel.readiness.audit.replay.said import Said, Stretch, said_by, stretches
from evenkeel.readiness.audit.replay.signals import Replay
from evenkeel.readiness.audit.replay.truncation import truncated

MALFORMED = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError)
"""What a play that is not as the specification has it makes of its evaluation: never a pass."""

NAMES = ("SIGNAL_REPLAY", "NO_LOOKAHEAD")


def replay_checks(
    run: Run, bars: BaseBars | None, higher: Mapping[str, Columns], beside: Mapping[str, pl.DataFrame] | None
) -> list[Check]:
    """Check the decisions of a run against its rules, read again; what cannot be read again is skipped with a reason.

    Args:
        run: The files of the run.
        bars: Its base bars; None where they were not given or are not valid.
        higher: Its other timeframes.
        beside: What plays may read beside the bars; None where it was not given.
    """
    if bars is None:
        return [skipped(name, NO_BARS) for name in NAMES]
    try:
        play = read_play(run.manifest)
        parts = _parts(run, bars, higher, beside, play)
        first = _first_decisions(run, parts)
        said = said_by(parts, 0)
        replayed = _signal_replay(run, bars, play, parts, said, first)
        for part in parts:
            part.forget()  # what the run said is known: its figures would only lie about while others are worked out
        return [replayed, truncated(run, bars, play, parts, said, first)]
    except Unsupported as reason:
        return [skipped(name, str(reason)) for name in NAMES]
    except MALFORMED as error:
        problem = f"the resolved play of the manifest cannot be read again: {type(error).__name__} {error}"
        return [judged(name, [problem], "") for name in NAMES]


def _parts(
    run: Run,
    bars: BaseBars,
    higher: Mapping[str, Columns],
    beside: Mapping[str, pl.DataFrame] | None,
    play: Play,
) -> list[Stretch]:
    terms = run.terms
    starts = sorted({0, *(int(np.searchsorted(bars.opens, end)) for end in terms.gap_ends_ns)})
    names = terms.base_timeframe, terms.execution_timeframe
    if beside is None and not _had_nothing_beside(run):
        sides = None
    else:
        sides = {name: (one["known_ns"].to_numpy(), one["value"].to_numpy()) for name, one in (beside or {}).items()}
    return stretches(play, bars, higher, sides, names=names, starts=starts, always_open=terms.always_open)


def _had_nothing_beside(run: Run) -> bool:
    key = "data.beside"
    return not run.manifest.has(key) or not run.manifest.section(key)


def _first_decisions(run: Run, parts: list[Stretch]) -> list[int]:
    """Return the first decision of each stretch that may trade: the run has begun and every timeframe is warmed up."""
    key = "data.warmup"
    stated = (run.manifest.section(key) if run.manifest.has(key) else None) or {}
    needed = {name: int(str(bars)) for name, bars in stated.items()}
    return [_first_decision(part, needed, run.terms.start_ns) for part in parts]


def _first_decision(part: Stretch, needed: Mapping[str, int], start_ns: int) -> int:
    first = int(np.searchsorted(part.open_ns, start_ns))
    for name, count in needed.items():
        sheet = part.market.sheets.get(name)
        if sheet is None or not count:
            continue
        if len(sheet) < count:
            return len(part)
        first = max(first, int(np.searchsorted(part.close_ns, sheet.close_ns[count - 1])))
    return first


def _begun_otherwise(run: Run, parts: list[Stretch], first: list[int]) -> list[str]:
    """Report a run that could trade earlier or later than its warm-up says."""
    warm = [int(part.close_ns[at]) for part, at in zip(parts, first, strict=True) if at < len(part)]
    derived, recorded = warm[0] if warm else None, run.terms.first_trade_ns
    if derived == recorded:
        return []
    told = ("never" if moment is None else f"at {instant_text(moment)}" for moment in (recorded, derived))
    return ["the run could first trade {}, its warm-up was complete {}".format(*told)]


def _signal_replay(run: Run, bars: BaseBars, play: Play, parts: list[Stretch], said: Said, first: list[int]) -> Check:
    gates = Gates(run.terms, run.manifest, bars, Funds(run, bars), read_risk(run.manifest), parts)
    begun = _begun_otherwise(run, parts, first)
    replay = Replay(run, bars, play, parts, said, gates, first)
    problems = [*begun, *replay.problems()]
    if problems:  # they count where no rounding explains them
        replay = Replay(run, bars, play, parts, said_by(parts, 1), gates, first)
        problems = [*begun, *replay.problems()]
    return judged(NAMES[0], problems, _told(run, parts, first, replay))


def _told(run: Run, parts: list[Stretch], first: list[int], replay: Replay) -> str:
    decisions = sum(len(part) - start for part, start in zip(parts, first, strict=True))
    exits = int((run.trades.values("exit_reason", "exit_reason") == "signal").sum())
    found = f"{decisions} decisions, {len(run.positions)} entries and {exits} exits by signal among them"
    for count, word in ((replay.refused, "refused"), (replay.died, "died unfilled")):
        if count:
            found += f"; {count} entries {word}"
    if replay.unexplained:
        found += f"; {replay.unexplained} more without a trade were counted only"
    return found
