"""`make soak`: every kernel with its array bounds checked, then all tests with drawn cases by the thousand."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

EXAMPLES = 2_000


class ManyExamples:
    """A pytest plugin that raises the number of drawn cases."""

    def pytest_configure(self) -> None:
        """Load the profile once pytest has made Hypothesis ready."""
        from hypothesis import HealthCheck, settings

        settings.register_profile(
            "soak", max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        )
        settings.load_profile("soak")


def main() -> int:
    """Run both parts; the exit code is that of the first that fails."""
    print("array bounds checked in every kernel ...", flush=True)
    bounds = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-m", "not slow", *sys.argv[1:]],
        env={**os.environ, "NUMBA_BOUNDSCHECK": "1"},
        check=False,
    )
    if bounds.returncode:
        return bounds.returncode
    print(f"all tests, the slow ones too, and {EXAMPLES:,} drawn cases for each property ...", flush=True)
    return pytest.main(["-q", *sys.argv[1:]], plugins=[ManyExamples()])


if __name__ == "__main__":
    sys.exit(main())
