"""The journal of an account: an event and what it led to, entry by entry in the order of folding.

Each session begins with an `AccountOpened`, which says what the account was made of and in which schema the entries
that follow are written. Fields are only ever added, with defaults (ruling 44); what a default cannot say is said by a
step of `MIGRATIONS`, and an entry of an older schema passes through all that came since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

from evenkeel.engine.account.account import Account
from evenkeel.engine.account.entry import VENUE_COMMANDS, AccountEvent, AccountStep, Entry
from evenkeel.engine.account.manifest import AccountManifest
from evenkeel.engine.journal import Frame
from evenkeel.engine.steps import EntryKind
from evenkeel.model.errors import StorageError, UsageError

SCHEMA = 1
"""Version of the entries that this code writes."""

Migration: TypeAlias = Callable[[EntryKind, dict[str, Any]], dict[str, Any]]
"""Turns an entry, as plain data, into one of the next schema."""

MIGRATIONS: dict[int, Migration] = {}
"""By the schema that each leads away from; without a gap up to the one before `SCHEMA`."""


class AccountOpened(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="account_opened", tag_field="type"):
    """A process took the account up.

    Attributes:
        known_ns: When.
        schema: Of the entries that follow.
        manifest: What the account is made of.
        notes: What was found on the disk that should not have been, in words.
    """

    known_ns: int
    schema: int
    manifest: AccountManifest
    notes: tuple[str, ...] = ()


_encode = msgspec.msgpack.Encoder().encode
_event: Callable[[bytes], AccountEvent] = msgspec.msgpack.Decoder(AccountEvent).decode
_entry: Callable[[bytes], Entry] = msgspec.msgpack.Decoder(Entry).decode
_opened = msgspec.msgpack.Decoder(AccountOpened).decode
_plain = msgspec.msgpack.Decoder(dict[str, Any]).decode

Recorded: TypeAlias = AccountOpened | AccountEvent | Entry


def encode_opened(opened: AccountOpened) -> list[tuple[int, bytes]]:
    """Return the frame of the beginning of a session."""
    return [(EntryKind.SESSION, _encode(opened))]


def encode_step(step: AccountStep) -> list[tuple[int, bytes]]:
    """Return kind and payload of each frame of a step."""
    return [(EntryKind.EVENT, _encode(step.event)), *((_kind(entry), _encode(entry)) for entry in step.entries)]


def decode_entries(
    frames: Iterable[Frame], *, schema: int = SCHEMA, migrations: Mapping[int, Migration] = MIGRATIONS
) -> Iterator[Recorded]:
    """Yield what a journal recorded, in the order in which it is to be folded, in the schema of this code.

    Args:
        frames: Of the journal, or of its end.
        schema: Of the first of them, until a session says otherwise.
        migrations: Steps from one schema to the next.

    Raises:
        UsageError: If they were written in a schema that this code does not know.
        StorageError: If one of them cannot be understood.
    """
    for frame in frames:
        if frame.kind == EntryKind.SESSION:
            schema = _schema_of(frame)
        try:
            yield _decode(frame, schema, migrations)
        except msgspec.MsgspecError as error:
            raise StorageError(
                f"entry {frame.sequence} of the journal cannot be understood: {error}. It was written in schema "
                f"{schema}, this version of Evenkeel writes {SCHEMA}; use the version that its session names",
                reason="JOURNAL_FORMAT",
            ) from None


def _schema_of(frame: Frame) -> int:
    schema = _plain(frame.payload).get("schema")
    if not isinstance(schema, int) or schema > SCHEMA:
        raise UsageError(
            f"the journal was written by a newer version of Evenkeel (from entry {frame.sequence} on in schema "
            f"{schema}, this one knows schemas up to {SCHEMA}); install that version, nothing was changed",
            reason="JOURNAL_SCHEMA",
        )
    return schema


def _decode(frame: Frame, schema: int, migrations: Mapping[int, Migration]) -> Recorded:
    payload = frame.payload
    if schema < SCHEMA:
        plain = _plain(payload)
        for before in range(schema, SCHEMA):
            plain = migrations[before](EntryKind(frame.kind), plain)
        payload = _encode(plain)
    if frame.kind == EntryKind.EVENT:
        return _event(payload)
    if frame.kind in (EntryKind.DECISION, EntryKind.COMMAND):
        return _entry(payload)
    if frame.kind == EntryKind.SESSION:
        return _opened(payload)
    raise StorageError(
        f"entry {frame.sequence} of the journal is of kind {frame.kind}, which an account does not write; it belongs "
        "to another journal, or to a newer version of Evenkeel",
        reason="JOURNAL_FORMAT",
    )


def rebuild(account: Account, frames: Iterable[Frame], *, schema: int = SCHEMA) -> AccountOpened | None:
    """Fold what a journal recorded into an account: nothing is decided again; return the last session's beginning."""
    opened = None
    for entry in decode_entries(frames, schema=schema):
        if isinstance(entry, AccountOpened):
            opened = entry
            account.take_up(entry.manifest.hashes)
        else:
            account.fold(entry)
    return opened


def _kind(entry: Entry) -> EntryKind:
    return EntryKind.COMMAND if isinstance(entry, VENUE_COMMANDS) else EntryKind.DECISION
