"""Loads a play: YAML in, one typed and checked `Play` out, or every problem at once.

    play = load_play(Path("ema_cross.yaml"), instruments=definitions.find, sets={"fast": "10"})
    play.hash

The steps: read with positions, apply `--set`, write variables and blocks in, refuse what is removed or not built, check
every section by itself, resolve names and types across sections, and only then build the play. A step that fails does
not stop the others: who mends a file wants to hear everything.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from evenkeel.model.errors import InvariantBroken
from evenkeel.model.instrument import Instrument
from evenkeel.model.number import to_decimal
from evenkeel.strategies.kinds import kind_of
from evenkeel.strategies.library import Library
from evenkeel.strategies.play import lint
from evenkeel.strategies.play.account import Account, build_account
from evenkeel.strategies.play.account_kind import check_borrowing, with_hours
from evenkeel.strategies.play.actions import ActionReader, Block
from evenkeel.strategies.play.conditions import ConditionReader
from evenkeel.strategies.play.declarations import FeatureSpec, declare_features, declare_structures
from evenkeel.strategies.play.expression import Condition
from evenkeel.strategies.play.include import expand
from evenkeel.strategies.play.lines import condition_lines
from evenkeel.strategies.play.operands import OperandReader
from evenkeel.strategies.play.outline import (
    Outline,
    find_instrument,
    find_intervals,
    read_outline,
    read_range,
    read_warmup,
)
from evenkeel.strategies.play.play import Entry, Play, Policy
from evenkeel.strategies.play.policy import Protection, check_entry, check_policy, check_shorting
from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.problems import PlayErrors, Problem
from evenkeel.strategies.play.refusals import refuse
from evenkeel.strategies.play.registry import Registry, ShippedRegistry
from evenkeel.strategies.play.resolved import play_hash, resolved_document
from evenkeel.strategies.play.risk import Risk, RiskReader
from evenkeel.strategies.play.schema import SYMBOLS_MAX, BacktestSection, RiskModelSection, SizingSection
from evenkeel.strategies.play.scope import Scope
from evenkeel.strategies.play.setups import read_setups
from evenkeel.strategies.play.sizing import RiskBased, Sizing, build_sizing, choose_sizing
from evenkeel.strategies.play.validation import check_validation
from evenkeel.strategies.play.variables import apply_overrides, substitute
from evenkeel.strategies.play.yaml_source import file_text, read_again

T = TypeVar("T")


def load_play(
    path_or_text: pathlib.Path | str,
    *,
    instruments: Callable[[str], Instrument],
    registry: Registry | None = None,
    sets: Mapping[str, str] | None = None,
    library: Library | None = None,
    symbol: str | None = None,
) -> Play:
    """Return the play of a file or of a text.

    Args:
        path_or_text: A `Path` is read as a file; a `str` is the text itself.
        instruments: Returns the definition of an instrument by id or unique symbol; raises `UsageError` otherwise.
        registry: Indicators and structures; None takes those that ship.
        sets: Variable name or dotted path to a value as YAML text; overrides the file.
        library: Where blocks are looked up besides the play's own folder; None takes those that ship.
        symbol: Trade this instrument, whatever the play names; a play with several `symbols` needs it.

    Raises:
        PlayErrors: With every problem found, by line.
        UsageError: If the file does not exist or is not text.
        StorageError: If the disk refuses.
    """
    document, log = _open(path_or_text, sets, library)
    if symbol is not None:
        origins = {**log.source.origins, ("symbol",): f"--symbol {symbol}"}
        log.source = replace(log.source, origins=origins)
        document = {**{key: value for key, value in document.items() if key != "symbols"}, "symbol": symbol}
    return _Loader(document, log, registry or ShippedRegistry(), instruments).load()


def load_plays(
    path_or_text: pathlib.Path | str,
    *,
    instruments: Callable[[str], Instrument],
    registry: Registry | None = None,
    sets: Mapping[str, str] | None = None,
    library: Library | None = None,
) -> tuple[Play, ...]:
    """Return one play for each symbol that a file or a text names; arguments and errors as of `load_play`."""
    plays: dict[str, Play] = {}
    problems: list[Problem] = []
    count = len(play_symbols(path_or_text, sets=sets, library=library))
    for place in range(count if 0 < count <= SYMBOLS_MAX else 1):
        document, log = _open(path_or_text, sets, library)
        try:
            play = _Loader(document, log, registry or ShippedRegistry(), instruments, place).load()
            if play.instrument.id in plays:
                log.error(("symbols", place), f"{play.instrument.id} stands twice", "remove one")
            log.raise_if_failed()
            plays[play.instrument.id] = play
        except PlayErrors as error:
            problems += [problem for problem in error.problems if problem not in problems]
    if problems:
        raise PlayErrors(problems)
    return tuple(plays.values())


def play_symbols(
    path_or_text: pathlib.Path | str, *, sets: Mapping[str, str] | None = None, library: Library | None = None
) -> tuple[str, ...]:
    """Return the `symbols` of a play as written; none if it names a single one.

    Raises:
        PlayErrors: If the file is no play at all.
        UsageError: If it does not exist or is not text.
        StorageError: If the disk refuses.
    """
    symbols = _open(path_or_text, sets, library)[0].get("symbols")
    return tuple(str(symbol) for symbol in symbols) if isinstance(symbols, list) else ()


def _open(
    path_or_text: pathlib.Path | str, sets: Mapping[str, str] | None, library: Library | None
) -> tuple[dict[str, Any], ProblemLog]:
    """Return the document of a play with variables and blocks written in, and the log of what was wrong so far."""
    file = path_or_text if isinstance(path_or_text, pathlib.Path) else None
    source = read_again(str(path_or_text), "<text>") if file is None else read_again(file_text(file), str(file))
    log = ProblemLog(apply_overrides(source, sets or {}))
    return expand(_substituted(log), log, library or Library(), None if file is None else file.parent), log


def _substituted(log: ProblemLog) -> dict[str, Any]:
    """Return the document of a play with variables written in."""
    value = log.source.value
    if not isinstance(value, dict):
        if not log.failed:
            log.error((), "a play is a map of keys", "start from `keel new NAME`, or with `name: my_play`")
        raise PlayErrors(log.problems())
    kind = kind_of(value)
    if kind != "play":
        place = next(key for key in ("kind", "playbooks", "regime_detector", "plays") if key in value)
        if kind == "system":
            log.unavailable((place,), "system.run", key=False)
        else:
            remedy = "include it in a play" if kind == "block" else "`keel backtest` runs it with all its plays"
            log.error((place,), f"this file is a {kind}, not a play", remedy)
        raise PlayErrors(log.problems())
    document: dict[str, Any] = substitute(value, log)
    return document


class _Loader:
    """One load of one document: reads the parts in the order in which they need each other."""

    def __init__(
        self,
        document: dict[str, Any],
        log: ProblemLog,
        registry: Registry,
        instruments: Callable[[str], Instrument],
        place: int | None = None,
    ) -> None:
        self._document = document
        self._log = log
        self._registry = registry
        self._instruments = instruments
        self._place = place
        self._protection = self._declared_protection()
        refuse(self._document, self._log)
        self._outline: Outline = read_outline(self._document, self._log)
        self._scope = Scope(find_intervals(self._document, self._outline.timeframes, self._log))
        self._conditions = ConditionReader(self._scope, self._log)

    def load(self) -> Play:
        """Return the play, or raise everything that is wrong with it."""
        log, scope, outline = self._log, self._scope, self._outline
        instrument = self._instrument()
        features = declare_features(self._section("features"), scope, self._registry, log)
        structures = declare_structures(self._section("structures"), scope, self._registry, log)
        account = self._account(instrument)
        setups, blocks = self._rules(instrument, account)
        risk = self._risk()
        chosen = self._sizing()
        backtest = read_range(outline.backtest or BacktestSection(), log)
        warmup = read_warmup(outline.warmup, scope.intervals, log)
        self._tell_the_rest(features, setups)
        log.raise_if_failed()
        sizing, sizing_section = _there(chosen)
        head, policy, entry = _there(outline.head), _there(outline.policy), _there(outline.entry)
        resolved = resolved_document(
            self._document, outline, instrument=_there(instrument), features=features, structures=structures,
            account=_there(account), sizing=sizing_section, backtest=backtest, warmup=warmup,
        )  # fmt: skip
        return Play(
            name=head.name,
            id=head.id or head.name,
            description=head.description,
            hash=play_hash(resolved),
            resolved=resolved,
            instrument=with_hours(_there(instrument), _there(account).rules),
            intervals=scope.intervals,
            evaluate=_there(outline.timeframes).evaluate,
            allow_coarse=_there(outline.timeframes).allow_coarse,
            features=tuple(features),
            structures=tuple(structures),
            setups=setups,
            actions=blocks,
            policy=Policy(policy.mode, policy.exit_mode),
            entry=Entry(entry.order_type, entry.limit_offset_pct / 100, entry.time_in_force, entry.expire_after_bars),
            risk=risk,
            sizing=sizing,
            leverage=to_decimal(self._leverage()),
            account=_there(account),
            backtest=backtest,
            warmup=warmup,
            validation=outline.validation,
            warnings=log.problems(),
            lines=condition_lines(log.source, setups, blocks),
        )

    def _instrument(self) -> Instrument | None:
        head = self._outline.head
        return find_instrument(head, self._instruments, self._log, self._place) if head else None

    def _section(self, name: str) -> Any:
        value = self._document.get(name)
        return {} if value is None else value

    def _declared_protection(self) -> Protection:
        """Look before refusals take anything out: what is refused by name is declared all the same."""
        given = self._document.get("risk_model", self._document.get("risk"))
        keys = {key for key, value in given.items() if value is not None} if isinstance(given, dict) else set()
        return Protection(bool(keys & {"stop_loss", "stop_loss_pct"}), bool(keys & {"take_profit", "take_profit_pct"}))

    def _rules(
        self, instrument: Instrument | None, account: Account | None
    ) -> tuple[dict[str, Condition], tuple[Block, ...]]:
        """Read setups and actions and hold them to policy and instrument."""
        log, policy = self._log, self._outline.policy
        section = self._section("setups")
        if not isinstance(section, dict):
            log.error(("setups",), "setups must be a map of name to condition")
            section = {}
        self._scope.setup_section = section
        setups = read_setups(section, self._conditions, log)
        actions = ActionReader(self._conditions, OperandReader(self._scope, log), log)
        blocks = actions.read(self._document["actions"]) if "actions" in self._document else ()
        if policy is not None and actions.wanted:
            check_policy(policy, actions.wanted, self._protection, log)
        if policy is not None and instrument is not None:
            check_shorting(policy, instrument, log)
            if account is not None:
                check_borrowing(account.rules, instrument, policy.mode, log)
        return setups, blocks

    def _account(self, instrument: Instrument | None) -> Account | None:
        section, backtest = self._outline.account, self._outline.backtest
        if section is None or instrument is None:
            return None
        leverage = to_decimal(self._leverage())
        return build_account(section, backtest or BacktestSection(), instrument, leverage, self._log)

    def _risk(self) -> Risk:
        section = self._outline.risk
        if section is None:
            return Risk(stop=None, target=None)
        return RiskReader(self._scope, self._outline.risk_path, self._leverage(), self._log).read(section)

    def _leverage(self) -> float:
        account, section = self._outline.account, self._outline.risk
        given = [account.max_leverage if account else 1.0]
        if isinstance(section, RiskModelSection) and section.sizing and section.sizing.max_leverage:
            given.append(section.sizing.max_leverage)
        return min(given)

    def _sizing(self) -> tuple[Sizing, SizingSection] | None:
        outline, log = self._outline, self._log
        if outline.risk is None and outline.risk_path[0] in self._document:
            return None
        fallback = outline.account.risk_per_trade_pct if outline.account else None
        section = choose_sizing(outline.risk, outline.risk_path, fallback, log)
        if section is None:
            return None
        sizing = build_sizing(section, (*outline.risk_path, "sizing"), log)
        if isinstance(sizing, RiskBased) and not self._protection.stop:
            remedy = "add `stop_loss`, or size by percent_equity"
            log.error(outline.risk_path, "risk_based sizing needs a stop", remedy, key=True)
        return sizing, section

    def _tell_the_rest(self, features: list[FeatureSpec], setups: dict[str, Condition]) -> None:
        """Tell what needs the whole play to have been read."""
        log, outline = self._log, self._outline
        if not self._scope.declared and not log.failed:
            log.error(("features",), "a play needs at least one feature or structure", key=True)
        if outline.entry is not None:
            check_entry(outline.entry, log)
        check_validation(outline.validation, log)
        if outline.head is not None:
            lint.warn_of_file_name(outline.head.name, log)
        if not log.failed:
            lint.warn_of_unused(self._scope, log)
            lint.warn_of_bare_names(features, log)
            lint.warn_of_contradictions(self._conditions.lists, setups, self._scope, log)


def _there(value: T | None) -> T:
    if value is None:
        raise InvariantBroken("a section is missing although nothing was refused")
    return value
