"""An account of a world: the real one, with somebody who hears each event before and each step after it."""

from __future__ import annotations

from typing import Protocol

from evenkeel.engine.account.account import Account
from evenkeel.engine.account.entry import AccountEvent, AccountStep


class Listener(Protocol):
    """Who hears what an account does."""

    def before(self, account: Account, event: AccountEvent) -> None:
        """Hear an event that is about to be folded."""

    def after(self, step: AccountStep) -> None:
        """Hear what it led to."""


class Overheard(Account):
    """An account that is listened to.

    Attributes:
        listener: Who does; None: nobody.
    """

    listener: Listener | None = None

    def apply(self, event: AccountEvent) -> AccountStep:
        """Fold a fact, decide, fold what was decided, and return all of it."""
        if self.listener is not None:
            self.listener.before(self, event)
        step = super().apply(event)
        if self.listener is not None:
            self.listener.after(step)
        return step
