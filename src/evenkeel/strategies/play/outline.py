"""The plain sections of a play, each checked by itself: name, instrument, timeframes, policy, entry, range."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from evenkeel.model.errors import UsageError
from evenkeel.model.instrument import Instrument
from evenkeel.model.time import TIMEFRAMES, Timeframe, parse_time
from evenkeel.strategies.play import sections
from evenkeel.strategies.play.play import BacktestRange
from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.problems import Path, suggestion
from evenkeel.strategies.play.schema import (
    SCHEMA_VERSION,
    AccountSection,
    BacktestSection,
    DeploySection,
    EntrySection,
    Head,
    PlayDocument,
    PolicySection,
    RiskModelSection,
    RiskSection,
    ThreeTimeframes,
    TimeframesSection,
    ValidationSection,
    WarmupSection,
)
from evenkeel.strategies.play.scope import Intervals

_NEEDED = {
    "timeframes": "timeframes: { low_tf: 15m, med_tf: 1h, high_tf: D, exec: low_tf }",
    "account": "account: { starting_equity: 10000 }",
    "actions": "actions: { entry_long: [ema_20, cross_above, ema_50], exit_long: [ema_20, cross_below, ema_50] }",
}
"""Sections that every play has, each as it may be written."""

_EXAMPLE_FEATURE = (
    "features: { ema_20: { indicator: ema, params: { length: 20 } }, "
    "ema_50: { indicator: ema, params: { length: 50 } } }"
)
_NO_SYMBOL = ("`symbol` is missing", "add for example `symbol: BTC-USD.BITSTAMP`; `keel instruments list` shows them")


@dataclass(frozen=True, slots=True)
class Outline:
    """The plain sections; None where one was refused, and for the optional ones also where it is absent."""

    head: Head | None
    timeframes: TimeframesSection | None
    account: AccountSection | None
    policy: PolicySection | None
    entry: EntrySection | None
    risk: RiskSection | RiskModelSection | None
    risk_path: Path
    backtest: BacktestSection | None
    warmup: WarmupSection | None
    deploy: DeploySection | None
    validation: ValidationSection | None


def read_outline(document: dict[str, Any], log: ProblemLog) -> Outline:
    """Return the plain sections of the document; tell unknown, missing and contradicting keys."""
    _refuse_unknown_keys(document, log)
    if "risk" in document and "risk_model" in document:
        log.error(("risk",), "`risk` and `risk_model` exclude each other", "keep one", key=True)
    risk_key = "risk_model" if "risk_model" in document else "risk"

    def section(model: type[Any], key: str, absent: Any = None) -> Any:
        return sections.check(model, document[key], (key,), log) if key in document else absent

    head = {key: document[key] for key in Head.model_fields if key in document}
    return Outline(
        head=sections.check(Head, head, (), log),
        timeframes=section(TimeframesSection, "timeframes"),
        account=section(AccountSection, "account"),
        policy=section(PolicySection, "position_policy", PolicySection()),
        entry=section(EntrySection, "entry", EntrySection()),
        risk=section(RiskModelSection if risk_key == "risk_model" else RiskSection, risk_key),
        risk_path=(risk_key,),
        backtest=section(BacktestSection, "backtest", BacktestSection()),
        warmup=section(WarmupSection, "warmup"),
        deploy=section(DeploySection, "deploy"),
        validation=section(ValidationSection, "validation"),
    )


def _refuse_unknown_keys(document: dict[str, Any], log: ProblemLog) -> None:
    known = list(PlayDocument.model_fields)
    for key in document:
        if key not in known:
            log.error((key,), f"unknown key '{key}'", suggestion(key, known), key=True)
    for key, example in _NEEDED.items():
        if key not in document:
            log.error((), f"`{key}` is missing", f"add `{example}`")
    if "symbol" not in document and "symbols" not in document:
        log.error((), *_NO_SYMBOL)
    if not any(document.get(key) for key in ("features", "structures")):
        log.error((), "a play needs at least one feature or structure", f"add `{_EXAMPLE_FEATURE}`")


def find_instrument(
    head: Head, instruments: Callable[[str], Instrument], log: ProblemLog, place: int | None = None
) -> Instrument | None:
    """Return the definition of the instrument that the play names.

    Args:
        head: What the play trades.
        instruments: Finds an instrument by id or unique symbol.
        log: Takes the problems.
        place: Which of its `symbols`; None if there may be only one.
    """
    if head.version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
        log.error(("version",), f"version '{head.version}' is not read", f'write version: "{SCHEMA_VERSION}"')
    path: Path = ("symbol",) if head.symbol is not None else ("symbols", place or 0)
    if head.symbol is not None and head.symbols is not None:
        log.error(("symbols",), "`symbol` and `symbols` exclude each other", "keep one", key=True)
    elif head.symbols is not None and len(head.symbols) > 1 and place is None:
        message = f"the play names {len(head.symbols)} symbols, and each is a run of its own"
        log.error(("symbols",), message, f"choose one, such as --symbol {head.symbols[0]}", key=True)
    elif head.symbol is None and head.symbols is None:
        log.error((), *_NO_SYMBOL)
    else:
        try:
            return instruments(head.symbol or (head.symbols or [""])[place or 0])
        except UsageError as error:
            log.error(path, error.message)
    return None


def find_intervals(document: dict[str, Any], section: ThreeTimeframes | None, log: ProblemLog) -> Intervals:
    """Return the timeframes; of a refused section what can be read, so that the rest can still be looked at."""
    if section is None:
        return _guessed_intervals(document.get("timeframes"))
    low, med, high = (Timeframe.parse(name) for name in (section.low_tf, section.med_tf, section.high_tf))
    if not low <= med <= high:
        message = f"low_tf {low}, med_tf {med} and high_tf {high} are out of order"
        log.error(("timeframes",), message, "low_tf is the fastest, high_tf the slowest; equal is allowed", key=True)
    return Intervals(low, med, high, {"low_tf": low, "med_tf": med, "high_tf": high}[section.exec])


def _guessed_intervals(section: Any) -> Intervals:
    given = section if isinstance(section, dict) else {}
    low, med, high = (_guessed(given.get(key)) for key in ("low_tf", "med_tf", "high_tf"))
    return Intervals(low, med, high, {"med_tf": med, "high_tf": high}.get(str(given.get("exec")), low))


def _guessed(name: Any) -> Timeframe:
    try:
        return Timeframe.parse(name if isinstance(name, str) else "1m")
    except UsageError:
        return Timeframe.parse("1m")


def read_range(section: BacktestSection, log: ProblemLog) -> BacktestRange:
    """Return the range of the simulation."""
    start, end = _instant(section.start, "start", log), _instant(section.end, "end", log)
    if start is not None and end is not None and end <= start:
        log.error(("backtest", "end"), "the end must lie after the start", "the end itself is not included")
    return BacktestRange(start, end, section.match)


def _instant(text: str | None, key: str, log: ProblemLog) -> int | None:
    if text is None:
        return None
    try:
        return parse_time(text)
    except UsageError as error:
        log.error(("backtest", key), error.message)
        return None


def read_warmup(section: WarmupSection | None, intervals: Intervals, log: ProblemLog) -> dict[str, int]:
    """Return timeframe name to the least number of warm-up bars."""
    if section is None:
        return {}
    if isinstance(section.min_bars, int):
        return {one.name: section.min_bars for one in (intervals.low, intervals.med, intervals.high)}
    bars: dict[str, int] = {}
    for name, count in section.min_bars.items():
        found = TIMEFRAMES["1m"] if name == "1m" else intervals.of(name)
        if found is None:
            path = ("warmup", "min_bars", name)
            remedy = f"use {intervals.words()}, or 1m"
            log.error(path, f"'{name}' is not a timeframe of this play", remedy, key=True)
        else:
            bars[found.name] = max(count, bars.get(found.name, 0))
    return bars
