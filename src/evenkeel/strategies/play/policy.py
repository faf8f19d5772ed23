"""What actions, exit mode, stops and the instrument must have in common for a play to make sense."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from evenkeel.model.instrument import Instrument
from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.problems import Path
from evenkeel.strategies.play.schema import EntrySection, PolicySection
from evenkeel.strategies.play.vocabulary import ENTRY_ACTIONS, EXIT_ACTIONS

_SIDES = {"long_only": ("long",), "short_only": ("short",), "long_short": ("long", "short")}


class Protection(msgspec.Struct, frozen=True):
    """Whether the play declares a stop and a target, be they right or refused."""

    stop: bool
    target: bool


def check_policy(
    policy: PolicySection, wanted: Sequence[tuple[str, Path]], protection: Protection, log: ProblemLog
) -> None:
    """Hold the actions to the policy and the exit mode to what ends positions.

    Args:
        policy: `position_policy` of the play.
        wanted: Every action that some case wants, with its place.
        protection: Which protection the play declares.
        log: Takes the problems.
    """
    sides = _SIDES[policy.mode]
    _check_sides(policy, wanted, sides, log)
    exits = [(action, path) for action, path in wanted if action in EXIT_ACTIONS]
    place: Path = ("position_policy", "exit_mode")
    if policy.exit_mode == "sl_tp_only":
        _check_protection(protection, place, log)
        for action, path in exits:
            remedy = "set `position_policy.exit_mode: first_hit`, or remove the action"
            log.error(path, f"{action} is refused: exit_mode sl_tp_only ends positions by stop and target only", remedy)
    elif policy.exit_mode == "signal" and not exits:
        log.error(place, "exit_mode signal needs an exit action", "add exit_long, exit_short or exit_all to `actions`")
    elif not exits and not protection.stop and not protection.target:
        log.error(place, "nothing ever ends a position", "add a stop, a target or an exit action")
    if policy.exit_mode != "sl_tp_only" and exits and not (protection.stop or protection.target):
        _warn_of_missing_exits({action for action, _ in exits}, sides, log)


def _check_protection(protection: Protection, place: Path, log: ProblemLog) -> None:
    missing = [word for word, there in (("stop", protection.stop), ("target", protection.target)) if not there]
    if missing:
        message = f"exit_mode sl_tp_only needs a stop and a target; there is no {' and no '.join(missing)}"
        example = "`risk: { stop_loss_pct: 2, take_profit_pct: 4 }`"
        log.error(place, message, f"add {example}, or set `position_policy: {{ exit_mode: first_hit }}`")


def _check_sides(
    policy: PolicySection, wanted: Sequence[tuple[str, Path]], sides: tuple[str, ...], log: ProblemLog
) -> None:
    for action, path in wanted:
        side = action.removeprefix("entry_").removeprefix("exit_")
        if side in ("all", *sides):
            continue
        if action in ENTRY_ACTIONS:
            log.error(path, f"{action} can never happen: the mode is {policy.mode}", "set `position_policy.mode`")
        else:
            log.warn(path, f"{action} never happens: the mode is {policy.mode}", "remove it, or set another mode")
    entries = {action for action, _ in wanted if action in ENTRY_ACTIONS}
    if wanted and not entries:
        log.warn(("actions",), "no action ever opens a position", "add entry_long or entry_short", key=True)
    for side in sides if len(sides) > 1 else ():
        if entries and f"entry_{side}" not in entries:
            message = f"the mode is long_short, but no action opens a {side}"
            log.warn(("position_policy", "mode"), message, "add it, or set another mode")


def _warn_of_missing_exits(exits: set[str], sides: tuple[str, ...], log: ProblemLog) -> None:
    for side in sides:
        if not exits & {"exit_all", f"exit_{side}"}:
            message = f"nothing ever ends a {side} position"
            log.warn(("position_policy", "exit_mode"), message, f"add exit_{side}, a stop or a target")


def check_shorting(policy: PolicySection, instrument: Instrument, log: ProblemLog) -> None:
    """Refuse shorts of an instrument that cannot be sold short."""
    if policy.mode != "long_only" and not instrument.shortable:
        message = f"{instrument.id} is {instrument.kind.value} and cannot be sold short"
        log.error(("position_policy", "mode"), message, "set mode long_only, or trade an instrument that can")


def check_entry(entry: EntrySection, log: ProblemLog) -> None:
    """Refuse settings that the order type would ignore."""
    market = entry.order_type == "MARKET"
    if market and entry.limit_offset_pct:
        log.error(("entry", "limit_offset_pct"), "a MARKET entry has no limit", "set `order_type: LIMIT`", key=True)
    if market and entry.time_in_force == "PostOnly":
        log.error(("entry", "time_in_force"), "a MARKET entry cannot be PostOnly", "set `order_type: LIMIT`")
    if entry.expire_after_bars and (market or entry.time_in_force not in ("GTC", "PostOnly")):
        message = "only a LIMIT entry with GTC or PostOnly can expire"
        log.error(("entry", "expire_after_bars"), message, "remove it, or set `order_type: LIMIT`", key=True)
