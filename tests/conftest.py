"""Where tests find real data, and how patient they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
# No timed assertions: a busy machine is no reason for a test to fail.

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--tier` chooses how many plays of the suites run; `tests/suites` tells what is in each."""
    parser.addoption("--tier", choices=("quick", "standard", "full"), default="quick", help="tier of the play suites")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Recorded market data beside the repository, not part of it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the recorded market data in ../shared/data beside the repository")
    return folder


@pytest.fixture(scope="session")
def bundled() -> Path:
    """The sample that ships in the wheel."""
    return ROOT / "src" / "evenkeel" / "data" / "bundled"
