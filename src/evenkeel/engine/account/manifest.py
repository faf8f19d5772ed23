"""What an account is made of, as each of its sessions begins by saying (ruling 43)."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from decimal import Decimal
from importlib import metadata
from typing import Any

import msgspec

import evenkeel
from evenkeel.engine.account.desk import DeskId
from evenkeel.engine.manifest import PACKAGES, plain_document, source_digest
from evenkeel.execution.supervisor.venue_terms import Capabilities, Timing
from evenkeel.features.plugin import plugin_facts, plugins_behind
from evenkeel.model.ids import InstrumentId, RunId, StrategyId
from evenkeel.model.instrument import Instrument
from evenkeel.strategies.strategy import Strategy


class Code(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Which program ran.

    Attributes:
        version: Of the package.
        source: Digest of all its source files.
    """

    version: str
    source: str


class DeskFacts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A strategy on an instrument.

    Attributes:
        strategy: Its id.
        instrument: What it trades.
        kind: Of strategy.
        hash: Of its rules, parameters and code.
        resolved: Its rules with every parameter.
        plugins: Code of persons behind its features.
        base: Timeframe of the bars that are fed to it.
    """

    strategy: StrategyId
    instrument: InstrumentId
    kind: str
    hash: str
    resolved: dict[str, Any] = {}
    plugins: list[dict[str, Any]] = []
    base: str = "1m"


class AccountManifest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All facts of a session.

    Attributes:
        run: Ids of orders derive from it; the same over all sessions.
        mode: Likewise.
        start: Money at the beginning of the first session.
        currency: Of the account.
        desks: What trades.
        instruments: Their definitions by id.
        code: Which program.
        profile: Name of the limits.
        venue: What the venue can do with orders.
        timing: How long things may take at it.
        configuration: Everything else that was set.
        packages: Versions by name.
        platform: Python, system and machine.
    """

    run: RunId
    mode: str
    start: Decimal
    currency: str
    desks: tuple[DeskFacts, ...]
    instruments: dict[InstrumentId, Instrument]
    code: Code
    profile: str = "research"
    venue: Capabilities = Capabilities()
    timing: Timing = Timing()
    configuration: dict[str, Any] = {}
    packages: dict[str, str] = {}
    platform: dict[str, str] = {}

    @property
    def hashes(self) -> dict[DeskId, str]:
        """What each desk's strategy is made of, as one digest."""
        return {DeskId(desk.strategy, desk.instrument): desk.hash for desk in self.desks}


def account_manifest(
    strategies: Iterable[Strategy], *, run: RunId, mode: str, start: Decimal, currency: str,
    profile: str = "research", venue: Capabilities | None = None, timing: Timing | None = None,
    configuration: dict[str, Any] | None = None,
) -> AccountManifest:  # fmt: skip
    """Return the manifest of a session on this machine with this code."""
    chosen = tuple(strategies)
    return AccountManifest(
        run=run, mode=mode, start=start, currency=currency,
        desks=tuple(_desk(strategy) for strategy in chosen),
        instruments={strategy.instrument.id: strategy.instrument for strategy in chosen},
        code=Code(version=evenkeel.__version__, source=source_digest()), profile=profile,
        venue=venue or Capabilities(), timing=timing or Timing(), configuration=configuration or {},
        packages={name: metadata.version(name) for name in PACKAGES},
        platform={"python": platform.python_version(), "system": platform.system(), "machine": platform.machine()},
    )  # fmt: skip


def _desk(strategy: Strategy) -> DeskFacts:
    return DeskFacts(
        strategy=StrategyId(strategy.name), instrument=strategy.instrument.id, kind=strategy.kind, hash=strategy.hash,
        resolved=plain_document(dict(strategy.resolved)), plugins=plugin_facts(plugins_behind(strategy.program.nodes)),
    )  # fmt: skip
