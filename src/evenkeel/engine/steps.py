"""Steps in the journal: an event, what was decided on it, what was commanded, as the frames of one step.

The first step of a session holds the facts of the run (its manifest); every other one begins with an event. A step is
whole in the journal or not in it at all, so recovery never sees an event without its decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Any

import msgspec

from evenkeel.engine.core import Step
from evenkeel.engine.journal import Frame, Journal
from evenkeel.model.command import Command
from evenkeel.model.decision import Decision
from evenkeel.model.errors import InvariantBroken, UsageError
from evenkeel.model.event import AnyEvent


class EntryKind(IntEnum):
    """Kinds of frames."""

    EVENT = 1
    DECISION = 2
    COMMAND = 3
    SESSION = 4


JOURNAL_SCHEMA = 1
"""Version of the entries; fields are only ever added, with defaults (ruling 44)."""


class SessionOpened(msgspec.Struct, frozen=True, kw_only=True, tag="session_opened", tag_field="type"):
    """A session of a run began.

    Attributes:
        manifest: Code, strategy, instrument, data, account and platform; see `evenkeel.engine.manifest`.
        schema: Version of the entries that follow.
    """

    manifest: dict[str, Any]
    schema: int = JOURNAL_SCHEMA


_EVENT, _DECISION, _COMMAND = (int(kind) for kind in (EntryKind.EVENT, EntryKind.DECISION, EntryKind.COMMAND))
_encode = msgspec.msgpack.Encoder().encode
_event = msgspec.msgpack.Decoder(AnyEvent).decode
_decision = msgspec.msgpack.Decoder(Decision).decode
_command = msgspec.msgpack.Decoder(Command).decode
_session = msgspec.msgpack.Decoder(SessionOpened).decode


class JournalLog:
    """Writes steps into a journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def open_session(self, manifest: dict[str, Any]) -> None:
        """Write the facts of the run as the first step of a session."""
        self._journal.append(EntryKind.SESSION, _encode(SessionOpened(manifest=manifest)), last_of_step=True)
        self._journal.barrier()

    def write(self, step: Step) -> None:
        """Append a step; when it holds commands, return only after it has left this process."""
        self._journal.append_step(encode_step(step))
        if step.commands:
            self._journal.barrier()


class MemoryLog:
    """Keeps steps in memory, for a run whose journal nobody asked for.

    Attributes:
        steps: In order.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def write(self, step: Step) -> None:
        """Keep a step."""
        self.steps.append(step)


def encode_step(step: Step) -> list[tuple[int, bytes]]:
    """Return kind and payload of each frame of a step."""
    frames = [(_EVENT, _encode(step.event))]
    if step.decisions:
        frames += [(_DECISION, _encode(decision)) for decision in step.decisions]
    if step.commands:
        frames += [(_COMMAND, _encode(command)) for command in step.commands]
    return frames


def decode_steps(frames: Iterable[Frame]) -> tuple[list[dict[str, Any]], list[Step]]:
    """Return the manifests of all sessions, and every step in order.

    Raises:
        InvariantBroken: If the frames are not those of steps.
    """
    manifests: list[dict[str, Any]] = []
    steps: list[Step] = []
    for group in _groups(frames):
        if group[0].kind == EntryKind.SESSION:
            manifests.append(_opened(group[0].payload).manifest)
            continue
        if group[0].kind != EntryKind.EVENT:
            raise InvariantBroken(f"entry {group[0].sequence} of the journal begins a step but is no event")
        steps.append(
            Step(
                event=_event(group[0].payload),
                decisions=tuple(_decision(f.payload) for f in group[1:] if f.kind == EntryKind.DECISION),
                commands=tuple(_command(f.payload) for f in group[1:] if f.kind == EntryKind.COMMAND),
            )
        )
    return manifests, steps


def _opened(payload: bytes) -> SessionOpened:
    session = _session(payload)
    if session.schema > JOURNAL_SCHEMA:
        raise UsageError(
            f"the journal was written by a newer version (entries of schema {session.schema}, this one reads up to "
            f"{JOURNAL_SCHEMA}); install that version"
        )
    return session


def _groups(frames: Iterable[Frame]) -> Iterator[list[Frame]]:
    group: list[Frame] = []
    for frame in frames:
        group.append(frame)
        if frame.last_of_step:
            yield group
            group = []
