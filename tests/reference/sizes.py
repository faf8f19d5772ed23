"""How much an entry is, and whether it may be made: plays.md 6.8, and the stop beside liquidation of 6.7."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from reference.margin import BEFORE_LIQUIDATION, INFINITE, liquidation_price, notional, tier_of
from reference.records import Outcome
from reference.terms import ONE, ZERO, Decision, Plan, Rules, Step, down

A_LOT_IS_A_LOT = 1 + Decimal("1e-12")
"""The money for exactly n lots buys n lots, however its division by the price was rounded."""


@dataclass(frozen=True)
class Admitted:
    """An entry that may be made."""

    quantity: Decimal
    plan: Plan


def fee_rate(rules: Rules, price: Decimal) -> Decimal:
    return rules.taker + rules.per_contract / (price * rules.multiplier)


def tier_cap(rules: Rules) -> Decimal:
    """The largest notional for which the risk tiers allow this leverage."""
    allowed = [tier.notional for tier in rules.tiers if tier.leverage >= rules.leverage]
    return INFINITE if not rules.tiers else max(allowed, default=ZERO)


def caps(rules: Rules, equity: Decimal, free: Decimal, price: Decimal) -> dict[str, Decimal]:
    """Return each largest notional by its name; that of the free margin alone is never below that with fees."""
    sides = 2 if rules.include_close_fee else 1
    return {
        "equity": equity * rules.max_position * rules.leverage,
        "fees": free * rules.leverage / (1 + sides * fee_rate(rules, price) * rules.leverage),
        "margin": free * rules.leverage,
        "max_notional": INFINITE if rules.max_notional is None else rules.max_notional,
        "max_margin": INFINITE if rules.max_margin is None else rules.max_margin * rules.leverage,
        "the tier": tier_cap(rules),
    }


def cap(rules: Rules, equity: Decimal, free: Decimal, price: Decimal) -> Decimal:
    """The largest notional, whatever the model wants."""
    return min(caps(rules, equity, free, price).values())


def wanted(rules: Rules, equity: Decimal, free: Decimal, price: Decimal, stop: Decimal | None) -> Decimal | None:
    """The notional that the model asks for before any cap; None where it needs a stop and there is none."""
    if rules.model == "percent_equity":
        return free * rules.value * rules.leverage
    if rules.model == "risk_based":
        if stop is None:
            return None
        loss = stop / price + (
            2 * fee_rate(rules, price) + rules.slippage + rules.half_spread if rules.include_costs else ZERO
        )
        return equity * rules.value / loss
    if rules.model == "fixed_usdt":
        return rules.value if rules.basis == "notional" else rules.value * rules.leverage
    return rules.value * price * rules.multiplier


def note_size(rules: Rules, money: Decimal, free: Decimal, price: Decimal, asked: Decimal, out: Outcome) -> None:
    """Count which model was used, and which cap held it."""
    model = rules.model
    form = " with costs" if model == "risk_based" and rules.include_costs else ""
    if model == "fixed_usdt" and rules.basis == "notional":
        form = " as notional"
    out.note(f"6.8 {model}{form}")
    each = caps(rules, money, free, price)
    name = min(each, key=lambda one: each[one])
    out.note(f"6.8 capped by {'fees' if name == 'margin' else name}", asked > each[name])


def size(
    rules: Rules, money: Decimal, price: Decimal, stop: Decimal | None, out: Outcome | None = None,
    free: Decimal | None = None,
) -> Decimal | str:  # fmt: skip
    """Return the quantity of an entry, or why there is none; rules met are counted in `out`.

    Args:
        money: Equity of the account.
        free: What of it is no margin; None where the account is flat.
    """
    free = money if free is None else free
    if money * rules.leverage < rules.min_notional:
        return "ENTRIES_DISABLED"
    if free <= 0:
        return "INSUFFICIENT_MARGIN"
    limit = cap(rules, money, free, price)
    asked = wanted(rules, money, free, price, stop)
    if asked is None:
        return "RISK_INPUT_MISSING"
    if out is not None:
        note_size(rules, money, free, price, asked, out)
    if rules.model == "fixed_quantity":
        if asked > limit:
            return "INSUFFICIENT_MARGIN"
        limit = asked
    quantity = down(min(asked, limit) / (price * rules.multiplier) * A_LOT_IS_A_LOT, rules.lot)
    if quantity <= 0 or quantity < rules.min_quantity:
        return "BELOW_MIN_QUANTITY"
    if rules.max_quantity is not None and quantity > rules.max_quantity:
        return "QUANTITY_ABOVE_LIMIT"
    if quantity * price * rules.multiplier < rules.min_notional:
        return "BELOW_MIN_NOTIONAL"
    return quantity


def away(step: Step, stop: Decimal | None) -> Decimal | None:
    """The distance of a target, in prices; None where it counts a stop that is not there."""
    if step.rr is None:
        return step.distance
    return None if stop is None else stop * step.rr


def badly_placed(rules: Rules, side: int, price: Decimal, plan: Plan) -> str | None:
    """Why the levels of a plan cannot be, or None; a step of a ladder may lie beyond zero, and is then out of reach."""
    reaches = [away(step, plan.stop) for step in plan.targets]
    targets = [distance for distance in reaches if distance is not None]
    if len(targets) < len(reaches):
        return "RISK_INPUT_MISSING"
    stops = [] if plan.stop is None else [plan.stop]
    if any(distance < rules.tick for distance in [*stops, *targets]):
        return "STOP_TOO_CLOSE"
    below = stops if side > 0 else [] if plan.ladder else targets
    if any(distance >= price for distance in below):
        return "STOP_BEYOND_ZERO"
    return None


REFUSALS = {
    "ENTRIES_DISABLED": "6.11 starved",
    "BELOW_MIN_NOTIONAL": "6.8 below the smallest notional",
    "BELOW_MIN_QUANTITY": "6.8 below the smallest quantity",
    "LIQUIDATION_TOO_CLOSE": "6.7 liquidation too close",
    "SL_BEYOND_LIQUIDATION": "6.7 stop beyond liquidation rejected",
}
"""Reasons for a refusal that are rules to be counted."""


def admit(
    rules: Rules, money: Decimal, price: Decimal, asked: Decision, out: Outcome | None = None,
    free: Decimal | None = None,
) -> Admitted | str:  # fmt: skip
    """Judge an entry at the decision price; return it, or the reason for refusing it. See `size` for the money."""
    found = judged(rules, money, price, asked, out, free)
    if out is None:
        return found
    if isinstance(found, str):
        out.starved = out.starved or found == "ENTRIES_DISABLED"
        if found in REFUSALS:
            out.note(REFUSALS[found])
        return found
    tier = tier_of(rules, notional(rules, found.quantity, price))
    out.note("6.7 tier above the first", bool(rules.tiers) and tier != rules.tiers[0])
    out.note("6.7 stop beyond liquidation adjusted", found.plan.stop != asked.plan.stop)
    level = liquidation_price(rules, asked.side, found.quantity, price)
    if level is not None and found.plan.stop is not None and rules.on_sl_beyond_liq == "warn":
        allowed = asked.side * (price - level) * BEFORE_LIQUIDATION
        out.note("6.7 stop beyond liquidation warned of", found.plan.stop >= allowed)
    return found


def judged(
    rules: Rules, money: Decimal, price: Decimal, asked: Decision, out: Outcome | None, free: Decimal | None
) -> Admitted | str:
    """Judge an entry.

    Where a deduction of the risk tier makes liquidation depend on the size, a stop that was moved may lie behind the
    liquidation of the new size again: such an entry is refused.
    """
    plan, side = asked.plan, asked.side
    problem = badly_placed(rules, side, price, plan)
    if problem is not None:
        return problem
    quantity = size(rules, money, price, plan.stop, out, free)
    if isinstance(quantity, str):
        return quantity
    level = liquidation_price(rules, side, quantity, price)
    if level is None:
        return Admitted(quantity, plan)
    distance = side * (price - level)
    if distance < rules.min_liq_distance * price:
        return "LIQUIDATION_TOO_CLOSE"
    allowed = distance * BEFORE_LIQUIDATION
    if plan.stop is None or plan.stop < allowed or rules.on_sl_beyond_liq == "warn":
        return Admitted(quantity, plan)
    if rules.on_sl_beyond_liq == "reject":
        return "SL_BEYOND_LIQUIDATION"
    plan = replace(plan, stop=allowed)
    problem = badly_placed(rules, side, price, plan)
    quantity = size(rules, money, price, plan.stop, free=free)
    if problem is not None or isinstance(quantity, str):
        return problem or str(quantity)
    level = liquidation_price(rules, side, quantity, price)
    if level is not None and allowed > side * (price - level) * BEFORE_LIQUIDATION * A_LOT_IS_A_LOT:
        return "SL_BEYOND_LIQUIDATION"
    return Admitted(quantity, plan)


def in_steps(rules: Rules, plan: Plan, total: Decimal) -> list[tuple[Decimal, Decimal]]:
    """Return distance and quantity of each target, nearest first; the last one takes what the others left."""
    steps = sorted(((away(step, plan.stop) or ZERO, step.share) for step in plan.targets), key=lambda step: step[0])
    found, left = [], total
    for place, (distance, share) in enumerate(steps):
        last = place == len(steps) - 1
        quantity = left if last else down(total * share, rules.lot)
        if quantity > 0:
            found.append((distance, quantity))
        left -= quantity
    return found


def part_of(rules: Rules, quantity: Decimal, share: Decimal) -> Decimal:
    """The part of a position that an exit closes: in whole lots, the whole where the share is 1."""
    return quantity if share == ONE else down(quantity * share, rules.lot)
