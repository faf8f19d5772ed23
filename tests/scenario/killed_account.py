"""Runs an account on a real disk and speaks with its venue over two pipes.

    python killed_account.py FOLDER READ_FD WRITE_FD SEED

The test beside this file is the venue, the market and the clock; it kills this process and starts it again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import TypeAlias

import msgspec

from evenkeel.data.definitions import Definitions
from evenkeel.engine.account.account import Account
from evenkeel.engine.account.desk import Desk, DeskId
from evenkeel.engine.account.entry import AccountEvent
from evenkeel.engine.account.keeping import Storage
from evenkeel.engine.account.manifest import AccountManifest, account_manifest
from evenkeel.engine.account.session import Session
from evenkeel.engine.core import Core, RunFacts
from evenkeel.engine.halt_flag import HaltFlag
from evenkeel.engine.journal import RealDisk
from evenkeel.execution.books import Books
from evenkeel.execution.supervisor.supervisor import Identity, Supervisor
from evenkeel.execution.supervisor.venue_terms import Capabilities, Timing
from evenkeel.model.bar import Bars
from evenkeel.model.command import PlaceOrder, VenueCommand
from evenkeel.model.ids import Leg, RunId, StrategyId
from evenkeel.model.report import Act, Outcome, SendResolved
from evenkeel.risk.gates.entry import EntryGates
from evenkeel.risk.limits.profiles import RESEARCH
from evenkeel.strategies.play.load import load_play
from evenkeel.strategies.play.program import PlayStrategy
from property.test_world import SYMBOL, Whole, a_path

PLAY = """
version: "3.0.0"
name: patient
symbol: BTCUSDT.BYBIT
timeframes: { low_tf: 1m, med_tf: 1m, high_tf: 1m, exec: low_tf }
account: { starting_equity: 1000000, max_drawdown_pct: 90 }
features:
  fast: { indicator: ema, params: { length: 2 } }
  slow: { indicator: ema, params: { length: 5 } }
  atr: { indicator: atr, params: { length: 5 } }
actions:
  entry_long: ["fast", cross_above, "slow"]
  exit_long: ["fast", cross_below, "slow"]
position_policy: { mode: long_only, exit_mode: first_hit }
risk_model:
  stop_loss: { type: atr_multiple, value: 2, atr_feature_id: atr }
  take_profit: { type: rr_ratio, value: 1.5 }
  sizing: { model: fixed_quantity, value: 1 }
