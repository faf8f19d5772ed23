"""What an order does to a position is computed (operations.md 1.2)."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenkeel.model.reason import Reason
from evenkeel.risk.classify import Classified, Effect, Working, classify, reducing
from evenkeel.risk.gates.request import Purpose

EXITS = (Purpose.REDUCE, Purpose.CLOSE, Purpose.PROTECT_STOP, Purpose.PROTECT_TARGET, Purpose.REPLACE)

quantities = st.decimals(-1000, 1000, places=4).filter(bool)
workings = st.lists(
    st.builds(Working, quantity=st.decimals(-500, 500, places=4), group=st.sampled_from(["", "", "a", "b"])), max_size=5
)


def work(*legs: str) -> list[Working]:
    """Return orders written as `quantity` or `quantity group`."""
    return [Working(quantity=D(leg.split()[0]), group=[*leg.split(), ""][1]) for leg in legs]


@pytest.mark.parametrize(
    ("purpose", "quantity", "position", "working", "group", "effect", "left", "reason"),
    [
        (Purpose.REDUCE, "-4", "10", (), "", "reducing", "-4", "OK"),
        (Purpose.REDUCE, "4", "-10", (), "", "reducing", "4", "OK"),
        (Purpose.CLOSE, "-10", "10", (), "", "reducing", "-10", "OK"),
        (Purpose.REDUCE, "-10.1", "10", (), "", "reducing", "-10", "OK"),
        (Purpose.REDUCE, "-10.1001", "10", (), "", "refused", "0", "EXIT_EXCEEDS_POSITION"),
        (Purpose.CLOSE, "-25", "10", (), "", "reducing", "-10", "EXIT_EXCEEDS_POSITION"),
        (Purpose.REDUCE, "-7", "10", ("-4",), "", "refused", "0", "EXIT_EXCEEDS_POSITION"),
        (Purpose.REDUCE, "-6", "10", ("-4",), "", "reducing", "-6", "OK"),
        (Purpose.CLOSE, "-10", "10", ("-4", "9"), "", "reducing", "-6", "EXIT_EXCEEDS_POSITION"),
        (Purpose.CLOSE, "-10", "10", ("-10",), "", "refused", "0", "EXIT_EXCEEDS_POSITION"),
        (Purpose.PROTECT_TARGET, "-10", "10", ("-10 g",), "g", "reducing", "-10", "OK"),
        (Purpose.REDUCE, "-4", "10", ("-6 g", "-5 g"), "", "reducing", "-4", "OK"),
        (Purpose.REDUCE, "-5", "10", ("-6 g", "-5 g"), "", "refused", "0", "EXIT_EXCEEDS_POSITION"),
        (Purpose.PROTECT_STOP, "-8", "10", ("-6 g", "-2"), "g", "reducing", "-8", "OK"),
        (Purpose.CLOSE, "-1", "0", (), "", "refused", "0", "NO_POSITION_TO_EXIT"),
        (Purpose.CLOSE, "-0.0049", "0.0049", (), "", "reducing", "-0.0049", "OK"),
        (Purpose.CLOSE, "-0.005", "0.004975", (), "", "reducing", "-0.004975", "OK"),
    ],
)  # fmt: skip
def test_row_74_an_oversized_exit_is_cut_or_refused_and_never_flips(
    purpose: Purpose, quantity: str, position: str, working: tuple[str, ...], group: str, effect: str, left: str,
    reason: str,
) -> None:  # fmt: skip
    """Figures by hand; row 89: a rest of rounding is cut to what is held."""
    found = classify(purpose, D(quantity), D(position), work(*working), group=group)

    assert found == Classified(effect=Effect(effect), quantity=D(left), reason=Reason[reason])


@pytest.mark.parametrize("purpose", EXITS)
def test_row_76_a_fake_exit_is_an_entry_and_is_flagged(purpose: Purpose) -> None:
    found = classify(purpose, D(1), D(10), ())

    assert (found.effect, found.fake_exit, found.reason) == (Effect.INCREASING, True, Reason.FAKE_EXIT)


@pytest.mark.parametrize("unknown", [(None, ()), (D(1), None)])
def test_with_an_unknown_position_only_a_close_that_the_venue_guards_passes(
    unknown: tuple[D | None, tuple[Working, ...] | None],
) -> None:
    for purpose in EXITS:
        found = classify(purpose, D(-1), *unknown)
        assert (found.effect, found.reason) == (Effect.REFUSED, Reason.POSITION_UNKNOWN)
    guarded = [classify(purpose, D(-1), *unknown, closes_at_venue=True).effect for purpose in EXITS]
    assert guarded == [Effect.REDUCING if purpose is Purpose.CLOSE else Effect.REFUSED for purpose in EXITS]


def test_what_is_called_an_entry_stays_one() -> None:
    assert classify(Purpose.ENTRY, D(-4), D(10), ()) == Classified(effect=Effect.INCREASING, quantity=D(-4))


@given(st.sampled_from(EXITS), quantities, quantities, workings, st.sampled_from(["", "a", "b"]))
def test_a_reducing_order_never_flips_the_sign_with_all_that_works_beside_it(
    purpose: Purpose, quantity: D, position: D, working: list[Working], group: str
) -> None:
    """The worst that can fill: this order or a sibling of it, every lone order, the largest leg of each group."""
    found = classify(purpose, quantity, position, working, group=group)
    if found.effect is not Effect.REDUCING:
        return

    siblings = [abs(order.quantity) for order in working if group and order.group == group and opposes(order, position)]
    worst = max([abs(found.quantity), *siblings])
    beside = [order for order in working if not (group and order.group == group)]
    if abs(found.quantity) == worst:
        assert worst + reducing(position, beside) <= abs(position)
    assert opposes(Working(quantity=found.quantity), position)
    assert abs(found.quantity) <= abs(quantity)


def opposes(order: Working, position: D) -> bool:
    return order.quantity * position < 0


@given(st.sampled_from(EXITS), quantities, quantities, workings, quantities)
def test_more_orders_at_work_never_leave_more_room(
    purpose: Purpose, quantity: D, position: D, working: list[Working], more: D
) -> None:
    before = classify(purpose, quantity, position, working)
    after = classify(purpose, quantity, position, [*working, Working(quantity=more)])

    assert after.fake_exit == before.fake_exit
    if not before.fake_exit:
        assert abs(after.quantity) <= abs(before.quantity)
