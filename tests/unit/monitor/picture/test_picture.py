"""Pictures: what is drawn where, and that the file is sound, small and always the same."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from evenkeel.data.calendar import load_calendar
from evenkeel.data.catalog import Catalog
from evenkeel.features.node import Node
from evenkeel.features.registry import all_indicators, all_structures, find_any
from evenkeel.features.request import parse_request
from evenkeel.model.bar import Bars
from evenkeel.model.ids import InstrumentId
from evenkeel.model.time import Timeframe
from evenkeel.monitor.picture import SAMPLES, Subject, draw, draw_bars, page
from evenkeel.monitor.picture.plan import Plan, plan

NODES = [*all_indicators().values(), *all_structures().values()]
SIZE_MAX = 30_000
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def bars(bundled: Path) -> Bars:
    return Catalog(bundled).read(InstrumentId("SPY.US"), Timeframe.parse("D")).bars.rows(0, 900)


def subject_of(name: str, bars: Bars) -> Subject:
    request = parse_request(name, SAMPLES)
    return Subject(request.node, request.params, bars, load_calendar("NYSE"))


@pytest.mark.parametrize("node", NODES, ids=lambda node: node.name)
def test_each_node_has_a_picture_that_says_something_and_is_small(node: Node, bars: Bars) -> None:
    drawn = plan(subject_of(node.name, bars))
    svg = draw(subject_of(node.name, bars), title="a < b")

    assert drawn.overlays or drawn.zones or drawn.panels or drawn.lanes
    assert len(svg) < SIZE_MAX
    root = ElementTree.fromstring(svg)
    assert root.find(f"{SVG}text").text == "a < b"  # type: ignore[union-attr]
    assert "nan" not in svg
    assert "script" not in svg


@pytest.mark.parametrize(
    ("name", "overlays", "zones", "panels", "lanes"),
    [
        ("ema", ["value"], 0, [], []),
        ("rsi", [], 0, [["value"]], []),
        ("macd", [], 0, [["macd", "signal", "histogram"]], []),
        ("bbands", ["lower", "middle", "upper"], 0, [["bandwidth"], ["percent_b"]], []),
        ("supertrend", ["trend", "long", "short"], 0, [], ["direction"]),
        ("zone", [], 1, [], ["state"]),
        ("derived_zone", [], 3, [], None),
    ],
)
def test_prices_lie_over_the_candles_and_other_numbers_below(
    name: str, overlays: list[str], zones: int, panels: list[list[str]], lanes: list[str] | None, bars: Bars
) -> None:
    drawn: Plan = plan(subject_of(name, bars))

    assert [line.name for line in drawn.overlays] == overlays
    assert len(drawn.zones) == zones
    assert [[line.name for line in panel] for panel in drawn.panels] == panels
    if lanes is not None:
        assert [line.name for line in drawn.lanes] == lanes


def test_every_output_is_drawn_or_named_as_left_out(bars: Bars) -> None:
    drawn = plan(subject_of("swing", bars))
    shown = [line.name for line in (*drawn.overlays, *drawn.lanes, *(one for panel in drawn.panels for one in panel))]

    assert sorted([*shown, *drawn.left_out]) == sorted(output.name for output in find_any("swing").outputs)


def test_the_same_bars_give_the_same_bytes(bars: Bars) -> None:
    assert draw(subject_of("adx", bars), title="t") == draw(subject_of("adx", bars), title="t")


@pytest.mark.parametrize("count", [1, 2, 15])
def test_few_bars_are_no_fault(count: int, bars: Bars) -> None:
    for name in ("bbands", "zone", "macd"):
        ElementTree.fromstring(draw(subject_of(name, bars.rows(0, count)), title="t"))


def test_a_flat_market_is_no_fault(bars: Bars) -> None:
    flat = np.full(len(bars), 7.0)
    market = Bars(bars.timeframe, bars.open_ns, bars.close_ns, flat, flat.copy(), flat.copy(), flat.copy(), flat * 0)
    for name in ("ema", "rsi", "vwap", "cmf"):
        assert "nan" not in draw(subject_of(name, market), title="t")


def test_the_page_tells_formula_and_notes_and_fetches_nothing(bars: Bars) -> None:
    text = page(find_any("ema"), draw(subject_of("ema", bars), title="t"), title="t", notes=["reads <b>"])

    assert "reads &lt;b&gt;" in text
    assert "default-src 'none'" in text.replace("&#x27;", "'")
    assert find_any("ema").formula.split(";")[0].split("*")[0].strip() in text


def test_bars_alone_are_drawn_with_every_candle_and_its_volume(bars: Bars) -> None:
    svg = draw_bars(bars.rows(0, 120), title="a < b")
    paths = ElementTree.fromstring(svg).findall(f"{SVG}path")

    wicks = [path for path in paths if path.get("class") in ("up", "down") and path.get("stroke-width") is None]
    volumes = [path for path in paths if path.get("opacity")]
    assert sum(path.get("d", "").count("M") for path in wicks) == 120
    assert [path.get("d", "").count("M") for path in volumes] == [120]
    assert len(svg) < 12_000
    assert draw_bars(bars.rows(0, 1), title="one").startswith("<svg")
