"""How many drawn cases a test of its own drawing takes: few in the ordinary suite, many with `make soak`."""

from __future__ import annotations

from hypothesis import settings

SOAK = "soak"
"""Name of the Hypothesis profile that `tools/soak.py` loads."""


def cases(usual: int, soak: int) -> int:
    """Return how many cases to draw; read it when a test module is imported, once the profile is known."""
    return soak if settings.get_current_profile_name() == SOAK else usual
