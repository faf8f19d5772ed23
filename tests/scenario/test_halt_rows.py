"""Rows of the failure catalogue (operations.md 12) and requirements of plays.md 10 that halts alone decide.

An engine here is what is folded from its journal, the flag on its disk and its profile; it looks at its triggers after
every fact, as the account does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from evenkeel.engine.journal.memory import MemoryDisk
from evenkeel.model.errors import StorageError
from evenkeel.model.halt import PERMITS, Act, Halt, HaltCode, HaltLevel, permits
from evenkeel.model.ids import StrategyId
from evenkeel.model.time import HOUR, MINUTE, SECOND
from evenkeel.risk import guardrails as rails
from evenkeel.risk import submissions as orders
from evenkeel.risk.breaker import ORDER_NS, blocked, daily_loss
from evenkeel.risk.guardrails import Guardrails
from evenkeel.risk.halt import session_opened
from evenkeel.risk.halt_facts import HaltFacts
from evenkeel.risk.limits.profiles import profile
from evenkeel.risk.resume import PHRASE, Incident, ResumeFacts, ResumeRefused, ResumeRequest, resume
from evenkeel.risk.submissions import Submissions
from evenkeel.risk.triggers import judged
from halt_flags import COPIES, HALT, KILL, PAUSE, PLACES, SLOTS, Clock, flag_on, raising

D = Decimal
FRIDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 23)
Fact = Callable[[Guardrails], Guardrails]


class Engine:
    """One process: it folds the journal it finds, and looks at the flag before anything else."""

    def __init__(self, disk: MemoryDisk, clock: Clock, journal: list[Fact]) -> None:
        self.disk, self.clock, self.journal, self.limits = disk, clock, journal, profile("balanced")
        self.flag = flag_on(disk, clock)
        self.losses = Guardrails()
        self.submissions = Submissions()
        for fact in journal:
            self.losses = fact(self.losses)
        self.hears(rails.engine_started)

    def restarted(self) -> Engine:
        return Engine(self.disk.copy(), self.clock, list(self.journal))

    def hears(self, fact: Fact) -> None:
        self.journal.append(fact)
        self.losses = fact(self.losses)

    def reads(self, equity: str, open_pnl: str = "0") -> None:
        now_ns = self.clock()
        self.hears(lambda state: rails.equity_read(state, D(equity), D(open_pnl), known_ns=now_ns))
        self.looks()

    def opens(self, session: date, close: str) -> None:
        if self.losses.session is not None and session > self.losses.session:
            self.flag.change(session_opened)
        self.hears(lambda state: rails.session_opened(state, session, D(close)))

    def seeds(self, day: str = "0") -> None:
        self.hears(lambda state: rails.seed_told(state, D(day), D(day), D(day)))

    def looks(self, **facts: Any) -> HaltLevel:
        seen = HaltFacts(
            now_ns=self.clock(),
            rejections=orders.recent_rejections(self.submissions, self.limits.orders.rejects_over),
            submissions=orders.within_minute(self.submissions, self.clock()),
            **facts,
        ).with_losses(self.losses)
        return self.flag.change(lambda halt: judged(halt, seen, self.limits)).level

    def allows(self, act: Act) -> bool:
        if act is Act.ENTRY and blocked(self.losses, self.clock(), age_max_ns=ORDER_NS) is not None:
            return False
        return permits(self.flag.read().level, act)

    def why(self) -> set[HaltCode]:
        return {reason.code for reason in self.flag.read().reasons}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(clock: Clock) -> Engine:
    """An account of 10,000 that may lose 300 today; everything is known and nothing was lost."""
    disk = MemoryDisk()
    flag_on(disk, clock).init_account(by="anna")
    engine = Engine(disk, clock, [])
    engine.opens(FRIDAY, "10000")
    engine.seeds()
    engine.reads("10000")
    assert engine.allows(Act.ENTRY)
    return engine


def only_exits(engine: Engine) -> bool:
    return [engine.allows(act) for act in (Act.ENTRY, Act.REDUCE, Act.PROTECT, Act.CANCEL)] == [False, True, True, True]


def test_row_45_on_a_full_disk_entries_are_refused_exits_and_kill_work_and_the_slot_is_written(engine: Engine) -> None:
    engine.disk.capacity = sum(map(len, engine.disk.files.values()))
    copies = [bytes(engine.disk.files[path]) for path in COPIES]
    assert engine.looks(journal_failed=True) is HaltLevel.HALTED
    assert only_exits(engine)
    engine.flag.change(raising(KILL))
    assert engine.restarted().flag.read().level is HaltLevel.KILLED
    assert [bytes(engine.disk.files[path]) for path in COPIES] == copies
    assert all(engine.disk.files[path].strip() for path in SLOTS)


def test_row_46_on_a_read_only_disk_nothing_is_taken_for_written(clock: Clock) -> None:
    disk = MemoryDisk()
    flag_on(disk, clock).init_account(by="anna")
    disk.read_only = True
    engine = Engine(disk, clock, [])
    with pytest.raises(StorageError, match="could not be written"):
        engine.looks(journal_failed=True)
    assert engine.flag.read().level is HaltLevel.HALTED


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("deleted", [True, False])
def test_row_50_a_flag_that_is_deleted_or_corrupted_is_level_3(engine: Engine, path: str, deleted: bool) -> None:
    if deleted:
        engine.disk.remove(path)
    else:
        engine.disk.files[path][10] ^= 255
    engine.clock.forward(SECOND // 5)
    assert engine.flag.read().level is HaltLevel.HALTED
    assert engine.restarted().flag.read().level is HaltLevel.HALTED
    assert not engine.allows(Act.ENTRY)


def test_row_51_a_halt_between_check_and_send_aborts_the_send(engine: Engine) -> None:
    """plays.md H2 and C9: the flag is asked again right before the bytes leave."""
    approved_under = engine.flag.read().epoch
    flag_on(engine.disk, engine.clock).change(raising(HALT))
    assert not engine.flag.stands(approved_under)
    assert engine.flag.stands(engine.flag.read().epoch)


def test_row_66_a_daily_loss_crossed_by_an_open_result_halts_and_stops_stay(engine: Engine) -> None:
    engine.reads("9701", "-299")
    assert engine.allows(Act.ENTRY) is False
    assert engine.why() == {HaltCode.RAPID_DRAWDOWN}
    engine.reads("9700", "-300")
    assert engine.why() == {HaltCode.RAPID_DRAWDOWN, HaltCode.DAILY_LOSS}
    assert engine.losses.day == 0
    assert only_exits(engine)
    assert not PERMITS[engine.flag.read().level].keeps_entries


def test_row_67_a_restart_after_a_loss_refills_no_budget(engine: Engine) -> None:
    """The broker's closed result lags and says nothing was lost: the journal knows better."""
    engine.hears(lambda state: rails.realised(state, D(-150)))
    engine.reads("9850")
    again = engine.restarted()
    assert not again.allows(Act.ENTRY)
    again.opens(FRIDAY, "9850")
    again.seeds("0")
    again.reads("9850")
    assert (daily_loss(again.losses), again.losses.day) == (D("0.015"), D(-150))
    again.reads("9700")
    assert HaltCode.DAILY_LOSS in again.why()


