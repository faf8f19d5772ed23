"""Generated markets told again, slowly: one minute after the other in plain Python integers and floats.

Nothing of the package takes part but the tables of this file's own: the shapes of a few regimes, written down from the
specification (`plays.md` 8.4) and the decision record 0004, and the rules of noise, bars and volume.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from dataclasses import dataclass, field
from fractions import Fraction

WORD = (1 << 64) - 1
UNIT = 1 << 40
MINUTE = 60_000_000_000
START = 1_514_764_800_000_000_000


def mix(counter: int) -> int:
    """SplitMix64."""
    z = counter * 0x9E3779B97F4A7C15 & WORD
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & WORD
    z = (z ^ z >> 27) * 0x94D049BB133111EB & WORD
    return z ^ z >> 31


class Source:
    """The numbers of one regime and seed."""

    def __init__(self, regime: str, seed: int) -> None:
        self.key = int.from_bytes(hashlib.sha256(f"{regime}:{seed}".encode()).digest()[:8], "little")
        self.drawn = 0

    def word(self, column: int, row: int) -> int:
        return mix(self.key + (column << 40) + row + 1 & WORD)

    def share(self, column: int, row: int) -> float:
        return (self.word(column, row) >> 11) / 2**53

    def bell(self, column: int, row: int) -> float:
        total = sum(self.pieces(self.word(3 * column + part, row)) for part in range(3))
        return (total - 393_210) / 65_536

    def uniform(self) -> float:
        """The next number of the shape."""
        self.drawn += 1
        return self.share(64, self.drawn - 1)

    def normal(self) -> float:
        total = 0
        for _ in range(3):
            total += self.pieces(self.word(64, self.drawn))
            self.drawn += 1
        return (total - 393_210) / 65_536

    @staticmethod
    def pieces(word: int) -> int:
        return sum(word >> shift & 0xFFFF for shift in (0, 16, 32, 48))


@dataclass
class Told:
    """A shape as functions of a minute, and where its noise is tied."""

    daily: float
    ends: list[tuple[float, float]]
    walls: tuple[float, float] | None = None
    gaps: dict[int, float] = field(default_factory=dict)
    hump: tuple[float, float, float] | None = None
    shocks: bool = False


def told(regime: str, source: Source) -> Told:
    """Return the shape of a regime: (share of the path, level) of every turn."""
    match regime:
        case "trend_up_clean":
            low = 1.2 - 0.3 * 0.2
            return Told(0.02 * 0.3, [(0.7, 1.2), (0.85, low), (1.0, low + 0.8 * 0.2 * (0.15 / 0.7))])
        case "reversal_v_top":
            return Told(0.02 * 0.3, [(0.5, 2.0 - (1.0 - 0.2)), (1.0, 1.0)])
        case "mtf_pullback_bull":
            return Told(0.02 * 0.3, [(1.0, 1.2)], hump=(0.4, 0.6, -0.3 * 0.2))
        case "volatile":
            return Told(0.02, [(1.0, 1.0)], shocks=True)
        case "range_wide":
            level, ends, half = 0.0, [], 0.08 / 2
            for step in range(200):
                level += half / 6 * source.normal()
                while abs(level) > half:
                    level = 2.0 * half - level if level > half else -2.0 * half - level
                ends.append(((step + 1) / 200, 1.0 + level))
            return Told(1.5 * 0.02, ends, walls=(1.0 - half, 1.0 + half))
    part, move, ends, gaps = 1.0 / 8, 0.2 / 8, [], {}
    for gap in range(8):
        start, level = gap * part, 1.0 + gap * move
        top = level + move
        ends += [(start + 0.5 * part, level + 0.5 * move), (start + 0.7 * part, top - 0.25 * move), (start + part, top)]
        gaps[3 * gap + 1] = top
    return Told(0.02 * 0.3, ends, gaps=gaps)


def levels_of(regime: str, minutes: int, source: Source) -> tuple[list[float], list[float], Told]:
    """Return the price after each minute as a multiple of the first, and the gap before each minute."""
    shape = told(regime, source)
    sigma = shape.daily / math.sqrt(1440)
    level, gap, ties, at = [1.0], [1.0] * minutes, [0], 1.0
    for leg, (until, to) in enumerate(shape.ends):
        start, stop = len(level) - 1, int(until * minutes + 0.5)
        begins = shape.gaps.get(leg, at)
        for row in range(1, stop - start + 1):
            level.append(begins + (to - begins) * (row / (stop - start)))
        if stop > start:
            gap[start] = begins / at
        pieces = min(stop - start, max(1, min(8, -(-(stop - start) // 16_000))))
        ties += [start + (stop - start) * piece // pieces for piece in range(1, pieces + 1)]
        at = to
    if shape.hump is not None:
        first, last, height = shape.hump
        start, stop = int(first * minutes + 0.5), int(last * minutes + 0.5)
        for row in range(start, stop + 1):
            turn = 0.5 * ((row - start) / (stop - start))
            level[row] += height * (16.0 * turn * (0.5 - turn) if turn < 0.5 else -16.0 * (turn - 0.5) * (1.0 - turn))
    steps = [sigma * source.bell(0, row) for row in range(minutes)]
    if shape.shocks:
        for block in range(-(-minutes // 15)):
            word = source.word(66, block)
            row = block * 15 + (word >> 1) % 15
            if source.share(65, block) < 0.05 and row < minutes:
                steps[row] += (1.0 if word & 1 else -1.0) * (5.0 * math.sqrt(15)) * sigma
    walk = [0]
    for step in steps:
        walk.append(walk[-1] + round(step * UNIT))
    out = [1.0]
    for start, stop in itertools.pairwise(ties):
        for row in range(start + 1, stop + 1):
            noise = float(walk[row] - walk[start]) - float(walk[stop] - walk[start]) * ((row - start) / (stop - start))
            out.append(level[row] * growth(noise / UNIT))
    if shape.walls:
        out = [folded(value, *shape.walls) for value in out]
    return out, gap, shape


def growth(x: float) -> float:
    up = 1.0 + abs(x) + abs(x) * abs(x) * 0.5
    return 1.0 / up if x < 0 else up


def folded(value: float, floor: float, ceiling: float) -> float:
    width = ceiling - floor
    turned = (value - floor) / (2.0 * width)
    place = (turned - math.floor(turned)) * (2.0 * width)
    return max(min(floor + width - abs(width - place), ceiling), floor)


def market(regime: str, minutes: int, seed: int) -> dict[str, list[float]]:
    """Return the columns of the bars, with a tick of 0.1 and a lot of 0.001, from 50,000."""
    source = Source(regime, seed)
    level, gap, shape = levels_of(regime, minutes, source)
    sigma, ordinary = shape.daily / math.sqrt(1440), 0.02 / math.sqrt(1440)
    ticks = [max(round(value * 50_000.0 * 10 / 1), 1) for value in level]
    columns: dict[str, list[float]] = {name: [] for name in ("open_ns", "open", "high", "low", "close", "volume")}
    for row in range(minutes):
        before, close = ticks[row], ticks[row + 1]
        opened = max(round(before * gap[row] * (1.0 + 0.05 * sigma * source.bell(1, row))), 1) if row else before
        up, down = (abs(source.bell(column, row)) * sigma * 0.25 for column in (2, 3))
        high, low = round(max(opened, close) * (1.0 + up)), max(round(min(opened, close) / (1.0 + down)), 1)
        first = row // 15 * 15
        last = min(first + 15, minutes)
        moved = abs(ticks[last] - ticks[first]) / ticks[first] / (ordinary * math.sqrt(15))
        quarter = growth(0.35 * source.bell(7, row // 15)) * (0.5 + 0.5 * moved)
        minute = growth(0.5 * source.bell(4, row)) * (1.0 + abs(close - opened) / opened / ordinary)
        lots = max(round(500_000.0 / 50_000.0 * 1.0 * minute * quarter * 1000 / 1), 1)
        columns["open_ns"].append(START + row * MINUTE)
        for name, count in (("open", opened), ("high", high), ("low", low), ("close", close)):
            columns[name].append(float(Fraction(count, 10)))
        columns["volume"].append(float(Fraction(lots, 1000)))
    return columns


def funding(regime: str, seed: int, close: list[float]) -> list[float]:
    """Return the rates at every eighth hour inside the path, which starts at midnight."""
    source, rates, before = Source(regime, seed), [], 50_000.0
    for number, row in enumerate(range(480, len(close), 480)):
        now = close[row - 1]
        rate = 0.0001 + 0.02 * (now / before - 1.0) + 0.00003 * source.bell(5, number)
        rates.append(round(min(max(rate, -0.0075), 0.0075) * 1_000_000) / 1_000_000)
        before = now
    return rates


def open_interest(regime: str, seed: int, close: list[float]) -> list[float]:
    """Return the open interest at every full hour."""
    source, found, before, change = Source(regime, seed), [], 50_000.0, 0.0
    for number, row in enumerate(range(60, len(close) + 1, 60)):
        now = close[row - 1]
        move = abs(now / before - 1.0) / (0.02 / math.sqrt(24))
        step = 0.004 * min(move, 2.0) - 0.03 * max(move - 3.0, 0.0) + 0.002 * source.bell(6, number)
        change = 0.99 * change + step
        lots = max(round(1_000.0 * 500_000.0 / 50_000.0 * growth(change) * 1000 / 1), 1)
        found.append(float(Fraction(lots, 1000)))
        before = now
    return found
