"""The journal of an account: an event and what it led to, entry by entry in the order of folding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from evenkeel.engine.account.account import VENUE_COMMANDS, Account, AccountEvent, AccountStep, Entry
from evenkeel.engine.journal import Frame, Journal
from evenkeel.engine.steps import EntryKind
from evenkeel.model.errors import InvariantBroken

_encode = msgspec.msgpack.Encoder().encode
_event = msgspec.msgpack.Decoder(AccountEvent).decode
_entry = msgspec.msgpack.Decoder(Entry).decode


class AccountLog:
    """Writes the steps of an account into its journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def write(self, step: AccountStep) -> None:
        """Append a step; when it holds commands, return only after everything so far is safe.

        Raises:
            StorageError: If that is not certain; no command of the step may leave then.
        """
        frames = encode_step(step)
        last = len(frames) - 1
        for place, (kind, payload) in enumerate(frames):
            self._journal.append(kind, payload, last_of_step=place == last)
        if step.commands:
            self._journal.barrier()


def encode_step(step: AccountStep) -> list[tuple[EntryKind, bytes]]:
    """Return kind and payload of each frame of a step."""
    return [(EntryKind.EVENT, _encode(step.event)), *((_kind(entry), _encode(entry)) for entry in step.entries)]


def decode_entries(frames: Iterable[Frame]) -> Iterator[AccountEvent | Entry]:
    """Yield what a journal recorded, in the order in which it is to be folded.

    Raises:
        InvariantBroken: If a frame is of a kind that an account does not write.
    """
    for frame in frames:
        if frame.kind == EntryKind.EVENT:
            yield _event(frame.payload)
        elif frame.kind in (EntryKind.DECISION, EntryKind.COMMAND):
            yield _entry(frame.payload)
        else:
            raise InvariantBroken(f"entry {frame.sequence} of the journal is of kind {frame.kind}, which is not known")


def rebuild(account: Account, frames: Iterable[Frame]) -> None:
    """Fold what a journal recorded into a new account: nothing is decided again."""
    for entry in decode_entries(frames):
        account.fold(entry)


def _kind(entry: Entry) -> EntryKind:
    return EntryKind.COMMAND if isinstance(entry, VENUE_COMMANDS) else EntryKind.DECISION
