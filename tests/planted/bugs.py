"""The bugs: a name, the step, the file, the right text, the wrong text, and the rules whose cases show it."""

from __future__ import annotations

from dataclasses import dataclass

SIZING = "evenkeel/risk/sizing.py"
GATES = "evenkeel/risk/gates/entry.py"
LIQUIDATION = "evenkeel/risk/liquidation.py"
TIERS = "evenkeel/risk/tiers.py"
PROTECTION = "evenkeel/risk/protection.py"
MATCH = "evenkeel/venues/simulated/match.py"
STEPS = "evenkeel/venues/simulated/steps.py"
LOOP = "evenkeel/venues/simulated/loop.py"
ACCOUNT = "evenkeel/strategies/play/account.py"


@dataclass(frozen=True)
class Bug:
    """One planted bug.

    Attributes:
        name: What goes wrong, in words.
        step: `match`, `settle`, `size` or `gate`.
        file: Below `src`.
        old: The text that is right; stands there exactly once.
        new: The text that is wrong.
        rules: Names of `reference.rules`: cases that meet one of them are looked at.
    """

    name: str
    step: str
    file: str
    old: str
    new: str
    rules: tuple[str, ...]


MATCHING = (
    Bug("target before stop in one bar", "match", MATCH,
        "elif reached and nearer and not resting:",
        "elif reached and nearer and not resting and direction * (best - target) < 0.0:",
        ("6.6 stop and target in one minute",)),
    Bug("T26: stop filled at its level through a gap", "match", MATCH,
        "    return min(stop, o) if direction > 0 else max(stop, o), point\n", "    return stop, point\n",
        ("6.6 gap over the stop",)),
    Bug("a touch of the stop fires nothing", "match", MATCH,
        "reached = direction * (worst - stop) <= 0.0", "reached = direction * (worst - stop) < 0.0",
        ("6.6 stop inside", "6.6 gap over the stop")),
    Bug("T30: maker fee for a marketable limit", "match", MATCH,
        "max(price, worse), market, 1, lots", "max(price, worse), market, 0, lots",
        ("6.2 taken at its first open",)),
    Bug("no price improvement", "match", MATCH,
        "return FILL, min(price, worse) if direction > 0 else max(price, worse)", "return FILL, price",
        ("6.2 improved by the open",)),
    Bug("a limit pays more than its price", "match", MATCH,
        "return FILL, min(price, worse) if direction > 0 else max(price, worse)", "return FILL, worse",
        ("6.2 held to its limit",)),
    Bug("PostOnly takes", "match", MATCH,
        "if tif == POST_ONLY and lots > 0:", "if tif == POST_ONLY and lots < 0:", ("6.2 PostOnly would cross",)),
    Bug("M2: IOC rests", "match", MATCH,
        "    if tif == IOC:\n        return _IOC_DEAD, market, market, 0, 0\n", "", ("6.2 IOC dies",)),
    Bug("FOK takes a part", "match", MATCH,
        "if tif == FOK and lots < wanted:", "if tif == FOK and lots == 0:", ("6.2 FOK dies for want of volume",)),
    Bug("a touch fills though the price must go through", "match", MATCH,
        "(depth == 0.0 and terms[TRADE_THROUGH] == 1.0)", "(depth == 0.0 and terms[TRADE_THROUGH] == 9.0)",
        ("6.2 touched and not traded through",)),
    Bug("a limit opened through fills at its price", "match", MATCH,
        "    if opens_beyond(at_open, terms):\n        return FILL, quote, o, 0, lots\n", "",
        ("6.2 resting, opened through",)),
    Bug("an order is at the venue at once, whatever its latency", "match", STEPS,
        "return next_open + int(terms[LATENCY])", "return next_open", ("6.1 an order comes later by its latency",)),
    Bug("a limit that rests meets the last price, not the other side of the spread", "match", MATCH,
        "quote = (o if at_open else (low if direction > 0 else h)) * (1.0 + direction * terms[HALF_SPREAD])",
        "quote = o if at_open else (low if direction > 0 else h)",
        ("6.2 resting, opened through across a spread",)),
    Bug("a Limit stop that rests meets the last price, not the other side of the spread", "match", MATCH,
        "quote = (o if at_open else (h if direction > 0 else low)) * (1.0 - direction * terms[HALF_SPREAD])",
        "quote = o if at_open else (h if direction > 0 else low)",
        ("6.1 stop of type Limit rests",)),
    Bug("a price just beyond is enough in a queue of trade_through", "match", MATCH,
        "depth >= terms[QUEUE_DEPTH] * (1.0 - DEPTH_SLACK)", "depth >= 0.0", ("6.2 queue: not far enough beyond",)),
    Bug("nobody stands before a limit", "match", MATCH,
        "return bool(mark[ahead] <= 0.0)", "return True", ("6.2 queue: waits behind others",)),
    Bug("what stands before a limit is never worked off", "match", MATCH,
        "            mark[ahead] -= volume\n", "            mark[ahead] -= 0.0\n", ("6.2 queue: worked off",)),
    Bug("a stop-limit takes what lies beyond its limit", "match", MATCH,
        "    if direction * (price - market * spread) >= 0.0:\n", "    if True:\n",
        ("6.1 stop-limit rests after its trigger",)),
    Bug("target granted in the minute of an entry inside", "match", MATCH,
        "    elif book[ENTERED] >= 2:\n        best = top = c\n", "", ("6.2 target of that minute not granted",)),
    Bug("the stop counts even where liquidation is nearer", "match", MATCH,
        "nearer = direction * (stop - gone) >= 0.0 or not liquidated", "nearer = True",
        ("6.6 liquidation before the stop",)),
    Bug("H1: liquidation looks at the close", "match", MATCH,
        "lowest, top = (mark_low, h) if direction > 0 else (mark_high, low)",
        "lowest, top = (c, h) if direction > 0 else (c, low)",
        ("6.7 liquidation of a long", "6.7 liquidation of a short")),
    Bug("T19: an exit loses more than the margin", "match", MATCH,
        "if direction * (price - mark[BANKRUPTCY]) < 0.0:", "if price < 0.0:", ("6.6 no exit beyond bankruptcy",)),
    Bug("a gap over a target fills at the target", "match", MATCH,
        "raw = target if known_by_level(at_open, terms) else o\n            if", "raw = target\n            if",
        ("6.6 gap over a market target",)),
    Bug("the mark price fires no stop", "match", MATCH,
        "worst, best = (trigger_low, trigger_high) if direction > 0 else (trigger_high, trigger_low)",
        "worst, best = (low, h) if direction > 0 else (h, low)", ("6.1 trigger by the mark price",)),
    Bug("a stop entry opened over fills at its trigger", "match", MATCH,
        "        raw = o\n        if known_by_level(at_open, terms):\n",
        "        raw = level\n        if known_by_level(at_open, terms):\n",
        ("6.1 stop entry opened over",)),
    Bug("a stop fires before the market that its entry met", "match", MATCH,
        "return mark[ARRIVAL], _AT_OPEN", "return stop, _AT_OPEN", ("6.1 stop fires where its entry arrived",)),
    Bug("T15: trailing moves the stop before the same bar is tested", "match", LOOP,
        "            book[_ENTERED] = 0\n",
        "            book[_ENTERED] = 0\n            if book[_LOTS] != 0 and terms[_MOVES] == 1.0:\n"
        "                move_stop(c, book, mark, terms)\n",
        ("5.4 trailing moves the stop",)),
    Bug("a bar fills whatever its volume", "match", STEPS,
        "return max(0, min(wanted, book[BUDGET]))", "return wanted", ("6.9 entry in pieces", "6.9 exit in pieces")),
    Bug("each order has the volume of the bar for itself", "match", STEPS,
        "    book[BUDGET] -= closed\n", "", ("6.9 exit in pieces",)),
)  # fmt: skip

