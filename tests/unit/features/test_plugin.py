"""Plug-ins: what loads, what is refused with file and line, and that an edit is never answered with old code."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest

from evenkeel.cli import plugins as cli_plugins
from evenkeel.data.calendar import load_calendar
from evenkeel.data.synthetic import random_walk
from evenkeel.features import plugin
from evenkeel.features.compute import compute
from evenkeel.features.plugin import load_plugin, load_plugin_source, recorded_plugins, using
from evenkeel.features.promises import check_promises
from evenkeel.features.registry import all_indicators, find_indicator
from evenkeel.model.errors import UsageError

TWICE = """
from evenkeel.features.node import Output, Param, indicator

FACTOR = 2.0


@indicator(
    "twice",
    summary="Twice the close",
    inputs=("close",),
    params=(Param("length", int, 3, low=1),),
    outputs=(Output("value"),),
    state=lambda _: 0,
    lookback=lambda _: 0,
    first=lambda _: {"value": 1},
    warmup=lambda p: p["length"],
    formula="2 * C",
    source="test",
)
def twice(p, s, x, r, start, stop):
    for i in range(start, stop):
        x[r[1], i] = FACTOR * x[r[0], i]
"""


def written(folder: Path, text: str = TWICE, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_its_nodes_are_known_while_it_is_used_and_not_after(tmp_path: Path) -> None:
    with using([load_plugin(written(tmp_path))]):
        assert find_indicator("twice").summary == "Twice the close"
        assert list(all_indicators())[-1] == "twice"
    assert "twice" not in all_indicators()


def test_an_edit_that_keeps_size_and_time_of_the_file_is_seen(tmp_path: Path) -> None:
    bars, calendar = random_walk(50), load_calendar("24/7")
    path = written(tmp_path)
    before = path.stat()
    first = compute(load_plugin(path).nodes[0], {}, bars, calendar)["value"]

    written(tmp_path, TWICE.replace("FACTOR = 2.0", "FACTOR = 3.0"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    second = compute(load_plugin(path).nodes[0], {}, bars, calendar)["value"]

    assert np.array_equal(first, 2.0 * bars.close)
    assert np.array_equal(second, 3.0 * bars.close)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("range(start, stop):", "range(start, stop)", 21, "expected ':'"),
        ("import Output", "import Outputt", 2, "cannot import name"),
        ("FACTOR = 2.0", "FACTOR = two", 4, "name 'two' is not defined"),
        ('    state=lambda _: 0,\n', "", 7, "missing 1 required positional argument: 'state'"),
        ('"twice",', '"ema",', 7, "ema: the name is taken by Evenkeel"),
        ('"twice",', '"Twice",', 7, "Twice: a name has lower-case letters"),
        ('("close",)', '("closing",)', 7, "twice: the input 'closing' does not exist; there are open, high"),
        ('("close",)', '("swing.high_level",)', 7, "an indicator reads bars, not 'swing.high_level'"),
        ('Output("value")', 'Output("value", low=5, high=5)', 7, "'value' has `low` 5, which is not below `high` 5"),
        ('Output("value")', 'Output("value", "BOOL", low=0)', 7, "'value' is BOOL and has no `low` and `high`"),
        ("int, 3", "int, 0", 7, "the default of 'length' is not valid: twice.length is 0"),
        ("int, 3", "dict, 3", 7, "it must be int, float, bool, str or list"),
        ('{"value": 1}', '{"valeu": 1}', 7, "`first` names 'valeu', which is no output; there are value"),
        ('{"value": 1}', '{"value": 9}', 7, "`warmup` gives 3 at the defaults, and the first value comes on bar 9"),
        ("state=lambda _: 0", "state=lambda _: -1", 7, "`state` gives -1 at the defaults"),
        ("(p, s, x, r, start, stop)", "(p, s, x)", 7, "the kernel takes (p, s, x, r, start, stop), not (p, s, x)"),
        ("FACTOR * x", "other * x", 7, "twice does not compile: NameError: name 'other' is not defined"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_with_file_and_line(
    old: str, new: str, line: int, message: str, tmp_path: Path
) -> None:
    path = written(tmp_path, TWICE.replace(old, new))

    with pytest.raises(UsageError) as refusal:
        load_plugin(path)

    assert refusal.value.message.startswith(f"{path}, line ")
    assert message in refusal.value.message
    assert f"{path}, line {line}:" in refusal.value.message
    assert refusal.value.reason == "BAD_PLUGIN"


def test_a_file_without_nodes_or_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"declares no @indicator and no @structure"):
        load_plugin(written(tmp_path, "from evenkeel.features.indicators.ema import ema\n"))
    with pytest.raises(UsageError, match="there is no plug-in file"):
        load_plugin(tmp_path / "none.py")


def test_two_plugins_with_one_name_are_refused(tmp_path: Path) -> None:
    both = [load_plugin(written(tmp_path)), load_plugin(written(tmp_path, name="other.py"))]
    with pytest.raises(UsageError, match=r"mine\.py and other\.py both declare 'twice'"), using(both):
        pass


def test_a_recorded_text_that_is_not_the_recorded_one_is_refused(tmp_path: Path) -> None:
    facts = plugin.plugin_facts([load_plugin(written(tmp_path))])
    assert [one.nodes[0].name for one in recorded_plugins({"run": "a-1", "plugins": facts})] == ["twice"]

    facts[0]["source"] += "\n"

    with pytest.raises(UsageError, match=r"plug-in mine\.py of run a-1: the recorded text"):
        recorded_plugins({"run": "a-1", "plugins": facts})


def test_the_command_line_looks_in_the_same_group_of_entry_points() -> None:
    assert cli_plugins.ENTRY_POINTS == plugin.ENTRY_POINTS


def test_the_one_in_the_guide_works() -> None:
    guide = Path(__file__).parents[3] / "docs" / "guide" / "plugins.md"
    (code,) = re.findall(r"```python\n(.*?)```", guide.read_text("utf-8"), re.DOTALL)

    (node,) = load_plugin_source("guide.py", code, where="guide.py").nodes

    assert all(promise.kept for promise in check_promises(node, {}))
