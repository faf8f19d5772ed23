"""What each indicator has in common with TA-Lib: the claims that the tests check and the page that states them.

`PYTHONPATH=src:tests python -m reference.agreement` writes the page.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import talib

from evenkeel.features.registry import INDICATOR_NAMES, find_indicator
from evenkeel.model.bar import Floats

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "indicator_agreement.md"

Columns = dict[str, Floats]
SAMPLE_DEVIATION = math.sqrt(20 / 19)
"""From the library's population deviation to the sample deviation of 20 values."""


@dataclass(frozen=True)
class Claim:
    """One output beside a function of the library.

    Attributes:
        name: The indicator.
        output: The output that is compared.
        function: What it is compared with, for people.
        library: Computes that.
        params: Of the indicator; the library's call says the same.
        settled: Bars after which a different start has decayed; 0 when the values are the same from the first on, and
            stand on the same bars.
        differs: Why the two differ for good, or empty.
        note: Where they differ although they agree elsewhere, or why they start differently.
        apart: Bars that `note` excepts.
    """

    name: str
    output: str
    function: str
    library: Callable[[Columns], Floats]
    params: dict[str, Any] = field(default_factory=dict)
    settled: int = 0
    differs: str = ""
    note: str = ""
    apart: Callable[[Columns], Any] | None = None


def lately(where: Any, bars: int) -> Any:
    """Return where something happened on this bar or on one of the `bars` before it."""
    last = np.maximum.accumulate(np.where(where, np.arange(len(where)), -bars - 1))
    return np.arange(len(where)) - last <= bars


def no_range(c: Columns, n: int) -> Any:
    """Return where the last n bars have one price."""
    return talib.MAX(c["high"], n) == talib.MIN(c["low"], n) if n > 1 else c["high"] == c["low"]


def one_value(values: Floats, n: int) -> Any:
    """Return where the last n values are the same."""
    return talib.MAX(values, n) == talib.MIN(values, n)


def hlc3(c: Columns) -> Floats:
    return (c["high"] + c["low"] + c["close"]) / 3.0


FLAT_IS_0 = "a window without range: 50 here, 0 there"
FLAT_KAMA = "other seed; a window without range: efficiency 0 here, 1 there"
LATER = "the library leaves bar 1 out"

