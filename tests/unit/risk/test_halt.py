from __future__ import annotations

from decimal import Decimal

import pytest

from evenkeel.model.errors import InvariantBroken
from evenkeel.model.halt import PERMITS, Act, Halt, HaltCode, HaltLevel, HaltReason, HaltSource, permits
from evenkeel.model.time import MINUTE
from evenkeel.risk.halt import entry_scale, expired, next_end_ns, raised, released, scaled, session_opened, unpaused


def reason(code: HaltCode, level: HaltLevel, *, until_ns: int | None = None, at_ns: int = 1) -> HaltReason:
    return HaltReason(code=code, level=level, source=HaltSource.ENGINE, at_ns=at_ns, until_ns=until_ns)


PAUSE = reason(HaltCode.OPERATOR_PAUSE, HaltLevel.PAUSED)
COOLDOWN = reason(HaltCode.DRAWDOWN_HARD, HaltLevel.HALTED, until_ns=100)
LOSS = reason(HaltCode.DAILY_LOSS, HaltLevel.HALTED)
KILL = reason(HaltCode.MANUAL, HaltLevel.KILLED)


@pytest.mark.parametrize(
    ("level", "entries", "reducing", "protective", "cancels"),
    [
        (HaltLevel.NORMAL, True, True, True, True),
        (HaltLevel.DERISK, True, True, True, True),
        (HaltLevel.PAUSED, False, True, True, True),
        (HaltLevel.HALTED, False, True, True, True),
        (HaltLevel.KILLED, False, False, True, False),
    ],
)
def test_the_table_of_levels_is_that_of_operations_2_1(
    level: HaltLevel, entries: bool, reducing: bool, protective: bool, cancels: bool
) -> None:
    asked = [permits(level, act) for act in (Act.ENTRY, Act.REDUCE, Act.PROTECT, Act.CANCEL)]
    assert asked == [entries, reducing, protective, cancels]
    assert not permits(level, Act.ENTRY, kill_path=True) or entries
    assert all(permits(level, act, kill_path=True) for act in (Act.REDUCE, Act.PROTECT, Act.CANCEL))


def test_levels_are_the_numbers_of_the_flag() -> None:
    assert [level.value for level in HaltLevel] == [0, 1, 2, 3, 4]


def test_a_pause_keeps_entries_at_work_a_halt_withdraws_them_and_only_a_kill_flattens() -> None:
    assert [PERMITS[level].keeps_entries for level in HaltLevel] == [True, True, True, False, False]
    assert [PERMITS[level].flattens for level in HaltLevel] == [False, False, False, False, True]


def test_the_highest_reason_wins_and_all_are_kept() -> None:
    halt = raised(Halt(), PAUSE, KILL, LOSS)
    assert halt.level is HaltLevel.KILLED
    assert [active.code for active in halt.reasons] == ["DAILY_LOSS", "MANUAL", "OPERATOR_PAUSE"]
    assert (halt.epoch, halt.set_by) == (2, "engine")


def test_an_identical_reason_changes_nothing() -> None:
    halt = raised(Halt(), LOSS)
    assert raised(halt, LOSS, by="somebody") is halt
    assert raised(halt, reason(HaltCode.DAILY_LOSS, HaltLevel.HALTED, at_ns=9)) is halt


@pytest.mark.parametrize(("later", "until"), [(100, 100), (99, 100), (101, 101), (None, None)])
def test_a_later_trigger_extends_a_cooldown_and_never_shortens_it(later: int | None, until: int | None) -> None:
    halt = raised(raised(Halt(), COOLDOWN), reason(HaltCode.DRAWDOWN_HARD, HaltLevel.HALTED, until_ns=later, at_ns=7))
    active = halt.reason(HaltCode.DRAWDOWN_HARD)
    assert active is not None
    assert (active.until_ns, active.at_ns) == (until, 1)
    assert halt.epoch == (2 if until == 100 else 3)


