"""`--check`: shipped nodes keep their promises, and each way to break one is found."""

from __future__ import annotations

import pytest

from evenkeel.features.plugin import load_plugin_source
from evenkeel.features.promises import Promise, check_promises
from evenkeel.features.registry import find_any

SOURCE = """
from evenkeel.features.node import Output, indicator

@indicator(
    "own", summary="s", inputs=("close",), params=(), outputs=(Output("value"),), state=lambda _: 1,
    lookback=lambda _: 1, first=lambda _: {{"value": 1}}, warmup=lambda _: 1, formula="f", source="test",
)
def own(p, s, x, r, start, stop):
    for i in range(start, stop):
        {body}
"""


def broken(body: str) -> dict[str, str]:
    (node,) = load_plugin_source("own.py", SOURCE.format(body=body), where="own.py").nodes
    return {promise.name: promise.detail for promise in check_promises(node, {}) if not promise.kept}


@pytest.mark.parametrize("name", ["ema", "supertrend", "vwap", "trend"])
def test_shipped_nodes_keep_every_promise(name: str) -> None:
    promises = check_promises(find_any(name), {})

    assert len(promises) == 6
    assert [promise for promise in promises if not promise.kept] == []


def test_a_node_that_keeps_them_breaks_none() -> None:
    assert broken("x[r[1], i] = x[r[0], i]") == {}


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("x[r[1], i] = x[r[0], i] + (i - start)", "where blocks are cut changes nothing"),
        ("x[r[1], i] = x[r[0], min(i + 1, x.shape[1] - 1)]", "bars still to come change nothing"),
        ("x[r[1], i] = x[r[0], i - 1]", "the first values come on the bars that `first` names"),
        ("x[r[1], i] = x[r[0], i]; x[r[0], i] = 1.0", "nothing but its own outputs is written"),
        ("x[r[1], i] = x[r[0], i - 9 if i > 9 else i]", "a run taken up again goes on alike"),
    ],
)
def test_each_breach_is_found(body: str, name: str) -> None:
    found = broken(body)

    assert name in found
    assert found[name]


def test_a_breach_says_where() -> None:
    detail = broken("x[r[1], i] = x[r[0], i - 1]")["the first values come on the bars that `first` names"]

    assert detail == "value is declared for bar 1 and comes on bar 2"
    assert not Promise("p", detail).kept
