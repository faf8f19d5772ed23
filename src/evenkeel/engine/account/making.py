"""An account made from its manifest: strategies as they were recorded, features bar by bar, the rest as it says."""

from __future__ import annotations

from evenkeel.data.calendar import load_calendar
from evenkeel.engine.account.account import Account
from evenkeel.engine.account.desk import Desk, DeskId
from evenkeel.engine.account.manifest import AccountManifest, DeskFacts
from evenkeel.engine.core import Core, RunFacts
from evenkeel.execution.books import Books
from evenkeel.execution.supervisor.supervisor import Identity, Supervisor
from evenkeel.features.live import LiveFeatures
from evenkeel.model.time import Timeframe
from evenkeel.risk.gates.entry import EntryGates
from evenkeel.risk.limits.profiles import profile
from evenkeel.strategies.load import recorded_strategy


def make_account(manifest: AccountManifest) -> Account:
    """Return an account as a process finds it before it reads its journal.

    Raises:
        UsageError: If a strategy of it does not load as it was recorded.
    """
    instruments = manifest.instruments
    supervisor = Supervisor(
        Identity(manifest.mode, manifest.run), {name: one.tick_size for name, one in instruments.items()},
        manifest.venue, manifest.timing,
    )  # fmt: skip
    books = Books(manifest.start, {name: one.multiplier for name, one in instruments.items()})
    desks = [_desk(facts, manifest) for facts in manifest.desks]
    return Account(desks, supervisor, books, manifest.timing, profile(manifest.profile))


def _desk(facts: DeskFacts, manifest: AccountManifest) -> Desk:
    instrument = manifest.instruments[facts.instrument]
    stored = {
        "strategy": {"kind": facts.kind, "resolved": facts.resolved, "hash": facts.hash}, "plugins": facts.plugins,
        "run": manifest.run,
    }  # fmt: skip
    strategy = recorded_strategy(stored, instruments=lambda _: instrument)
    features = LiveFeatures(strategy.program, Timeframe.parse(facts.base), load_calendar(instrument.calendar))
    run = RunFacts(manifest.mode, manifest.run, facts.strategy, facts.instrument, manifest.start)
    core = Core(run, strategy, EntryGates(strategy.terms, instrument), features)
    return Desk(DeskId(facts.strategy, facts.instrument), core, instrument.tick_size)
