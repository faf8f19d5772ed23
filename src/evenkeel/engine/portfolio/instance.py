"""The instances of a run: an instrument, what trades it, and its bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evenkeel.engine.market import Market, Stretch
from evenkeel.features.timeline import FeatureRun
from evenkeel.model.errors import UsageError
from evenkeel.model.ids import InstrumentId
from evenkeel.strategies.strategy import Strategy
from evenkeel.venues.simulated.portfolio_venue import PortfolioVenue, Seat


@dataclass(frozen=True, slots=True)
class Instance:
    """One instrument of a run.

    Attributes:
        strategy: What decides on it.
        market: Its bars.
    """

    strategy: Strategy
    market: Market

    @property
    def id(self) -> InstrumentId:
        """Of the instrument."""
        return self.strategy.instrument.id


def in_order(instances: Sequence[Instance]) -> tuple[Instance, ...]:
    """Return the instances of a run in the order of their instruments' ids: the order they are named in means nothing.

    Raises:
        UsageError: If an instrument stands twice, or they cannot share an account.
    """
    ordered = tuple(sorted(instances, key=lambda one: one.id))
    names = [one.id for one in ordered]
    for name in sorted(set(names)):
        if names.count(name) > 1:
            raise UsageError(f"{name} stands twice among the instruments of the run; an instrument has one owner")
    currencies = sorted({one.strategy.terms.account.currency for one in ordered})
    if len(currencies) > 1:
        raise UsageError(
            f"the instruments are quoted in {' and '.join(currencies)}, and an account has one currency; run those of "
            "one currency together, the others with --symbol"
        )
    return ordered


def seat_of(instance: Instance, *, decides: bool) -> Seat:
    """Return what the venue must know of an instance.

    Args:
        instance: Which.
        decides: Whether the venue's loop decides by the kernel of the strategy.
    """
    strategy, market = instance.strategy, instance.market
    return Seat(
        instrument=strategy.instrument, terms=strategy.terms, wake_flat=strategy.wake_flat,
        wake_hold=strategy.wake_hold, base=market.base, exec=market.exec,
        decide=strategy.kernel if decides else None,
    )  # fmt: skip


class Places:
    """Where each instance stands in its stretches.

    Attributes:
        features: Of the stretch that each instance is in.
    """

    def __init__(self, instances: Sequence[Instance], venue: PortfolioVenue) -> None:
        self._instances, self._venue = instances, venue
        self._at = [0] * len(instances)
        self.features: list[FeatureRun] = []
        for number in range(len(instances)):
            self.features.append(self._open(number))

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """The stretch that each instance is in."""
        return tuple(one.market.stretches[at] for one, at in zip(self._instances, self._at, strict=True))

    def turn_to_next(self, number: int) -> bool:
        """Let an instance turn to its next stretch; False if there is none, and it takes no further part."""
        if self._at[number] + 1 == len(self._instances[number].market.stretches):
            self._venue.leave(number)
            return False
        self._at[number] += 1
        self.features[number] = self._open(number)
        return True

    def _open(self, number: int) -> FeatureRun:
        instance, stretch = self._instances[number], self.stretches[number]
        features = FeatureRun(instance.strategy.program, stretch.series)
        self._venue.open_stretch(
            number, features, stretch.series, first_exec=stretch.first_exec, carry=stretch.carry, mark=stretch.mark,
            index=stretch.index,
        )  # fmt: skip
        return features
