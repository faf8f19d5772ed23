"""How the account of a play pays for positions: its own word, else what the instrument usually asks."""

from __future__ import annotations

import msgspec

from evenkeel.data.calendar import ALWAYS_OPEN
from evenkeel.model.instrument import ContractMargin, Instrument, InstrumentKind
from evenkeel.model.number import plain, to_decimal
from evenkeel.strategies.account_rules import AccountKind, AccountRules, usual_kind
from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.schema import AccountSection, ContractMarginSection

DAY_TRADES = 3
"""Day trades that stand within five sessions; one more makes a pattern day trader."""

_FUTURES = (InstrumentKind.FUTURE, InstrumentKind.CONTINUOUS_FUTURE)
_FITTING: dict[AccountKind, tuple[InstrumentKind, ...]] = {
    AccountKind.ISOLATED: (InstrumentKind.PERPETUAL,),
    AccountKind.FUTURES: _FUTURES,
    AccountKind.CASH: (InstrumentKind.EQUITY, InstrumentKind.SPOT, InstrumentKind.FX),
    AccountKind.MARGIN: (InstrumentKind.EQUITY,),
    AccountKind.UNLEVERED: tuple(kind for kind in InstrumentKind if kind is not InstrumentKind.PERPETUAL),
}
_OWN_KEYS: dict[str, AccountKind] = {
    "contract_margin": AccountKind.FUTURES,
    "overnight": AccountKind.FUTURES,
    "pattern_day_trader": AccountKind.MARGIN,
    "borrow_rate_pct": AccountKind.MARGIN,
    "settlement_days": AccountKind.CASH,
}
"""Keys that only one kind of account reads."""


def build_rules(section: AccountSection, instrument: Instrument, log: ProblemLog) -> AccountRules:
    """Return what the broker asks of the account."""
    kind = usual_kind(instrument) if section.kind is None else AccountKind(section.kind)
    if section.kind is None and section.contract_margin is not None and instrument.kind in _FUTURES:
        kind = AccountKind.FUTURES
    if instrument.kind not in _FITTING[kind]:
        fitting = ", ".join(each.value for each, kinds in _FITTING.items() if instrument.kind in kinds)
        message = f"{instrument.id} is {instrument.kind.value} and has no {kind.value} account"
        log.error(("account", "kind"), message, f"write one of {fitting}, or remove the key")
        return AccountRules()
    for key, owner in _OWN_KEYS.items():
        if key in section.model_fields_set and kind is not owner:
            message = f"the account is {kind.value} and has no {key}"
            log.error(("account", key), message, f"remove it, or set `kind: {owner.value}`", key=True)
    if section.max_leverage > 1 and kind in (AccountKind.CASH, AccountKind.UNLEVERED):
        remedy = "write 1, or set `kind: futures` or `kind: margin` where the instrument has one"
        log.error(("account", "max_leverage"), f"the account is {kind.value} and gives no credit", remedy)
    contract = _contract(section.contract_margin, instrument, log) if kind is AccountKind.FUTURES else None
    if kind is AccountKind.FUTURES and contract is None:
        return AccountRules()
    _check_hours(section, instrument, log)
    return AccountRules(
        kind=kind,
        contract=contract,
        overnight=section.overnight,
        borrow_rate=None if section.borrow_rate_pct is None else to_decimal(section.borrow_rate_pct) / 100,
        day_trades=DAY_TRADES if kind is AccountKind.MARGIN and section.pattern_day_trader else None,
        settlement=0 if kind is AccountKind.CASH and instrument.calendar == ALWAYS_OPEN else section.settlement_days,
        regular_hours=instrument.calendar if section.extended_hours else None,
    )


def _contract(section: ContractMarginSection | None, instrument: Instrument, log: ProblemLog) -> ContractMargin | None:
    """Return the margin of a contract; None after telling that it is not known or not possible."""
    if section is None:
        if instrument.contract_margin is None:
            remedy = "add `contract_margin: { initial: …, maintenance: … }` with your broker's figures"
            log.error(("account", "kind"), f"the margin of a contract of {instrument.id} is not known", remedy)
        return instrument.contract_margin
    initial, maintenance = to_decimal(section.initial), to_decimal(section.maintenance)
    intraday = None if section.intraday is None else to_decimal(section.intraday)
    if maintenance > initial:
        message = f"a maintenance margin of {plain(maintenance)} is above the initial one of {plain(initial)}"
        log.error(("account", "contract_margin", "maintenance"), message, "it is at most the initial margin")
        return None
    if intraday is not None and intraday > initial:
        message = f"an intraday margin of {plain(intraday)} is above the initial one of {plain(initial)}"
        log.error(("account", "contract_margin", "intraday"), message, "it is at most the initial margin")
        return None
    return ContractMargin(initial=initial, maintenance=maintenance, intraday=intraday)


def _check_hours(section: AccountSection, instrument: Instrument, log: ProblemLog) -> None:
    if section.extended_hours and instrument.extended_calendar is None:
        message = f"{instrument.id} has no extended hours"
        log.error(("account", "extended_hours"), message, "remove the key", key=True)


def check_borrowing(rules: AccountRules, instrument: Instrument, mode: str, log: ProblemLog) -> None:
    """Refuse shorts that the account does not allow; an instrument that nobody can sell short is told of elsewhere."""
    if mode != "long_only" and rules.kind is AccountKind.CASH and instrument.shortable:
        remedy = "set mode long_only, or `account.kind: margin`"
        log.error(("position_policy", "mode"), "a cash account never sells short", remedy)
    if mode != "long_only" and rules.kind is AccountKind.MARGIN and rules.borrow_rate is None:
        remedy = "add `borrow_rate_pct`, what your broker asks a year"
        log.error(("account", "kind"), "what a short position costs to borrow is not known", remedy)


def with_hours(instrument: Instrument, rules: AccountRules) -> Instrument:
    """Return an instrument with the calendar of the hours in which the account trades it."""
    if rules.regular_hours is None or instrument.extended_calendar is None:
        return instrument
    traded: Instrument = msgspec.structs.replace(instrument, calendar=instrument.extended_calendar)
    return traded
