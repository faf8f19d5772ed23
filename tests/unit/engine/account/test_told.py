"""Events of an account are told apart by their tags, in the journal too."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import get_args

import msgspec

from evenkeel.engine.account.entry import AccountEvent
from evenkeel.model.told import SessionOpened


def test_events_have_tags_of_their_own() -> None:
    tags = [kind.__struct_config__.tag for kind in get_args(AccountEvent)]
    assert len(set(tags)) == len(tags)


def test_a_session_reads_back_as_it_was_written() -> None:
    event = SessionOpened(event_ns=1, known_ns=2, session=date(2026, 11, 20), close=Decimal("10000.10"), closes_ns=9)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(event), type=AccountEvent) == event