def test_a_reason_is_raised_to_a_higher_level_and_never_lowered() -> None:
    high = reason(HaltCode.DESYNC, HaltLevel.KILLED, at_ns=5)
    low = reason(HaltCode.DESYNC, HaltLevel.PAUSED, until_ns=50)
    for halt in (raised(raised(Halt(), low), high), raised(raised(Halt(), high), low)):
        assert halt.reasons == (high,)


@pytest.mark.parametrize("level", [HaltLevel.NORMAL, HaltLevel.DERISK, HaltLevel.KILLED])
def test_only_levels_2_and_3_can_have_an_end(level: HaltLevel) -> None:
    with pytest.raises(InvariantBroken, match="only levels 2 and 3"):
        raised(Halt(), reason(HaltCode.MANUAL, level, until_ns=5))


def test_level_0_has_no_reasons() -> None:
    with pytest.raises(InvariantBroken, match="level 0 has no reasons"):
        raised(Halt(), reason(HaltCode.MANUAL, HaltLevel.NORMAL))


def test_the_first_of_several_ends_comes_next() -> None:
    later = reason(HaltCode.OPERATOR_PAUSE, HaltLevel.PAUSED, until_ns=200)
    halt = raised(Halt(), later, COOLDOWN)
    assert next_end_ns(halt) == 100
    assert next_end_ns(expired(halt, 100)) == 200


def test_a_timer_lifts_what_has_an_end_when_it_comes() -> None:
    halt = raised(Halt(), COOLDOWN, LOSS, KILL)
    assert next_end_ns(halt) == 100
    assert expired(halt, 99) is halt
    over = expired(halt, 100)
    assert [active.code for active in over.reasons] == ["DAILY_LOSS", "MANUAL"]
    assert (over.epoch, next_end_ns(over)) == (3, None)


def test_a_new_session_lifts_the_breakers_reasons_alone() -> None:
    """Catalogue I6: neither level 4 nor any other reason of level 3 falls with the session."""
    fatal = reason(HaltCode.RAPID_DRAWDOWN, HaltLevel.KILLED)
    desync = reason(HaltCode.DESYNC, HaltLevel.HALTED)
    halt = raised(Halt(), LOSS, fatal, desync, PAUSE, COOLDOWN, KILL)
    after = session_opened(halt)
    assert {active.code for active in halt.reasons} - {active.code for active in after.reasons} == {"DAILY_LOSS"}
    assert session_opened(after) is after


def test_resuming_a_pause_lifts_level_2_alone() -> None:
    halt = unpaused(raised(Halt(), PAUSE, LOSS), by="anna")
    assert halt.reasons == (LOSS,)
    assert halt.set_by == "anna"


def test_the_procedure_lifts_levels_3_and_4_and_eases_entries_in_for_half_an_hour() -> None:
    halt = released(raised(Halt(), PAUSE, LOSS, KILL), by="anna", at_ns=1_000)
    assert halt.reasons == (PAUSE,)
    assert (halt.epoch, halt.set_by) == (3, "anna")
    assert entry_scale(halt, 1_000 + 30 * MINUTE - 1) == Decimal("0.5")
    assert entry_scale(halt, 1_000 + 30 * MINUTE) == 1


def test_the_ladder_sets_and_lifts_level_1_and_scales_with_a_resume() -> None:
    halt = scaled(Halt(), Decimal("0.75"), at_ns=4)
    assert (halt.level, halt.epoch, entry_scale(halt, 4)) == (HaltLevel.DERISK, 2, Decimal("0.75"))
    assert scaled(halt, Decimal("0.75"), at_ns=5) is halt
    deeper = scaled(halt, Decimal("0.5"), at_ns=6)
    assert (deeper.epoch, entry_scale(released(deeper, by="x", at_ns=7), 8)) == (3, Decimal("0.25"))
    lifted = scaled(deeper, Decimal(1), at_ns=9)
    assert (lifted.level, lifted.epoch, entry_scale(lifted, 9)) == (HaltLevel.NORMAL, 4, Decimal(1))