SETTLING = (
    Bug("slippage in our favour", "settle", STEPS,
        "return price + direction * price * slip", "return price - direction * price * slip",
        ("6.3 long entry pays more",)),
    Bug("T22: impact capped to nothing", "settle", STEPS,
        "slip += min(terms[IMPACT_MAX],", "slip += 0.01 * min(terms[IMPACT_MAX],", ("6.9 linear impact",)),
    Bug("square-root impact taken as linear", "settle", STEPS,
        "(share if mode == _LINEAR else math.sqrt(share))", "share", ("6.9 square-root impact",)),
    Bug("T17: exits pay the taker fee whatever happened", "settle", STEPS,
        "fee = fee_posting(lots, price, terms[TAKER] if is_taker == 1 else terms[MAKER], terms)\n    if reason",
        "fee = fee_posting(lots, price, terms[TAKER], terms)\n    if reason", ("6.4 maker fee of a target",)),
    Bug("a liquidation pays the taker fee", "settle", STEPS,
        "        fee = posting(abs(point_value(lots, terms)) * price * terms[LIQUIDATION_FEE])\n", "        pass\n",
        ("6.4 liquidation fee",)),
    Bug("longs receive a positive rate", "settle", STEPS,
        "amount = -posting(point_value(book[LOTS], terms) * price * rate)",
        "amount = posting(point_value(book[LOTS], terms) * price * rate)", ("6.5 long pays", "6.5 short pays")),
    Bug("funding paid at the instant of entry, not of exit", "settle", LOOP,
        "    while k < len(carry_rows) and carry_rows[k] < book[_ROW]:\n        k += 1\n    book[_NEXT_CARRY] = k\n"
        "    return carry_rows[k] if",
        "    while k < len(carry_rows) and carry_rows[k] + 1 < book[_ROW]:\n        k += 1\n    book[_NEXT_CARRY] = k\n"
        "    return carry_rows[k] + 1 if",
        ("6.5 closed at the instant, pays",)),
    Bug("a shortfall of funding leaves the margin as it is", "settle", STEPS,
        "        book[EXTRA] += short\n", "", ("6.5 shortfall taken from the margin",)),
    Bug("T23: a leg counts the price before slippage", "settle", STEPS,
        "gross = unrealised(point_value(lots, terms), mark[ENTRY], price)",
        "gross = unrealised(point_value(lots, terms), mark[ENTRY], raw)", ("6.10 second leg",)),
    Bug("stops rounded away from the entry", "settle", PROTECTION,
        "return grid_towards_entry(price - direction * distance, direction, numerator, denominator)",
        "return grid_towards_entry(price - direction * distance, -direction, numerator, denominator)",
        ("6.6 stop inside",)),
    Bug("stop and target keep the decision's price, not the fill's", "settle", STEPS,
        "    price = mark[ENTRY]\n    level = stop_at(", "    price = mark[REFERENCE]\n    level = stop_at(",
        ("6.6 target inside", "6.6 stop inside")),
    Bug("the last step of a ladder forgets the rest", "settle", PROTECTION,
        "    lots[lots_at + steps - 1] += total - given\n", "", ("6.10 third leg or later",)),
    Bug("trailing waits for nothing", "settle", PROTECTION,
        "if profit >= trail_activation:", "if profit > -9.0:", ("5.4 trailing moves the stop",)),
    Bug("the price of an entry in pieces is that of the first", "settle", STEPS,
        "mark[ENTRY] = (held * mark[ENTRY] + lots * price) / (held + lots)", "mark[ENTRY] = mark[ENTRY]",
        ("6.9 entry in pieces",)),
    Bug("drawdown counted from the start", "settle", LOOP,
        "    peak = max(ledger[_PEAK], value)\n    ledger[_PEAK] = peak\n", "    peak = ledger[_PEAK]\n",
        ("6.11 stopped by drawdown",)),
    Bug("a position is liquidated without the deduction of its tier", "settle", STEPS,
        "maintenance + terms[TAKER], deduction, extra\n", "maintenance + terms[TAKER], 0.0, extra\n",
        ("6.7 tier above the first",)),
    Bug("bankruptcy without the fee of the liquidation", "settle", LIQUIDATION,
        "/ (1.0 - direction * fee)", "/ 1.0", ("6.4 liquidation fee",)),
)  # fmt: skip

