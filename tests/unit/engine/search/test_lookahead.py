"""Each of the two tests of `lookahead` finds what the other cannot, and the first difference is told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from evenkeel.data.catalog import Catalog
from evenkeel.engine.core import Step
from evenkeel.engine.search.lookahead import Proof, Ran, lookahead, past
from evenkeel.engine.search.poison import PoisonedCatalog
from evenkeel.model.decision import EntryRefused
from evenkeel.model.errors import UsageError
from evenkeel.model.event import BarsClosed, FundingPosted, StretchEnded
from evenkeel.model.number import to_decimal
from evenkeel.model.reason import Reason
from evenkeel.model.time import MINUTE

BARS = 40


def decided(bar: int, word: str) -> Step:
    event = BarsClosed(event_ns=(bar + 1) * MINUTE, known_ns=bar, segment=0, bar=bar)
    return Step(event, (EntryRefused(reason=Reason.ENTRIES_DISABLED, detail=word),), ())


def runner(*, cut: str = "", garbage: str = "", names: Sequence[str] = ("one",)) -> object:
    """Return a run that decides at every bar; where a cut or garbage is seen, its last decision is another one."""

    def run(catalogs: Sequence[Catalog], end_ns: int | None) -> Ran:
        stop = BARS if end_ns is None else end_ns // MINUTE
        steps = [decided(bar, f"bar {bar}") for bar in range(stop)]
        if end_ns is not None and cut:
            steps[stop - 1] = decided(stop - 1, cut)
        if isinstance(catalogs[0], PoisonedCatalog) and garbage:
            last = catalogs[0]._after_ns // MINUTE
            steps[last - 1] = decided(last - 1, garbage)
        if end_ns is not None:
            steps.append(Step(StretchEnded(event_ns=end_ns, known_ns=0, segment=0, reason=Reason.END_OF_DATA), (), ()))
        return Ran(dict.fromkeys(names, steps), np.arange(10, BARS, dtype=np.int64) * MINUTE)

    return run


def proof(tmp_path: Path, samples: int = 8, **peeks: object) -> Proof:
    return lookahead(runner(**peeks), [Catalog(tmp_path)], samples=samples, seed=1)  # type: ignore[arg-type]


def test_an_honest_run_passes_and_everything_is_compared(tmp_path: Path) -> None:
    found = proof(tmp_path)

    assert found.difference is None
    assert found.instants == 8
    assert found.decisions == found.steps > 8 * 2 * 10


@pytest.mark.parametrize(("peeks", "test"), [({"cut": "other"}, "truncation"), ({"garbage": "other"}, "poisoning")])
def test_each_test_finds_its_own(tmp_path: Path, peeks: dict[str, str], test: str) -> None:
    found = proof(tmp_path, **peeks).difference

    assert found is not None
    assert found.test == test
    assert found.at_ns == found.instant_ns
    bar = found.at_ns // MINUTE - 1
    assert (found.play, found.whole) == ("one", f"entry refused {Reason.ENTRIES_DISABLED} (bar {bar})")
    assert found.other == f"entry refused {Reason.ENTRIES_DISABLED} (other)"


def test_where_plays_share_an_account_a_cut_is_compared_up_to_the_instant_before_it(tmp_path: Path) -> None:
    """The end of the data of one play comes before the last decision of another; garbage is compared at the instant."""
    assert proof(tmp_path, cut="other", names=("one", "two")).difference is None
    found = proof(tmp_path, garbage="other", names=("one", "two")).difference
    assert found is not None
    assert found.test == "poisoning"


def test_what_the_end_of_the_data_does_is_no_part_of_the_past() -> None:
    end = StretchEnded(event_ns=2 * MINUTE, known_ns=0, segment=0, reason=Reason.END_OF_DATA)
    steps = [decided(0, "a"), decided(1, "b"), Step(end, (), ()), decided(1, "after the end")]

    assert past(steps, 2 * MINUTE) == steps[:2]
    assert past(steps, 3 * MINUTE) == steps


def test_what_happens_at_the_open_of_the_next_bar_is_not_known_at_the_close() -> None:
    one = to_decimal(1.0)
    paid = Step(FundingPosted(event_ns=2 * MINUTE, known_ns=0, amount=one, rate_price=one, row=2), (), ())

    assert past([decided(0, "a"), paid], 2 * MINUTE) == [decided(0, "a")]
    assert past([decided(0, "a"), paid], 2 * MINUTE + 1) == [decided(0, "a"), paid]


def test_a_run_that_fails_on_a_cut_history_has_reached_for_what_is_not_there(tmp_path: Path) -> None:
    honest = runner()

    def run(catalogs: Sequence[Catalog], end_ns: int | None) -> Ran:
        if end_ns is not None:
            raise IndexError("index 5 is out of bounds")
        return honest(catalogs, end_ns)  # type: ignore[operator, no-any-return]

    found = lookahead(run, [Catalog(tmp_path)], samples=3, seed=1).difference

    assert found is not None
    assert found.other == "the strategy failed: IndexError: index 5 is out of bounds"


@pytest.mark.parametrize("samples", [0, -1, 10_001])
def test_the_number_of_instants_has_bounds(tmp_path: Path, samples: int) -> None:
    with pytest.raises(UsageError, match="--samples is"):
        proof(tmp_path, samples=samples)


def test_a_strategy_that_never_decides_cannot_be_tested(tmp_path: Path) -> None:
    def run(catalogs: Sequence[Catalog], end_ns: int | None) -> Ran:
        return Ran({"one": []}, np.empty(0, dtype=np.int64))

    with pytest.raises(UsageError, match="too few bars"):
        lookahead(run, [Catalog(tmp_path)], samples=3, seed=1)
