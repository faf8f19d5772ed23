"""The fill models of a run as its manifest states them: spread, latency, queue, liquidity, triggers (decision 0008)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from evenkeel.readiness.audit.document import Document, Unreadable, finite
from evenkeel.readiness.audit.number import ONE, ZERO

BPS = Decimal(10_000)
PIECES = "an order took all that a bar could fill; fills in pieces are not derived again from bars"
"""Why some checks do not run where a part of the volume limits fills, and did."""

QUOTES = "orders met the bid and ask of quotes; what a quote fills is not derived again"
"""Why some checks do not run where quotes drove the run."""

QUEUES = ("touch", "trade_through", "volume_ahead")
SOURCES = ("LastPrice", "MarkPrice", "IndexPrice")


class Tier(NamedTuple):
    """A risk tier.

    Attributes:
        largest: Largest notional of the tier; None is no limit.
        maintenance: Maintenance margin rate.
        deduction: Taken off the maintenance margin.
        leverage: Largest leverage of a position in it.
    """

    largest: Decimal | None
    maintenance: Decimal
    deduction: Decimal
    leverage: Decimal


@dataclass(frozen=True, slots=True)
class Models:
    """What a run assumes of market and venue.

    Attributes:
        half_spread: Half the distance between bid and ask, as a fraction of the price.
        latency_ms: How much later than its decision an order is at the venue.
        queue: When a resting limit is our turn: `touch`, `trade_through` or `volume_ahead`.
        queue_ticks: How far beyond its price the market must go, of `trade_through`.
        queue_share: Part of a bar's volume that stands before it, of `volume_ahead`.
        volume_fraction: Part of a bar's volume that can fill; None is no limit.
        trigger: The price that sets off stops and market targets.
        stop_is_limit: Whether a stop that is reached becomes a limit at its level.
        by_quotes: Whether orders were matched against quotes.
    """

    half_spread: Decimal = ZERO
    latency_ms: Decimal = ZERO
    queue: str = QUEUES[0]
    queue_ticks: Decimal = ONE
    queue_share: Decimal = ZERO
    volume_fraction: Decimal | None = None
    trigger: str = SOURCES[0]
    stop_is_limit: bool = False
    by_quotes: bool = False

    @property
    def underived(self) -> str | None:
        """Why fills cannot be derived again from bars; None where they can."""
        if self.by_quotes:
            return QUOTES
        if self.queue == QUEUES[2]:
            return "fills by a queue of volume are not derived again from bars"
        return "stops that rest as limits are not derived again from bars" if self.stop_is_limit else None


def read_models(manifest: Document) -> Models:
    """Return the models of a manifest; what it does not state is as the specification presumes."""
    return Models(
        half_spread=_number(manifest, "half_spread_bps", ZERO) / BPS,
        latency_ms=_number(manifest, "latency_ms", ZERO),
        queue=_word(manifest, "queue.model", QUEUES),
        queue_ticks=_number(manifest, "queue.ticks", ONE),
        queue_share=_number(manifest, "queue.share", ZERO),
        volume_fraction=_optional(manifest, "max_volume_fraction"),
        trigger=_word(manifest, "trigger_source", SOURCES),
        stop_is_limit=manifest.has("risk.sl_order_type") and manifest.value("risk.sl_order_type") == "Limit",
        by_quotes=manifest.has("data.quotes"),
    )


def read_tiers(manifest: Document) -> tuple[Tier, ...]:
    """Return the risk tiers of the instrument, smallest first; none where it has a single rate."""
    key = "instrument.risk_tiers"
    tiers = manifest.value(key) if manifest.has(key) else None
    if not tiers:
        return ()
    place = f"{manifest.name}: {key}"
    if not isinstance(tiers, list) or not all(isinstance(tier, dict) for tier in tiers):
        raise Unreadable(f"{place} is {tiers!r}, a list of objects was expected")
    return tuple(
        Tier(
            None if tier.get("max_notional") is None else finite(tier["max_notional"], place),
            finite(tier.get("maintenance"), place),
            finite(tier.get("deduction") or ZERO, place),
            finite(tier.get("max_leverage"), place),
        )
        for tier in tiers
    )


def _places(manifest: Document, key: str) -> list[str]:
    places = (f"{section}.{key}" for section in ("account", "strategy.resolved.account"))
    return [place for place in places if manifest.has(place) and manifest.value(place) is not None]


def _optional(manifest: Document, key: str) -> Decimal | None:
    found = _places(manifest, key)
    return manifest.number(found[0]) if found else None


def _number(manifest: Document, key: str, default: Decimal) -> Decimal:
    value = _optional(manifest, key)
    if value is not None and value < 0:
        raise Unreadable(f"{manifest.name}: {key} is {value}, it must not be negative")
    return default if value is None else value


def _word(manifest: Document, key: str, words: tuple[str, ...]) -> str:
    found = _places(manifest, key)
    word = manifest.text(found[0]) if found else words[0]
    if word not in words:
        raise Unreadable(f"{manifest.name}: {key} is {word!r}, one of {', '.join(words)} was expected")
    return word
