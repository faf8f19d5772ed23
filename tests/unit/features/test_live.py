"""What live features take and refuse, what they keep, and what they tell."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import desk
from evenkeel.data.calendar import load_calendar
from evenkeel.features import live_saved
from evenkeel.features.live import LiveFeatures
from evenkeel.features.live_sheet import RECENT
from evenkeel.features.plugin import load_plugin, using
from evenkeel.features.registry import find_indicator
from evenkeel.features.timeline import BACK, Program, ProgramBuilder, Series
from evenkeel.model.bar import BarValues
from evenkeel.model.errors import DataError, InvariantBroken, StorageError, UsageError
from evenkeel.model.time import MINUTE, Timeframe, parse_time
from live_feed import Feed, values_of

M1, M5, H1 = (Timeframe.parse(name) for name in ("1m", "5m", "1h"))
ALWAYS, NYSE = load_calendar("24/7"), load_calendar("NYSE")
START = parse_time("2024-07-02T13:30")


def mean_of(length: int = 3, *, execution: Timeframe = M5, slow: int = 2) -> Program:
    """Return a mean of execution bars beside one of hours."""
    builder = ProgramBuilder(execution)
    on = builder.on(execution)
    on.add(find_indicator("sma"), (on.column("close"),), {"length": length})
    hours = builder.on(H1)
    builder.hold(H1, hours.add(find_indicator("sma"), (hours.column("close"),), {"length": slow})[0])
    builder.require_bars(execution, length)
    builder.require_bars(H1, slow)
    return builder.build()


def minute(place: int, price: float = 100.0, **facts: Any) -> BarValues:
    """Return a minute, so many after the open of a session in summer."""
    opened = START + place * MINUTE
    plain: dict[str, Any] = dict.fromkeys(("open", "high", "low", "close"), float(price)) | {"volume": 1.0}
    return BarValues(**{"open_ns": opened, "close_ns": opened + MINUTE, **plain, **facts})


def live(program: Program | None = None) -> LiveFeatures:
    return LiveFeatures(program or mean_of(), M1, NYSE)


def test_an_execution_bar_closes_with_its_last_minute() -> None:
    features = live()

    closed = [list(features.extend([minute(place)])) for place in range(11)]

    assert closed == [[], [], [], [], [0], [], [], [], [], [1], []]
    assert features.bars == 2


def test_a_bar_without_trade_in_its_last_minute_closes_when_time_has_passed_or_with_the_next_bar() -> None:
    waiting, told = live(), live()
    for features in (waiting, told):
        features.extend([minute(place, 100 + place) for place in range(4)])

    assert list(told.settle(START + 5 * MINUTE - 1)) == []
    assert list(told.settle(START + 5 * MINUTE)) == [0]
    assert list(waiting.extend([minute(7, 300)])) == [*told.extend([minute(7, 300)]), 0]

    assert told.saved() == waiting.saved()
    assert told.at(0, 0)[2:] == (START + 5 * MINUTE, 103.0)


def test_two_execution_bars_may_close_at_once_and_both_can_be_read() -> None:
    features = live()
    features.extend([minute(place, 100 + place) for place in range(4)])

    assert list(features.extend([minute(9, 200)])) == [0, 1]

    assert features.at(0, 0)[2:] == (START + 5 * MINUTE, 103.0)
    assert features.at(0, 1)[2:] == (START + 10 * MINUTE, 200.0)


def test_a_closing_auction_belongs_to_the_last_bar_and_comes_with_it() -> None:
    features = live()
    last = minute(389, 100)
    auction = minute(390, 150, close_ns=last.close_ns)
    features.extend([minute(385)])

    assert list(features.extend([last, auction])) == [0]

    assert features.at(0, 0)[2:] == (last.close_ns, 150.0)


def test_an_auction_after_its_instant_has_passed_is_refused_and_changes_nothing() -> None:
    features = live()
    last = minute(389, 100)
    features.extend([last])
    before = features.saved()

    with pytest.raises(DataError, match=r"comes too late: it closes at 2024-07-02T20:00:00Z.*come together"):
        features.extend([minute(390, 150, close_ns=last.close_ns)])

    assert features.saved() == before


@pytest.mark.parametrize(
    ("bar", "said"),
    [
        (minute(3), "does not open after the one before it, of 2024-07-02T13:33:00Z"),
        (minute(2), "does not open after"),
        (minute(4, float("nan")), "missing or endless"),
        (minute(4, close=float("inf")), "missing or endless"),
        (minute(4, low=float("-inf")), "missing or endless"),
        (minute(4, volume=float("inf")), "missing or endless"),
        (minute(4, high=99.0), "a high of 99 and a low of 100"),
        (minute(4, low=101.0, high=102.0), "a high of 102 and a low of 101"),
        (minute(4, volume=-1.0), "a volume below 0"),
        (minute(4, scale=0.0), "a scale that is not above 0"),
        (minute(4, close_ns=START), "ends before it begins"),
        (minute(4, close_ns=START + 8 * MINUTE), "reaches over the end of its 5m bar"),
    ],
)  # fmt: skip
def test_what_is_no_next_bar_is_refused_with_all_that_came_with_it(bar: BarValues, said: str) -> None:
    features = live()
    features.extend([minute(place) for place in range(4)])
    before = features.saved()

    with pytest.raises(DataError, match=said):
        features.extend([bar, minute(20)])
    with pytest.raises(DataError):
        features.extend([minute(4), minute(5), bar])

    assert features.saved() == before


def test_a_bar_whose_time_has_passed_is_refused() -> None:
    features = live()
    features.extend([minute(0)])
    features.settle(START + 5 * MINUTE)

    with pytest.raises(DataError, match="comes too late"):
        features.extend([minute(4)])
    assert list(features.extend([minute(5)])) == []


def test_decisions_begin_where_every_timeframe_has_warmed_up() -> None:
    series = Series(desk.walk(3, 400), ALWAYS)
    feed = Feed(mean_of(), series)
    for bar in values_of(series):
        feed.take([bar])
        assert (feed.live.first is None) == (bar.close_ns < series.base.open_ns[0] + 120 * MINUTE)

    assert feed.live.first == 23


def test_only_the_newest_bars_of_its_own_stretch_can_be_read() -> None:
    features = LiveFeatures(mean_of(), M1, NYSE, segment=2)
    features.extend([minute(place) for place in range(5 * (RECENT + 1))])

    for segment, bar in ((2, RECENT + 1), (2, 0), (1, RECENT), (2, -1)):
        with pytest.raises(InvariantBroken, match="out of turn"):
            features.at(segment, bar)
    assert features.at(2, 1)[2] == START + 10 * MINUTE


def test_values_beside_bars_are_seen_from_when_they_are_known() -> None:
    builder = ProgramBuilder(M5)
    row = builder.on(M5).column("funding_rate")
    program = builder.build()
    features = LiveFeatures(program, M1, NYSE)
    features.tell("open_interest", START, 5.0)
    features.tell("funding_rate", START + 5 * MINUTE, 0.25)
    features.tell("funding_rate", START + 5 * MINUTE + 1, 0.5)
    seen = []
    for place in range(10):
        saved, features = features.saved(), LiveFeatures(program, M1, NYSE)
        features.restore(saved)
        for bar in features.extend([minute(place)]):
            x, column, _, _ = features.at(0, bar)
            seen.append(float(x[row, column]))

    assert seen == [0.25, 0.5]
    with pytest.raises(InvariantBroken, match="does not lie beside bars"):
        features.tell("mood", START, 1.0)


def test_a_program_that_needs_finer_bars_is_refused() -> None:
    with pytest.raises(UsageError, match=r"live bars of 1h cannot give 5m bars; feed 5m bars or finer ones"):
        LiveFeatures(mean_of(), H1, NYSE)
    with pytest.raises(UsageError, match="cannot be made of"):
        LiveFeatures(mean_of(execution=M5), Timeframe.parse("3m"), NYSE)


def saved_after(program: Program, bars: int = 30) -> bytes:
    features = LiveFeatures(program, M1, NYSE)
    features.extend([minute(place, 100 + place) for place in range(bars)])
    return features.saved()


def test_a_snapshot_of_other_features_is_refused() -> None:
    saved = saved_after(mean_of())

    for other in (mean_of(4), mean_of(slow=3), mean_of(execution=Timeframe.parse("15m"))):
        with pytest.raises(StorageError, match=r"another strategy, other parameters.*they warm up anew"):
            LiveFeatures(other, M1, NYSE).restore(saved)
    with pytest.raises(StorageError, match=r"is of 1m bars on NYSE, and these are 1m bars on 24/7"):
        LiveFeatures(mean_of(), M1, ALWAYS).restore(saved)
    with pytest.raises(StorageError, match=r"is of 1m bars on NYSE, and these are 5m bars on NYSE"):
        LiveFeatures(mean_of(), M5, NYSE).restore(saved)


def test_a_snapshot_of_other_code_or_of_another_form_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    saved, program = saved_after(mean_of()), mean_of()
    with monkeypatch.context() as patch:
        patch.setattr(live_saved, "CACHE_FOLDER", Path("f00d"))
        features = LiveFeatures(program, M1, NYSE)
    with pytest.raises(StorageError, match="was written by other code"):
        features.restore(saved)
    monkeypatch.setattr(live_saved, "VERSION", 2)
    with pytest.raises(StorageError, match="has version 1, and this is version 2"):
        LiveFeatures(program, M1, NYSE).restore(saved)


def test_a_snapshot_with_another_text_of_a_plugin_is_refused(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "acceptance" / "plugins" / "stretch.py").read_text()
    saved = []
    for name in ("one.py", "other.py"):
        path = tmp_path / name
        path.write_text(text if name == "one.py" else text + "\nUNUSED = 1\n")
        with using([load_plugin(path)]):
            node = find_indicator("stretch")
            builder = ProgramBuilder(M5)
            on = builder.on(M5)
            columns = ["close" if column == "source" else column for column in node.inputs]
            on.add(node, [on.column(column) for column in columns], {})
            features = LiveFeatures(builder.build(), M1, NYSE)
            saved.append((features, features.saved()))
    (one, of_one), (_, of_other) = saved

    one.restore(of_one)
    with pytest.raises(StorageError, match="another plug-in"):
        one.restore(of_other)


@pytest.mark.parametrize("spoil", [lambda data: data[:-9], lambda data: b"", lambda data: b"\x00" + data])
def test_a_damaged_snapshot_is_no_snapshot(spoil: Any) -> None:
    with pytest.raises(StorageError, match="cannot be read"):
        LiveFeatures(mean_of(), M1, NYSE).restore(spoil(saved_after(mean_of())))


def a_day_back() -> Program:
    """Return a program that looks up instants a day back."""
    builder = ProgramBuilder(M1)
    builder.on(M1).column(f"{BACK}:D")
    builder.hold(H1, builder.on(H1).column("close"))
    return builder.build()


def test_neither_memory_nor_snapshots_grow_with_the_bars() -> None:
    rng = np.random.default_rng(1)
    features = LiveFeatures(a_day_back(), M1, ALWAYS)
    prices = (100 + rng.random(18_000)).tolist()
    sizes, used = [], []
    tracemalloc.start()
    for place, price in enumerate(prices):
        features.extend([minute(place, price)])
        if place in (8_000, 13_000, 17_999):
            sizes.append(len(features.saved()))
            used.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()

    assert max(sizes) - min(sizes) < 16 * 24 * 60
    assert max(used) - min(used) < 200_000


def test_restoring_leaves_no_trace_of_what_was_there_before() -> None:
    program = mean_of()
    saved = saved_after(program, 333)
    features, fresh = LiveFeatures(program, M1, NYSE), LiveFeatures(program, M1, NYSE)
    features.extend([minute(place, 900 - place) for place in range(333)])

    features.restore(saved)
    fresh.restore(saved)

    assert features.saved() == fresh.saved() == saved
    for each in (features, fresh):
        each.extend([minute(place, 100) for place in range(333, 350)])
    assert features.saved() == fresh.saved()
    assert msgspec.msgpack.decode(saved)["identity"]["base"] == "1m"
