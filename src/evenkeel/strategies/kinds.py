"""The four kinds of strategy files, and how one is told from another."""

from __future__ import annotations

from typing import Any

KINDS = ("play", "block", "playbook", "system")
"""What a file may say in its key `kind`; without that key it is a play, unless it has the keys of another kind."""


def kind_of(value: Any) -> str:
    """Return the kind of a document.

    Args:
        value: The document as read; anything that is not a map is taken for a play.
    """
    if not isinstance(value, dict):
        return "play"
    given = value.get("kind")
    if isinstance(given, str) and given in KINDS:
        return given
    if "playbooks" in value:
        return "system"
    if "regime_detector" in value or ("plays" in value and "actions" not in value):
        return "playbook"
    return "play"
