"""A play as plain English: what it trades, when it decides, what gets it in and out, and what it puts at risk.

    for section in explain(play, worst_case(play), lower(play).program.warmup):
        print(section.title, section.lines)

Every sentence is made from the loaded play, so what is said is what runs. One module puts one thing into words.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from evenkeel.model.time import Timeframe
from evenkeel.strategies.play.english.account import account_lines, plain_lines
from evenkeel.strategies.play.english.checks import check_lines
from evenkeel.strategies.play.english.looks import feature_lines
from evenkeel.strategies.play.english.phrases import instrument_kind, sentence
from evenkeel.strategies.play.english.protection import RiskWords
from evenkeel.strategies.play.english.rules import RuleWords, policy_lines
from evenkeel.strategies.play.english.timing import order_line, timing_lines
from evenkeel.strategies.play.exposure import Exposure
from evenkeel.strategies.play.play import Play

_TOLD = {
    "version", "name", "id", "description", "symbol", "timeframes", "account", "features", "structures", "variables",
    "setups", "actions", "position_policy", "entry", "risk_model", "backtest", "warmup", "validation", "deploy",
}  # fmt: skip
_SIDES = {"long_only": (1,), "short_only": (-1,)}


class Section(msgspec.Struct, frozen=True):
    """A part of the explanation.

    Attributes:
        title: Its heading.
        lines: Sentences, and lists whose items begin with `- `; deeper ones are indented by two spaces.
    """

    title: str
    lines: list[str]


def explain(play: Play, exposure: Exposure, warmup: Mapping[Timeframe, int]) -> list[Section]:
    """Return the play in words.

    Args:
        play: A loaded play.
        exposure: Its figures.
        warmup: Closed bars that each timeframe needs before decisions start.
    """
    sides = _SIDES.get(play.policy.mode, (1, -1))
    risk = RiskWords(play.resolved["risk_model"], exposure, play.account.currency, sides)
    order = order_line(play.entry, both_sides=len(sides) == 2, short=sides == (-1,))
    checks, besides = check_lines(play.resolved), plain_lines(play.resolved, _TOLD)
    return [
        Section("What it trades", _subject(play)),
        Section("When it decides", timing_lines(play, warmup)),
        Section("What it looks at", feature_lines(play)),
        Section("When it gets in and out", RuleWords(play).lines()),
        Section("Positions and orders", [*policy_lines(play), order]),
        Section("Risk", risk.lines()),
        Section("Money, costs and limits", account_lines(play.resolved, exposure.drawdown_stop)),
        *([Section("Checks and venues", checks)] if checks else []),
        *([Section("Besides", besides)] if besides else []),
    ]


def _subject(play: Play) -> list[str]:
    instrument = play.instrument
    named = f" ({instrument.description})" if instrument.description else ""
    kind = instrument_kind(instrument.kind.value)
    said = [sentence(play.description)] if play.description else []
    return [f"{play.name} trades {instrument.id}{named}, {kind} quoted in {instrument.quote}.", *said]
