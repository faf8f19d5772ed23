"""Loads a playbook: its own file, the regime detector, and every play that it names; or every problem at once.

playbook = load_playbook(Path("regimes.yaml"), instruments=definitions.find)
playbook.members[0].play
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from evenkeel.model.errors import UsageError
from evenkeel.model.instrument import Instrument
from evenkeel.model.number import plain, to_decimal
from evenkeel.strategies.library import Library
from evenkeel.strategies.play import sections
from evenkeel.strategies.play.load import load_play, play_symbols
from evenkeel.strategies.play.play import Play
from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.problems import Path, PlayErrors, suggestion
from evenkeel.strategies.play.registry import Registry, ShippedRegistry
from evenkeel.strategies.play.resolved import play_hash
from evenkeel.strategies.playbook.detector import read_detector
from evenkeel.strategies.playbook.document import check_head, open_document, part_log, warn_of_file_name
from evenkeel.strategies.playbook.playbook import ALL, Detector, Member, Playbook, PortfolioRisk
from evenkeel.strategies.playbook.schema import (
    MemberSection,
    PlaybookDocument,
    PlaybookHead,
    PlaybookRiskSection,
)

WEIGHTS_SLACK = 1e-9
"""So far from 1 the weights of a regime may sum: decimal fractions are not exact in binary."""

_BY_REGIME = ("hysteresis_bars", "blend_bars", "on_regime_exit", "regime_detector")
"""Keys that mean something in mode regime_switch only."""


def load_playbook(
    path_or_text: pathlib.Path | str,
    *,
    instruments: Callable[[str], Instrument],
    registry: Registry | None = None,
    sets: Mapping[str, str] | None = None,
    library: Library | None = None,
    capital: Decimal | None = None,
) -> Playbook:
    """Return the playbook of a file or of a text.

    Args:
        path_or_text: A `Path` is read as a file; a `str` is the text itself.
        instruments: Returns the definition of an instrument by id or unique symbol; raises `UsageError` otherwise.
        registry: Indicators and structures; None takes those that ship.
        sets: Variable name or dotted path to a value as YAML text; overrides the file.
        library: Where plays and blocks are looked up besides the playbook's own folder; None takes those that ship.
        capital: Takes the place of the file's: what a system allocates.

    Raises:
        PlayErrors: With every problem found, those of its plays included.
        UsageError: If the file does not exist or is not text.
        StorageError: If the disk refuses.
    """
    document, log, beside = open_document(path_or_text, "playbook", sets)
    loader = _Loader(document, log, beside, instruments, registry or ShippedRegistry(), library or Library())
    return loader.load(capital)


@dataclass
class _Mention:
    """A play as the playbook names it.

    Attributes:
        section: As written.
        path: Where it is first named.
        weights: Regime to its share there.
    """

    section: MemberSection
    path: Path
    weights: dict[str, float]


class _Loader:
    """One load of one playbook."""

    def __init__(
        self,
        document: dict[str, Any],
        log: ProblemLog,
        beside: pathlib.Path | None,
        instruments: Callable[[str], Instrument],
        registry: Registry,
        library: Library,
    ) -> None:
        self._document, self._log, self._beside = document, log, beside
        self._instruments, self._registry, self._library = instruments, registry, library
        self._mentions: dict[tuple[str, str | None], _Mention] = {}
        self._places: dict[str, Path] = {}

    def load(self, capital: Decimal | None) -> Playbook:
        """Return the playbook, or raise everything that is wrong with it."""
        log, document = self._log, self._document
        head = check_head(document, PlaybookHead, PlaybookDocument, ("plays",), log)
        risk = sections.check(PlaybookRiskSection, document.get("risk", {}), ("risk",), log)
        detector, regimes = self._regimes(head.mode if head else None)
        if head is not None and head.on_regime_exit == "tighten":
            log.unavailable(("on_regime_exit",), "playbook.tighten", key=False)
        self._read_plays(regimes, sequential=head is not None and head.mode == "sequential")
        money = capital if capital is not None else to_decimal(head.capital if head else 1.0)
        members = self._members(regimes, money, takes_turns=head is not None and head.mode == "sequential")
        currency = self._currency(head, members)
        if head is not None:
            warn_of_file_name(head.name, "playbook", log)
        log.raise_if_failed()
        if head is None or risk is None:
            raise PlayErrors(log.problems())
        resolved = {
            **head.model_dump(exclude_none=True),
            "capital": float(money),
            "currency": currency,
            "variables": document.get("variables") or {},
            "regime_detector": None if detector is None else detector.resolved,
            "members": [
                {"name": member.name, "weights": list(member.weights), "play": member.play.resolved}
                for member in members
            ],
            "risk": risk.model_dump(),
        }
        return Playbook(
            name=head.name, description=head.description, hash=play_hash(resolved), resolved=resolved, mode=head.mode,
            capital=money, currency=currency, detector=detector, regimes=regimes, members=members,
            risk=PortfolioRisk(
                max_exposure=risk.max_total_exposure_pct / 100, max_correlation=risk.max_correlation,
                max_active=risk.max_active_plays, max_drawdown=risk.max_drawdown_pct / 100,
            ),
            hysteresis_bars=head.hysteresis_bars, blend_bars=head.blend_bars, on_regime_exit=head.on_regime_exit,
            warnings=log.problems(),
        )  # fmt: skip

    def _regimes(self, mode: str | None) -> tuple[Detector | None, tuple[str, ...]]:
        """Return the detector and the names of all regimes, the default last if no rule leads to it."""
        log, document = self._log, self._document
        if mode is None and "regime_detector" not in document:
            return None, (ALL,)
        if mode not in ("regime_switch", None):
            for key in _BY_REGIME:
                if key in document:
                    remedy = "remove it, or write `mode: regime_switch`"
                    log.error((key,), f"`{key}` has no meaning in mode {mode}: it has no regimes", remedy, key=True)
            return None, (ALL,)
        section = document.get("regime_detector")
        if not isinstance(section, dict):
            remedy = "add `regime_detector:`, or choose mode parallel or sequential"
            place: Path = ("regime_detector",) if "regime_detector" in document else ("mode",)
            log.error(place, "mode regime_switch needs a regime detector", remedy)
            return None, ()
        part = part_log(log, "regime_detector")
        try:
            detector = read_detector(
                section, part, instruments=self._instruments, registry=self._registry, library=self._library,
                beside=self._beside,
            )  # fmt: skip
        except PlayErrors:
            detector = None
        log.adopt(part.problems())
        return detector, _names(section) if detector is None else _all_regimes(detector)

    def _read_plays(self, regimes: tuple[str, ...], *, sequential: bool) -> None:
        log, plays = self._log, self._document.get("plays")
        if plays is None:
            return
        by_regime = regimes != (ALL,)
        if not by_regime:
            if not isinstance(plays, list) or not plays:
                log.error(("plays",), "plays must be a list here: there are no regimes", "write `- { play: … }`")
                return
            self._read_list(plays, ALL, ("plays",), sequential=sequential)
            return
        if not isinstance(plays, dict):
            log.error(("plays",), "plays must be a map of regime to a list of plays", f"regimes: {', '.join(regimes)}")
            return
        for regime, items in plays.items():
            path: Path = ("plays", regime)
            if regimes and regime not in regimes:
                log.error(path, f"the detector has no regime '{regime}'", suggestion(regime, regimes), key=True)
            elif not isinstance(items, list):
                log.error(path, "it must be a list of plays", "write `- { play: …, weight: 1 }`, or [] to stay out")
            else:
                self._read_list(items, regime, path, sequential=False)
        for regime in regimes:
            if regime not in plays:
                log.error(
                    ("plays",), f"the regime '{regime}' has no plays", f"add `{regime}: []` to stay out", key=True
                )

    def _read_list(self, items: list[Any], regime: str, path: Path, *, sequential: bool) -> None:
        """Read the plays of a regime; their weights sum to 1, and none at all is to stay out."""
        log, weights, whole = self._log, [], True
        for index, item in enumerate(items):
            section = sections.check(MemberSection, item, (*path, index), log)
            if section is None or not self._weight_fits(section, (*path, index), sequential=sequential):
                whole = False
                continue
            weights.append(1.0 if section.weight is None else section.weight)
            self._mention(section, regime, (*path, index))
        if whole and items and not sequential and abs(sum(weights) - 1.0) > WEIGHTS_SLACK:
            log.error(path, f"the weights sum to {sum(weights):g}", "they must sum to 1", key=True)

    def _weight_fits(self, section: MemberSection, path: Path, *, sequential: bool) -> bool:
        if sequential and section.weight is not None:
            message = "a play has the whole capital in its turn, so a weight has no meaning"
            self._log.error((*path, "weight"), message, "remove it", key=True)
        elif not sequential and section.weight is None:
            self._log.error(path, "`weight` is missing", "add `weight: …`", key=True)
        return sequential == (section.weight is None)

    def _mention(self, section: MemberSection, regime: str, path: Path) -> None:
        key = (section.play, section.symbol)
        known = self._mentions.setdefault(key, _Mention(section, path, {}))
        if regime in known.weights:
            self._log.error((*path, "play"), f"'{section.play}' stands twice in this regime", "add up the weights")
        known.weights[regime] = 1.0 if section.weight is None else section.weight

    def _members(self, regimes: tuple[str, ...], capital: Decimal, *, takes_turns: bool) -> tuple[Member, ...]:
        """Return the plays, each with its shares; two of one name and one instrument are refused."""
        members: dict[str, Member] = {}
        plays = [(mention, self._play(mention, capital)) for mention in self._mentions.values()]
        ids = [play.id for _, play in plays if play is not None]
        for mention, play in plays:
            if play is None:
                continue
            name = play.id if ids.count(play.id) == 1 else f"{play.id}-{play.instrument.id}"
            if name in members:
                remedy = "name it once for each regime, or give one another `id` or `symbol`"
                self._log.error((*mention.path, "play"), f"the play {name} is in the playbook already", remedy)
            weights = tuple(1.0 if takes_turns else mention.weights.get(regime, 0.0) for regime in regimes)
            self._places[name] = (*mention.path, "play")
            members[name] = Member(name=name, play=play, weights=weights)
        return tuple(members.values())

    def _play(self, mention: _Mention, capital: Decimal) -> Play | None:
        """Return a play with the largest share that it can get as its starting equity, and no range of its own."""
        log, section, path = self._log, mention.section, (*mention.path, "play")
        share = capital * to_decimal(max(mention.weights.values()))
        if share == 0:
            log.error(path, f"'{section.play}' has no weight in any regime", "remove it, or give it one")
            return None
        try:
            file = self._library.find(section.play, kind="play", beside=self._beside)
            several = play_symbols(file, library=self._library) if section.symbol is None else ()
            if len(several) > 1:
                log.error(path, f"the play trades {len(several)} symbols", f"add `symbol:`, such as {several[0]}")
                return None
            play = load_play(
                file, instruments=self._instruments, registry=self._registry, library=self._library,
                symbol=section.symbol,
                sets={"backtest.equity": plain(share), "backtest.start": "null", "backtest.end": "null"},
            )  # fmt: skip
        except PlayErrors as error:
            log.adopt(error.problems)
            return None
        except UsageError as error:
            log.error(path, error.message)
            return None
        log.adopt(play.warnings)
        return play

    def _currency(self, head: PlaybookHead | None, members: tuple[Member, ...]) -> str:
        """Return the one currency of the account (ruling 26)."""
        found = [member.play.account.currency for member in members]
        currency = head.currency if head is not None and head.currency else next(iter(found), "USD")
        for member in members:
            if member.play.account.currency != currency:
                message = f"the account of {member.name} is in {member.play.account.currency}, not in {currency}"
                self._log.error(self._places[member.name], message, "a playbook is one account in one currency")
        return currency


def _names(section: dict[str, Any]) -> tuple[str, ...]:
    """Return the regimes of a detector that could not be read, as far as their names can be."""
    rules = section.get("regimes")
    named = [rule.get("regime") for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []
    return tuple(dict.fromkeys(name for name in (*named, section.get("default")) if isinstance(name, str)))


def _all_regimes(detector: Detector) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*(regime for regime, _ in detector.rules), detector.default)))
