"""Where an isolated position is liquidated, and where its margin is gone: the one formula of every component.

With `s` = +1 long or -1 short, quantity `q` (multiplier included), entry price `E`, IMR = 1/leverage, maintenance rate
MMR, taker fee `f`, liquidation fee `g`, deduction `D` and extra margin `X`:

    liquidation   long  (q E (1 - IMR) - D - X) / (q (1 - (MMR + f)))
                  short (q E (1 + IMR) + D + X) / (q (1 + (MMR + f)))
    bankruptcy    long  (E (1 - IMR) - X / q) / (1 - g)
                  short (E (1 + IMR) + X / q) / (1 + g)

A price at or below zero means that there is none. Source: plays.md 6.7, with golden vectors 1 to 10 of 6.13 as tests.
"""

from __future__ import annotations

import math

from evenkeel.kernel import inlined


@inlined
def liquidation_price(
    direction: int, quantity: float, entry: float, leverage: float, maintenance: float, deduction: float, extra: float
) -> float:
    """Return the price at which a position is liquidated; an infinity that no price reaches where there is none.

    Args:
        direction: +1 long, -1 short.
        quantity: Unsigned, multiplier included.
        entry: Entry price.
        leverage: At least 1.
        maintenance: Maintenance margin rate and taker fee together.
        deduction: Maintenance margin deduction of the risk tier, account currency.
        extra: Margin beyond the initial one, account currency; negative where funding was taken from it.
    """
    margin = quantity * entry * (1.0 - direction / leverage) - direction * (deduction + extra)
    price = margin / (quantity * (1.0 - direction * maintenance))
    return price if price > 0.0 else -direction * math.inf


@inlined
def bankruptcy_price(direction: int, quantity: float, entry: float, leverage: float, fee: float, extra: float) -> float:
    """Return the price at which loss and liquidation fee take exactly the margin; an infinity where there is none.

    Args:
        direction: +1 long, -1 short.
        quantity: Unsigned, multiplier included.
        entry: Entry price.
        leverage: At least 1.
        fee: Rate charged at a liquidation.
        extra: Margin beyond the initial one, account currency.
    """
    price = (entry * (1.0 - direction / leverage) - direction * extra / quantity) / (1.0 - direction * fee)
    return price if price > 0.0 else -direction * math.inf
