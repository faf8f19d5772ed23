"""What an account hears, what it concludes, and the step that is both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from evenkeel.engine.account.desk import DeskId
from evenkeel.engine.account.rails import Resumed, ResumeDenied
from evenkeel.engine.account.recon_record import Reconciled
from evenkeel.engine.account.startup import StepTaken
from evenkeel.execution.supervisor.supervisor import CloseTrade
from evenkeel.model.command import AmendOrder, AskVenue, CancelOrder, Command, LookUpOrder, PlaceOrder, VenueCommand
from evenkeel.model.decision import Decision
from evenkeel.model.event import (
    BarsClosed,
    BarsSettled,
    BaseClosed,
    Operated,
    PriceTold,
    SessionBegan,
    SideTold,
    TimePassed,
)
from evenkeel.model.halt import Halt
from evenkeel.model.market_told import MarketEvent
from evenkeel.model.report import VenueEvent
from evenkeel.model.told import ToldEvent
from evenkeel.model.truth import DifferenceAccepted, TruthTold
from evenkeel.risk.gates.judged import Judged

VENUE_COMMANDS = (PlaceOrder, AmendOrder, CancelOrder, LookUpOrder, AskVenue)


class HaltChanged(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="halt_changed", tag_field="type"):
    """What stops the account is another now.

    Attributes:
        halt: All of it.
    """

    halt: Halt


class OfDesk(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="of_desk", tag_field="type"):
    """What the core of a desk concluded or wished.

    Attributes:
        desk: Which.
        what: The decision, or the command as the core gives it to its venue.
    """

    desk: DeskId
    what: Decision | Command


AccountEvent: TypeAlias = (
    BarsClosed
    | BaseClosed
    | BarsSettled
    | SideTold
    | PriceTold
    | TimePassed
    | SessionBegan
    | Operated
    | VenueEvent
    | ToldEvent
    | MarketEvent
    | TruthTold
    | DifferenceAccepted
)
Entry: TypeAlias = (
    OfDesk | HaltChanged | Resumed | ResumeDenied | Judged | CloseTrade | Reconciled | StepTaken | VenueCommand
)


@dataclass(frozen=True, slots=True)
class AccountStep:
    """What one event led to.

    Attributes:
        event: The fact.
        entries: Decisions and commands, in the order in which they were concluded and folded.
    """

    event: AccountEvent
    entries: tuple[Entry, ...]

    @property
    def commands(self) -> tuple[VenueCommand, ...]:
        """What is to be carried out, in order."""
        return tuple(entry for entry in self.entries if isinstance(entry, VENUE_COMMANDS))
