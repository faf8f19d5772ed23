"""`make soak`: every kernel with its array bounds checked, then all tests with drawn cases by the thousand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = 2_000
RICH_RUNS, PLAIN_RUNS, JOINT_RUNS = 2_000, 1_000, 1_000
"""Drawn plays that both lanes run, those that the slow exchange runs too, and those of them on several instruments."""

HUNT_SEEDS = 400
"""Seeds in which bugs of the account that show seldom are hunted."""


class ManyExamples:
    """A pytest plugin that raises the number of drawn cases."""

    def pytest_configure(self) -> None:
        """Load the profile once pytest has made Hypothesis ready."""
        from hypothesis import HealthCheck, settings

        settings.register_profile(
            "soak", max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        )
        settings.load_profile("soak")


def tell_coverage() -> None:
    """Print how often the drawn plays meet each rule of the exchange."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
    from drawn_runs import coverage

    print(f"how many of {PLAIN_RUNS:,} drawn plays meet each rule of plays.md 6:\n{coverage(PLAIN_RUNS)}", flush=True)


def main() -> int:
    """Run all parts; the exit code is that of the first that fails."""
    print("array bounds checked in every kernel ...", flush=True)
    bounds = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-m", "not slow", *sys.argv[1:]],
        env={**os.environ, "NUMBA_BOUNDSCHECK": "1"},
        check=False,
    )
    if bounds.returncode:
        return bounds.returncode
    print(
        f"all tests, the slow ones too, {EXAMPLES:,} drawn cases for each property, {RICH_RUNS:,} drawn plays in both "
        f"lanes and {PLAIN_RUNS:,} beside the slow exchange ...",
        flush=True,
    )
    os.environ |= {"KEEL_RICH_RUNS": str(RICH_RUNS), "KEEL_PLAIN_RUNS": str(PLAIN_RUNS)}
    os.environ |= {"KEEL_JOINT_RUNS": str(JOINT_RUNS), "KEEL_HUNT_SEEDS": str(HUNT_SEEDS)}
    failed = pytest.main(["-q", *sys.argv[1:]], plugins=[ManyExamples()])
    if not failed:
        tell_coverage()
    return failed


if __name__ == "__main__":
    sys.exit(main())
