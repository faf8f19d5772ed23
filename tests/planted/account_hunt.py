"""Hunts bugs of the account: `python -m planted.account_hunt [WORD...]`, those whose names have the words, or all.

Prints for each the first seed of its profile that finds it, what that seed finds, and how many were played.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from random import Random

from evenkeel.engine.simulation.draw import Draws
from evenkeel.engine.simulation.seeds import Verdict, play_seed
from planted.account_bugs import BUGS, Bug
from planted.planting import planted

SEEDS_MAX = 5_000


def draws_of(seed: int) -> Draws:
    """Return the generators of a seed."""
    return lambda name: Random(f"{seed}/{name}")


def played(bug: Bug, seed: int) -> Verdict:
    """Play a seed with a bug."""
    with ExitStack() as stack:
        for file, edits in bug.edits.items():
            stack.enter_context(planted(file, edits))
        return play_seed(seed, draws_of(seed), bug.profile)


def hunt(bug: Bug, seeds: int = SEEDS_MAX) -> Verdict | None:
    """Return what the first seed that finds a bug says; None where none of so many does."""
    verdicts = (played(bug, seed) for seed in range(seeds))
    return next((verdict for verdict in verdicts if verdict.violation is not None), None)


if __name__ == "__main__":
    for one in BUGS:
        if all(word in one.name for word in sys.argv[1:]):
            found = hunt(one)
            told = "never" if found is None else f"{found.seed}: {found.violation}"
            sys.stdout.write(f"{one.name} [{one.profile}] {told}\n")
            sys.stdout.flush()
