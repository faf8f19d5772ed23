"""Replay of an account: decide again on every recorded event, and hold each decision and command against the record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec

from evenkeel.engine.account.account import Account
from evenkeel.engine.account.entry import VENUE_COMMANDS, AccountEvent, Entry
from evenkeel.engine.account.log import AccountOpened, Recorded
from evenkeel.engine.replay import Replay
from evenkeel.model.event import Event
from evenkeel.model.time import format_time

_encode = msgspec.msgpack.Encoder().encode


def replay_account(make: Callable[[], Account], entries: Iterable[Recorded]) -> Replay:
    """Decide a whole journal again and compare.

    A session with strategies of other code or parameters than those of `make` is folded and not decided again.

    Args:
        make: Builds the account as its first session found it.
        entries: Of its journal, from the first.
    """
    account = make()
    steps = decisions = commands = 0
    for event, recorded in _steps(account, entries):
        if any(desk.estranged for desk in account.desks.values()):
            for entry in (event, *recorded):
                account.fold(entry)
            continue
        steps += 1
        again = account.apply(event).entries
        commands += sum(isinstance(entry, VENUE_COMMANDS) for entry in recorded)
        decisions += sum(not isinstance(entry, VENUE_COMMANDS) for entry in recorded)
        difference = _difference(event, recorded, again)
        if difference is not None:
            return Replay(steps, decisions, commands, difference)
    return Replay(steps, decisions, commands, None)


def _steps(account: Account, entries: Iterable[Recorded]) -> Iterator[tuple[AccountEvent, list[Entry]]]:
    """Yield each event with what was concluded on it; the account takes up each session when its turn comes."""
    event: AccountEvent | None = None
    concluded: list[Entry] = []
    for entry in entries:
        if not isinstance(entry, AccountOpened | Event):
            concluded.append(entry)
            continue
        if event is not None:
            yield event, concluded
        event, concluded = None, []
        if isinstance(entry, AccountOpened):
            account.take_up(entry.manifest.hashes)
        else:
            event = entry
    if event is not None:
        yield event, concluded


def _difference(event: AccountEvent, recorded: list[Entry], again: tuple[Entry, ...]) -> str | None:
    for place in range(max(len(recorded), len(again))):
        before = recorded[place] if place < len(recorded) else "nothing"
        after = again[place] if place < len(again) else "nothing"
        if _encode(before) != _encode(after):
            at = f"at {format_time(event.known_ns)}, on {type(event).__name__}"
            return f"{at}: recorded was {before}; decided again it is {after}"
    return None
