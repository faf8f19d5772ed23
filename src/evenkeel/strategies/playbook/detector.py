"""Reads a regime detector: a part of a playbook that is written like a play without actions."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

from evenkeel.model.errors import UsageError
from evenkeel.model.instrument import Instrument
from evenkeel.strategies.library import Library
from evenkeel.strategies.play import lint
from evenkeel.strategies.play.conditions import ConditionReader
from evenkeel.strategies.play.declarations import declare_features, declare_structures
from evenkeel.strategies.play.expression import Condition
from evenkeel.strategies.play.include import expand
from evenkeel.strategies.play.outline import find_intervals
from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.registry import Registry
from evenkeel.strategies.play.resolved import feature_document, structure_documents
from evenkeel.strategies.play.scope import Scope
from evenkeel.strategies.play.setups import read_setups
from evenkeel.strategies.playbook.document import check_head
from evenkeel.strategies.playbook.playbook import Detector
from evenkeel.strategies.playbook.schema import DetectorHead, DetectorSection


def read_detector(
    section: dict[str, Any],
    log: ProblemLog,
    *,
    instruments: Callable[[str], Instrument],
    registry: Registry,
    library: Library,
    beside: pathlib.Path | None,
) -> Detector | None:
    """Return the detector; None after telling everything that is wrong with it.

    Args:
        section: `regime_detector` of the playbook, variables already written in.
        log: Of this part alone; its problems keep their place in the playbook.
        instruments: Finds an instrument by id or unique symbol.
        registry: Indicators and structures.
        library: Where blocks are looked up.
        beside: Folder of the playbook's file; None if it is no file.
    """
    document = expand(section, log, library, beside)
    head = check_head(document, DetectorHead, DetectorSection, (), log)
    if head is None:
        return None
    intervals = find_intervals(document, head.timeframes, log)
    instrument = _instrument(head.symbol, instruments, log)
    scope = Scope(intervals)
    features = declare_features(document.get("features") or {}, scope, registry, log)
    structures = declare_structures(document.get("structures") or {}, scope, registry, log)
    setups, rules = _rules(document, head, scope, log)
    if not scope.declared:
        log.error(("features",), "a detector needs at least one feature or structure", key=True)
    if not log.failed:
        lint.warn_of_unused(scope, log)
        lint.warn_of_bare_names(features, log)
    if log.failed or instrument is None:
        return None
    return Detector(
        instrument=instrument, intervals=intervals, features=tuple(features), structures=tuple(structures),
        setups=setups, rules=rules, default=head.default,
        resolved={
            "symbol": instrument.id,
            "timeframes": head.timeframes.model_dump(),
            "features": {spec.id: feature_document(spec) for spec in features},
            "structures": structure_documents(structures),
            "setups": document.get("setups") or {},
            "regimes": document["regimes"],
            "default": head.default,
        },
    )  # fmt: skip


def _rules(
    document: dict[str, Any], head: DetectorHead, scope: Scope, log: ProblemLog
) -> tuple[dict[str, Condition], tuple[tuple[str, Condition], ...]]:
    section = document.get("setups") or {}
    if not isinstance(section, dict):
        log.error(("setups",), "setups must be a map of name to condition")
        section = {}
    scope.setup_section = section
    reader = ConditionReader(scope, log)
    setups = read_setups(section, reader, log)
    rules: dict[str, Condition] = {}
    for place, rule in enumerate(head.regimes):
        condition = reader.read(rule.when, ("regimes", place, "when"))
        if condition is not None:
            if rule.regime in rules:
                log.error(
                    ("regimes", place, "regime"), f"the regime '{rule.regime}' stands twice", "join them by `any`"
                )
            rules[rule.regime] = condition
    return setups, tuple(rules.items())


def _instrument(symbol: str, instruments: Callable[[str], Instrument], log: ProblemLog) -> Instrument | None:
    try:
        return instruments(symbol)
    except UsageError as error:
        log.error(("symbol",), error.message)
        return None
