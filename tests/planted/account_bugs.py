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
ACCOUNT = "evenkeel/engine/account/account.py"
DESK = "evenkeel/engine/account/desk.py"
SESSION = "evenkeel/engine/account/session.py"
JOURNAL = "evenkeel/engine/journal/opening.py"
CLASSIFY = "evenkeel/risk/classify.py"
PROCESS = "evenkeel/engine/simulation/process.py"


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


BUGS = (
    Bug("a stop resize is dropped", PLAN,
        "    if kept.left != wanted or (kept.trigger", "    if (kept.trigger"),
    Bug("a fill is counted twice", ORDERS,
        "detail=words))\n            return\n", "detail=words))\n"),
    Bug("after a time-out the order counts as never sent, and the strategy sends another under a new id", LIFE,
        "        case Outcome.UNKNOWN:\n            return stepped(order, S.UNKNOWN, at_ns)",
        "        case Outcome.UNKNOWN:\n            return stepped(order, S.ABORTED, at_ns)"),
    Bug("Unknown is marked as Rejected", LIFE,
        "        case Outcome.UNKNOWN:\n            return stepped(order, S.UNKNOWN, at_ns)",
        "        case Outcome.UNKNOWN:\n            return stepped(order, S.REJECTED, at_ns)"),
    Bug("a late fill after a cancel is dropped", ORDERS,
        "        known = self.executions.named(event.execution_id, identity)\n",
        "        known = self.executions.named(event.execution_id, identity)\n"
        "        if before.state is OrderState.CANCELLED:\n            return\n"),
    Bug("the life of an entry is forgotten on restart", ORDERS,
        "                self.open[identity] = in_doubt(order, at_ns)\n",
        "                self.open[identity] = in_doubt(msgspec.structs.replace(order, expires_ns=None), at_ns)\n"),
    Bug("a partial page of an answer is trusted", ORDERS,
        "        elif event.complete:\n", "        else:\n"),
    Bug("one answer without an order proves its absence", ORDERS,
        "        if order.absent_ns is None:\n", "        if order.absent_ns == 0:\n"),
    Bug("absence is believed before the venue can know the order", ORDERS,
        " or event.asked_ns < order.placed_ns + self._visible_ns:", ":"),
    Bug("the stop is cancelled before what takes its place is acknowledged", PLAN,
        "    if at.venue.reduce_only and not at.venue.reserves:\n        return [_stop(",
        "    if False:\n        return [_stop("),
    Bug("the stop goes before the exit, on a venue that needs no such thing", PLAN,
        "else [o for o in others if o.leg is Leg.TARGET]", "else others"),
    Bug("fills are applied by increment", ORDERS,
        "parts[event.venue_id] = (event.filled, None", "parts[event.venue_id] = (had[0] + event.filled, None"),
    Bug("a timer is lost on restart", ORDERS,
        "in_doubt(stepped(order, OrderState.UNKNOWN, at_ns), at_ns)",
        "msgspec.structs.replace(stepped(order, OrderState.UNKNOWN, at_ns), lookup_ns=None)"),
    Bug("the stop lies on the wrong side after a flip", SUPERVISOR,
        "bracket = msgspec.structs.replace(bracket, stops=before.stops,",
        "bracket = msgspec.structs.replace(bracket, direction=before.direction, stops=before.stops,"),
    Bug("a trade is let go before it is flat", SUPERVISOR,
        "            if not orders and not bracket.held:\n", "            if not orders:\n"),
    Bug("a torn tail is left where it is", JOURNAL,
        "            disk.truncate(path, end.end)\n", "            pass\n", "process"),
    Bug("the account lives by the time of events", ACCOUNT,
        "self.now_ns, self.findings = entry.known_ns, []", "self.now_ns, self.findings = entry.event_ns, []"),
    Bug("an unprotected position is only told of", PLAN,
        '        return WishClose(reason=ExitReason.FORCE, why="it was without its stop for too long", alarm=True)',
        "        return None"),
    Bug("a kill is lifted when a session begins", ACCOUNT,
        "if entry.halt is not None and entry.halt.epoch > self.halt.epoch:", "if True:"),
    Bug("an execution that is taken back goes on to count", ORDERS,
        "        self._count(before, _without(before, piece), told)\n", "        self._count(before, before, told)\n"),
    Bug("a bar that is told twice decides twice", DESK,
        "        return (event.segment, event.bar) > (self.segment, self.bar)", "        return True", "data"),
    Bug("a price that is none is folded", ACCOUNT, "return value.is_finite() and value > 0", "return True", "data"),
    Bug("only the first exit of a trade carries the id that its core knows", PLAN,
        "None if closing.tried else closing.client_id", "None if bracket.exits else closing.client_id", "none"),
    Bug("fees are not booked", BOOKS, "fees=after.fees + fee)", "fees=after.fees)", "none"),
    Bug("the multiplier is forgotten", BOOKS,
        "(price - holding.average) * multiplier", "(price - holding.average)", "none"),
    Bug("what protected a position stays when that is closed", PLAN,
        "return wishes + _withdrawn([o for o in orders if o.leg is not Leg.ENTRY],", "return wishes + _withdrawn([],"),
    Bug("entries rest on at a halt", PLAN,
        '        return _withdrawn(entries, "entries are not allowed")', "        return []", "people"),
    Bug("an order that exists already counts as rejected", LIFE,
        "return msgspec.structs.replace(stepped(order, S.UNKNOWN, at_ns), lookup_ns=at_ns)",
        "return stepped(order, S.REJECTED, at_ns)"),
    Bug("a cancel that was refused counts as done", LIFE,
        "return in_doubt(stepped(order, standing(order), at_ns), at_ns)", "return stepped(order, S.CANCELLED, at_ns)"),
    Bug("orders of the session before are believed", ORDERS,
        "            if order.state in (OrderState.SENT, OrderState.CANCEL_PENDING, OrderState.REPLACE_PENDING):\n",
        "            if order.state is OrderState.INTENDED:\n"),
    Bug("an order at work that is quiet is never looked up", LIFE,
        "    due = None if order.state.is_final else at_ns + RECHECK_NS\n", "    due = None\n"),
    Bug("the halt epoch is ignored at the border", PROCESS,
        "if _is_entry(command) and command.halt_epoch != self.flag.epoch:", "if False:"),
    Bug("commands leave before their step is synced", SESSION,
        "self._kept.write(encode_step(step), safe=bool(step.commands))",
        "self._kept.write(encode_step(step), safe=False)"),
    Bug("an exit of more than is held is let out", CLASSIFY,
        "    if wished <= room:\n", "    if wished:\n", "all", 0,
        ((PLAN, "wanted = abs(bracket.held) if part is None else", "wanted = abs(bracket.bought) if part is None else"),),
    ),
    Bug("a stop of twice the position is let out", CLASSIFY,
        "abs(position) - reducing(position, working, but=group)", "abs(quantity)", "all", 0,
        ((PLAN, "quantity=-wanted.copy_sign(bracket.held), price=limit",
          "quantity=-2 * wanted.copy_sign(bracket.held), price=limit"),)),
    Bug("an entry outlives its time", PLAN,
        "order.expires_ns is not None and at.now_ns >= order.expires_ns", "order.expires_ns == 0", "none"),
    Bug("what a pair of stop and target holds back is counted twice", PLAN,
        "return max(sum((o.left for o", "return sum(sum((o.left for o", "none"),
)  # fmt: skip
