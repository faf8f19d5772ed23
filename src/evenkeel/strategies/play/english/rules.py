"""Actions and policy in words: what opens a position, what closes it, and what happens when rules disagree."""

from __future__ import annotations

from evenkeel.strategies.play.actions import Block, Case, Emit
from evenkeel.strategies.play.english.conditions import INDENT, ConditionWords
from evenkeel.strategies.play.english.phrases import listed, percent, sentence
from evenkeel.strategies.play.english.values import Values
from evenkeel.strategies.play.play import Play

_SIDES = {"long": "a long position", "short": "a short position", "all": "any position"}
_MODES = {"long_only": "long only", "short_only": "short only", "long_short": "long or short"}


class RuleWords:
    """Puts the blocks of one play into words.

    Args:
        play: Whose blocks.
    """

    def __init__(self, play: Play) -> None:
        self._play = play
        self._values = Values(play)
        self._conditions = ConditionWords(self._values, play.setups)

    def lines(self) -> list[str]:
        """Return every block in order, each a paragraph."""
        lines: list[str] = []
        for block in self._play.actions:
            lines += ["", *self._block(block)] if lines else self._block(block)
        return lines

    def _block(self, block: Block) -> list[str]:
        if len(block.cases) == 1:
            return self._case(block.cases[0])
        lines = [f"Block {block.id}, of which the first case that holds counts:"]
        for number, case in enumerate(block.cases, start=1):
            mark = f"{number}. "
            first, *rest = self._case(case)
            lines += [f"{mark}{first}", *(" " * len(mark) + line for line in rest)]
        return lines

    def _case(self, case: Case) -> list[str]:
        wanted = listed([self._action(emit) for emit in case.emits], "then")
        kept = [f"{name} ({self._values.words(value)})" for emit in case.emits for name, value in emit.metadata]
        notes = [f"It keeps {listed(kept)} with the trade."] if kept else []
        if case.when is None:
            return [f"Otherwise it {wanted}.", *notes]
        first, *rest = self._conditions.lines(case.when)
        head = f"{wanted[:1].upper()}{wanted[1:]} when {first}"
        return [head if rest else sentence(head), *(f"{INDENT}{line}" for line in rest), *notes]

    def _action(self, emit: Emit) -> str:
        verb, _, side = emit.action.partition("_")
        if verb == "entry":
            return f"opens {_SIDES[side]}"
        if verb == "exit":
            part = "" if emit.fraction == 1 else f"{percent(100 * emit.fraction)} of "
            return f"closes {part}{_SIDES[side]}"
        return "does nothing"


def policy_lines(play: Play) -> list[str]:
    """Return which positions may exist and how they end."""
    mode = _MODES.get(play.policy.mode, play.policy.mode)
    lines = [f"It holds one position at a time, {mode}, and never adds to it or turns it round."]
    if play.policy.mode == "long_short":
        lines.append("When a long and a short entry come at the same instant, neither is taken.")
    return [*lines, _endings(play)]


def _endings(play: Play) -> str:
    risk = play.resolved["risk_model"]
    armed = [word for word, key in (("stop", "stop_loss"), ("target", "take_profit")) if risk.get(key)]
    stays = f"its {' and '.join(armed)} {'stays' if len(armed) == 1 else 'stay'} armed" if armed else ""
    if play.policy.exit_mode == "sl_tp_only":
        return "A position ends at its stop or at its target, and nowhere else."
    if play.policy.exit_mode == "signal":
        return sentence(f"A position ends by an exit rule{f'; {stays} for an emergency' if stays else ''}")
    ways = [f"at its {word}" for word in armed]
    if _has_exits(play):
        ways.append("by an exit rule")
    return sentence(f"A position ends {listed(ways, 'or')}{', whichever comes first' if len(ways) > 1 else ''}")


def _has_exits(play: Play) -> bool:
    emits = (emit for block in play.actions for case in block.cases for emit in case.emits)
    return any(emit.action.startswith("exit_") for emit in emits)
