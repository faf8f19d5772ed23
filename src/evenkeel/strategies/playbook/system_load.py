"""Loads a system: its own file and every playbook that it names, each with its allocation as capital."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from evenkeel.model.errors import UsageError
from evenkeel.model.instrument import Instrument
from evenkeel.model.number import to_decimal
from evenkeel.strategies.library import Library
from evenkeel.strategies.play import sections
from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.problems import PlayErrors
from evenkeel.strategies.play.registry import Registry, ShippedRegistry
from evenkeel.strategies.play.resolved import play_hash
from evenkeel.strategies.playbook.document import check_head, open_document, warn_of_file_name
from evenkeel.strategies.playbook.load import load_playbook
from evenkeel.strategies.playbook.playbook import Playbook, System
from evenkeel.strategies.playbook.schema import (
    AllocationSection,
    DeploymentSection,
    SystemDocument,
    SystemHead,
    SystemRiskSection,
)

_WHOLE = Decimal(100)


def load_system(
    path_or_text: pathlib.Path | str,
    *,
    instruments: Callable[[str], Instrument],
    registry: Registry | None = None,
    sets: Mapping[str, str] | None = None,
    library: Library | None = None,
) -> System:
    """Return the system of a file or of a text; arguments and errors as of `load_playbook`."""
    document, log, beside = open_document(path_or_text, "system", sets)
    head = check_head(document, SystemHead, SystemDocument, ("playbooks",), log)
    risk = sections.check(SystemRiskSection, document.get("risk", {}), ("risk",), log)
    deployment = sections.check(DeploymentSection, document.get("deployment", {}), ("deployment",), log)
    capital = to_decimal(head.capital if head else 1.0)
    known, places = registry or ShippedRegistry(), library or Library()

    def load(name: str, share: Decimal) -> Playbook:
        file = places.find(name, kind="playbook", beside=beside)
        return load_playbook(file, instruments=instruments, registry=known, library=places, capital=share)

    allocated = [
        (section, playbook)
        for index, section in _allocations(document, log)
        if (playbook := _playbook(section, index, capital, load, log))
    ]
    currency = _currency(head, [playbook for _, playbook in allocated], log)
    if head is not None:
        warn_of_file_name(head.name, "system", log)
    log.raise_if_failed()
    if head is None or risk is None or deployment is None:
        raise PlayErrors(log.problems())
    resolved: dict[str, Any] = {
        **head.model_dump(exclude_none=True),
        "currency": currency,
        "variables": document.get("variables") or {},
        "playbooks": [
            {"allocation_pct": section.allocation_pct, "playbook": playbook.resolved} for section, playbook in allocated
        ],
        "risk": risk.model_dump(),
        "deployment": deployment.model_dump(),
    }
    return System(
        name=head.name, description=head.description, hash=play_hash(resolved), resolved=resolved, capital=capital,
        currency=currency, playbooks=tuple(playbook for _, playbook in allocated), warnings=log.problems(),
    )  # fmt: skip


def _allocations(document: dict[str, Any], log: ProblemLog) -> list[tuple[int, AllocationSection]]:
    """Return the playbooks as named; their allocations sum to 100 percent at most, what is left stays cash."""
    items = document.get("playbooks", [])
    if not isinstance(items, list) or (not items and "playbooks" in document):
        log.error(("playbooks",), "playbooks must be a list", "write `- { playbook: …, allocation_pct: 50 }`")
        return []
    checked = [(i, sections.check(AllocationSection, item, ("playbooks", i), log)) for i, item in enumerate(items)]
    found = [(index, section) for index, section in checked if section is not None]
    total = sum(to_decimal(section.allocation_pct) for _, section in found)
    if total > _WHOLE:
        log.error(
            ("playbooks",), f"the allocations sum to {total:f} percent", "at most 100; the rest is cash", key=True
        )
    names = [section.playbook for _, section in found]
    for index, section in found:
        if names.index(section.playbook) < [i for i, _ in found].index(index):
            log.error(("playbooks", index, "playbook"), f"'{section.playbook}' stands twice", "add up the allocations")
    return found


def _playbook(
    section: AllocationSection,
    index: int,
    capital: Decimal,
    load: Callable[[str, Decimal], Playbook],
    log: ProblemLog,
) -> Playbook | None:
    try:
        playbook = load(section.playbook, capital * to_decimal(section.allocation_pct) / _WHOLE)
    except PlayErrors as error:
        log.adopt(error.problems)
        return None
    except UsageError as error:
        log.error(("playbooks", index, "playbook"), error.message)
        return None
    log.adopt(playbook.warnings)
    return playbook


def _currency(head: SystemHead | None, playbooks: list[Playbook], log: ProblemLog) -> str:
    currency = head.currency if head is not None and head.currency else next((p.currency for p in playbooks), "USD")
    for playbook in playbooks:
        if playbook.currency != currency:
            message = f"the account of {playbook.name} is in {playbook.currency}, not in {currency}"
            log.error(("playbooks",), message, "a system is one account in one currency", key=True)
    return currency
