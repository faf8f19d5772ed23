"""What a broker lets an entry use: settled cash, day trades that still count, the end of a session (decision 0016).

A cash account pays in full from settled cash: the proceeds of a sale settle three sessions after it, two from
2017-09-05 on, one from 2024-05-28 on, or as many as the account states. A margin account in USD below 25,000 may not
open what could become the fourth day trade of five sessions. What a futures account may not hold over the end of a
session closes at the open of the last base bar of it, and no entry fills there.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import takewhile

import numpy as np

from evenkeel.readiness.audit.artifacts import Run
from evenkeel.readiness.audit.bars import BaseBars
from evenkeel.readiness.audit.number import ZERO
from evenkeel.readiness.audit.span import Span
from evenkeel.readiness.audit.tally import Ints

EPOCH = date(1970, 1, 1)
SETTLES = (((date(2024, 5, 28) - EPOCH).days, 1), ((date(2017, 9, 5) - EPOCH).days, 2))
"""From which day on a sale settles after how many sessions, newest first; before all of them after three."""

SLOWEST = 3
DAY_TRADES, DAY_TRADE_SESSIONS, DAY_TRADE_EQUITY = 3, 5, Decimal(25_000)


class Funds:
    """The broker's view of a run at its decisions.

    Args:
        run: The run.
        bars: Its base bars, with their sessions where the market has some.
    """

    def __init__(self, run: Run, bars: BaseBars) -> None:
        terms = run.terms
        self._run = run
        self._days = bars.columns.get("session")
        dated = self._days is not None
        self._settles = dated and terms.account_kind == "cash" and not terms.always_open
        self._counts = dated and terms.account_kind == "margin" and terms.counts_day_trades
        self._leaves = dated and terms.account_kind == "futures" and not terms.overnight
        if self._days is None or not (self._settles or self._counts or self._leaves):
            return
        self._known: Ints = np.unique(self._days).astype(np.int64)
        late = (run.trades.values("exit_point", "exit_point") == "close").to_numpy()
        self._exits = bars.exit_rows(run.trades.times("exit_time", "exit_ns").to_numpy(), late)
        self._entries = bars.rows_at(run.trades.times("entry_time", "entry_ns").to_numpy())

    def _day(self, row: int) -> int:
        return 0 if self._days is None else int(self._days[row])

    def free(self, row: int, equity: Decimal) -> Span:
        """Return what an entry may use that is decided without a position at the close of a base bar.

        Whether the fee of a sale waits with its proceeds is left open.
        """
        if not self._settles:
            return Span.point(equity)
        day, waiting, fees = self._day(row), ZERO, ZERO
        for place in self._before(row):
            left = self._day(int(self._exits[place]))
            if self._settled(left) <= day:
                break
            leg = self._run.trades[place]
            waiting += leg.quantity * leg.exit_price * self._run.terms.multiplier
            fees += leg.exit_fee
        return Span(equity - waiting, equity - waiting + fees)

    def _before(self, row: int) -> list[int]:
        """Return the legs that were closed by the close of a base bar, the last one first."""
        count = int(np.searchsorted(self._exits, row, side="right"))
        return list(range(count - 1, -1, -1))

    def _settled(self, day: int) -> int:
        """Return the session in which a sale of a day is settled cash."""
        stated = self._run.terms.settlement_days
        wait = next((count for begin, count in SETTLES if day >= begin), SLOWEST) if stated is None else stated
        place = int(np.searchsorted(self._known, day)) + wait
        return int(self._known[place]) if place < len(self._known) else 2**62

    def barred(self, row: int, equity: Decimal) -> bool:
        """Whether the rule of day trades forbids an entry that is decided at the close of a base bar."""
        if not self._counts or equity >= DAY_TRADE_EQUITY:
            return False
        place = int(np.searchsorted(self._known, self._day(row)))
        window = int(self._known[max(place - DAY_TRADE_SESSIONS + 1, 0)])
        recent = takewhile(lambda leg: self._day(int(self._exits[leg])) >= window, self._before(row))
        traded = {
            self._run.trades[leg].number
            for leg in recent
            if self._day(int(self._entries[leg])) == self._day(int(self._exits[leg]))
        }
        return len(traded) >= DAY_TRADES

    def withdrawn(self, row: int) -> bool:
        """Whether an order that can fill in a base bar first is withdrawn there, as the session ends with it."""
        days = self._days
        if not self._leaves or days is None:
            return False
        return row + 1 >= len(days) or bool(days[row + 1] != days[row])
