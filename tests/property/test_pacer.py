"""What reduces and is refused: however time passes, it is asked for seldom, and never given up."""

from __future__ import annotations

import itertools

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.engine.account.pace import LONGEST_PAUSE, Pacer, PaceState
from evenkeel.model.ids import ClientId, InstrumentId, StrategyId
from evenkeel.model.reason import Reason
from evenkeel.model.time import MINUTE, SECOND
from evenkeel.risk.classify import Effect
from evenkeel.risk.gates.judged import Judged
from evenkeel.risk.gates.request import Purpose
from evenkeel.risk.limits.profiles import PERP_SMALL

STEPS = st.lists(st.integers(1, 20_000).map(lambda ms: ms * SECOND // 1000), min_size=1, max_size=200)
IDS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3, unique=True)


def refusal(name: str, reason: Reason = Reason.NOT_TRADABLE) -> Judged:
    return Judged(
        purpose=Purpose.PROTECT_STOP, client_id=ClientId(name), strategy=StrategyId("s"),
        instrument=InstrumentId("X.Y"), effect=Effect.REDUCING, reason=reason, vector="-" * 49,
    )  # fmt: skip


@given(steps=STEPS, names=IDS)
def test_something_refused_again_and_again_is_asked_for_at_growing_distances_and_for_ever(
    steps: list[int], names: list[str]
) -> None:
    pacer, now = Pacer(PERP_SMALL.pace), 1
    asked: dict[str, list[int]] = {name: [] for name in names}
    for step in steps:
        for name in names:
            if not pacer.waits(name, now):
                asked[name].append(now)
                pacer.judged(refusal(name), None, now)
                assert pacer.waits(name, now)
        due = pacer.next_deadline(now)
        assert due is not None
        assert now < due <= now + LONGEST_PAUSE
        now += step
    for stamps in asked.values():
        gaps = [after - before for before, after in itertools.pairwise(stamps)]
        assert all(gap >= min(SECOND << place, LONGEST_PAUSE) for place, gap in enumerate(gaps))
        assert all(gap <= LONGEST_PAUSE + max(steps) for gap in gaps)
    assert pacer.state.panic is None


@given(steps=STEPS, names=IDS)
def test_what_is_approved_is_forgotten_and_what_is_not_asked_for_any_more_too(
    steps: list[int], names: list[str]
) -> None:
    pacer, now = Pacer(PERP_SMALL.pace), 1
    for step in steps:
        for name in names:
            if not pacer.waits(name, now):
                pacer.judged(refusal(name), None, now)
        now += step
    pacer.judged(msgspec.structs.replace(refusal(names[0]), reason=Reason.OK), None, now)
    assert names[0] not in pacer.state.held_back

    pacer.judged(refusal("last"), None, now + 2 * MINUTE)

    assert set(pacer.state.held_back) == {"last"}
    again = Pacer(PERP_SMALL.pace)
    again.restore(msgspec.msgpack.encode(pacer.saved()))
    assert again.state == pacer.state != PaceState()
