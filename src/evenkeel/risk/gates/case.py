"""A request with all that follows from it and from the facts: what gates compare, computed once."""

from __future__ import annotations

from decimal import Decimal

from evenkeel.model.intent import Direction
from evenkeel.risk.classify import Classified, Effect
from evenkeel.risk.gates.exposure import ZERO, Exposure, exposure
from evenkeel.risk.gates.facts.snapshot import Facts
from evenkeel.risk.gates.numeric import Against
from evenkeel.risk.gates.request import PROTECTS, Purpose, Request
from evenkeel.risk.gates.size import NO_CAPS, Size, caps_of, size_entry
from evenkeel.risk.limits.limits import Limits

BROKER_MODES = frozenset({"demo", "live"})


class Case:
    """One order before the gates.

    Attributes:
        request: What is asked.
        facts: What is known.
        limits: Of the account.
        classified: What the order does.
        kill: Whether it comes by the kill path.
        entry: Whether it opens or enlarges a position.
        cancel: Whether it only ends an order.
        at_broker: Whether it would go to a broker.
        price: Limit price, else the reference, else the last price; None where nothing is known.
        caps: Of an entry: what position, exposure and loss may be at most.
        size: Of an entry: what is left of the wish.
        quantity: Signed units that may be sent.
        unit: Notional of one unit; None is not known.
        notional: Of the order, unsigned; None is not known.
        sums: What is held beside it; None is not known.
        symbol_after: Unsigned notional of the position with it; None is not known.
        gross_after: Of all positions with it.
        stop_loss: Of a unit at its stop; the whole notional without one; None is not known.
        fees: Of a unit, both sides; None is not known.
        worst: Loss of the order at its stop with fees and slippage; None is not known.
        against: What the numeric gates have against it; None is not known.
    """

    __slots__ = (
        "against", "at_broker", "cancel", "caps", "classified", "entry", "facts", "fees", "gross_after", "kill",
        "limits", "notional", "price", "quantity", "request", "size", "stop_loss", "sums", "symbol_after", "unit",
        "worst",
    )  # fmt: skip

    def __init__(
        self, request: Request, facts: Facts, limits: Limits, classified: Classified, *, kill: bool = False,
        shrink: bool = True,
    ) -> None:  # fmt: skip
        """Compute what the gates compare.

        Args:
            request: What is asked.
            facts: What is known.
            limits: Of the account.
            classified: What the order does.
            kill: Whether it comes by the kill path.
            shrink: Whether scales and caps may make an entry smaller; without, its size is judged as it is.
        """
        self.request, self.facts, self.limits, self.classified = request, facts, limits, classified
        self.kill = kill
        self.entry = classified.effect is Effect.INCREASING
        self.cancel = request.purpose is Purpose.CANCEL
        self.at_broker = facts.engine.mode in BROKER_MODES
        self.price = _price(request, facts)
        self.quantity = classified.quantity
        self.unit = _unit(self.price, facts)
        self.caps = NO_CAPS
        self.size: Size | None = None
        self.sums: Exposure | None = None
        self.notional: Decimal | None = None
        self.symbol_after: Decimal | None = None
        self.gross_after: Decimal | None = None
        self.stop_loss: Decimal | None = None
        self.fees: Decimal | None = None
        self.worst: Decimal | None = None
        self.against: Against | None = None
        if self.entry:
            self._weigh(shrink=shrink)

    @property
    def protects(self) -> bool:
        """Whether the order is a stop or target of a position that it reduces."""
        return self.request.purpose in PROTECTS and not self.entry

    def _weigh(self, *, shrink: bool) -> None:
        """Compute what an entry would do to the account."""
        request, facts = self.request, self.facts
        market, account = facts.market, facts.account
        if account.holdings is not None:
            self.sums = exposure(
                account.holdings, instrument=request.instrument, strategy=request.strategy,
                sector=market.sector,
            )  # fmt: skip
        self._cost_of_a_unit()
        slippage = self._slippage()
        per_unit = None if self.stop_loss is None or slippage is None else self.stop_loss + slippage
        self.caps = caps_of(facts, self.limits)
        if shrink:
            self.size = size_entry(request, facts, self.limits, self.sums, self.caps, unit=self.unit, loss=per_unit)
            self.quantity = self.size.final.copy_sign(request.quantity)
        if self.unit is not None:
            self._sum_up(self.unit, per_unit)
        self._ask_kernel()

    def _cost_of_a_unit(self) -> None:
        instrument, costs, unit = self.facts.market.instrument, self.facts.market.costs, self.unit
        if instrument is None or unit is None:
            return
        distance = self.request.stop_distance
        self.stop_loss = unit if distance is None else distance * instrument.multiplier
        if costs is not None:
            self.fees = 2 * (costs.rate * unit + costs.per_unit) * self.facts.strategy.cost_factor

    def _slippage(self) -> Decimal | None:
        """Return fees and slippage of a unit as far as the worst case counts them; None is not known."""
        instrument, costs = self.facts.market.instrument, self.facts.market.costs
        if instrument is None or costs is None or self.fees is None:
            return None
        return self.fees + costs.slippage * instrument.multiplier

    def _sum_up(self, unit: Decimal, per_unit: Decimal | None) -> None:
        units = abs(self.quantity)
        self.notional = units * unit
        self.worst = None if per_unit is None else units * per_unit
        if self.sums is not None:
            self.symbol_after = abs(self.sums.symbol + self.quantity * unit)
            self.gross_after = self.sums.gross + self.notional

    def _ask_kernel(self) -> None:
        request, account, numeric = self.request, self.facts.account, self.facts.strategy.numeric
        if numeric is None or self.price is None or account.equity is None or account.free is None:
            return
        self.against = numeric.against(
            Direction.LONG if request.quantity > ZERO else Direction.SHORT, abs(self.quantity),
            equity=account.equity, free=account.free, price=self.price, stop_distance=request.stop_distance,
            target_distance=request.target_distance, day_trades=account.day_trades or 0,
        )  # fmt: skip


def _price(request: Request, facts: Facts) -> Decimal | None:
    if request.price is not None:
        return request.price
    return sane(facts.market.last) if request.reference is None else request.reference


def _unit(price: Decimal | None, facts: Facts) -> Decimal | None:
    instrument = facts.market.instrument
    return None if price is None or instrument is None or price <= 0 else price * instrument.multiplier


def sane(price: Decimal | None) -> Decimal | None:
    """Return a price that can be divided by; None for one that is missing, not finite or not above zero."""
    return price if price is not None and price.is_finite() and price > 0 else None
