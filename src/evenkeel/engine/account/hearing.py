"""What the supervisor heard, carried over to books, losses and the cores of the strategies."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from evenkeel.engine.account import watching
from evenkeel.engine.account.desk import Desk, DeskEvent, DeskId
from evenkeel.execution.books import Owner
from evenkeel.execution.findings import Strayed
from evenkeel.execution.supervisor.supervisor import Heard, TradeKey
from evenkeel.model.ids import InstrumentId

if TYPE_CHECKING:
    from evenkeel.engine.account.account import Account


def fold_heard(account: Account, heard: Heard) -> None:
    """Carry what the supervisor heard over to the books and the cores."""
    account.findings += heard.findings
    for key, counted in heard.fills:
        owner = Owner(key.strategy, key.instrument)
        gross = account.books.fill(owner, counted.quantity, counted.value, counted.fee, counted.order.sign)
        watching.note_fill(account, key, counted, gross)
        desk = account.desks.get(DeskId(key.strategy, key.instrument))
        if desk is None or not counted.quantity:
            continue
        note(account, desk, desk.hear_fill(account.supervisor.brackets[key], counted, gross, account.now_ns))
    for key, stray in heard.strayed:
        _fold_stray(account, key, stray)
    for instrument in dict.fromkeys(key.instrument for key, _ in heard.fills):
        account.reconciling.move(instrument, account.now_ns)
    for order, _ in heard.moved:
        account.rails.moved(order)
        desk = account.desks.get(DeskId(order.strategy, order.instrument))
        if desk is not None:
            note(account, desk, desk.hear_move(order, account.now_ns))


def _fold_stray(account: Account, key: TradeKey, stray: Strayed) -> None:
    """Book what changed hands under an order that cannot have done it, to the strategy whose order it was."""
    if account.books.knows(stray.instrument):
        fold_change(account, key, stray.instrument, stray.quantity, stray.value / stray.quantity, stray.fee)


def fold_change(
    account: Account, key: TradeKey, instrument: InstrumentId, quantity: Decimal, price: Decimal, fee: Decimal
) -> None:  # fmt: skip
    """Book units of a trade that changed hands by no order of its own, and tell the core that holds it."""
    side = 1 if quantity > 0 else -1
    gross = account.books.fill(Owner(key.strategy, instrument), quantity, abs(quantity) * price, fee, side)
    desk = account.desks.get(DeskId(key.strategy, instrument))
    if desk is not None and instrument == key.instrument:
        note(account, desk, desk.hear_change(key.trade, quantity, price, fee, gross, account.now_ns))


def note(account: Account, desk: Desk, event: DeskEvent | None) -> None:
    """Remember what a core heard, for it to decide on."""
    if event is not None:
        account.heard.append((desk, event))
