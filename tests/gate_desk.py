"""A desk before the gates: an entry that every gate lets through, for three profiles, and one way to change it.

    desk = equity()
    desk.with_(**{"market.dvs": D("0.79")}).judge()

Names are those of facts (`engine.`, `account.`, `market.`, `strategy.`), of limits (`limits.losses.daily`) and of the
request (`request.quantity`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal as D
from functools import cache
from typing import Any

import msgspec

import desk
from evenkeel.model.ids import ClientId, InstrumentId, StrategyId
from evenkeel.model.instrument import ContractMargin, Instrument, InstrumentKind
from evenkeel.model.intent import OrderKind
from evenkeel.model.time import HOUR, MINUTE, SECOND
from evenkeel.risk.gates.check import Check
from evenkeel.risk.gates.facts.account import AccountFacts, Holding, MarginState
from evenkeel.risk.gates.facts.engine import NEVER, Access, EngineFacts, Phase, Recon, Streams
from evenkeel.risk.gates.facts.market import Costs, MarketFacts, SessionFacts, Statistics
from evenkeel.risk.gates.facts.snapshot import Facts
from evenkeel.risk.gates.facts.strategy import Health, Sent, StrategyFacts
from evenkeel.risk.gates.judge import check_all, judge, judge_kill
from evenkeel.risk.gates.numeric import NumericGates
from evenkeel.risk.gates.rates import RateBook
from evenkeel.risk.gates.request import Purpose, Request
from evenkeel.risk.gates.verdict import Approved, Refused
from evenkeel.risk.limits.limits import Limits
from evenkeel.risk.limits.profiles import profile
from evenkeel.strategies.account_rules import AccountKind, AccountRules
from evenkeel.strategies.terms import MarginTerms, SizingTerms, Terms

NOW = 1_700_000_000 * SECOND


@dataclass(frozen=True)
class GateDesk:
    """A request, facts and limits.

    Attributes:
        request: What is asked.
        facts: What is known.
        limits: Of the account.
    """

    request: Request
    facts: Facts
    limits: Limits

    def with_(self, **changes: Any) -> GateDesk:
        """Return the desk with other values; dots in names are written as `__` or given in a dict."""
        found = self
        for name, value in changes.items():
            found = found._changed(name.replace("__", "."), value)
        return found

    def _changed(self, name: str, value: Any) -> GateDesk:
        part, _, field = name.partition(".")
        if part == "request":
            return replace(self, request=msgspec.structs.replace(self.request, **{field: value}))
        if part == "limits":
            return replace(self, limits=self.limits.replaced({field: value}))
        if part == "now_ns":
            return replace(self, facts=msgspec.structs.replace(self.facts, now_ns=value))
        group, _, inner = field.partition(".")
        owner = getattr(self.facts, part)
        if inner:
            value = msgspec.structs.replace(getattr(owner, group), **{inner: value})
        changed = msgspec.structs.replace(owner, **{group: value})
        return replace(self, facts=msgspec.structs.replace(self.facts, **{part: changed}))

    def judge(self) -> Approved | Refused:
        """Return the decision."""
        return judge(self.request, self.facts, self.limits)

    def judge_kill(self) -> Approved | Refused:
        """Return the decision by the kill path."""
        return judge_kill(self.request, self.facts, self.limits)

    def check(self, gate: int) -> Check:
        """Return the answer of one gate."""
        return self.judge().checks[gate - 1]

    def check_all(self) -> tuple[Check, ...]:
        """Return all answers to the order as it is."""
        return check_all(self.request, self.facts, self.limits)


@cache
def numeric(asset: Instrument, terms: Terms) -> NumericGates:
    """Return the numeric gates of an account; made once for all desks."""
    return NumericGates(terms, asset)


def equity(limits: str = "balanced", **changes: Any) -> GateDesk:
    """Return 50 shares at 100.00 with a stop at 98.00 and a target at 104.00, in a live account of 100,000."""
    asset = desk.instrument(
        id=InstrumentId("ACME.NYSE"), kind=InstrumentKind.EQUITY, base="ACME", quote="USD", lot_size="1",
        min_quantity="1", calendar="NYSE",
    )  # fmt: skip
    terms = desk.terms(desk.account(), SizingTerms(max_leverage=D(1)))
    return _desk(
        asset, terms, limits, quantity="50", price="100", stop="2", target="4", equity="100000",
        costs=Costs(rate=D(0), per_unit=D("0.005"), slippage=D("0.01")),
        holding=Holding(
            instrument=InstrumentId("OTHER.NYSE"), strategy=StrategyId("other"), notional=D(20_000), sector="energy",
            correlation=D("0.3"),
        ),
    ).with_(**changes)  # fmt: skip


def perpetual(limits: str = "perp_small", **changes: Any) -> GateDesk:
    """Return 0.002 of a coin at 20,000 with a stop 200 below and a target 400 above, in a live account of 1,000."""
    asset = desk.instrument(
        id=InstrumentId("COINUSDT.VENUE"), base="COIN", tick_size="0.5", lot_size="0.001", min_quantity="0.001",
        min_notional="5",
    )  # fmt: skip
    costs = desk.account(taker="0.00055", margin=MarginTerms(liquidates=True))
    return _desk(
        asset, desk.terms(costs, SizingTerms(max_leverage=D(2))), limits, quantity="0.002", price="20000", stop="200",
        target="400", equity="1000", costs=Costs(rate=D("0.00055"), slippage=D(2)),
        holding=Holding(
            instrument=InstrumentId("OTHERUSDT.VENUE"), strategy=StrategyId("other"), notional=D(100),
            correlation=D("0.3"),
        ),
    ).with_(market__leverage=D(2), market__funding_rate=D("0.0001"), **changes)  # fmt: skip


def micro(limits: str = "micro_futures", **changes: Any) -> GateDesk:
    """Return one contract at 5,000.00 with a stop of 10 ticks and a target of 32, in a live account of 3,000."""
    asset = desk.instrument(
        id=InstrumentId("MES.CME"), kind=InstrumentKind.FUTURE, base="MES", quote="USD", tick_size="0.25", lot_size="1",
        min_quantity="1", multiplier="5", calendar="CME",
        contract_margin=ContractMargin(initial=D(1350), maintenance=D(1200)),
    )  # fmt: skip
    rules = AccountRules(kind=AccountKind.FUTURES, contract=asset.contract_margin)
    terms = desk.terms(desk.account(rules=rules, max_position=1), SizingTerms(max_leverage=D(20)))
    made = _desk(
        asset, terms, limits, quantity="1", price="5000", stop="2.5", target="8", equity="3000",
        costs=Costs(rate=D(0), per_unit=D("0.62"), slippage=D("0.25"), extra=D(1)), holding=None,
    )  # fmt: skip
    return made.with_(market__bid=D("4999.75"), market__ask=D(5000), **changes)


def _desk(
    asset: Instrument, terms: Terms, limits: str, *, quantity: str, price: str, stop: str, target: str, equity: str,
    costs: Costs, holding: Holding | None,
) -> GateDesk:  # fmt: skip
    request = Request(
        purpose=Purpose.ENTRY, client_id=ClientId("kle-aaaaaaaaaaaaaaaaaaaa"), strategy=StrategyId("trend"),
        instrument=asset.id, quantity=D(quantity), kind=OrderKind.LIMIT, price=D(price), reference=D(price),
        reference_known_ns=NOW - SECOND, signal_ns=NOW - SECOND, stop_distance=D(stop), target_distance=D(target),
    )  # fmt: skip
    money = D(equity)
    margin = MarginState(
        initial_rate=D("0.1"), maintenance_rate=D("0.1"), available=money, liquidating=False, asset_share=D("0.1")
    )
    facts = Facts(
        now_ns=NOW,
        engine=EngineFacts(
            mode="live", phase=Phase.RUNNING, reconciled=True, halt_level=0, halt_epoch=7, panic=False,
            access=Access(key_mode="live", host_mode="live", account_mode="live", withdraws=False, armed=True),
            lease_epoch=3, lease_until_ns=NOW + 10 * SECOND, streams=Streams(private_ns=NOW - SECOND),
            recon=Recon(open_differences=0, mismatches=0, clean_ns=NOW - MINUTE), clock_offset_ns=1_000_000,
            journal_writable=True, rates=RateBook(), unknown_ns=NEVER,
        ),
        account=AccountFacts(
            equity=money, session_equity=money, session_peak=money, peak=money, scale=D(1), realised_day=D(0),
            realised_week=D(0), realised_month=D(0), open_profit=D(0), open_risk=D(0), trades=0, streak=0,
            loss_ns=NEVER, hour_entries=0, entry_ns=NEVER, holdings=() if holding is None else (holding,), orders=2,
            kinds=frozenset({asset.kind}), buying_power=money, settled_cash=money, free=money, margin=margin,
            permit=D(100_000), day_trades=0,
        ),
        market=MarketFacts(
            instrument=asset, instrument_ns=NOW - HOUR, tradable=True, shortable=True, fractionable=True,
            reduce_only=False, warm=True,
            session=SessionFacts(open=True, since_open_s=3600, until_close_s=3600, minute=640),
            events=(), lockout_ns=NEVER, dvs=D(1), eqs=D(1), bar_ns=NOW - MINUTE, interval_ns=MINUTE,
            last=D(price), last_ns=NOW - SECOND, bid=D(price) - D("0.01"), ask=D(price) + D("0.01"),
            quote_ns=NOW - SECOND, minute_volume=D(10_000), daily_volume=D(1_000_000), costs=costs,
            statistics=Statistics(
                value_at_risk=D("0.02"), expected_shortfall=D("0.03"), volatility=D("0.2"), drawdown=D("0.1")
            ),
            sector="retail", position=D(0), working=(), orders=0, unknown=False, wash_sale=False, blocked=False,
        ),
        strategy=StrategyFacts(
            allowed=True, health=Health.WELL, streak=0, same_id=Sent.ABSENT, signal_used=False, recent=(),
            signal_ns=NEVER, waiver_ns=NEVER, scale=D(1), volatility_scale=D(1), streak_scale=D(1),
            numeric=numeric(asset, terms),
        ),
    )  # fmt: skip
    return GateDesk(request, facts, profile(limits))
