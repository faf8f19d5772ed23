"""A change of an account's halt is carried over to a flag that another process has changed."""

from __future__ import annotations

import pytest

from evenkeel.model.halt import Halt, HaltCode, HaltLevel, HaltReason, HaltSource
from evenkeel.risk.halt import carried, united

PAUSE, HALT, DATA = HaltCode.OPERATOR_PAUSE, HaltCode.OPERATOR_HALT, HaltCode.DVS_KILL


def halt(epoch: int, *codes: HaltCode) -> Halt:
    reasons = (HaltReason(code=code, level=HaltLevel.HALTED, source=HaltSource.ENGINE, at_ns=1) for code in codes)
    return Halt(reasons=tuple(sorted(reasons, key=lambda reason: reason.code)), epoch=epoch)


@pytest.mark.parametrize(
    ("flag", "before", "after", "written"),
    [
        (halt(3, PAUSE), halt(3, PAUSE), halt(4, PAUSE, DATA), halt(4, PAUSE, DATA)),
        (halt(4, HALT, PAUSE), halt(3, PAUSE), halt(4, PAUSE, DATA), halt(5, HALT, PAUSE, DATA)),
        (halt(4), halt(3, PAUSE), halt(4, PAUSE, DATA), halt(5, DATA)),
        (halt(4, HALT, PAUSE, DATA), halt(3, HALT, PAUSE), halt(4, HALT), halt(5, HALT, DATA)),
        (halt(6, DATA), halt(3), halt(4, DATA), halt(6, DATA)),
        (halt(2), halt(3), halt(4, DATA), halt(4, DATA)),
    ],
    ids=["nobody else", "raised beside", "lifted beside", "lifts its own only", "said already", "an older flag"],
)
def test_the_change_is_written_and_not_the_whole(flag: Halt, before: Halt, after: Halt, written: Halt) -> None:
    assert carried(flag, before, after) == written


def test_a_newer_flag_counts_and_of_an_older_one_nothing_is_dropped() -> None:
    assert united(halt(3, PAUSE), halt(4)) == halt(4)
    for epoch in (2, 3):
        both = united(halt(3, PAUSE), halt(epoch, DATA))
        assert (both.epoch, both.reasons) == (4, halt(4, PAUSE, DATA).reasons)
    assert united(halt(3, PAUSE), halt(2, PAUSE)) == halt(3, PAUSE)
