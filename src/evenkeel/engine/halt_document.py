"""What a copy of the halt flag holds: one line of JSON, readable by a person, sealed by a checksum.

    {"checksum": "<SHA-256 of the flag's bytes>", "flag": {"schema": 1, "account": ..., "level": 3, "halt": {...}}}

A reader takes nothing that is not whole, of this account and mode, and in keeping with itself.
"""

from __future__ import annotations

import hashlib

import msgspec

from evenkeel.model.halt import Halt, HaltLevel
from evenkeel.risk.halt import next_end_ns

SCHEMA = 1

SLOT_BYTES = 4096
"""Size of a slot, kept so that a halt can be written on a full disk."""

BLANK = b" "
"""Fills a slot: JSON ignores it, and a person sees nothing."""


class FlagDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The flag of one account.

    Attributes:
        schema: Of this document; fields are only added, with defaults.
        account: Whose it is.
        mode: Of its trading.
        level: Of the halt, for a person.
        expires_at_ns: When its first reason ends by itself, for a person; None is never.
        host: Machine of the process that wrote it.
        pid: That process.
        halt: The halt.
    """

    schema: int
    account: str
    mode: str
    level: HaltLevel
    expires_at_ns: int | None = None
    host: str
    pid: int
    halt: Halt


class _Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    checksum: str
    flag: msgspec.Raw


def flag_document(halt: Halt, *, account: str, mode: str, host: str, pid: int) -> FlagDocument:
    """Return the document of a halt."""
    return FlagDocument(
        schema=SCHEMA,
        account=account,
        mode=mode,
        level=halt.level,
        expires_at_ns=next_end_ns(halt),
        host=host,
        pid=pid,
        halt=halt,
    )


def seal(document: FlagDocument) -> bytes:
    """Return the bytes of a copy."""
    flag = msgspec.json.encode(document)
    return msgspec.json.encode(_Sealed(_checksum(flag), msgspec.Raw(flag))) + b"\n"


def seal_slot(document: FlagDocument) -> bytes:
    """Return the bytes of a whole slot; words are left out where they would not fit, codes and ends never."""
    sealed = seal(document)
    if len(sealed) > SLOT_BYTES:
        bare = tuple(
            msgspec.structs.replace(reason, text="", value=None, limit=None) for reason in document.halt.reasons
        )
        halt = msgspec.structs.replace(document.halt, reasons=bare)
        sealed = seal(msgspec.structs.replace(document, halt=halt))
    return sealed.ljust(SLOT_BYTES, BLANK)


def unseal(content: bytes, *, account: str, mode: str) -> FlagDocument | str:
    """Return the document in the bytes of a copy or slot, or what is wrong with them.

    Args:
        content: Of the file.
        account: Whose flag it must be.
        mode: Of which trading.
    """
    try:
        sealed = msgspec.json.decode(content, type=_Sealed)
    except msgspec.DecodeError as error:
        return f"is no flag ({error})"
    if _checksum(bytes(sealed.flag)) != sealed.checksum:
        return "does not match its checksum"
    try:
        document = msgspec.json.decode(sealed.flag, type=FlagDocument)
    except msgspec.DecodeError as error:
        return f"is a flag of another version ({error})"
    if document.schema != SCHEMA:
        return f"has schema {document.schema}, known is {SCHEMA}"
    if (document.account, document.mode) != (account, mode):
        return f"is the flag of account {document.account} in mode {document.mode}"
    if document.level is not document.halt.level:
        return f"says level {document.level.value}, its reasons say {document.halt.level.value}"
    return document


def _checksum(flag: bytes) -> str:
    return hashlib.sha256(flag).hexdigest()
