"""The JSON Schemas of playbooks and systems, for completion and checks in an editor."""

from __future__ import annotations

from typing import Any

from evenkeel.strategies.play.json_schema import document_schema
from evenkeel.strategies.playbook.schema import PlaybookDocument, SystemDocument


def playbook_schema() -> dict[str, Any]:
    """Return the schema of playbooks."""
    return document_schema(PlaybookDocument, "Evenkeel playbook")


def system_schema() -> dict[str, Any]:
    """Return the schema of systems."""
    return document_schema(SystemDocument, "Evenkeel system")
