"""What a run proves given all other tries: the figures that stand above every other one, on a page and in a terminal.

    deflated(evidence)  # "0.62", or "not available: one trial"

Both are probabilities.
"""

from __future__ import annotations

from evenkeel.monitor.report.markup import Html, tag
from evenkeel.monitor.report.words import count, figure, share
from evenkeel.readiness.evidence import Evidence

DSR_WANTED = 0.95
PBO_WANTED = 0.20
"""Limits of the go-live gate."""

NO_EVIDENCE = "This result is older than the trial ledger; run the backtest again to have its tries counted."


def deflated(found: Evidence) -> str:
    """Return the deflated Sharpe ratio in words."""
    return _or_reason(None if found.dsr is None else figure(_cut(found.dsr)), found, "dsr")


def overfitted(found: Evidence) -> str:
    """Return the probability of backtest overfitting in words."""
    return _or_reason(None if found.pbo is None else share(found.pbo, digits=0), found, "pbo")


def tries(found: Evidence) -> str:
    """Return how often this family was tried on this history."""
    text = count(found.trials, "trial")
    if found.looks > found.trials:
        text += f" in {count(found.looks, 'run')}"
    return f"{text}, and {count(found.damaged, 'line')} of the ledger unreadable" if found.damaged else text


def doubt(found: Evidence | None) -> str | None:
    """Return why a good looking result may be the luck of many tries; None where they say nothing against it."""
    if found is None or found.trials < 2:
        return None
    if found.dsr is not None and found.dsr < DSR_WANTED:
        return f"The best of {found.trials:,} tries could look this good by luck."
    if found.pbo is not None and found.pbo > PBO_WANTED:
        return f"Good, but picking the best of {found.pbo_trials:,} tries did not work out of sample."
    return None


def proof_tiles(found: Evidence | None) -> Html:
    """Return the block that leads the report."""
    if found is None:
        return tag("p", NO_EVIDENCE, class_="quiet small")
    tiles = (
        _tile("Deflated Sharpe ratio", deflated(found), *_dsr_notes(found)),
        _tile("Probability of backtest overfitting", overfitted(found), *_pbo_notes(found)),
        _tile("Tries counted", f"{found.trials:,}", tries(found), "of this strategy on this history, whoever ran them"),
        _tile("Track record needed", *_track(found)),
    )
    return tag("div", *tiles, class_="tiles proof")


def _cut(probability: float) -> float:
    """Return a probability that does not read 1.00 before it is 1."""
    return min(probability, 0.99) if probability < 1.0 else probability


def _or_reason(text: str | None, found: Evidence, name: str) -> str:
    return text if text is not None else f"not available: {found.reasons[name]}"


def _dsr_notes(found: Evidence) -> list[str]:
    if found.dsr is None or found.best_without_skill is None:
        return []
    if found.trials == 1:
        return ["chance that the true Sharpe ratio is above zero; with one try there is nothing to deflate"]
    return [
        f"chance that the true Sharpe ratio is above {figure(found.best_without_skill)}, which the best of "
        f"{found.trials:,} tries shows without skill",
        f"{figure(DSR_WANTED)} or more is wanted",
    ]


def _pbo_notes(found: Evidence) -> list[str]:
    if found.pbo is None:
        return []
    return [
        f"how often the best of {found.pbo_trials:,} tries in one half of the history is no better than the median in "
        "the other",
        f"{share(PBO_WANTED, digits=0)} or less is wanted",
    ]


def _track(found: Evidence) -> tuple[str, ...]:
    if found.track_record_min is None:
        return _or_reason(None, found, "track_record_min"), "to stand clear of zero"
    return count(found.track_record_min, "session"), f"to stand clear of zero with 95 %; there are {found.sessions:,}"


def _tile(name: str, value: str, *notes: str) -> Html:
    long = value.startswith("not available")
    return tag(
        "div", tag("h3", name), tag("p", value, class_="value missing" if long else "value"),
        *(tag("p", note, class_="note") for note in notes), class_="tile",
    )  # fmt: skip