SIZES = (
    Bug("T21: fee cap without leverage", "size", SIZING,
        "free * leverage / (1.0 + sides * fee_fraction(t, price) * leverage)",
        "free * leverage / (1.0 + sides * fee_fraction(t, price))", ("6.8 capped by fees",)),
    Bug("T20: every model is percent_equity", "size", SIZING,
        "if model == _PERCENT:\n", "if model != _QUANTITY:\n", ("6.8 fixed_usdt", "6.8 risk_based")),
    Bug("risk without the costs that the play counts", "size", SIZING,
        "loss += 2.0 * fee_fraction(t, price) + t[_SLIPPAGE]", "loss += t[_SLIPPAGE]", ("6.8 risk_based with costs",)),
    Bug("quantity rounded to the nearest lot", "size", SIZING,
        "lots = math.floor(quantity * t[_LOT_D] / t[_LOT_N] * SNAP)",
        "lots = math.floor(quantity * t[_LOT_D] / t[_LOT_N] + 0.5)", ("6.8 percent_equity", "6.8 risk_based")),
    Bug("the largest margin taken as a notional", "size", ACCOUNT,
        "None if margin is None else margin * leverage]", "margin]", ("6.8 capped by max_margin",)),
    Bug("fixed_usdt as notional multiplied by leverage", "size", SIZING,
        "return value if t[_BASIS] == 1.0 else value * leverage", "return value * leverage",
        ("6.8 fixed_usdt as notional",)),
)  # fmt: skip