@pytest.mark.parametrize(
    ("amount", "after", "just_not", "halts"),
    [("9800", "19600", "19400.01", "19400"), ("-4900", "4900", "4850.01", "4850"), ("0", "9800", "9700.01", "9700")],
)
def test_row_68_a_transfer_makes_no_false_breach_and_hides_none(
    engine: Engine, amount: str, after: str, just_not: str, halts: str
) -> None:
    """By hand: 2 % are lost of 10,000; with twice or half the money they are 2 % still, and 3 % of it halt."""
    engine.reads("9800")
    engine.hears(lambda state: rails.transferred(state, D(amount)))
    engine.reads(after)
    assert daily_loss(engine.losses) == D("0.02")
    assert engine.flag.read().level is HaltLevel.NORMAL
    engine.reads(just_not)
    assert HaltCode.DAILY_LOSS not in engine.why()
    engine.reads(halts)
    assert HaltCode.DAILY_LOSS in engine.why()


def test_row_69_a_recovery_masks_no_drawdown_and_the_trip_holds(engine: Engine) -> None:
    engine.reads("10100")
    engine.reads("9890")
    assert engine.why() == {HaltCode.RAPID_DRAWDOWN}
    for equity in ("9990", "10099", "10500"):
        engine.reads(equity)
        assert not engine.allows(Act.ENTRY)
    assert engine.restarted().flag.read().level is HaltLevel.HALTED
    engine.opens(MONDAY, "10500")
    engine.reads("10500")
    assert engine.allows(Act.ENTRY)


def test_row_70_a_failed_read_of_the_equity_blocks_entries_until_two_good_ones(engine: Engine) -> None:
    """plays.md H3: what cannot be computed fails closed; it halts nothing and leaves no latch."""
    engine.hears(rails.equity_unreadable)
    assert only_exits(engine)
    assert engine.looks() is HaltLevel.NORMAL
    engine.reads("10000")
    assert not engine.allows(Act.ENTRY)
    engine.reads("10000")
    assert engine.allows(Act.ENTRY)
    engine.clock.forward(ORDER_NS + 1)
    assert only_exits(engine)


def test_row_71_a_daily_loss_that_cannot_be_seeded_blocks_entries(engine: Engine) -> None:
    again = engine.restarted()
    again.reads("10000")
    for _ in range(rails.SEED_TRIES):
        again.hears(rails.seed_failed)
        assert only_exits(again)
    again.seeds()
    assert again.allows(Act.ENTRY)


@pytest.mark.parametrize("halt", [PAUSE, HALT])
def test_row_75_an_exit_passes_a_pause_and_a_halt(engine: Engine, halt: Any) -> None:
    engine.flag.change(raising(halt))
    assert only_exits(engine)


def test_row_77_a_margin_call_kills(engine: Engine) -> None:
    assert engine.looks(margin_called=True) is HaltLevel.KILLED
    assert [engine.allows(act) for act in Act] == [False, False, True, False]
    assert permits(engine.flag.read().level, Act.REDUCE, kill_path=True)


