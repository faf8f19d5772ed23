"""Ids, reasons, gaps and errors."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.model.errors import InvariantBroken, UsageError, invariant, require
from evenkeel.model.gaps import GAPS, not_available
from evenkeel.model.ids import MODE_LETTERS, InstrumentId, Leg, RunId, StrategyId, client_id, short_hash
from evenkeel.model.reason import MARK_TEXTS, REASONS, ExitReason, Mark, Reason, StopReason, reason_number


def named(mode: str = "backtest", trade: int = 1, leg: Leg = Leg.ENTRY, attempt: int = 1) -> str:
    return client_id(
        mode, run=RunId("r"), strategy=StrategyId("s"), instrument=InstrumentId("ES.CME"), trade=trade, leg=leg,
        attempt=attempt,
    )  # fmt: skip


def test_a_client_id_is_the_hash_of_what_it_names() -> None:
    text = "\x1f".join(("r", "s", "ES.CME", "1", "entry", "1")).encode()
    expected = base64.b32encode(hashlib.sha256(text).digest()).decode().lower()[:20]
    assert named() == f"kbe-{expected}"


def test_client_ids_fit_every_venue_and_never_meet() -> None:
    ids = [
        named(mode, trade, leg, attempt)
        for mode in MODE_LETTERS
        for trade in (1, 2, 11)
        for leg in Leg
        for attempt in (1, 2)
    ]
    assert len({identity[4:] + identity[:3] for identity in ids}) == len(ids)
    assert all(re.fullmatch(r"k[a-z][estxg]-[a-z2-7]{20}", identity) for identity in ids)


@pytest.mark.parametrize("counts", [{"trade": 0}, {"attempt": 0}])
def test_trades_and_attempts_count_from_one(counts: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="count from 1"):
        named(**counts)


@given(st.binary(), st.integers(1, 50))
def test_a_short_hash_is_a_prefix_of_the_whole_one(data: bytes, characters: int) -> None:
    whole = base64.b32encode(hashlib.sha256(data).digest()).decode().lower()
    assert short_hash(data, characters) == whole[:characters]


def test_every_reason_is_a_code_with_a_sentence_and_a_number() -> None:
    for reason in Reason:
        assert re.fullmatch(r"[A-Z][A-Z_]*", reason.value)
        assert reason.text.endswith(".")
        assert REASONS[reason_number(reason)] is reason


def test_every_mark_has_a_sentence_and_ends_are_lower_snake() -> None:
    assert set(MARK_TEXTS) == set(Mark)
    assert all(re.fullmatch(r"[a-z_]+", end.value) for end in (*ExitReason, *StopReason))


@pytest.mark.parametrize("key", GAPS)
def test_a_gap_is_refused_by_name_and_place(key: str) -> None:
    error = not_available(key, where="play.yaml:3:1")
    assert error.message.startswith(f"play.yaml:3:1: {GAPS[key]}")
    assert (error.exit_code, error.reason) == (2, "NOT_AVAILABLE")


def test_contracts_name_the_values_that_broke_them() -> None:
    require(True, "fine")
    with pytest.raises(UsageError, match=re.escape("too large (was 7)")):
        require(False, "too large", was=7)
    with pytest.raises(InvariantBroken, match="cannot be"):
        invariant(False, "cannot be")
