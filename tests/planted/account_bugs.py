"""Bugs of the account's core, and where the simulated world finds each of them.

`python -m planted.account_hunt [NAME]` looks for the first seed that finds a bug.
"""

from __future__ import annotations

from dataclasses import dataclass

ORDERS = "evenkeel/execution/orders.py"
LIFE = "evenkeel/execution/order_life.py"
PLAN = "evenkeel/execution/supervisor/plan.py"
BRACKET = "evenkeel/execution/supervisor/bracket.py"
SUPERVISOR = "evenkeel/execution/supervisor/supervisor.py"
BOOKS = "evenkeel/execution/books.py"
FOLDING = "evenkeel/engine/account/folding.py"
DESK = "evenkeel/engine/account/desk.py"
SESSION = "evenkeel/engine/account/session.py"
JOURNAL = "evenkeel/engine/journal/opening.py"
CLASSIFY = "evenkeel/risk/classify.py"
HALT = "evenkeel/risk/halt.py"
PROCESS = "evenkeel/engine/simulation/process.py"


RARE = (
    "a cancel that was refused counts as done", "the halt epoch is ignored at the border",
    "a late fill after a cancel is dropped", "the life of an entry is forgotten on restart",
    "Unknown is marked as Rejected", "an order at work that is quiet is never looked up",
    "after a time-out the order counts as never sent, and the strategy sends another under a new id",
    "a partial page of an answer is trusted", "entries rest on at a halt",
)  # fmt: skip
"""Bugs for which another part of the core makes up in most seeds."""


@dataclass(frozen=True)
class Bug:
    """One planted bug.

    Attributes:
        name: What goes wrong, in words.
        file: Below `src`.
        old: The text that is right; stands there exactly once.
        new: The text that is wrong.
        profile: Faults of the seed that finds it.
        seed: The first seed of that profile that does.
        more: Further files with their right and wrong texts: where two layers guard the same thing, both must fail.
    """

    name: str
    file: str
    old: str
    new: str
    profile: str = "all"
    seed: int = 0
    more: tuple[tuple[str, str, str], ...] = ()

    @property
    def rare(self) -> bool:
        """Whether it shows in few seeds only, because other parts of the core make up for it."""
        return self.name in RARE

    @property
    def edits(self) -> dict[str, list[tuple[str, str]]]:
        """Right and wrong texts by file."""
        found: dict[str, list[tuple[str, str]]] = {}
        for file, old, new in ((self.file, self.old, self.new), *self.more):
            found.setdefault(file, []).append((old, new))
        return found