def test_row_83_a_reconciliation_that_fails_three_times_is_blind(engine: Engine) -> None:
    assert engine.looks(recon_failures=2) is HaltLevel.NORMAL
    assert engine.looks(recon_failures=3) is HaltLevel.HALTED
    assert engine.why() == {HaltCode.RECON_BLIND}


def test_row_96_runaway_signals_kill(engine: Engine) -> None:
    for number in range(120):
        assert engine.looks() is HaltLevel.NORMAL, number
        engine.clock.forward(MINUTE // 121)
        engine.submissions = orders.sent(engine.submissions, engine.clock())
    engine.reads("10000")
    assert engine.looks() is HaltLevel.KILLED
    assert engine.why() == {HaltCode.RUNAWAY}


def test_row_100_an_override_that_expires_pauses_and_positions_are_managed(engine: Engine) -> None:
    until_ns = engine.clock() + HOUR
    assert engine.looks(override_until_ns=until_ns) is HaltLevel.NORMAL
    engine.clock.forward(HOUR)
    assert engine.looks(override_until_ns=until_ns) is HaltLevel.PAUSED
    assert only_exits(engine)
    assert PERMITS[HaltLevel.PAUSED].keeps_entries


def test_row_103_a_year_and_a_midnight_inside_a_session_reset_nothing(engine: Engine) -> None:
    """The session of Thursday 31 December runs over midnight UTC; that of Friday is in the same week."""
    thursday, friday = date(2026, 12, 31), date(2027, 1, 1)
    engine.opens(thursday, "10000")
    engine.hears(lambda state: rails.realised(state, D(-60)))
    engine.clock.forward(6 * HOUR)
    engine.opens(thursday, "9940")
    assert (engine.losses.day, engine.losses.week, engine.losses.month) == (D(-60), D(-60), D(-60))
    engine.opens(friday, "9940")
    assert (engine.losses.day, engine.losses.week, engine.losses.month) == (D(0), D(-60), D(0))


def test_row_104_a_gap_over_night_is_judged_before_any_entry(engine: Engine) -> None:
    engine.opens(MONDAY, "10000")
    engine.reads("9650")
    assert not engine.allows(Act.ENTRY)
    assert HaltCode.DAILY_LOSS in engine.why()


def test_level_4_falls_neither_with_the_session_nor_with_a_restart_nor_with_time(engine: Engine) -> None:
    """Catalogue I6: only the procedure lifts it, and only when its checks pass."""
    engine.looks(unhandled="KeyError")
    for _ in range(3):
        engine = engine.restarted()
        engine.opens(MONDAY, "10000")
        engine.clock.forward(100 * HOUR)
        engine.seeds()
        engine.reads("10000")
        assert engine.flag.read().level is HaltLevel.KILLED
    seen = engine.flag.read()
    asked = ResumeRequest(
        phrase=PHRASE, operator="anna", reason="fixed", epoch=seen.epoch, at_ns=engine.clock(), live=False
    )
    sound = ResumeFacts(
        halt=HaltFacts(now_ns=engine.clock(), dvs=D(1), eqs=D(1)), broker_reachable=True, unknown_orders=0,
        clean_cycles=1, journal_verified=True, clock_ok=True, unprotected=0,
        incident=Incident(owner="anna", cause="a bug", at_ns=engine.clock()),
    )  # fmt: skip

    def released(halt: Halt) -> Halt:
        answer = resume(halt, asked, sound, profile("balanced"))
        return halt if isinstance(answer, ResumeRefused) else answer

    assert engine.flag.change(released).level is HaltLevel.NORMAL
    assert engine.restarted().flag.read().level is HaltLevel.NORMAL


def test_h5_a_drawdown_halts_after_a_restart_with_the_peak_of_before(engine: Engine) -> None:
    """plays.md H5: the highest equity survives restarts and sessions, and its drawdown kills."""
    engine.reads("11000")
    again = engine.restarted()
    again.opens(MONDAY, "10400")
    again.seeds()
    again.reads("10400")
    assert again.why() == {HaltCode.DRAWDOWN_HARD}
    later = again.restarted()
    later.opens(date(2026, 11, 24), "9950")
    later.reads("9900")
    assert later.flag.read().level is HaltLevel.KILLED
    assert HaltCode.MAX_DRAWDOWN in later.why()


def test_p1_one_tracker_says_the_same_to_limits_locks_and_triggers(engine: Engine) -> None:
    for _ in range(3):
        engine.hears(lambda state: rails.realised(state, D(-50)))
        engine.hears(lambda state: rails.trade_closed(state, StrategyId("s"), D(-50), known_ns=7))
    engine.reads("9850")
    facts = HaltFacts(now_ns=engine.clock()).with_losses(engine.losses)
    assert facts.daily_amount == -engine.losses.day == D(150)
    assert (engine.losses.losses_in_row, engine.losses.last_loss_ns) == (3, 7)
    assert engine.losses.strategies[StrategyId("s")].quarantined