"""
"""One side and one size, so that a trade that a kill prevented changes no other."""

RUN, MODE, EQUITY = RunId("patient-test"), "paper", Decimal(1_000_000)
VENUE = Capabilities(visible_ns=200_000_000)
SMALL = Storage(segment_bytes_max=48 * 1024, reserve_bytes=64 * 1024)


class Tell(msgspec.Struct, frozen=True, tag="tell", gc=False):
    """To the account: something happened."""

    now_ns: int
    event: AccountEvent


class Stop(msgspec.Struct, frozen=True, tag="stop", gc=False):
    """To the account: end in order."""


class Hello(msgspec.Struct, frozen=True, tag="hello", gc=False):
    """From the account: it is up again, and this is the last thing that it knows from before."""

    known_ns: int
    begun: int
    notes: tuple[str, ...]


class Out(msgspec.Struct, frozen=True, tag="out", gc=False):
    """From the account: a command leaves."""

    command: VenueCommand


class Done(msgspec.Struct, frozen=True, tag="done", gc=False):
    """From the account: what was told is dealt with."""

    deadline_ns: int | None


class Ended(msgspec.Struct, frozen=True, tag="ended", gc=False):
    """From the account: how it stands at the end."""

    position: Decimal
    held: Decimal
    equity: Decimal | None
    at_work: tuple[str, ...]
    chain_ok: bool


ToAccount: TypeAlias = Tell | Stop
FromAccount: TypeAlias = Hello | Out | Done | Ended


def send(pipe: int, message: ToAccount | FromAccount) -> None:
    """Write a message: four bytes of length, then msgpack."""
    data = msgspec.msgpack.encode(message)
    data = len(data).to_bytes(4, "little") + data
    while data:
        data = data[os.write(pipe, data) :]


def messages(pipe: int) -> Iterator[bytes]:
    """Yield what comes, until the other end is gone; a message that was cut off is dropped."""
    held = b""
    while True:
        while len(held) < 4 or len(held) < 4 + int.from_bytes(held[:4], "little"):
            part = os.read(pipe, 65_536)
            if not part:
                return
            held += part
        length = 4 + int.from_bytes(held[:4], "little")
        yield held[4:length]
        held = held[length:]


def strategy_of() -> PlayStrategy:
    """The strategy of these runs."""
    return PlayStrategy(load_play(PLAY, instruments=Definitions.load().find))


def make(bars: Bars) -> Account:
    """The account as a process finds it before it reads its journal."""
    strategy = strategy_of()
    name, instrument = StrategyId(strategy.name), strategy.instrument
    core = Core(
        RunFacts(MODE, RUN, name, SYMBOL, EQUITY), strategy, EntryGates(strategy.terms, instrument),
        Whole(strategy, bars),
    )  # fmt: skip
    supervisor = Supervisor(Identity(MODE, RUN), {SYMBOL: instrument.tick_size}, VENUE, Timing())
    desk = Desk(DeskId(name, SYMBOL), core, instrument.tick_size)
    return Account([desk], supervisor, Books(EQUITY, {SYMBOL: Decimal(1)}), Timing(), RESEARCH)


def manifest() -> AccountManifest:
    """What these accounts are made of."""
    return account_manifest([strategy_of()], run=RUN, mode=MODE, start=EQUITY, currency="USDT")


def market(seed: int) -> tuple[tuple[Decimal, ...], Bars]:
    """The same market in every process."""
    return a_path(seed)


class Process:
    """The engine's side of the pipes."""

    def __init__(self, folder: str, reader: int, writer: int, seed: int) -> None:
        self._writer = writer
        self._heard = (msgspec.msgpack.decode(one, type=ToAccount) for one in messages(reader))
        first = next(self._heard)
        if not isinstance(first, Tell):
            raise SystemExit("the first message must tell the time")
        disk, self._now = RealDisk(), first.now_ns
        self._flag = HaltFlag(
            disk, f"{folder}/halt", account="patient", mode=MODE, host="test", pid=os.getpid(), clock=lambda: self._now
        )
        if not os.path.exists(f"{folder}/halt"):
            self._flag.init_account(by="test")
        _, bars = market(seed)
        self.session, commands = Session.open(
            disk, folder, lambda: make(bars), manifest(), now_ns=first.now_ns, halt=self._flag.read(), storage=SMALL
        )
        send(writer, Hello(self.session.recovered_ns, self.session.begun, self.session.notes))
        self._carry(commands)

    def run(self) -> None:
        """Deal with what is told until the end."""
        for message in self._heard:
            if isinstance(message, Stop):
                self._end()
                return
            self._now = message.now_ns
            self._carry(self.session.tell(message.event, message.now_ns))

    def _carry(self, commands: tuple[VenueCommand, ...]) -> None:
        """Let commands leave, and say that this is done."""
        self._let_go(commands)
        send(self._writer, Done(self.session.account.next_deadline()))

    def _let_go(self, commands: tuple[VenueCommand, ...]) -> None:
        """Let commands leave, but no entry that was approved under another flag."""
        for command in commands:
            entry = isinstance(command, PlaceOrder) and command.order.leg is Leg.ENTRY
            if isinstance(command, PlaceOrder) and entry and not self._flag.stands(command.halt_epoch):
                aborted = SendResolved(
                    event_ns=self._now, known_ns=self._now, client_id=command.order.client_id, act=Act.PLACE,
                    outcome=Outcome.ABORTED,
                )  # fmt: skip
                self._let_go(self.session.tell(aborted, self._now))
            else:
                send(self._writer, Out(command))

    def _end(self) -> None:
        account = self.session.account
        (desk,) = account.desks.values()
        at_work = tuple(order.state.value for order in account.supervisor.book.open.values())
        ended = Ended(account.books.position(SYMBOL), desk.position, account.equity(), at_work, chain_ok=False)
        found = self.session.close()
        send(self._writer, msgspec.structs.replace(ended, chain_ok=found is not None and found.ok))


if __name__ == "__main__":
    Process(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])).run()
