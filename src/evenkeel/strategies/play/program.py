"""A play as a strategy: its rows and its one decide kernel behind the interface that every strategy has."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np

from evenkeel.features.timeline import Program
from evenkeel.kernel import NODE_SIGNATURE, compiled
from evenkeel.model.bar import Floats
from evenkeel.model.instrument import Instrument
from evenkeel.model.intent import Abstain, Direction, Enter, Intent, Leave, Notes, OrderKind, TimeInForce
from evenkeel.model.number import to_decimal
from evenkeel.model.reason import REASONS
from evenkeel.strategies.decision import SLOTS, Action, EntryKind, Slot
from evenkeel.strategies.play.decide import play_decide
from evenkeel.strategies.play.lower import fixed_trail, lower
from evenkeel.strategies.play.play import Play
from evenkeel.strategies.play.risk import Ladder, RewardRisk, TargetRule, Trail
from evenkeel.strategies.play.sizing import FixedMoney, FixedQuantity, PercentEquity, RiskBased, Sizing
from evenkeel.strategies.play.trace import TracedRule
from evenkeel.strategies.strategy import DecideKernel, View
from evenkeel.strategies.terms import (
    AccountTerms,
    EvenTerms,
    LadderStep,
    OrderTerms,
    SizingTerms,
    Terms,
    TrailTerms,
)

_KINDS = {"MARKET": EntryKind.MARKET, "LIMIT": EntryKind.LIMIT}
_ORDER_KINDS = {int(EntryKind.MARKET): OrderKind.MARKET, int(EntryKind.LIMIT): OrderKind.LIMIT}
_BPS = Decimal(10_000)
_NEVER = float(1 << 40)

_POSITION, _ENTRY_PRICE, _BARS_HELD, _SINCE_ENTRY = (
    int(slot) for slot in (Slot.POSITION, Slot.ENTRY_PRICE, Slot.BARS_HELD, Slot.SINCE_ENTRY)
)
_ACTION, _DIRECTION, _KIND, _SIGNAL, _REASON, _FRACTION = (
    int(slot) for slot in (Slot.ACTION, Slot.DIRECTION, Slot.KIND, Slot.SIGNAL, Slot.REASON, Slot.FRACTION)
)
_PRICE, _STOP_DISTANCE, _TARGET_DISTANCE, _TRAIL_DISTANCE = (
    int(slot) for slot in (Slot.PRICE, Slot.STOP_DISTANCE, Slot.TARGET_DISTANCE, Slot.TRAIL_DISTANCE)
)
"""Plain integers: an array takes three times as long to be asked by a member of an enumeration."""


class PlayStrategy:
    """A loaded play that can decide.

    Args:
        play: As `load_play` returns it.
    """

    kind = "play"

    def __init__(self, play: Play) -> None:
        self.play = play
        self.name: str = play.id
        self.hash: str = play.hash
        self.instrument: Instrument = play.instrument
        self.resolved: Mapping[str, Any] = play.resolved
        self.lines: Mapping[str, int] = play.lines
        self.terms = play_terms(play)
        lowered = lower(play)
        self.program: Program = replace(lowered.program, match=play.backtest.match)
        self.wake_flat: int = lowered.wake_flat
        self.wake_hold: int = lowered.wake_hold
        self._words = tuple(emitted.words for emitted in lowered.emitted)
        self._notes = tuple(emitted.notes for emitted in lowered.emitted)
        self.takes_notes = any(self._notes)
        self.kernel: DecideKernel | None = DecideKernel(
            node=play_decide,
            params=(
                float(_KINDS[play.entry.order_type]), play.entry.limit_offset_fraction,
                float(play.risk.stop is not None), float(has_target(play)), float(fixed_trail(play) is not None),
                float(lowered.age is not None),
                *(number for emitted in lowered.emitted for number in (float(emitted.wish), emitted.fraction)),
            ),
            rows=(
                lowered.close, *lowered.distances, lowered.close if lowered.age is None else lowered.age,
                *(emitted.row for emitted in lowered.emitted),
            ),
        )  # fmt: skip
        self._params = np.array(self.kernel.params)
        self._rows = np.array(self.kernel.rows, dtype=np.int64)
        self._slots = np.zeros(SLOTS)
        self._decide = compiled(play_decide.kernel, NODE_SIGNATURE)

    def decide(self, view: View) -> Intent:
        """Answer a wake with the kernel that the research lane calls."""
        slots = self._slots
        slots[_POSITION], slots[_ENTRY_PRICE] = view.position, view.entry_price
        slots[_BARS_HELD] = view.bars_held
        slots[_SINCE_ENTRY] = _NEVER if view.since_entry is None else view.since_entry
        self._decide(self._params, slots, view.x, self._rows, view.column, view.column + 1)
        said = slots.tolist()
        action, signal = int(said[_ACTION]), int(said[_SIGNAL])
        if action == Action.ENTER:
            return self._enter(said, self.signal_text(signal), self.notes(signal, view.x, view.column))
        return (
            Leave(reason=self.signal_text(signal), fraction=to_decimal(said[_FRACTION]))
            if action == Action.EXIT
            else Abstain(reason=REASONS[int(said[_REASON])])
        )

    def _enter(self, said: Sequence[float], words: str, notes: Notes) -> Enter:
        order = self.terms.order
        return Enter(
            direction=Direction.LONG if said[_DIRECTION] > 0 else Direction.SHORT,
            kind=_ORDER_KINDS[int(said[_KIND])],
            price=_present(said[_PRICE]),
            time_in_force=order.time_in_force,
            expire_bars=order.expire_bars,
            stop_distance=_present(said[_STOP_DISTANCE]),
            target_distance=_present(said[_TARGET_DISTANCE]),
            trail_distance=_present(said[_TRAIL_DISTANCE]),
            reason=words,
            notes=notes,
        )

    def notes(self, signal: int, x: Floats, column: int) -> Notes:
        """Return the metadata of a rule, read at a column of the execution graph."""
        return {note.name: note.read(x, column) for note in self._notes[signal]} if signal >= 0 else {}

    def signal_text(self, signal: int) -> str:
        """Return which rule of the play a number stands for."""
        return self._words[signal] if signal >= 0 else ""

    def rules(self) -> tuple[TracedRule, ...]:
        """Return every rule with the rows of `program` in which its conditions were computed, for explanations."""
        return lower(self.play, trace=True).rules

    def checkpoint(self) -> dict[str, Any]:
        """A play remembers nothing of its own."""
        return {}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Nothing to restore."""
        del saved


