"""What may change of an account between two sessions, and what may not while it holds something (ruling 44).

Code and parameters of a strategy may: orders, trades and books go on, with the stops and targets that they have; the
strategy begins without what the other one remembered, and the account starts paused. What an open position is counted
or named by may not.
"""

from __future__ import annotations

from collections.abc import Iterator

from evenkeel.engine.account.account import Account
from evenkeel.engine.account.desk import DeskId
from evenkeel.engine.account.manifest import AccountManifest
from evenkeel.engine.account.our_side import UNMANAGED
from evenkeel.model.errors import UsageError
from evenkeel.model.ids import InstrumentId


def check_upgrade(before: AccountManifest, after: AccountManifest, account: Account) -> None:
    """Refuse a session that cannot take over what the one before left.

    Args:
        before: Of the last session.
        after: Of the one that is to begin.
        account: Made by `after`, with the journal of `before` folded into it.

    Raises:
        UsageError: With every reason, and what to do.
    """
    problems = [*_another_run(before, after), *_left_behind(after, account), *_recounted(before, after, account)]
    if problems:
        raise UsageError(
            "the account cannot be taken over: " + "; ".join(problems) + ". Nothing was changed",
            reason="UPGRADE_REFUSED",
        )


def _another_run(before: AccountManifest, after: AccountManifest) -> Iterator[str]:
    for name in ("run", "mode", "currency", "start"):
        was, now = getattr(before, name), getattr(after, name)
        if was != now:
            yield (
                f"its journal belongs to {name} {was}, and {name} {now} was asked for (start {before.run} again, or "
                "choose another folder)"
            )


def _left_behind(after: AccountManifest, account: Account) -> Iterator[str]:
    """Name what is held or at work for a strategy that does not trade any more."""
    for identity in sorted(_busy(account) - set(after.hashes)):
        yield (
            f"{identity.strategy} holds {_held(account, identity)} of {identity.instrument} or has orders there, and "
            "is not among the strategies (start with it and close what it holds first)"
        )


def _recounted(before: AccountManifest, after: AccountManifest, account: Account) -> Iterator[str]:
    """Name held instruments whose units mean another amount of money now."""
    for instrument in sorted({identity.instrument for identity in _busy(account)}):
        was, now = before.instruments.get(instrument), after.instruments.get(instrument)
        if was is None or now is None:
            continue
        for name in ("multiplier", "quote"):
            if getattr(was, name) != getattr(now, name):
                yield (
                    f"the {name} of {instrument} was {getattr(was, name)} when its position was opened and is "
                    f"{getattr(now, name)} now (close it under the definition that it was opened under)"
                )


def _busy(account: Account) -> set[DeskId]:
    """Return the desks that hold something or have orders at work; what nobody manages needs none."""
    held = {
        DeskId(*owner)
        for owner, holding in account.books.holdings.items()
        if holding.quantity and owner.strategy not in UNMANAGED
    }
    traded = {DeskId(key.strategy, key.instrument) for key in account.supervisor.brackets}
    orders = {DeskId(order.strategy, order.instrument) for order in account.supervisor.book.open.values()}
    return held | traded | orders


def _held(account: Account, identity: DeskId) -> str:
    instrument: InstrumentId = identity.instrument
    quantity = sum(
        holding.quantity
        for owner, holding in account.books.holdings.items()
        if (owner.strategy, owner.instrument) == (identity.strategy, instrument)
    )
    return f"{quantity}"