BUGS = (
    Bug("a stop resize is dropped", PLAN,
        "    if kept.left != wanted or (kept.trigger", "    if (kept.trigger"),
    Bug("a fill is counted twice", ORDERS,
        "detail=words))\n            return\n", "detail=words))\n"),
    Bug("after a time-out the order counts as never sent, and the strategy sends another under a new id", LIFE,
        "        case Outcome.UNKNOWN:\n            return stepped(order, S.UNKNOWN, at_ns)",
        "        case Outcome.UNKNOWN:\n            return stepped(order, S.ABORTED, at_ns)", "all", 26),
    Bug("Unknown is marked as Rejected", LIFE,
        "        case Outcome.UNKNOWN:\n            return stepped(order, S.UNKNOWN, at_ns)",
        "        case Outcome.UNKNOWN:\n            return stepped(order, S.REJECTED, at_ns)", "all", 26),
    Bug("a late fill after a cancel is dropped", ORDERS,
        "        known = self.executions.named(event.execution_id, identity)\n",
        "        known = self.executions.named(event.execution_id, identity)\n"
        "        if before.state is OrderState.CANCELLED:\n            return\n", "all", 7),
    Bug("the life of an entry is forgotten on restart", ORDERS,
        "                self.open[identity] = in_doubt(order, at_ns)\n",
        "                self.open[identity] = in_doubt(msgspec.structs.replace(order, expires_ns=None), at_ns)\n",
        "all", 36),
    Bug("a partial page of an answer is trusted", ORDERS,
        "        elif event.complete:\n", "        else:\n", "all", 26),
    Bug("the stop is cancelled before what takes its place is acknowledged", PLAN,
        "    if at.venue.reduce_only and not at.venue.reserves:\n        return [_stop(",
        "    if False:\n        return [_stop(", "all", 6),
    Bug("the stop goes before the exit, on a venue that needs no such thing", PLAN,
        "else [o for o in others if o.leg is Leg.TARGET]", "else others", "all", 1),
    Bug("fills are applied by increment", ORDERS,
        "parts[event.venue_id] = (event.filled, None", "parts[event.venue_id] = (had[0] + event.filled, None"),
    Bug("a timer is lost on restart", ORDERS,
        "in_doubt(stepped(order, OrderState.UNKNOWN, at_ns), at_ns)",
        "msgspec.structs.replace(stepped(order, OrderState.UNKNOWN, at_ns), lookup_ns=None)", "all", 1),
    Bug("the stop lies on the wrong side after a flip", SUPERVISOR,
        "bracket = msgspec.structs.replace(bracket, stops=before.stops,",
        "bracket = msgspec.structs.replace(bracket, direction=before.direction, stops=before.stops,", "all", 1),
    Bug("a trade is let go before it is flat", SUPERVISOR,
        "if not orders and (not bracket.held or bracket.is_dust):", "if not orders:"),
    Bug("a torn tail is left where it is", JOURNAL,
        "            disk.truncate(path, end.end)\n", "            pass\n", "process", 1),
    Bug("the account lives by the time of events", FOLDING,
        "account.now_ns, account.findings = entry.known_ns, []",
        "account.now_ns, account.findings = entry.event_ns, []"),
    Bug("an unprotected position is only told of", PLAN,
        '        return WishClose(reason=ExitReason.FORCE, why="it was without its stop for too long", alarm=True)',
        "        return None"),
    Bug("an execution that is taken back goes on to count", ORDERS,
        "self._count(before, _without(before, piece), told)", "self._count(before, before, told)", "all", 3),
    Bug("a bar that is told twice decides twice", DESK,
        "        return (event.segment, event.bar) > (self.segment, self.bar)", "        return True", "data", 5),
    Bug("a price that is none is folded", FOLDING, "return value.is_finite() and value > 0", "return True", "data", 1),
    Bug("only the first exit of a trade carries the id that its core knows", PLAN,
        "None if closing.tried else closing.client_id", "None if bracket.exits else closing.client_id", "none"),
    Bug("fees are not booked", BOOKS, "fees=after.fees + fee)", "fees=after.fees)", "none"),
    Bug("the multiplier is forgotten", BOOKS,
        "(price - holding.average) * multiplier", "(price - holding.average)", "none"),
    Bug("what protected a position stays when that is closed", PLAN,
        "if o.leg is not Leg.ENTRY], \"nothing is held that it could close\")", "if False], \"\")", "all", 1),
    Bug("entries rest on at a halt", PLAN,
        '        return _withdrawn(entries, "entries are not allowed")', "        return []", "people", 37),
    Bug("an order that exists already counts as rejected", LIFE,
        "return msgspec.structs.replace(stepped(order, S.UNKNOWN, at_ns), lookup_ns=at_ns)",
        "return stepped(order, S.REJECTED, at_ns)", "all", 4),
    Bug("a cancel that was refused counts as done", LIFE,
        "return in_doubt(stepped(order, standing(order), at_ns), at_ns)", "return stepped(order, S.CANCELLED, at_ns)",
        "all", 4),
    Bug("orders of the session before are believed", ORDERS,
        "            if order.state in (OrderState.SENT, OrderState.CANCEL_PENDING, OrderState.REPLACE_PENDING):\n",
        "            if order.state is OrderState.INTENDED:\n", "all", 1),
    Bug("an order at work that is quiet is never looked up", LIFE,
        "    due = None if order.state.is_final else at_ns + RECHECK_NS\n", "    due = None\n", "all", 4),
    Bug("the halt epoch is ignored at the border", PROCESS,
        "if _is_entry(command) and command.halt_epoch != self.flag.epoch:", "if False:", "all", 29),
    Bug("commands leave before their step is synced", SESSION,
        "self._kept.write(encode_step(step), safe=bool(step.commands))",
        "self._kept.write(encode_step(step), safe=False)", "all", 1),
    Bug("an exit of more than is held is let out", CLASSIFY,
        "    if wished <= room:\n", "    if wished:\n", "all", 0,
        ((PLAN, "abs(bracket.held) if part is None else", "abs(bracket.bought) if part is None else"),),
    ),
    Bug("a stop of twice the position is let out", CLASSIFY,
        "abs(position) - reducing(position, working, but=group)", "abs(quantity)", "all", 0,
        ((PLAN, "quantity=-wanted.copy_sign(bracket.held), price=limit",
          "quantity=-2 * wanted.copy_sign(bracket.held), price=limit"),)),
    Bug("an entry outlives its time", PLAN,
        "order.expires_ns is not None and at.now_ns >= order.expires_ns", "order.expires_ns == 0", "none"),
    Bug("a resume lifts a halt", HALT, "reason.level is not HaltLevel.PAUSED), by)", "False), by)", "people", 8),
)  # fmt: skip
