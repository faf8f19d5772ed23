"""A change between two plays, and in which direction it moves what it changes."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Effect(StrEnum):
    """What a change does to how often a rule fires, as far as it can be proved from the words of the play."""

    MORE = "fires at least as often"
    FEWER = "fires at most as often"
    OTHER = "changed"

    def flipped(self) -> Effect:
        """Return the effect under a `not`."""
        return {Effect.MORE: Effect.FEWER, Effect.FEWER: Effect.MORE}.get(self, Effect.OTHER)


class Change(msgspec.Struct, frozen=True):
    """One thing that is not as it was.

    Attributes:
        part: `rules`, `features`, `risk`, `costs`, `account`, `timing` or another section of the play.
        where: Which rule, feature or key.
        text: What was and what is, in words.
        effect: For rules: what it does to how often the rule fires. None for everything else.
    """

    part: str
    where: str
    text: str
    effect: Effect | None = None

    def line(self) -> str:
        """Return the change as one line."""
        if self.effect is None:
            return f"{self.where}: {self.text}"
        return f"{self.where}: {self.text}: {self.effect.value}"
