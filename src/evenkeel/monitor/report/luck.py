"""The first block of a report: how much of this could be luck."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from evenkeel.monitor.report.markup import Html, join, tag
from evenkeel.monitor.report.plot import SPAN, Scale, bar, plot, shape, ticks
from evenkeel.monitor.report.proof import doubt, proof_tiles
from evenkeel.monitor.report.run_files import Run
from evenkeel.monitor.report.uncertainty import Bootstrap, Interval, Uncertainty
from evenkeel.monitor.report.words import chance, count, figure, money, percent, share
from evenkeel.readiness.evidence import Evidence

_FEW = 10
_SOME = 30
_FAIR = 100
_MANY = 300
_NEEDED_SHOWN_MAX = 1_000_000

CAVEATS = (
    "The ranges redraw these same trades, a position with all its legs being one. They assume that trades are "
    "independent and that the future resembles this stretch of the past, so the true range is wider. Tries are counted "
    "by the name of the strategy: those under another name or with other tools are not known to the report."
)


def headline(found: Uncertainty, evidence: Evidence | None = None) -> str:
    """Return the verdict in one short sentence.

    Args:
        found: What the trades of the run say by themselves.
        evidence: What all tries together say; they can take a good verdict back.
    """
    if found.trades == 0:
        return "No trades, so nothing to judge."
    if found.bootstrap is None or found.trades < _FEW:
        return "Far too few trades to judge."
    if found.trades < _SOME:
        return "Too few trades to tell skill from luck."
    interval = found.bootstrap.expectancy
    if interval.high <= 0:
        return "It loses, and bad luck does not explain it."
    if interval.low > 0:
        return doubt(evidence) or "Luck alone is an unlikely explanation."
    return "This could be luck." if interval.observed > 0 else "It loses, though that could be bad luck."


def sample_words(trades: int) -> str:
    """Return what can be concluded from that many trades."""
    if trades == 0:
        return "no trades"
    words = (
        (_FEW, "far too few to conclude anything"),
        (_SOME, "too few to tell skill from luck"),
        (_FAIR, "few enough for a handful of them to carry the result"),
        (_MANY, "enough for a rough judgement, not for a fine one"),
    )
    verdict = next((text for limit, text in words if trades < limit), "enough for the average to settle")
    return f"{count(trades, 'trade')}: {verdict}"


def luck_section(run: Run, found: Uncertainty) -> Html:
    """Return the block; without trades it says why there is nothing to show."""
    return tag(
        "section",
        tag("p", "How much of this could be luck?", class_="eyebrow"),
        tag("h2", headline(found, run.result.evidence), class_="headline"),
        tag("p", _summary(run, found), class_="lead"),
        proof_tiles(run.result.evidence),
        _ranges(run, found.bootstrap) if found.bootstrap else None,
        _tiles(run, found) if found.trades else None,
        tag("p", CAVEATS, class_="quiet small") if found.trades else None,
        class_="luck card",
        id="luck",
    )


def _summary(run: Run, found: Uncertainty) -> Html | str:
    if found.trades == 0:
        words = (
            "The strategy never opened a position in this range. Either its rules were never met, or every entry was "
            "refused: "
        )
        return join([words, tag("code", f"keel explain {run.result.run}"), " says which."])
    sample = sample_words(found.trades)
    sentence = f"{sample[0].upper()}{sample[1:]}."
    boot = found.bootstrap
    if boot is None:
        return f"{sentence} One trade has no spread, so there is no range to show."
    currency = run.result.account.currency
    interval = boot.expectancy
    return (
        f"{sentence} The average trade came to {money(interval.observed, signed=True)} {currency}; drawn again "
        f"{boot.resamples:,} times, the same trades average between {money(interval.low, signed=True)} and "
        f"{money(interval.high, signed=True)} in nine cases of ten.{_needed(found.trades, boot)}"
    )


def _needed(trades: int, boot: Bootstrap) -> str:
    needed = boot.trades_needed
    if needed is None or needed <= trades or boot.expectancy.low > 0:
        return ""
    if needed > _NEEDED_SHOWN_MAX:
        return " No practical number of trades would tell an average this small from zero."
    return f" An average this size needs about {figure(needed, digits=0)} trades to stand clear of zero."


def _ranges(run: Run, boot: Bootstrap) -> Html:
    currency = run.result.account.currency
    fall = boot.drawdown
    return tag(
        "div",
        tag("div", _density(boot, currency), class_="density"),
        tag(
            "div",
            _range("Average trade", boot.expectancy, lambda value: f"{money(value, signed=True)} {currency}"),
            _range("Total return", boot.total_return, lambda value: share(value, signed=True)),
            _range("Deepest drawdown", fall, lambda value: share(value), note="of closed-trade equity"),
            tag("p", _key("band"), "nine histories of ten", _key("seen"), "as it happened", class_="legend"),
            class_="ranges",
        ),
        class_="evidence",
    )


def _key(look: str) -> Html:
    return tag("i", class_=f"key {look}", aria_hidden="true")


def _density(boot: Bootstrap, currency: str) -> Html:
    """Return how the resampled averages spread: what the average trade could as well have been."""
    density, interval = boot.density, boot.expectancy
    stop = density.start + density.width * len(density.counts)
    scale = Scale.around([density.start, stop, 0.0], margin=0.03)
    top = Scale(0.0, max(density.counts) * 1.08, flip=True)
    bars = []
    for index, histories in enumerate(density.counts):
        left = density.start + density.width * index
        centre = left + density.width / 2
        hint = f"{count(histories, 'history', 'histories')} near {money(centre, signed=True)} {currency}"
        look = "loss" if centre <= 0 else "gain"
        bars.append(bar(scale(left), top(histories), scale(left + density.width), SPAN, look, hint))
    zero, seen = scale(0.0), scale(interval.observed)
    marks = shape(f"M{zero} 0V{SPAN}", "axis"), shape(f"M{seen} 0V{SPAN}", "observed")
    label = f"Averages of {boot.resamples:,} redrawn histories, {currency} a trade"
    return tag(
        "figure",
        plot([*bars, *marks], label=label, x=ticks(scale, about=5), look="short"),
        tag("figcaption", f"Average trade in {boot.resamples:,} redrawn histories, {currency}"),
    )


def _range(name: str, interval: Interval | None, text: Callable[[float], str], *, note: str = "") -> Html:
    """Return one row: name, figure as it happened, and the band on a track with zero marked."""
    title = tag("span", name, tag("span", f" {note}", class_="quiet") if note else None, class_="name")
    if interval is None:
        return tag("div", title, tag("span", "no figure: the account fell to zero", class_="quiet"), class_="range")
    scale = Scale.around([interval.low, interval.observed, interval.high, 0.0], margin=0.04)
    left, right, seen, zero = (
        scale(value) * 100 / SPAN for value in (interval.low, interval.high, interval.observed, 0.0)
    )
    track = tag(
        "span",
        tag("i", class_="zero", style=f"left:{zero:.2f}%"),
        tag("i", class_="band", style=f"left:{left:.2f}%;width:{right - left:.2f}%"),
        tag("i", class_="seen", style=f"left:{seen:.2f}%"),
        class_="track",
        aria_hidden="true",
    )
    between = f"{text(interval.low)} to {text(interval.high)}"
    return tag(
        "div", title, tag("strong", text(interval.observed)), track, tag("span", between, class_="between"),
        class_="range",
    )  # fmt: skip


def _tiles(run: Run, found: Uncertainty) -> Html:
    tiles = [
        _chance_tile(found),
        _tries_tile(found),
        _best_tile(run, found),
        _costs_tile(run, found),
        _exposure_tile(run),
    ]
    return tag("div", *(tile for tile in tiles if tile is not None), class_="tiles")


def _tile(name: str, value: str, *notes: str) -> Html:
    return tag(
        "div", tag("h3", name), tag("p", value, class_="value"), *(tag("p", note, class_="note") for note in notes),
        class_="tile",
    )  # fmt: skip


def _chance_tile(found: Uncertainty) -> Html | None:
    boot = found.bootstrap
    if boot is None:
        return None
    return _tile(
        "Chance that the average is not above zero",
        chance(boot.loss_chance, resamples=boot.resamples),
        "share of the redrawn histories whose average trade is zero or a loss",
    )


def _tries_tile(found: Uncertainty) -> Html | None:
    boot = found.bootstrap
    if boot is None or not boot.best_of:
        return None
    (_, single), *more = boot.best_of
    notes = [f"best of {tries} tries: {_about(part)}" for tries, part in more]
    return _tile("Looks this good without any skill", chance(single, resamples=boot.resamples), "one try", *notes)


def _about(part: float) -> str:
    if part < 0.01:
        return "under 1 %"
    return "over 99 %" if part > 0.99 else share(part, digits=0)


def _best_tile(run: Run, found: Uncertainty) -> Html | None:
    if not found.without_best:
        return None
    currency = run.result.account.currency
    (_, net), *more = found.without_best
    notes = [f"without the best {n}: {money(rest, signed=True)}" for n, rest in more]
    if found.largest_share is not None:
        notes.append(f"the largest winner is {share(found.largest_share, digits=0)} of the profit")
    return _tile("Net without the best trade", f"{money(net, signed=True)} {currency}", *notes)


def _costs_tile(run: Run, found: Uncertainty) -> Html:
    costs = found.costs
    multiple = costs.break_even
    if multiple is None:
        note = "no fees and no slippage were assumed"
    elif multiple >= 1:
        note = f"nothing is left at {figure(multiple)} times fees and slippage"
    elif multiple > 0:
        note = f"it would break even at {figure(multiple)} times fees and slippage"
    else:
        note = "it loses even with no fees and no slippage"
    return _tile(
        "Net at twice the costs",
        f"{money(costs.net_at(Decimal(2)), signed=True)} {run.result.account.currency}",
        note,
    )


def _exposure_tile(run: Run) -> Html | None:
    exposure = run.result.metrics.get("exposure_pct")
    if not isinstance(exposure, int | float):
        return None
    return _tile("Time in the market", percent(exposure, digits=1), "the rest of the range says nothing about it")
