"""A play as the engine sees it: every name resolved, every default filled in, every value typed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from evenkeel.model.instrument import Instrument
from evenkeel.strategies.play.account import Account
from evenkeel.strategies.play.actions import Block
from evenkeel.strategies.play.declarations import FeatureSpec, StructureSpec
from evenkeel.strategies.play.expression import Condition
from evenkeel.strategies.play.problems import Problem
from evenkeel.strategies.play.risk import Risk
from evenkeel.strategies.play.schema import ValidationSection
from evenkeel.strategies.play.scope import Intervals
from evenkeel.strategies.play.sizing import Sizing


class Policy(msgspec.Struct, frozen=True):
    """Which positions may exist and how they end.

    Attributes:
        mode: `long_only`, `short_only` or `long_short`.
        exit_mode: `sl_tp_only`, `signal` or `first_hit`.
    """

    mode: str
    exit_mode: str


class Entry(msgspec.Struct, frozen=True):
    """How an entry is ordered.

    Attributes:
        order_type: `MARKET` or `LIMIT`.
        limit_offset_fraction: Of the price at the decision, on our side of it.
        time_in_force: `GTC`, `IOC`, `FOK` or `PostOnly`.
        expire_after_bars: Execution bars after which a resting entry is cancelled; 0 is never.
    """

    order_type: str
    limit_offset_fraction: float
    time_in_force: str
    expire_after_bars: int


class BacktestRange(msgspec.Struct, frozen=True):
    """The half-open range of a simulation, None being as far as the data goes, and what orders are matched against."""

    start_ns: int | None
    end_ns: int | None
    match: str = "bars"


class Play(msgspec.Struct, frozen=True, kw_only=True):
    """One complete strategy for one instrument.

    Attributes:
        name: As in the file.
        id: `id` of the file, or the name.
        description: For people.
        hash: First 16 hex digits of the SHA-256 over `resolved` as canonical JSON.
        resolved: The play as a document with variables written in and defaults filled in; it loads to the same play.
        instrument: What it trades.
        intervals: Its timeframes.
        evaluate: `bar_close`: a decision at each close of an execution bar; `intrabar`: at each close of a minute.
        allow_coarse: Whether base bars coarser than 1m were accepted by the author; such runs are marked in any case.
        features: Indicators, each after the one it reads.
        structures: Detectors in file order, each after those it reads.
        setups: Named conditions, each after those it refers to.
        actions: Blocks in file order.
        policy: Which positions may exist and how they end.
        entry: How an entry is ordered.
        risk: Stop and target.
        sizing: How large an entry is.
        leverage: Largest leverage of a position: the smaller of the account's and the sizing's.
        account: Money, costs and limits.
        backtest: Range of a simulation.
        warmup: Timeframe name to the bars it shall have at least before the first decision.
        validation: The market that it is checked on; None names none.
        warnings: What loads but is probably not meant.
        lines: Place of a condition, such as `actions.entry_long.all[2]`, to its line in the file, from 1.
    """

    name: str
    id: str
    description: str
    hash: str
    resolved: dict[str, Any]
    instrument: Instrument
    intervals: Intervals
    evaluate: str
    allow_coarse: bool
    features: tuple[FeatureSpec, ...]
    structures: tuple[StructureSpec, ...]
    setups: Mapping[str, Condition]
    actions: tuple[Block, ...]
    policy: Policy
    entry: Entry
    risk: Risk
    sizing: Sizing
    leverage: Decimal
    account: Account
    backtest: BacktestRange
    warmup: Mapping[str, int]
    validation: ValidationSection | None
    warnings: tuple[Problem, ...]
    lines: Mapping[str, int] = {}