def play_terms(play: Play) -> Terms:
    """Return the terms of a play."""
    account, risk, even = play.account, play.risk, play.risk.break_even
    return Terms(
        account=AccountTerms(
            currency=account.currency, start_equity=account.starting_equity,
            taker=account.taker_bps / _BPS, maker=account.maker_bps / _BPS, per_contract=account.fee_per_contract,
            slippage=account.slippage_bps / _BPS, max_drawdown=account.max_drawdown_fraction,
            stop_equity=account.stop_equity, min_notional=account.min_trade_notional,
            max_notional=account.max_notional, max_position=account.max_position_equity_fraction,
            include_close_fee=account.include_close_fee, margin=account.margin, rules=account.rules,
            impact=account.impact,
            half_spread=account.half_spread_bps / _BPS, latency_ms=account.latency_ms, queue=account.queue,
            max_volume_fraction=account.max_volume_fraction, trigger_source=account.trigger_source,
            funding=account.funding, funding_rate=account.funding_rate,
        ),
        sizing=_sizing_terms(play.sizing, play.leverage),
        order=OrderTerms(
            time_in_force=TimeInForce(play.entry.time_in_force),
            expire_bars=_decisions(play, play.entry.expire_after_bars),
            target_is_limit=play.risk.tp_order_type == "Limit", stop_is_limit=play.risk.sl_order_type == "Limit",
            trade_through=account.require_trade_through,
            target_ratio=to_decimal(risk.target.ratio) if isinstance(risk.target, RewardRisk) else None,
            ladder=_ladder_terms(risk.target), trail=_trail_terms(risk.trail),
            break_even=None if even is None else EvenTerms(
                activation=to_decimal(even.activation_fraction), offset=to_decimal(even.offset_fraction)
            ),
        ),
    )  # fmt: skip


def _decisions(play: Play, bars: int) -> int:
    """Return how many decisions fall into so many execution bars: one a minute where decisions are within bars."""
    return bars * play.intervals.exec.minutes if play.evaluate == "intrabar" else bars


def has_target(play: Play) -> bool:
    """Whether an entry needs the distance of a target; a ladder's steps follow from the stop and the price."""
    return play.risk.target is not None and not isinstance(play.risk.target, Ladder)


def _ladder_terms(target: TargetRule | None) -> tuple[LadderStep, ...]:
    if not isinstance(target, Ladder):
        return ()
    return tuple(
        LadderStep(ratio=_exact(step.ratio), fraction=_exact(step.fraction), share=to_decimal(step.share))
        for step in target.steps
    )


def _trail_terms(trail: Trail | None) -> TrailTerms | None:
    if trail is None:
        return None
    return TrailTerms(activation=to_decimal(trail.activation_fraction), fraction=_exact(trail.fraction))


def _exact(value: float | None) -> Decimal | None:
    return None if value is None else to_decimal(value)


def _sizing_terms(sizing: Sizing, leverage: Decimal) -> SizingTerms:
    match sizing:
        case PercentEquity(fraction):
            return SizingTerms(model="percent_equity", value=fraction, max_leverage=leverage)
        case RiskBased(fraction, include_costs):
            return SizingTerms(model="risk_based", value=fraction, include_costs=include_costs, max_leverage=leverage)
        case FixedMoney(amount, basis):
            return SizingTerms(model="fixed_usdt", value=amount, basis=basis, max_leverage=leverage)
        case FixedQuantity(quantity):
            return SizingTerms(model="fixed_quantity", value=quantity, max_leverage=leverage)


def _present(value: float) -> Decimal | None:
    return None if math.isnan(value) else to_decimal(value)
