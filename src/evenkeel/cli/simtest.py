"""`keel simtest`: play seeds of the simulated world, and tell what did not hold."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evenkeel.cli.console import print_table, progress
from evenkeel.cli.output import emit, note, say
from evenkeel.cli.params import OneOf, json_option
from evenkeel.model.errors import UsageError

if TYPE_CHECKING:
    from evenkeel.engine.simulation.counters import Tally
    from evenkeel.engine.simulation.draw import Draws
    from evenkeel.engine.simulation.seeds import Verdict
    from evenkeel.engine.simulation.shrink import Case

PROFILES = ("all", "network", "venue", "process", "disk", "clock", "data", "people", "none")
"""As in `evenkeel.engine.simulation.profiles.PROFILES`; a test compares."""
SEEDS_MAX = 10_000_000
CHUNK = 8
"""Seeds that a process plays at a time."""


@click.command(name="simtest")
@click.option("--seeds", required=True, metavar="A:B", help="Which seeds are played: from A to below B.")
@click.option("--profile", type=OneOf(PROFILES), default="all", metavar="P", help="Which faults happen. Default: all.")
@click.option("--jobs", type=click.IntRange(1, 1024), metavar="N", help="Processes. Default: one for each processor.")
@click.option(
    "--save", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Keep the story of each failure."
)
@json_option
def command(seeds: str, profile: str, jobs: int | None, save: Path | None, *, as_json: bool) -> int:
    """Simulate the whole stack under faults.

    Each seed is a session of an account behind a bad network, on a bad disk, with a process that dies: the real core,
    journal and supervisor, in virtual time. What must hold is looked at after every step. Exit code 1: something did
    not. The first seed that fails is told as a story, made as short as it goes. From 2,000 seeds of all faults on, a
    move of an order, a fault in a state, or an end of a journal that was never met is a failure too.

    \b
    Example:
      keel simtest --seeds 0:500
      keel simtest --seeds 17:18 --profile network
    """
    first, end = _range(seeds)
    began = time.perf_counter()
    from evenkeel.engine.simulation.counters import Tally

    tally, failed = Tally(), []
    with progress("playing", total=end - first) as advance:
        for verdict in _verdicts(range(first, end), profile, jobs or os.cpu_count() or 1):
            tally.add(verdict.tally)
            if verdict.violation is not None:
                failed.append(verdict)
                note(f"seed {verdict.seed}: {verdict.violation}")
            advance(1)
    failed.sort(key=lambda verdict: verdict.seed)
    document = _document(first, end, profile, tally, failed, time.perf_counter() - began)
    untried = _untried(tally, end - first, profile)
    document |= {"ok": not failed and not untried, "untried": untried}
    if as_json:
        emit(document)
    else:
        _show(document, tally)
    if failed:
        _tell(failed, save, quiet=as_json)
    return 0 if document["ok"] else 1


def draws_of(seed: int) -> Draws:
    """Return the generators of a seed: one stream a name."""
    from random import Random

    return lambda name: Random(f"{seed}/{name}")


def _range(text: str) -> tuple[int, int]:
    first, colon, end = text.partition(":")
    if not (colon and first.isdecimal() and end.isdecimal()) or not 0 <= int(first) < int(end) <= SEEDS_MAX:
        raise UsageError(
            f"--seeds {text}: give A:B, two whole numbers of which the second is larger and at most {SEEDS_MAX:,}; "
            "0:500 plays the seeds 0 to 499"
        )
    return int(first), int(end)


def _play(seeds: range, profile: str) -> list[Verdict]:
    from evenkeel.engine.simulation.seeds import play_seed

    return [play_seed(seed, draws_of(seed), profile) for seed in seeds]


def _verdicts(seeds: range, profile: str, jobs: int) -> Iterator[Verdict]:
    """Yield the verdict of each seed as it comes, in any order."""
    if jobs == 1 or len(seeds) <= CHUNK:
        for seed in seeds:
            yield from _play(range(seed, seed + 1), profile)
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed

    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        parts = [seeds[place : place + CHUNK] for place in range(0, len(seeds), CHUNK)]
        for done in as_completed([pool.submit(_play, part, profile) for part in parts]):
            yield from done.result()


def _document(
    first: int, end: int, profile: str, tally: Tally, failed: list[Verdict], seconds: float
) -> dict[str, Any]:  # fmt: skip
    return {
        "schema": "evenkeel.simtest/1", "ok": not failed, "seeds": {"first": first, "end": end}, "profile": profile,
        "failed": [
            {"seed": one.seed, "check": one.check, "violation": one.violation, "repeat": _repeat(one)}
            for one in failed
        ],
        "met": {
            "events": tally.events, "trades": tally.trades, "sessions": tally.sessions,
            "simulated_hours": round(tally.virtual_ns / 3.6e12, 1), "faults": sum(tally.faults.values()),
            "by_fault": {fault.name: count for fault, count in tally.faults.most_common()},
            "moves": {f"{before.value} > {after.value}": count for (before, after), count in tally.moves.most_common()},
            "pairs": {f"{fault.name} x {state.value}": count for (fault, state), count in tally.pairs.most_common()},
            "ends": {f"{point.last} > {point.next}": count for point, count in tally.ends.most_common()},
        },
        "timing": {"seconds": round(seconds, 2), "events_per_s": round(tally.events / seconds, 1)},
    }  # fmt: skip


def _untried(tally: Tally, seeds: int, profile: str) -> list[str]:
    """Return what a soak should have met and did not; of few seeds, or of some faults only, that is not asked."""
    from evenkeel.engine.simulation.coverage import JUDGED, missing

    return list(missing(tally)) if seeds >= JUDGED and profile == "all" else []


def _repeat(verdict: Verdict) -> str:
    return f"keel simtest --seeds {verdict.seed}:{verdict.seed + 1} --profile {verdict.profile}"


def _show(document: dict[str, Any], tally: Tally) -> None:
    met, timing = document["met"], document["timing"]
    count = document["seeds"]["end"] - document["seeds"]["first"]
    say(f"{count:,} seeds, profile {document['profile']}: {len(document['failed']):,} failed")
    sums = [
        (name, f"{met[key]:,}", f"{met[key] / count:,.1f}")
        for name, key in (
            ("events", "events"), ("faults", "faults"), ("trades", "trades"), ("starts of the process", "sessions"),
            ("simulated hours", "simulated_hours"),
        )
    ]  # fmt: skip
    say()
    print_table(("", "all", "a seed"), sums, right=("all", "a seed"))
    if tally.faults:
        say()
        faults = [(fault.value, f"{times:,}") for fault, times in tally.faults.most_common()]
        print_table(("fault", "times"), faults, right=("times",))
    say()
    say(f"{timing['seconds']:,.1f} s, {timing['events_per_s']:,.0f} events/s")
    for untried in document["untried"]:
        say(f"not met: {untried}")
    if document["failed"]:
        say()
        rows = [(str(one["seed"]), one["violation"], one["repeat"]) for one in document["failed"]]
        print_table(("seed", "what did not hold", "again"), rows, right=("seed",))


def _tell(failed: list[Verdict], save: Path | None, *, quiet: bool) -> None:
    """Tell the story of the first failure, and keep those of all where that is asked for."""
    for place, verdict in enumerate(failed if save is not None else failed[:1]):
        note(f"making the story of seed {verdict.seed} shorter")
        case, lines = _story(verdict)
        if place == 0 and not quiet:
            say()
            for line in lines:
                say(line)
        if save is not None:
            _save(save, case, lines)


def _story(verdict: Verdict) -> tuple[Case, list[str]]:
    from evenkeel.engine.simulation.shrink import play_case, scenario_of_case, shrunk
    from evenkeel.engine.simulation.story import Telling, told

    draws, telling = draws_of(verdict.seed), Telling()
    case = shrunk(verdict, draws)
    again = play_case(case, draws, (telling,))
    return case, told(scenario_of_case(case, draws), telling.lines, again.mishaps, again.violation or "")


def _save(folder: Path, case: Case, lines: list[str]) -> None:
    import msgspec

    folder.mkdir(parents=True, exist_ok=True)
    name = f"{case.profile}-{case.seed}"
    (folder / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(case)) + b"\n")
    (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", "utf-8")
    note(f"kept as {folder / name}.json and .txt")
