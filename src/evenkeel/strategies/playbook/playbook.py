"""A playbook and a system as the engine sees them: every play loaded, every share a number."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

import msgspec

from evenkeel.model.instrument import Instrument
from evenkeel.strategies.play.declarations import FeatureSpec, StructureSpec
from evenkeel.strategies.play.expression import Condition
from evenkeel.strategies.play.play import Play
from evenkeel.strategies.play.problems import Problem
from evenkeel.strategies.play.scope import Intervals

Mode = Literal["regime_switch", "parallel", "sequential"]

ALL = "all"
"""The one regime of a playbook that has none."""


class Detector(msgspec.Struct, frozen=True, kw_only=True):
    """Tells the regimes of a market apart.

    Attributes:
        instrument: What it looks at.
        intervals: Its timeframes; it judges at the closes of the execution timeframe.
        features: Indicators, each after the one it reads.
        structures: Detectors in file order, each after those it reads.
        setups: Named conditions, each after those it refers to.
        rules: Regime and condition in order: the first that is true wins.
        default: The regime when none is.
        resolved: The detector as a document with blocks, variables and defaults written in.
        evaluate: `bar_close`: it judges at closes only.
        warmup: Timeframe name to the bars that are asked for beyond what is computed; none.
    """

    instrument: Instrument
    intervals: Intervals
    features: tuple[FeatureSpec, ...]
    structures: tuple[StructureSpec, ...]
    setups: Mapping[str, Condition]
    rules: tuple[tuple[str, Condition], ...]
    default: str
    resolved: dict[str, Any]
    evaluate: str = "bar_close"
    warmup: Mapping[str, int] = {}


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A play of a playbook: a sub-account of its own.

    Attributes:
        name: The play's id, with the instrument where the same play trades several.
        play: Its starting equity is the largest share that the playbook may give it.
        weights: Share of the capital in each regime, in the order of the playbook's regimes; 1 in mode sequential.
    """

    name: str
    play: Play
    weights: tuple[float, ...]


class PortfolioRisk(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of all plays together; fractions.

    Attributes:
        max_exposure: Largest sum of positions in proportion to equity.
        max_correlation: Above it two positions count as one; 1 is off.
        max_active: Most plays with a position or an entry at work.
        max_drawdown: Fall from the peak at which all plays stop; 1 is off.
    """

    max_exposure: float
    max_correlation: float
    max_active: int
    max_drawdown: float


class Playbook(msgspec.Struct, frozen=True, kw_only=True):
    """A set of plays under one account.

    Attributes:
        name: As in the file.
        description: For people.
        hash: First 16 hex digits of the SHA-256 over `resolved` as canonical JSON.
        resolved: The playbook with its plays as one document with nothing left to guess.
        mode: How the plays share the time.
        capital: What is shared out.
        currency: Of the account.
        detector: Tells the regimes apart; None without regimes.
        regimes: In order of the detector's rules, the default last if it is none of them; `all` without a detector.
        members: In order of first mention.
        risk: Limits of all together.
        hysteresis_bars: Closed bars in a row that confirm a regime.
        blend_bars: Length of the average over confirmed regimes; 0 switches at once.
        on_regime_exit: `hold`, `close` or `tighten`.
        warnings: What loads but is probably not meant.
    """

    name: str
    description: str
    hash: str
    resolved: dict[str, Any]
    mode: Mode
    capital: Decimal
    currency: str
    detector: Detector | None
    regimes: tuple[str, ...]
    members: tuple[Member, ...]
    risk: PortfolioRisk
    hysteresis_bars: int
    blend_bars: int
    on_regime_exit: str
    warnings: tuple[Problem, ...]


class System(msgspec.Struct, frozen=True, kw_only=True):
    """Playbooks under one account.

    Attributes:
        name: As in the file.
        description: For people.
        hash: First 16 hex digits of the SHA-256 over `resolved` as canonical JSON.
        resolved: The system with all that it holds as one document.
        capital: What is allocated.
        currency: Of the account.
        playbooks: Each with its allocation as its capital.
        warnings: What loads but is probably not meant.
    """

    name: str
    description: str
    hash: str
    resolved: dict[str, Any]
    capital: Decimal
    currency: str
    playbooks: tuple[Playbook, ...]
    warnings: tuple[Problem, ...]
