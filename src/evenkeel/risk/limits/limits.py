"""All limits of an account in one record: made valid or not at all, tightened by a strategy, never loosened by one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import msgspec

from evenkeel.model.errors import UsageError, require
from evenkeel.risk.limits.market import Market, Prices
from evenkeel.risk.limits.money import Losses, Margin
from evenkeel.risk.limits.operation import Operation, Orders
from evenkeel.risk.limits.rule import Group, Rule, Value, rules
from evenkeel.risk.limits.size import Exposure, Pace, Trade

RESEARCH_NAME = "research"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Every threshold of an account.

    Attributes:
        name: Of the profile or file it comes from.
        market: When and on what data a position may be opened.
        prices: How far from the market an order may be.
        exposure: How large.
        pace: How often.
        trade: What one trade may lose and cost.
        losses: What all of them may lose.
        margin: What may be borrowed.
        operation: What the engine must be sure of.
        orders: Times in the life of an order.
    """

    name: str
    market: Market = Market()
    prices: Prices = Prices()
    exposure: Exposure = Exposure()
    pace: Pace = Pace()
    trade: Trade = Trade()
    losses: Losses = Losses()
    margin: Margin = Margin()
    operation: Operation = Operation()
    orders: Orders = Orders()

    def __post_init__(self) -> None:
        for names in ORDERED:
            values = [(name, self.value(name)) for name in names]
            known = [(name, value) for name, value in values if value is not None]
            for (low_name, low), (high_name, high) in itertools.pairwise(known):
                require(
                    low <= high, f"the limit {low_name} must not be above {high_name}; change one of them",
                    **{low_name.replace(".", "_"): str(low), high_name.replace(".", "_"): str(high)},
                )  # fmt: skip

    def value(self, name: str) -> Any:
        """Return the value of a limit by its dotted name, such as `losses.daily`."""
        group, _, field = name.partition(".")
        return getattr(getattr(self, group), field)

    def values(self) -> Iterator[tuple[str, Rule, Value]]:
        """Yield each limit with its dotted name and its rule, in the order in which they are declared."""
        for name, rule in all_rules().items():
            yield name, rule, self.value(name)

    def replaced(self, values: Mapping[str, Value], *, name: str | None = None) -> Limits:
        """Return these limits with other values.

        Args:
            values: By dotted name.
            name: Of the new record.

        Raises:
            UsageError: If a name is not known or a value does not lie in its range.
        """
        unknown = [key for key in values if key not in all_rules()]
        require(not unknown, "there is no such limit; docs/reference/gates.md lists all", names=unknown)
        groups: dict[str, Any] = {}
        for group in GROUPS:
            own = {key.partition(".")[2]: value for key, value in values.items() if key.partition(".")[0] == group}
            if own:
                groups[group] = msgspec.structs.replace(getattr(self, group), **own)
        return msgspec.structs.replace(self, name=self.name if name is None else name, **groups)


GROUPS: dict[str, type[Group]] = {
    "market": Market, "prices": Prices, "exposure": Exposure, "pace": Pace, "trade": Trade, "losses": Losses,
    "margin": Margin, "operation": Operation, "orders": Orders,
}  # fmt: skip

DAILY = ("losses.daily", "losses.daily_fraction")

ORDERED = (
    ("exposure.position_size", "exposure.max_position_size"),
    ("market.dvs_kill", "market.dvs_hold", "market.dvs_entry"),
    ("market.eqs_kill", "market.eqs_hold", "market.eqs_entry"),
    ("trade.least_stop_ticks", "trade.stop_ticks"),
    ("prices.collar", "prices.leg_collar"),
    ("operation.clock_warn_ms", "operation.clock_block_ms"),
    ("margin.leverage", "margin.hard_leverage"),
    ("orders.stop_sent_s", "orders.stop_working_s"),
    ("orders.rejects_warn", "orders.rejects_halt"),
)
"""Limits that must not fall in this order, where both are set."""


@cache
def all_rules() -> Mapping[str, Rule]:
    """Return the rule of every limit by its dotted name."""
    return {f"{group}.{name}": rule for group, kind in GROUPS.items() for name, rule in rules(kind).items()}


def tightened(limits: Limits, own: Mapping[str, Value]) -> Limits:
    """Return limits that allow no more than both: a strategy may only tighten.

    Args:
        limits: Of the account.
        own: The strategy's, by dotted name; None is no wish.

    Raises:
        UsageError: If a name is not known or a value does not lie in its range.
    """
    limits.replaced(own)
    known = all_rules()
    return limits.replaced({name: known[name].stricter(limits.value(name), value) for name, value in own.items()})


def looser(limits: Limits, own: Mapping[str, Value]) -> tuple[str, ...]:
    """Return the names of what a strategy would allow more of than the account does; it has no effect."""
    stricter = tightened(limits, own)
    single = {name: value for name, value in own.items() if value is not None and not isinstance(value, tuple)}
    return tuple(name for name, value in single.items() if stricter.value(name) != value)


def differences(one: Limits, other: Limits) -> tuple[str, ...]:
    """Return a sentence for each limit in which two records differ."""
    return tuple(
        f"{name} is {_shown(value)} in {one.name} and {_shown(other.value(name))} in {other.name}"
        for name, _, value in one.values()
        if value != other.value(name)
    )


def agreed(one: Limits, other: Limits) -> Limits:
    """Return the limits that two loaded files agree on.

    Raises:
        UsageError: If they differ: nobody can know which of them is meant.
    """
    found = differences(one, other)
    if found:
        raise UsageError(
            f"two files of limits disagree: {'; '.join(found)}; keep one of them", reason="LIMITS_DISAGREE"
        )
    return one


def admitted(limits: Limits | None, *, mode: str) -> Limits | None:
    """Return the limits if a mode may run with them.

    Args:
        limits: Of the profile; None where none was chosen.
        mode: `backtest`, `replay`, `observe`, `paper`, `demo` or `live`.

    Raises:
        UsageError: If orders would go to a venue without a profile that limits them.
    """
    if mode in ("demo", "live") and (limits is None or limits.name == RESEARCH_NAME):
        chosen = "no profile is set" if limits is None else f"the profile is `{RESEARCH_NAME}`"
        raise UsageError(
            f"mode {mode} needs limits, and {chosen}; choose conservative, balanced, aggressive, perp_small, "
            "micro_futures or a file of your own",
            reason="NO_LIMITS",
        )
    if mode in ("demo", "live") and limits is not None and not any(limits.value(name) for name in DAILY):
        raise UsageError(
            f"mode {mode} needs a limit of the daily loss, and {limits.name} has none; set {' or '.join(DAILY)}",
            reason="NO_LIMITS",
        )
    return limits


def _shown(value: Value) -> str:
    if isinstance(value, tuple):
        return "(" + ", ".join(str(item) for item in value) + ")"
    return "not set" if value is None else str(value)
