"""What an account lost and how far it fell: its guardrails, folded from the broker's words and from its own fills."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from evenkeel.execution.supervisor.bracket import Bracket
from evenkeel.model.event import Event, SessionBegan
from evenkeel.model.ids import StrategyId
from evenkeel.model.told import EquityTold, EquityUnread, SeedFailed, SeedTold, SessionOpened, Transferred
from evenkeel.risk import guardrails
from evenkeel.risk.guardrails import Guardrails


class SavedLosses(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The losses of an account as they are stored.

    Attributes:
        rails: Its guardrails.
        trades: What each open trade has realised so far, after fees, by strategy, instrument and number.
    """

    rails: Guardrails = Guardrails()
    trades: dict[str, Decimal] = {}


class Losses:
    """Follows the losses of an account.

    Attributes:
        state: Changed by folding only.
    """

    def __init__(self) -> None:
        self.state = SavedLosses()

    @property
    def rails(self) -> Guardrails:
        """The guardrails of the account."""
        return self.state.rails

    def saved(self) -> SavedLosses:
        """Return all of it, as it is stored."""
        return self.state

    def restore(self, saved: bytes) -> None:
        """Take over what was stored."""
        self.state = msgspec.msgpack.decode(saved, type=SavedLosses)

    def fold(self, event: Event) -> None:
        """Fold what the broker told; most events change nothing here."""
        match event:
            case SessionBegan():
                self._change(guardrails.engine_started(self.rails))
            case SessionOpened():
                self._change(guardrails.session_opened(self.rails, event.session, event.close))
            case EquityTold():
                read = guardrails.equity_read(self.rails, event.equity, event.open_pnl, known_ns=event.known_ns)
                self._change(read)
            case EquityUnread():
                self._change(guardrails.equity_unreadable(self.rails))
            case Transferred():
                self._change(guardrails.transferred(self.rails, event.amount))
            case SeedTold():
                self._change(guardrails.seed_told(self.rails, event.day, event.week, event.month))
            case SeedFailed():
                self._change(guardrails.seed_failed(self.rails))
            case _:
                pass

    def filled(self, trade: Bracket, net: Decimal, now_ns: int) -> None:
        """Fold what a fill of a trade realised, after its fee; a trade that holds nothing any more is over.

        Args:
            trade: After the fill.
            net: Realised, less the fee.
            now_ns: The time.
        """
        key, rails = f"{trade.instrument} {trade.strategy} {trade.trade}", self.rails
        before = self.state.trades.get(key)
        if before is None and trade.held:
            rails, before = guardrails.entry_opened(rails), Decimal(0)
        rails = guardrails.realised(rails, net)
        trades = {name: made for name, made in self.state.trades.items() if name != key}
        if before is not None and trade.held:
            trades[key] = before + net
        elif before is not None:
            rails = guardrails.trade_closed(rails, StrategyId(trade.strategy), before + net, known_ns=now_ns)
        self.state = SavedLosses(rails=rails, trades=trades)

    def _change(self, rails: Guardrails) -> None:
        self.state = msgspec.structs.replace(self.state, rails=rails)
