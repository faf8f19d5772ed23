"""Features and structures: from their sections to what a run computes, in an order in which each finds its inputs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from evenkeel.model.time import Timeframe
from evenkeel.strategies.play import parameters, sections
from evenkeel.strategies.play.expression import FeatureRef
from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.problems import Path, suggestion
from evenkeel.strategies.play.registry import NodeInfo, Registry
from evenkeel.strategies.play.schema import FeatureSection, StructureSection
from evenkeel.strategies.play.scope import Declared, Scope
from evenkeel.strategies.play.vocabulary import RESERVED, ROLES, SOURCES

_ID = re.compile(r"[a-z][A-Za-z0-9_]*\Z", re.ASCII)
_CHAIN = "indicator:"


class FeatureSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One indicator to compute.

    Attributes:
        id: Name in the play.
        indicator: Name in the registry.
        params: Every parameter, checked, defaults filled in.
        timeframe: On which bars.
        source: A bar column or a price made of columns (`hl2`, …), an output of another feature of the same timeframe,
            or None for an indicator that reads fixed columns.
    """

    id: str
    indicator: str
    params: dict[str, Any]
    timeframe: Timeframe
    source: str | FeatureRef | None


class StructureSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One structure detector to run.

    Attributes:
        key: Name in the play.
        type: Name in the registry.
        role: As written: `exec`, `low_tf`, `med_tf` or `high_tf`.
        timeframe: On which bars.
        params: Every parameter, checked, defaults filled in.
        uses: Keys of the detectors it reads, all of the same timeframe and earlier in the list.
        atr_key: Feature with the average true range it reads, if any.
    """

    key: str
    type: str
    role: str
    timeframe: Timeframe
    params: dict[str, Any]
    uses: tuple[str, ...]
    atr_key: str | None


def declare_features(section: Any, scope: Scope, registry: Registry, log: ProblemLog) -> list[FeatureSpec]:
    """Return the features in an order in which each follows the one it reads; declare them all in the scope."""
    if not isinstance(section, dict):
        log.error(("features",), "features must be a map of id to indicator")
        return []
    checked: dict[str, FeatureSection] = {}
    for name, value in section.items():
        path = ("features", name)
        _check_id(name, path, scope, log)
        feature = sections.check(FeatureSection, value, path, log)
        node = feature and _node(feature.indicator, "indicator", (*path, "indicator"), registry, log)
        timeframe = _timeframe(feature, path, scope, log)
        params = parameters.resolve(node, feature.params, (*path, "params"), log) if feature and node else None
        scope.declared[name] = Declared(name, node or None, timeframe, path, is_structure=False, params=params)
        if feature and node and timeframe:
            checked[name] = feature
    specs = {name: spec for name, feature in checked.items() if (spec := _feature(name, feature, scope, log))}
    return _in_reading_order(specs, log)


def _check_id(name: str, path: Path, scope: Scope, log: ProblemLog) -> None:
    if not _ID.match(name):
        remedy = "begin with a lower-case letter; use letters, digits and _"
        log.error(path, f"'{name}' is not an id", remedy, key=True)
    elif name in RESERVED:
        log.error(path, f"'{name}' is a word of the language", f"rename it, for example {name}_1", key=True)
    elif name in scope.declared:
        first = log.source.place(scope.declared[name].path)
        log.error(path, f"'{name}' is declared twice, first {first}", "rename one", key=True)


def _node(name: str, kind: str, path: Path, registry: Registry, log: ProblemLog) -> NodeInfo | None:
    known = registry.indicators() if kind == "indicator" else registry.structures()
    specified = registry.specified_indicators() if kind == "indicator" else registry.specified_structures()
    found: NodeInfo | None = known.get(name)
    if found is None and name in specified:
        log.unavailable_thing(path, f"{kind} '{name}'", key=False)
    elif found is None:
        log.error(path, f"there is no {kind} '{name}'", suggestion(name, list(dict.fromkeys([*known, *specified]))))
    return found


def _timeframe(feature: FeatureSection | None, path: Path, scope: Scope, log: ProblemLog) -> Timeframe | None:
    if feature is None:
        return None
    if feature.tf is None:
        return scope.intervals.exec
    found = scope.intervals.of(feature.tf)
    if found is None:
        log.error((*path, "tf"), f"'{feature.tf}' is not a timeframe of this play", f"use {scope.intervals.words()}")
    return found


def _feature(name: str, feature: FeatureSection, scope: Scope, log: ProblemLog) -> FeatureSpec | None:
    declared = scope.declared[name]
    if declared.node is None or declared.timeframe is None:
        return None
    source = _source(feature, declared, scope, log)
    params = declared.params
    if params is None:
        return None
    if declared.node.name == "vwap" and params.get("anchor") == "none":
        log.warn(declared.path, "a vwap that never resets depends on the first bar fed", "use anchor D or W", key=True)
    return FeatureSpec(
        id=name, indicator=declared.node.name, params=dict(params), timeframe=declared.timeframe, source=source
    )


def _source(feature: FeatureSection, declared: Declared, scope: Scope, log: ProblemLog) -> str | FeatureRef | None:
    path = (*declared.path, "source")
    if declared.node is not None and not declared.node.single_series:
        if feature.source is not None:
            log.error(
                path, f"{declared.node.name} reads fixed columns and takes no source", "remove `source`", key=True
            )
        return None
    source = feature.source or "close"
    if source.startswith(_CHAIN):
        return _chained(source.removeprefix(_CHAIN), declared, path, scope, log)
    if source not in SOURCES:
        if source in scope.declared:
            remedy = f"write indicator:{source}"
        else:
            remedy = suggestion(source, [*SOURCES, *(f"{_CHAIN}{known}" for known in scope.features())])
        log.error(path, f"'{source}' is not a source", remedy)
    return source


def _chained(text: str, declared: Declared, path: Path, scope: Scope, log: ProblemLog) -> FeatureRef | None:
    name, _, field = text.partition(".")
    found = scope.find(name)
    if found is None or found.is_structure:
        log.error(path, f"there is no feature '{name}'", suggestion(name, scope.features()))
        return None
    if not found.outputs:
        return None
    output = found.output(field or None)
    if output is None:
        log.error(path, f"'{name}' has no output '{field}'", suggestion(field, [o.name for o in found.outputs]))
    elif output.type not in ("FLOAT", "INT"):
        log.error(path, f"'{name}.{output.name}' is {output.type}", "a source must be a number")
    elif found.timeframe != declared.timeframe:
        message = f"'{name}' is on {found.timeframe}, '{declared.id}' on {declared.timeframe}"
        log.error(path, message, "a chain stays on one timeframe: give both the same `tf`")
    return None if output is None else FeatureRef(name, output.name)


def _in_reading_order(specs: Mapping[str, FeatureSpec], log: ProblemLog) -> list[FeatureSpec]:
    ordered: dict[str, FeatureSpec] = {}
    for name in specs:
        chain = [name]
        while (link := _link(specs.get(chain[-1]))) is not None and link not in chain and link not in ordered:
            chain.append(link)
        if link is not None and link in chain:
            circle = " -> ".join([*chain[chain.index(link) :], link])
            log.error(("features", link, "source"), f"features read each other in a circle: {circle}")
            log.close(("features", link, "source"))
            return list(specs.values())
        ordered.update({one: specs[one] for one in reversed(chain) if one in specs and one not in ordered})
    return list(ordered.values())


def _link(spec: FeatureSpec | None) -> str | None:
    return spec.source.id if spec is not None and isinstance(spec.source, FeatureRef) else None


def declare_structures(section: Any, scope: Scope, registry: Registry, log: ProblemLog) -> list[StructureSpec]:
    """Return the structures in file order; declare them all in the scope."""
    specs: list[StructureSpec] = []
    if not isinstance(section, dict):
        log.error(("structures",), "structures must be a map of role to a list", f"roles are {', '.join(ROLES)}")
        return specs
    for role, items in section.items():
        if role not in ROLES:
            log.error(("structures", role), f"unknown key '{role}'", suggestion(role, ROLES), key=True)
        elif not isinstance(items, list):
            log.error(("structures", role), "it must be a list of structures", "write `- { type: swing, key: sw }`")
        else:
            for index, value in enumerate(items):
                spec = _structure(value, role, ("structures", role, index), scope, registry, log)
                specs.extend([spec] if spec else [])
    return specs


def _structure(
    value: Any, role: str, path: Path, scope: Scope, registry: Registry, log: ProblemLog
) -> StructureSpec | None:
    item = sections.check(StructureSection, value, path, log)
    if item is None:
        key = value.get("key") if isinstance(value, dict) else None
        if isinstance(key, str) and key not in scope.declared:
            scope.declared[key] = Declared(key, None, None, path, is_structure=True, params=None)
        return None
    node = _node(item.type, "structure", (*path, "type"), registry, log)
    timeframe = scope.intervals.of(role)
    _check_id(item.key, (*path, "key"), scope, log)
    uses = _uses(item, node, timeframe, path, scope, log)
    atr_key = _atr_key(item, node, timeframe, path, scope, log)
    params = _structure_params(item, node, path, log)
    scope.declared[item.key] = Declared(item.key, node, timeframe, (*path, "key"), is_structure=True, params=params)
    if node is None or timeframe is None or params is None:
        return None
    if item.params.get("atr_key") is None:
        _needs_atr(node, params, item, path, log)
    return StructureSpec(
        key=item.key, type=node.name, role=role, timeframe=timeframe, params=params, uses=uses, atr_key=atr_key
    )  # fmt: skip


def _structure_params(
    item: StructureSection, node: NodeInfo | None, path: Path, log: ProblemLog
) -> dict[str, Any] | None:
    if node is None:
        return None
    given = {name: value for name, value in item.params.items() if name != "atr_key" or not _reads_atr(node)}
    return parameters.resolve(node, given, (*path, "params"), log)


def _uses(
    item: StructureSection,
    node: NodeInfo | None,
    timeframe: Timeframe | None,
    path: Path,
    scope: Scope,
    log: ProblemLog,
) -> tuple[str, ...]:
    names = [item.uses] if isinstance(item.uses, str) else list(item.uses)
    readable = [kind.rstrip("?") for kind in node.uses] if node else []
    kinds: set[str] = set()
    for index, name in enumerate(names):
        place: Path = (*path, "uses") if isinstance(item.uses, str) else (*path, "uses", index)
        found = scope.find(name)
        if found is None or not found.is_structure:
            log.error(place, f"no structure '{name}' is declared above", suggestion(name, scope.structures()))
            kinds.update(readable)
        elif found.node is None:
            kinds.update(readable)
        else:
            if found.node.name in kinds:
                log.error(
                    place, f"{item.type} '{item.key}' reads one {found.node.name}", f"remove '{name}' or the other"
                )
            kinds.add(found.node.name)
            if found.timeframe != timeframe:
                message = f"'{name}' is on {found.timeframe}, '{item.key}' on {timeframe}"
                log.error(place, message, "structures read only their own timeframe")
            if node and found.node.name not in readable:
                remedy = f"it reads {' and '.join(readable)}" if readable else "remove `uses`"
                log.error(place, f"{node.name} does not read a {found.node.name}", remedy)
    for kind in _needed(item, node) if node else ():
        if kind not in kinds:
            log.error(
                path, f"{item.type} '{item.key}' needs a {kind}", f"add `uses:` with the key of a {kind} above it"
            )
    return tuple(names)


def _needed(item: StructureSection, node: NodeInfo) -> list[str]:
    """Return the kinds of structures that this one cannot do without."""
    by_trend = item.params.get("use_trend_anchor") is True
    return [kind.rstrip("?") for kind in node.uses if not kind.endswith("?") or (by_trend and kind == "trend?")]


def _atr_key(
    item: StructureSection,
    node: NodeInfo | None,
    timeframe: Timeframe | None,
    path: Path,
    scope: Scope,
    log: ProblemLog,
) -> str | None:
    name = item.params.get("atr_key")
    if name is None or (node is not None and not _reads_atr(node)):
        return None
    place = (*path, "params", "atr_key")
    found = scope.find(name) if isinstance(name, str) else None
    if found is None:
        log.error(place, f"there is no feature '{name}'", suggestion(name, scope.features("atr", "natr")))
    elif found.node is not None and found.node.name not in ("atr", "natr"):
        log.error(place, f"'{name}' is a {found.node.name}", "atr_key must name an atr or natr feature")
    elif found.timeframe is not None and found.timeframe != timeframe:
        message = f"'{name}' is on {found.timeframe}, '{item.key}' on {timeframe}"
        log.error(place, message, "declare an atr feature with that `tf`")
    else:
        return str(name)
    return None


def _reads_atr(node: NodeInfo) -> bool:
    return any(name.rstrip("?").startswith("atr") for name in node.inputs)


def _needs_atr(node: NodeInfo, params: Mapping[str, Any], item: StructureSection, path: Path, log: ProblemLog) -> None:
    """Refuse what would silently do nothing without an average true range."""
    if "atr" in node.inputs:
        log.error(path, f"{item.type} '{item.key}' needs an ATR but names none", "add `atr_key` with an atr feature")
    elif params.get("mode") == "atr_zigzag":
        log.error(path, f"'{item.key}' finds pivots by ATR but names none", "add `atr_key` with an atr feature")
    elif params.get("min_atr_move") is not None:
        place = (*path, "params", "min_atr_move")
        log.error(place, f"'{item.key}' measures in ATR but names none", "add `atr_key` with an atr feature", key=True)
