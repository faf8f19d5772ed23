"""Each trigger of a halt is wired: told from outside only, an account comes to where it alone halts, and without it
nothing does.

No story here calls a condition or names a fact. The stories are run twice: as the table of triggers is, and with the
trigger taken out of it; the second time its reason must not be there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal as D

import pytest

from account_desk import COIN, OTHER, PRICE, RIVAL, AccountDesk
from evenkeel.model.event import Operated, Operation, SessionBegan
from evenkeel.model.halt import Halt, HaltCode, HaltLevel, HaltReason, HaltSource
from evenkeel.model.ids import ClientId
from evenkeel.model.order import OrderState
from evenkeel.model.reason import Reason
from evenkeel.model.report import Executed, OrderReported, Outcome
from evenkeel.model.time import SECOND
from evenkeel.model.told import (
    AlertUndelivered,
    BypassStopped,
    Channel,
    FaultEscaped,
    FlagTold,
    Link,
    LinkChanged,
    MarginCalled,
    Overridden,
    QualityTold,
    QueueMeasured,
    SessionOpened,
    StorageTold,
    Store,
    WatchdogSeen,
)
from evenkeel.model.truth import Position
from evenkeel.risk import triggers
from evenkeel.risk.trigger_sources import SOURCES, UNTOLD, WAITING
from evenkeel.risk.triggers import TRIGGERS

Story = Callable[[], AccountDesk]
STORIES: dict[HaltCode, tuple[Story, set[HaltCode]]] = {}
NO_LADDER = {
    "losses__soft_drawdown": None, "losses__medium_drawdown": None, "losses__intraday_drawdown": None,
    "losses__drawdown": None,
}  # fmt: skip
NO_DAY = {"losses__daily": None, "losses__daily_fraction": None}


def story(code: HaltCode, *beside: HaltCode) -> Callable[[Story], Story]:
    """Add a story at whose end a trigger has raised its reason; others stand beside it of their own."""

    def add(tell: Story) -> Story:
        STORIES[code] = (tell, set(beside))
        return tell

    return add


def ready(**limits: object) -> AccountDesk:
    """Return an account that trades."""
    desk = AccountDesk(**limits)  # type: ignore[arg-type]
    desk.ready()
    return desk


def entered(desk: AccountDesk) -> ClientId:
    """Let a strategy send an entry."""
    verdict = desk.enter()
    assert verdict.reason is Reason.OK
    return verdict.client_id


def holding(desk: AccountDesk) -> AccountDesk:
    """Let a strategy hold a position with its protection."""
    desk.fill(entered(desk))
    return desk


@story(HaltCode.DAILY_LOSS)
def a_day_that_lost_what_it_may() -> AccountDesk:
    desk = ready()
    desk.worth("979")
    return desk


@story(HaltCode.RAPID_DRAWDOWN)
def a_fall_from_the_peak_of_the_session() -> AccountDesk:
    desk = ready(losses__daily=None, **NO_LADDER)
    desk.worth("930")
    return desk


@story(HaltCode.DRAWDOWN_HARD, HaltCode.DERISK)
def a_fall_to_the_last_rung() -> AccountDesk:
    desk = ready(**{**NO_LADDER, **NO_DAY, "losses__intraday_drawdown": D("0.05")})
    desk.worth("949")
    return desk


@story(HaltCode.MAX_DRAWDOWN)
def a_fall_from_the_highest_equity() -> AccountDesk:
    desk = ready(**{**NO_LADDER, **NO_DAY, "losses__drawdown": D("0.05")})
    desk.worth("949")
    return desk


@story(HaltCode.CONSTITUTION)
def a_fill_at_a_price_that_makes_the_position_too_large() -> AccountDesk:
    desk = ready()
    entry = entered(desk)
    desk.accept(entry)
    desk.report(entry, OrderState.FILLED, D("0.002"), D(26_000))
    return desk


@story(HaltCode.INVARIANT, HaltCode.OPERATOR_FLATTEN)
def a_position_that_nothing_closes() -> AccountDesk:
    desk = holding(ready())
    desk.tell(Operated, operation=Operation.FLATTEN, by="a person")
    desk.wait(1)
    for order in list(desk.account.supervisor.book.open.values()):
        desk.accept(order.client_id)
    desk.wait(61)
    return desk


@story(HaltCode.UNPROTECTED)
def a_stop_that_is_not_answered() -> AccountDesk:
    desk = ready()
    entry = entered(desk)
    desk.accept(entry)
    desk.report(entry, OrderState.FILLED, D("0.002"))
    desk.wait(6)
    return desk


@story(HaltCode.NOT_FLAT)
def a_position_at_the_close() -> AccountDesk:
    desk = ready(market__flatten_before_close_s=30)
    desk.tell(SessionOpened, session=date(2023, 11, 15), close=D(1000), closes_ns=desk.now + 90 * SECOND)
    holding(desk)
    desk.wait(61)
    for order in list(desk.account.supervisor.book.open.values()):
        desk.accept(order.client_id)
    assert desk.account.halt.reasons == ()
    desk.wait(30)
    return desk


@story(HaltCode.MARGIN_CALL)
def a_margin_call() -> AccountDesk:
    desk = ready()
    desk.tell(MarginCalled, text="top up")
    return desk


@story(HaltCode.DESYNC)
def a_fill_of_what_was_rejected() -> AccountDesk:
    desk = ready()
    entry = entered(desk)
    desk.resolve(entry, Outcome.REFUSED)
    desk.report(entry, OrderState.FILLED, D("0.002"))
    return desk


@story(HaltCode.DESYNC_UNEXPLAINED)
def the_venue_says_the_other_side() -> AccountDesk:
    desk = holding(ready(operation__mismatches=None))
    desk.told_otherwise = {"positions": {COIN: Position(quantity=D("-0.002"))}}
    desk.wait(330)
    return desk


@story(HaltCode.UNEXPECTED_POSITION)
def a_person_opens_a_position() -> AccountDesk:
    desk = ready()
    by_hand = Executed(
        event_ns=desk.now, known_ns=desk.now, instrument=COIN, execution_id="x9", client_id=ClientId("by-hand"),
        venue_id="v9", quantity=D("0.003"), price=PRICE,
    )  # fmt: skip
    desk.told_otherwise = {"executions": (by_hand,), "positions": {COIN: Position(quantity=D("0.003"))}}
    desk.wait(310)
    return desk


@story(HaltCode.RECON_MISMATCH)
def the_venue_differs_again_and_again() -> AccountDesk:
    desk = ready()
    desk.told_otherwise = {"positions": {COIN: Position(quantity=D("0.003"))}}
    desk.wait(1_300)
    return desk


@story(HaltCode.RECON_BLIND)
def the_venue_answers_nothing() -> AccountDesk:
    desk = ready()
    desk.answers = False
    desk.wait(240)
    return desk


@story(HaltCode.DUPLICATE_ENGINE)
def an_order_with_our_name_that_we_did_not_send() -> AccountDesk:
    desk = ready()
    order = OrderReported(
        event_ns=desk.now, known_ns=desk.now, instrument=COIN, client_id=ClientId("kle-other"), venue_id="v77",
        state=OrderState.WORKING, quantity=D("0.001"), price=D(15_000),
    )  # fmt: skip
    desk.told_otherwise = {"orders": (order,)}
    desk.wait(130)
    return desk


@story(HaltCode.OVERFILL)
def a_fill_of_more_than_was_asked_for() -> AccountDesk:
    desk = ready(exposure__max_position_notional=None)
    entry = entered(desk)
    desk.accept(entry)
    for number, quantity in enumerate((D("0.002"), D("0.001"))):
        desk.tell(
            Executed, COIN, execution_id=f"e{number}", client_id=entry, venue_id=f"v-{entry}", quantity=quantity,
            price=PRICE,
        )  # fmt: skip
    return desk


@story(HaltCode.ORDER_UNKNOWN)
def an_order_of_which_nobody_hears() -> AccountDesk:
    desk = ready()
    desk.resolve(entered(desk), Outcome.UNKNOWN)
    desk.wait(61)
    return desk


@story(HaltCode.DVS_KILL)
def data_that_cannot_be_trusted() -> AccountDesk:
    desk = ready()
    desk.tell(QualityTold, desk.instruments[0], dvs=D("0.29"), eqs=D(1))
    return desk


@story(HaltCode.EQS_KILL)
def execution_that_cannot_be_trusted() -> AccountDesk:
    desk = ready()
    desk.tell(QualityTold, desk.instruments[0], dvs=D(1), eqs=D("0.29"))
    return desk


@story(HaltCode.QUEUE_STALE)
def a_bar_that_waits() -> AccountDesk:
    desk = ready()
    desk.tell(QueueMeasured, since_ns=desk.now, bar_ns=5 * SECOND)
    desk.wait(11)
    return desk


@story(HaltCode.HIGH_REJECTIONS)
def five_orders_of_twenty_are_rejected() -> AccountDesk:
    desk = ready(pace__signal_cooldown_s=None)
    for _ in range(5):
        desk.resolve(entered(desk), Outcome.REFUSED)
        desk.minute()
    return desk


@story(HaltCode.RUNAWAY)
def more_orders_than_any_strategy_should_send() -> AccountDesk:
    desk = ready(pace__runaway_per_minute=2)
    holding(desk)
    return desk


@story(HaltCode.CONNECTION_LOST)
def the_link_is_down_with_a_position() -> AccountDesk:
    desk = holding(ready())
    desk.tell(LinkChanged, channel=Channel.ORDERS, link=Link.DOWN)
    desk.wait(11)
    return desk


@story(HaltCode.CONNECTION_LOST_FLAT)
def the_link_is_down() -> AccountDesk:
    desk = ready()
    desk.tell(LinkChanged, channel=Channel.ORDERS, link=Link.DOWN)
    desk.wait(59)
    assert desk.account.halt.reasons == ()
    desk.wait(2)
    return desk


@story(HaltCode.RECONNECTS_EXHAUSTED)
def nothing_connects_any_more() -> AccountDesk:
    desk = ready()
    desk.tell(LinkChanged, channel=Channel.ORDERS, link=Link.EXHAUSTED)
    return desk


@story(HaltCode.UNHANDLED)
def a_fault_in_the_loop() -> AccountDesk:
    desk = ready()
    desk.tell(FaultEscaped, text="division by zero")
    return desk


@story(HaltCode.GATEWAY_BYPASS)
def an_order_without_approval() -> AccountDesk:
    desk = ready()
    desk.tell(BypassStopped, client_id=ClientId("x"), text="no approval")
    return desk


@story(HaltCode.WATCHDOG_MISSING)
def a_watchdog_that_is_gone() -> AccountDesk:
    desk = ready()
    desk.tell(WatchdogSeen)
    desk.wait(31)
    return desk


@story(HaltCode.ALERTS_DOWN)
def an_alert_that_reaches_nobody() -> AccountDesk:
    desk = ready()
    desk.tell(AlertUndelivered, text="killed")
    desk.wait(61)
    return desk


@story(HaltCode.ALERTS_DOWN_LONG, HaltCode.ALERTS_DOWN)
def an_alert_that_reaches_nobody_for_minutes() -> AccountDesk:
    desk = ready()
    desk.tell(AlertUndelivered, text="killed")
    desk.wait(301)
    return desk


@story(HaltCode.OVERRIDE_EXPIRED)
def a_permission_that_ends() -> AccountDesk:
    desk = ready()
    desk.tell(Overridden, what="margin", until_ns=desk.now + 5 * SECOND, by="a person")
    desk.wait(6)
    return desk


@story(HaltCode.STATE_UNSAVEABLE)
def a_state_that_cannot_be_saved() -> AccountDesk:
    desk = ready()
    for _ in range(3):
        desk.tell(StorageTold, store=Store.STATE, ok=False, text="no space left")
    return desk


@story(HaltCode.JOURNAL_FAILED)
def a_journal_that_takes_nothing() -> AccountDesk:
    desk = ready()
    desk.tell(StorageTold, store=Store.JOURNAL, ok=False, text="no space left")
    return desk


def standing(desk: AccountDesk) -> set[HaltCode]:
    return {reason.code for reason in desk.account.halt.reasons}


def test_every_trigger_has_a_story_or_is_named_as_waiting() -> None:
    assert {trigger.code for trigger in TRIGGERS} == STORIES.keys() | WAITING.keys()
    assert not STORIES.keys() & WAITING.keys()
    assert UNTOLD.keys() <= STORIES.keys()
    assert set(SOURCES) == {trigger.code for trigger in TRIGGERS}


@pytest.mark.parametrize("code", STORIES)
def test_a_trigger_halts_alone(code: HaltCode) -> None:
    tell, beside = STORIES[code]
    desk = tell()

    assert standing(desk) == {code} | beside
    (trigger,) = [trigger for trigger in TRIGGERS if trigger.code is code]
    reason = desk.account.halt.reason(code)
    assert reason is not None
    assert reason.level is trigger.level
    assert desk.enter(RIVAL, OTHER).approved == 0


@pytest.mark.parametrize("code", STORIES)
def test_without_the_trigger_nothing_halts(code: HaltCode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triggers, "TRIGGERS", tuple(trigger for trigger in TRIGGERS if trigger.code is not code))
    tell, beside = STORIES[code]

    assert standing(tell()) == beside


@pytest.mark.parametrize(
    ("operation", "code", "level"),
    [
        (Operation.PAUSE, HaltCode.OPERATOR_PAUSE, HaltLevel.PAUSED),
        (Operation.FLATTEN, HaltCode.OPERATOR_FLATTEN, HaltLevel.PAUSED),
        (Operation.HALT, HaltCode.OPERATOR_HALT, HaltLevel.HALTED),
        (Operation.KILL, HaltCode.MANUAL, HaltLevel.KILLED),
    ],
)
def test_an_operator_halts(operation: Operation, code: HaltCode, level: HaltLevel) -> None:
    desk = ready()
    desk.tell(Operated, operation=operation, by="a person")

    assert standing(desk) == {code}
    assert desk.account.halt.level is level


def test_the_ladder_is_climbed_and_left_with_hysteresis() -> None:
    steps = {
        "soft_drawdown": D("0.03"),
        "medium_drawdown": D("0.04"),
        "soft_scale": D("0.75"),
        "medium_scale": D("0.55"),
    }
    desk = ready(**{**NO_LADDER, **NO_DAY, **{f"losses__{name}": value for name, value in steps.items()}})

    def scale() -> D | None:
        derisk = desk.account.halt.reason(HaltCode.DERISK)
        return None if derisk is None else derisk.value

    scales = []
    for equity in ("971", "970", "960", "961", "963", "971", "973"):
        desk.worth(equity)
        scales.append(scale())
    assert scales == [None, D("0.75"), D("0.55"), D("0.55"), D("0.75"), D("0.75"), None]


def test_a_new_session_lifts_the_breaker_and_never_level_4() -> None:
    desk = a_day_that_lost_what_it_may()
    desk.tell(SessionOpened, session=date(2023, 11, 14), close=D(979))
    assert standing(desk) == {HaltCode.DAILY_LOSS}
    desk.tell(SessionOpened, session=date(2023, 11, 13), close=D(979))
    assert standing(desk) == {HaltCode.DAILY_LOSS}
    desk.tell(Operated, operation=Operation.KILL, by="a person")
    desk.tell(SessionOpened, session=date(2023, 11, 15), close=D(979))
    assert standing(desk) == {HaltCode.MANUAL}


def test_the_start_of_a_process_takes_no_loss_back() -> None:
    desk = a_day_that_lost_what_it_may()
    desk.tell(SessionBegan, halt=desk.account.halt)
    desk.tell(SessionOpened, session=date(2023, 11, 14), close=D(979))
    desk.worth("979")

    assert desk.account.rails.guardrails.close == 1000
    assert standing(desk) == {HaltCode.DAILY_LOSS}


def paused(epoch: int, code: HaltCode = HaltCode.OPERATOR_PAUSE) -> Halt:
    reason = HaltReason(code=code, level=HaltLevel.PAUSED, source=HaltSource.OPERATOR, at_ns=1)
    return Halt(reasons=(reason,), epoch=epoch, set_by="another process")


@pytest.mark.parametrize("told", [SessionBegan, FlagTold])
@pytest.mark.parametrize("ahead", [-1, 0, 1])
def test_a_flag_of_any_age_is_never_dropped(told: type[SessionBegan | FlagTold], ahead: int) -> None:
    desk = ready()
    desk.tell(Operated, operation=Operation.HALT, by="a person")
    before = desk.account.halt
    desk.tell(told, halt=paused(before.epoch + ahead))

    newer = ahead > 0
    assert standing(desk) == {HaltCode.OPERATOR_PAUSE} | (set() if newer else {HaltCode.OPERATOR_HALT})
    assert desk.account.halt.epoch == before.epoch + 1


def test_a_flag_that_says_the_same_changes_nothing() -> None:
    desk = ready()
    desk.tell(Operated, operation=Operation.HALT, by="a person")
    before = desk.account.halt
    desk.tell(FlagTold, halt=before)

    assert desk.account.halt == before
