"""What a play puts at risk with its start equity, sized by the gates of a run: for `validate --explain` and `diff`.

Sizes come from `EntryGates`, the gates of every run, on an instrument whose lot is so small that rounding does not
show: a run rounds quantities down, so it risks what is said here or a little less. A price that jumps over a stop
costs more than any figure here; a stop is a market order, not a promise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

import msgspec
import numpy as np

from evenkeel.model.instrument import Instrument, InstrumentKind
from evenkeel.model.intent import Direction, Enter
from evenkeel.model.number import to_decimal
from evenkeel.risk.gates.entry import EntryGates, Sized
from evenkeel.risk.liquidation import liquidation_price
from evenkeel.risk.tiers import margin_rates, tier_table
from evenkeel.strategies.play.exposure import (
    Distance,
    Exposure,
    Loss,
    Target,
    leverage_of,
    stop_distance,
    target_distances,
    worked_price,
)
from evenkeel.strategies.play.play import Play
from evenkeel.strategies.play.program import play_terms
from evenkeel.strategies.terms import Terms

FINEST = Decimal("0.00000001")
"""Lot and tick of the instrument on which figures are worked."""

HALVINGS = 40
"""Halvings of the search for the longest stop distance that the gates let pass."""

SHORTEST = 1e-6
"""The shortest stop distance looked at, as a fraction of the price: there the caps alone decide the size."""


def worst_case(play: Play) -> Exposure:
    """Return what an entry of the play puts at risk, and the most that any entry can."""
    return _Work(play).exposure()


class _Work:
    """One play at one price.

    Attributes:
        price: At the decision.
        leverage: Of a position.
    """

    def __init__(self, play: Play) -> None:
        self._play = play
        self._terms: Terms = play_terms(play)
        self._multiplier = float(play.instrument.multiplier)
        self._gates = EntryGates(self._terms, _finely(play.instrument))
        self._sign = -1 if play.policy.mode == "short_only" else 1
        self.price = worked_price(play.resolved)
        self.leverage = leverage_of(play.resolved)

    def exposure(self) -> Exposure:
        risk, account = self._play.resolved["risk_model"], self._terms.account
        stop = stop_distance(risk.get("stop_loss"), self.price, self.leverage)
        targets = target_distances(risk.get("take_profit"), self.price, self.leverage, stop)
        notional, placed, refusal = self._sized(stop.worked if stop else None, self._sign)
        largest_loss, bounded_by = self._largest_loss(stop)
        timeframes = self._play.resolved["timeframes"]
        return Exposure(
            price=self.price,
            equity=float(account.start_equity),
            leverage=self.leverage,
            stop=stop,
            targets=targets,
            refusal=refusal,
            notional=notional,
            quantity=notional / (self.price * self._multiplier),
            loss=self._loss(notional, placed, self._sign) if stop and notional else None,
            gain=self._gain(notional, targets) if targets and notional else None,
            round_trip=self._loss(notional, 0.0, self._sign).total,
            liquidations=self._liquidations(notional) if notional else {},
            largest_notional=self._over_distances(stop, lambda size, *_: size),
            largest_loss=largest_loss,
            bounded_by=bounded_by,
            drawdown_stop=float(account.start_equity * account.max_drawdown) if account.max_drawdown < 1 else None,
            entries_per_bar=int(timeframes.get("max_entries_per_bar", 1)),
            orders_per_entry=1 + (stop is not None) + len(targets),
        )

    def _sized(self, distance: float | None, sign: int) -> tuple[float, float, str]:
        """Return the notional of an entry with that stop and where a gate puts the stop, or 0 and why it is refused."""
        wish = Enter(
            direction=Direction.LONG if sign > 0 else Direction.SHORT,
            stop_distance=None if distance is None else to_decimal(distance),
        )
        answer = self._gates.judge(wish, equity=self._terms.account.start_equity, price=self.price)
        if isinstance(answer, Sized):
            placed = 0.0 if answer.stop_distance is None else float(answer.stop_distance)
            return float(answer.quantity) * self.price * self._multiplier, placed, ""
        return 0.0, distance or 0.0, answer.text

    def _liquidations(self, notional: float) -> dict[int, float]:
        """Return side to the price at which the worked entry would be liquidated; a side where it would not is not."""
        margin = self._terms.account.margin
        if not margin.liquidates:
            return {}
        instrument = self._play.instrument
        maintenance, deduction = margin_rates.py_func(
            np.array(tier_table(instrument)), 0, len(instrument.risk_tiers), notional, float(margin.maintenance),
            float(margin.deduction),
        )  # fmt: skip
        rate = maintenance + float(self._terms.account.taker)
        levels = {
            sign: liquidation_price.py_func(
                sign, notional / self.price, self.price, self.leverage, rate, deduction, 0.0
            )
            for sign in self._sides()
        }
        return {sign: level for sign, level in levels.items() if math.isfinite(level)}

    def _loss(self, notional: float, distance: float, sign: int, *, impact: float = 0.0) -> Loss:
        """Return what a position costs that is closed at its stop, counted as the simulated venue counts.

        The fill of a market entry and of the stop slips; the stop stands as far from the fill as it was asked for.

        Args:
            notional: Of the position at the decision.
            distance: From the fill to the stop.
            sign: +1 long, -1 short.
            impact: Slippage on top of the ordinary, as a fraction of the price.
        """
        account, quantity = self._terms.account, notional / (self.price * self._multiplier)
        worth = quantity * self._multiplier
        slip = float(account.slippage + account.half_spread) + impact
        resting = self._play.entry.order_type == "LIMIT"
        entry = self.price * (1.0 + (0.0 if resting else sign * slip))
        level = max(0.0, entry - sign * distance)
        leave = level * (1.0 - sign * slip)
        never_takes = resting and self._play.entry.time_in_force == "PostOnly"
        rate = float(account.maker if never_takes else account.taker)
        fees = worth * (entry * rate + leave * float(account.taker)) + 2.0 * quantity * float(account.per_contract)
        slippage = worth * (abs(entry - self.price) + abs(level - leave))
        return Loss(move=worth * abs(entry - level), fees=fees, slippage=slippage)

    def _gain(self, notional: float, targets: tuple[Target, ...]) -> float:
        """Return what the worked entry earns when every target is reached, its costs taken off."""
        account, quantity = self._terms.account, notional / (self.price * self._multiplier)
        worth = quantity * self._multiplier
        rests = self._terms.order.target_is_limit
        slip, rate = (0.0, account.maker) if rests else (float(account.slippage + account.half_spread), account.taker)
        earned = 0.0
        for target in targets:
            level = max(0.0, self.price + self._sign * target.distance.worked)
            leave = level * (1.0 - self._sign * slip)
            fee = leave * float(rate) + float(account.per_contract) / self._multiplier
            earned += target.share * worth * (self._sign * (leave - self.price) - fee)
        half = self._loss(notional, 0.0, self._sign).total / 2.0
        return earned - half

    def _sides(self) -> tuple[int, ...]:
        return {"long_only": (1,), "short_only": (-1,)}.get(self._play.policy.mode, (1, -1))

    def _over_distances(self, stop: Distance | None, measure: Callable[[float, float, int], float]) -> float:
        """Return the largest value of a measure over the stop distances that play and gates allow, on either side.

        Sizes by risk shrink as the distance grows, all others stay; so what an entry holds is largest at the shortest
        distance, and what it loses is largest at the longest or where the size begins to shrink.
        """
        largest = 0.0
        for sign in self._sides():
            for distance in self._distances(stop, sign):
                notional, placed, _ = self._sized(distance, sign)
                largest = max(largest, measure(notional, placed, sign))
        return largest

    def _distances(self, stop: Distance | None, sign: int) -> list[float | None]:
        if stop is None:
            return [None]
        if stop.longest is not None and not stop.assumption:
            return [stop.longest]
        shortest = self.price * SHORTEST
        longest = min(self.price * (1 - SHORTEST), self.price if stop.longest is None else stop.longest)
        longest = self._longest_allowed(shortest, longest, sign)
        return [shortest, longest, min(max(self._kink(shortest), shortest), longest)]

    def _longest_allowed(self, shortest: float, longest: float, sign: int) -> float:
        """Return the longest distance that the gates let pass: a stop behind the liquidation price may be refused."""
        if self._sized(longest, sign)[0] or not self._sized(shortest, sign)[0]:
            return longest
        passes, fails = shortest, longest
        for _ in range(HALVINGS):
            middle = (passes + fails) / 2.0
            passes, fails = (middle, fails) if self._sized(middle, sign)[0] else (passes, middle)
        return passes

    def _kink(self, shortest: float) -> float:
        """Return the distance up to which the caps, and from which the risk decides the size; for sizes by risk."""
        sizing, account = self._terms.sizing, self._terms.account
        cap, _, _ = self._sized(shortest, self._sides()[0])
        if sizing.model != "risk_based" or cap == 0.0:
            return shortest
        share = float(account.start_equity * sizing.value) / cap
        if sizing.include_costs:
            per_contract = float(account.per_contract) / (self.price * self._multiplier)
            share -= 2.0 * (float(account.taker) + per_contract) + float(account.slippage + account.half_spread)
        return self.price * share

    def _largest_loss(self, stop: Distance | None) -> tuple[float | None, str]:
        """Return the most that an entry can lose at its stop, and what bounds it."""
        is_risk_based = self._terms.sizing.model == "risk_based"
        at_stop = None
        if stop is not None and (stop.longest is not None or is_risk_based):
            impact = self._impact()
            at_stop = self._over_distances(
                stop, lambda size, distance, sign: self._loss(size, distance, sign, impact=impact).total
            )
        margin = self._margin_loss(stop)
        if at_stop is not None and (margin is None or at_stop <= margin[0]):
            return at_stop, "stop"
        return margin or (None, "nothing")

    def _margin_loss(self, stop: Distance | None) -> tuple[float, str] | None:
        """Return what a position loses whose stop does not help: its margin where there is one, else all its worth."""
        largest = self._over_distances(stop, lambda size, *_: size)
        fee = largest * float(self._terms.account.taker)
        is_margined = self._play.instrument.kind is InstrumentKind.PERPETUAL
        if is_margined and (self.leverage > 1 or -1 in self._sides()):
            return largest / self.leverage + fee, "margin"
        if self._sides() == (1,) and self.leverage <= 1:
            return self._loss(largest, math.inf, 1, impact=self._impact()).total, "position"
        return None

    def _impact(self) -> float:
        """Return the most that the size of an order moves its own price, as a fraction."""
        impact = self._terms.account.impact
        return 0.0 if impact.mode == "disabled" else float(impact.largest)


def _finely(instrument: Instrument) -> Instrument:
    """Return the instrument with a lot and a tick that round nothing away."""
    return msgspec.structs.replace(
        instrument, lot_size=FINEST, min_quantity=FINEST, max_quantity=None, tick_size=FINEST
    )