CLAIMS: tuple[Claim, ...] = (
    Claim("ema", "value", "EMA", lambda c: talib.EMA(c["close"], 20)),
    Claim("sma", "value", "SMA", lambda c: talib.SMA(c["close"], 20)),
    Claim("wma", "value", "WMA", lambda c: talib.WMA(c["close"], 20)),
    Claim(
        "dema", "value", "DEMA", lambda c: talib.DEMA(c["close"], 20), settled=200,
        note="the library starts each stage with a mean",
    ),
    Claim(
        "tema", "value", "TEMA", lambda c: talib.TEMA(c["close"], 20), settled=250,
        note="the library starts each stage with a mean",
    ),
    Claim("trima", "value", "TRIMA", lambda c: talib.TRIMA(c["close"], 21), {"length": 21}, note="odd lengths"),
    Claim(
        "trima", "value", "TRIMA", lambda c: talib.TRIMA(c["close"], 20), {"length": 20},
        differs="even lengths: two stages of one length here, of n/2 and n/2 + 1 there",
    ),
    Claim(
        "kama", "value", "KAMA", lambda c: talib.KAMA(c["close"], 10), settled=400, note=FLAT_KAMA,
        apart=lambda c: lately(one_value(c["close"], 11), 400),
    ),
    Claim("linreg", "value", "LINEARREG", lambda c: talib.LINEARREG(c["close"], 14)),
    Claim("midprice", "value", "MIDPRICE", lambda c: talib.MIDPRICE(c["high"], c["low"], 14)),
    Claim("ohlc4", "value", "AVGPRICE", lambda c: talib.AVGPRICE(c["open"], c["high"], c["low"], c["close"])),
    Claim(
        "rsi", "value", "RSI", lambda c: talib.RSI(c["close"], 14), settled=400, note="the library starts with a mean"
    ),
    Claim(
        "cci", "value", "CCI", lambda c: talib.CCI(c["high"], c["low"], c["close"], 14),
        note="a window of one price: 0 here, rounding noise there", apart=lambda c: one_value(hlc3(c), 14),
    ),
    Claim(
        "willr", "value", "WILLR", lambda c: talib.WILLR(c["high"], c["low"], c["close"], 14),
        note="a window without range: -50 here, 0 there", apart=lambda c: no_range(c, 14),
    ),
    Claim("roc", "value", "ROC", lambda c: talib.ROC(c["close"], 10)),
    Claim("mom", "value", "MOM", lambda c: talib.MOM(c["close"], 10)),
    Claim(
        "cmo", "value", "CMO", lambda c: talib.CMO(c["close"], 14),
        differs="plain sums here, Wilder's averages there",
    ),
    Claim(
        "mfi", "value", "MFI", lambda c: talib.MFI(c["high"], c["low"], c["close"], c["volume"], 14),
        note="less than 1 moved, by price times volume: 0 there",
        apart=lambda c: lately(hlc3(c) * c["volume"] < 1, 14),
    ),
    Claim("uo", "value", "ULTOSC", lambda c: talib.ULTOSC(c["high"], c["low"], c["close"], 7, 14, 28)),
    Claim(
        "obv", "value", "OBV less the first volume", lambda c: talib.OBV(c["close"], c["volume"]) - c["volume"][0],
        settled=1, note="undefined on bar 1 here",
    ),
    Claim("atr", "value", "ATR", lambda c: talib.ATR(c["high"], c["low"], c["close"], 14), settled=400, note=LATER),
    Claim(
        "natr", "value", "NATR", lambda c: talib.NATR(c["high"], c["low"], c["close"], 14),
        differs="an exponential average here, Wilder's there",
    ),
    *(
        Claim(
            "macd", output, "MACD", lambda c, place=place: talib.MACD(c["close"])[place], settled=400,
            note="the library starts the fast average later",
        )
        for place, output in enumerate(("macd", "signal", "histogram"))
    ),
    Claim("ppo", "ppo", "PPO with simple averages", lambda c: talib.PPO(c["close"], 12, 26, 0)),
    Claim(
        "trix", "trix", "TRIX", lambda c: talib.TRIX(c["close"], 18), settled=300,
        note="the library starts each stage with a mean",
    ),
    *(
        Claim(
            "bbands", output, "BBANDS with std * sqrt(n / (n - 1))",
            lambda c, place=place: talib.BBANDS(c["close"], 20, *[2 * SAMPLE_DEVIATION] * 2)[place],
        )
        for place, output in enumerate(("upper", "middle", "lower"))
    ),
    Claim("donchian", "lower", "MIN", lambda c: talib.MIN(c["low"], 20)),
    Claim("donchian", "upper", "MAX", lambda c: talib.MAX(c["high"], 55), {"upper_length": 55}),
    *(
        Claim(
            "stoch", output, "STOCH with simple averages",
            lambda c, place=place: talib.STOCH(c["high"], c["low"], c["close"], 14, 3, 0, 3, 0)[place],
            note=FLAT_IS_0, apart=lambda c: lately(no_range(c, 14), 3 + 3),
        )
        for place, output in enumerate(("k", "d"))
    ),
    Claim(
        "stochrsi", "k", "STOCHRSI", lambda c: talib.STOCHRSI(c["close"], 14, 14, 3, 0)[0],
        differs="k is smoothed here, not there",
    ),
    Claim(
        "adx", "adx", "ADX", lambda c: talib.ADX(c["high"], c["low"], c["close"], 14), settled=600, note=LATER
    ),
    Claim(
        "adx", "dmp", "PLUS_DI", lambda c: talib.PLUS_DI(c["high"], c["low"], c["close"], 14), settled=600, note=LATER
    ),
    Claim(
        "adx", "dmn", "MINUS_DI", lambda c: talib.MINUS_DI(c["high"], c["low"], c["close"], 14), settled=600, note=LATER
    ),
    Claim(
        "adx", "adxr", "ADXR", lambda c: talib.ADXR(c["high"], c["low"], c["close"], 14), settled=600, note=LATER
    ),
    Claim(
        "dm", "dmp", "PLUS_DM / n", lambda c: talib.PLUS_DM(c["high"], c["low"], 14) / 14, settled=400,
        note="the library starts with a sum",
    ),
    Claim(
        "dm", "dmn", "MINUS_DM / n", lambda c: talib.MINUS_DM(c["high"], c["low"], 14) / 14, settled=400,
        note="the library starts with a sum",
    ),
    Claim("aroon", "down", "AROON", lambda c: talib.AROON(c["high"], c["low"], 25)[0]),
    Claim("aroon", "up", "AROON", lambda c: talib.AROON(c["high"], c["low"], 25)[1]),
    Claim("aroon", "osc", "AROONOSC", lambda c: talib.AROONOSC(c["high"], c["low"], 25)),
    Claim(
        "psar", "long", "SAR", lambda c: talib.SAR(c["high"], c["low"], 0.02, 0.2),
        differs="turns when the price passes the stop here, also on a touch there",
    ),
)  # fmt: skip


def page() -> str:
    """Return the page that states the claims."""
    lines = [
        "<!-- Made by `python -m reference.agreement` from the claims that the tests check; do not edit. -->",
        "",
        "# Indicators beside TA-Lib",
        "",
        "Each line is checked on recorded minutes of a future and of a perpetual, and on recorded days of a share: "
        "equal means",
        "1e-9 of the largest value; a difference is seen to exist. Definitions are those of [Indicators](indicators.md)"
        "; parameters are",
        "the default ones unless named.",
        "",
        "| indicator | output | TA-Lib | agreement | where not |",
        "| --- | --- | --- | --- | --- |",
    ]
    for claim in CLAIMS:
        given = ", ".join(f"{name} {value}" for name, value in claim.params.items())
        name = f"`{claim.name}`" + (f" ({given})" if given else "")
        lines.append(
            f"| {name} | `{claim.output}` | {claim.function} | {agreement(claim)} | {claim.differs or claim.note} |"
        )
    claimed = {(claim.name, claim.output) for claim in CLAIMS}
    alone = [name for name in INDICATOR_NAMES if name not in {claim.name for claim in CLAIMS}]
    further = [
        f"`{name}.{output.name}`"
        for name in INDICATOR_NAMES
        if name not in alone
        for output in find_indicator(name).outputs
        if (name, output.name) not in claimed
    ]
    lines += [
        "",
        "Without a counterpart: " + ", ".join(f"`{name}`" for name in alone) + "; of the others " + ", ".join(further)
        + ". These, like all,",
        "are checked against a plain restatement of their definitions on flat, gappy, huge, tiny and incomplete "
        "markets.",
        "",
    ]  # fmt: skip
    return "\n".join(lines)


def agreement(claim: Claim) -> str:
    """Return the words for how far a claim goes."""
    if claim.differs:
        return "differs for good"
    return f"equal from bar {claim.settled + 1} on" if claim.settled else "equal"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