GATING = (
    Bug("a stop beyond liquidation let through", "gate", GATES,
        "t[_BEYOND] == _REJECT", "t[_BEYOND] == 99.0", ("6.7 stop beyond liquidation rejected",)),
    Bug("liquidation too close let through", "gate", GATES,
        "if room < t[_MIN_DISTANCE] * price:", "if room < 0.0:", ("6.7 liquidation too close",)),
    Bug("liquidation measured without the taker fee", "gate", GATES,
        "maintenance + t[_TAKER], deduction, 0.0)", "maintenance, deduction, 0.0)",
        ("6.7 stop beyond liquidation adjusted", "6.7 liquidation too close")),
    Bug("the gates measure liquidation without the deduction of the tier", "gate", GATES,
        "maintenance + t[_TAKER], deduction, 0.0)", "maintenance + t[_TAKER], 0.0, 0.0)",
        ("6.7 tier above the first",)),
    Bug("no tier has a deduction", "gate", TIERS,
        "    return t[at + 1], t[at + 2]\n", "    return t[at + 1], 0.0\n", ("6.7 tier above the first",)),
    Bug("a moved stop keeps the size of the old one", "gate", GATES,
        "        lots, reason = size_entry(t, equity, free, price, stop_distance)\n        if reason != _OK:\n"
        "            return 0, reason",
        "        if reason != _OK:\n            return 0, reason", ("6.7 stop beyond liquidation adjusted",)),
    Bug("a moved stop lies on the liquidation price", "gate", GATES,
        "stop_distance = room * INSIDE_LIQUIDATION\n", "stop_distance = room\n",
        ("6.7 stop beyond liquidation adjusted",)),
)  # fmt: skip

BUGS: tuple[Bug, ...] = (*MATCHING, *SETTLING, *SIZES, *GATING)
