"""The shape of playbook and system files: every section as a model, from which files are checked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from evenkeel.strategies.play.schema import (
    SCHEMA_VERSION,
    Expression,
    FeatureSection,
    Id,
    IncludeSection,
    Money,
    Percent,
    Section,
    StructureSection,
    ThreeTimeframes,
)

LEVERAGE_MAX_PCT = 12_500
"""Largest exposure that anybody may allow, in percent of equity: 125 times."""

BARS_MAX = 10_000
"""Most bars of hysteresis or blending."""

REGIMES_MAX = 50
"""Most regimes of a detector."""

Exposure = Annotated[float, Field(gt=0, le=LEVERAGE_MAX_PCT)]
Active = Annotated[int, Field(ge=1, le=1000)]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[a-z][a-z0-9_]*$")]


class RegimeSection(Section):
    """A regime and when it holds."""

    regime: Id = Field(description="Name of the regime.")
    when: Expression


class DetectorHead(Section):
    """What the detector looks at, and what it calls it."""

    symbol: Annotated[str, Field(min_length=1)] = Field(description="Instrument that it looks at.")
    timeframes: ThreeTimeframes
    regimes: list[RegimeSection] = Field(
        min_length=1, max_length=REGIMES_MAX, description="In order: the first that is true wins."
    )
    default: Id = Field(description="The regime when none is true, and before anything is known.")


class DetectorSection(DetectorHead):
    """Tells the regimes of a market apart."""

    include: list[str | IncludeSection] = Field(default_factory=list, description="Blocks that are written in.")
    features: dict[str, FeatureSection] = Field(default_factory=dict)
    structures: dict[Literal["exec", "low_tf", "med_tf", "high_tf"], list[StructureSection]] = Field(
        default_factory=dict
    )
    setups: dict[str, Expression] = Field(default_factory=dict)


class MemberSection(Section):
    """A play and how much of the capital is meant for it."""

    play: Annotated[str, Field(min_length=1)] = Field(description="Name of the play, or its path from this file.")
    symbol: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="Trade this instrument instead of the play's own."
    )
    weight: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None, description="Share of the capital; those of a regime sum to 1. Not in mode sequential."
    )


class PlaybookRiskSection(Section):
    """Limits of all plays together."""

    max_total_exposure_pct: Exposure = Field(default=80.0, description="Largest sum of positions, of equity.")
    max_correlation: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.7, description="Above it two positions count as one; 1 is off."
    )
    max_active_plays: Active = Field(default=3, description="Most plays with a position or an entry at work.")
    max_drawdown_pct: Percent = Field(
        default=20.0, description="All plays stop at this fall from the peak; 100 is off."
    )


class PlaybookHead(Section):
    """What the playbook is and how it shares out its capital."""

    kind: Literal["playbook"] = Field(default="playbook", description="Says that the file is a playbook.")
    version: str = Field(description=f'Version of the format: "{SCHEMA_VERSION}".')
    name: Name = Field(description="Name in snake_case, the same as the file's.")
    description: str = Field(default="", description="Free text for people.")
    mode: Literal["regime_switch", "parallel", "sequential"] = Field(
        description="By regime, all at once, or in turns: the next play after each trade."
    )
    capital: Money = Field(default=10_000.0, description="What is shared out, in account currency.")
    currency: str | None = Field(default=None, description="Account currency; default: that of the plays.")
    hysteresis_bars: Annotated[int, Field(ge=1, le=BARS_MAX)] = Field(
        default=3, description="Closed bars in a row that confirm a regime."
    )
    blend_bars: Annotated[int, Field(ge=0, le=BARS_MAX)] = Field(
        default=0, description="Length of the average over confirmed regimes; 0 switches at once."
    )
    on_regime_exit: Literal["hold", "close", "tighten"] = Field(
        default="hold", description="What becomes of the position of a play that has no share any more."
    )


class PlaybookDocument(PlaybookHead):
    """A playbook: a set of plays under one account."""

    variables: dict[str, str | float | bool] = Field(default_factory=dict)
    regime_detector: DetectorSection | None = Field(default=None, description="In mode regime_switch only.")
    plays: dict[str, list[MemberSection]] | list[MemberSection] = Field(
        description="In mode regime_switch a map of regime to plays, else a list of plays."
    )
    risk: PlaybookRiskSection = PlaybookRiskSection()


class AllocationSection(Section):
    """A playbook and its share of the capital."""

    playbook: Annotated[str, Field(min_length=1)] = Field(description="Name of the playbook, or its path from here.")
    allocation_pct: Percent = Field(description="Share of the system's capital; replaces the playbook's own.")


class SystemRiskSection(Section):
    """The risk budget of everything together."""

    max_total_exposure_pct: Exposure = Field(default=80.0, description="Largest sum of positions, of equity.")
    max_active_plays: Active = Field(default=10, description="Most plays with a position or an entry at work.")
    max_drawdown_pct: Percent = Field(default=20.0, description="Everything stops at this fall from the peak.")


class DeploymentSection(Section):
    """Where the system is meant to run."""

    mode: Literal["backtest", "observe", "paper", "demo", "live"] = "backtest"
    venue: Annotated[str, Field(min_length=1, max_length=100)] = Field(default="simulated")


class SystemHead(Section):
    """What the system is."""

    kind: Literal["system"] = Field(default="system", description="Says that the file is a system.")
    version: str = Field(description=f'Version of the format: "{SCHEMA_VERSION}".')
    name: Name = Field(description="Name in snake_case, the same as the file's.")
    description: str = Field(default="", description="Free text for people.")
    capital: Money = Field(description="What is allocated, in account currency.")
    currency: str | None = Field(default=None, description="Account currency; default: that of the playbooks.")


class SystemDocument(SystemHead):
    """A system: playbooks, capital, a risk budget and where it runs."""

    variables: dict[str, str | float | bool] = Field(default_factory=dict)
    playbooks: list[AllocationSection] = Field(min_length=1)
    risk: SystemRiskSection = SystemRiskSection()
    deployment: DeploymentSection = DeploymentSection()
