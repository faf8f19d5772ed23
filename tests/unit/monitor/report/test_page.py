from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import shutil
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

from evenkeel.model.bar import Bars
from evenkeel.model.errors import DataError, StorageError
from evenkeel.monitor.report import write_report

VOID = {"meta", "input"}
HOSTILE = "</script><img src=x onerror=alert(1)> & \"quoted\" 'name' <!--"


class Page(HTMLParser):
    """Reads a page strictly: every element is closed in order; texts, attributes and ids are kept."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.words: list[str] = []
        self.tags: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag == "script":
            self.scripts.append((dict(attrs), ""))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = attributes, text + data
        elif self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)

    @property
    def ids(self) -> list[str]:
        return [value for _, name, value in self.attributes if name == "id"]

    def packed(self, name: str) -> bytes:
        return next(gzip.decompress(base64.b64decode(text)) for attrs, text in self.scripts if attrs.get("id") == name)


def page_of(folder: Path, candles: Bars | None) -> Page:
    return Page(write_report(folder, candles=candles).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, busy: Path, market: Bars) -> str:
    folder = tmp_path_factory.mktemp("page") / "run"
    shutil.copytree(busy, folder)
    return write_report(folder, candles=market).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(source: str) -> Page:
    return Page(source)


def result_of(folder: Path) -> dict[str, Any]:
    return msgspec.json.decode((folder / "result.json").read_bytes())


def shown(number: Decimal | float, digits: int = 2) -> str:
    return f"{abs(number):,.{digits}f}"


def test_uncertainty_comes_before_every_figure(page: Page) -> None:
    sections = [name for name in page.ids if name in ("luck", "figures", "equity", "chart", "trades", "costs")]
    assert sections == ["luck", "figures", "equity", "chart", "trades", "costs"]


def test_ids_are_unique_and_every_link_inside_the_page_has_its_target(page: Page) -> None:
    assert len(page.ids) == len(set(page.ids))
    targets = {value[1:] for tag, name, value in page.attributes if tag == "a" and name == "href"}
    assert targets <= set(page.ids)


def test_nothing_is_fetched(page: Page, source: str) -> None:
    loading = {"src", "srcset", "data", "action", "poster", "background"}
    assert not [attribute for attribute in page.attributes if attribute[1] in loading]
    assert not {"link", "iframe", "object", "embed", "base"} & set(page.tags)
    style = source[source.index("<style>") : source.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    addresses = set(re.findall(r"https?://[^\s\"'`<>$)]+", source))
    assert {address.split("/")[2] for address in addresses} == {"www.tradingview.com", "www.apache.org", "www.w3.org"}


def test_the_policy_allows_only_the_scripts_that_are_in_the_page(page: Page) -> None:
    policy = next(value for tag, name, value in page.attributes if (tag, name) == ("meta", "content"))
    running = [text for attributes, text in page.scripts if "type" not in attributes]
    digests = {f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in running}
    assert "default-src 'none'" in policy
    assert set(re.findall(r"'sha256-[^']+'", policy)) == digests
    assert "unsafe" not in policy.split("style-src")[0]


def test_no_element_carries_a_script_of_its_own(page: Page) -> None:
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]


def test_figures_are_those_of_the_run(page: Page, busy: Path) -> None:
    metrics = result_of(busy)["metrics"]
    for key in ("net_pnl", "fees", "slippage"):
        assert shown(Decimal(metrics[key])) in page.text
    for key in ("return_pct", "max_drawdown_pct", "profit_factor", "exposure_pct"):
        assert shown(metrics[key]) in page.text
    assert f"{metrics['trades']:,} trades:" in page.text


def test_refusals_are_counted_by_reason(page: Page) -> None:
    assert "Refusals: position exists 3,124" in page.text


def test_every_trade_stands_in_the_table_with_its_money(source: str, busy: Path) -> None:
    trades = pl.read_csv(busy / "trades.csv", schema_overrides={"net_pnl": pl.String})
    assert 200 < len(trades) <= 500
    rows = re.findall(r"<tr><td class=\"first\">.*?</tr>", source, flags=re.S)
    assert len(rows) == len(trades)
    for row, number, net in zip(rows, trades["trade"], trades["net_pnl"], strict=True):
        assert f">{number}</a>" in row
        assert shown(Decimal(net)) in row


def test_the_chart_holds_the_prices_of_the_bars_exactly(page: Page, market: Bars) -> None:
    head = json.loads(page.packed("chart-head"))
    columns = np.cumsum(np.frombuffer(page.packed("chart-data"), "<i4").reshape(-1, head["rows"]), axis=1)
    scale = 10 ** head["price_digits"]
    assert (columns[0] + head["first"]).tolist() == (market.open_ns // 10**9).tolist()
    np.testing.assert_allclose(columns[6] / scale, market.close, rtol=0, atol=1e-9)
    for column, values in zip(columns[3:6], (market.open, market.high, market.low), strict=True):
        np.testing.assert_allclose((columns[6] + column) / scale, values, rtol=0, atol=1e-9)


def test_the_chart_holds_the_equity_at_each_close(page: Page, busy: Path) -> None:
    head = json.loads(page.packed("chart-head"))
    columns = np.cumsum(np.frombuffer(page.packed("chart-data"), "<i4").reshape(-1, head["rows"]), axis=1)
    frame = pl.read_parquet(busy / "equity.parquet")
    np.testing.assert_allclose(columns[1] / 100, frame["equity"].cast(pl.Float64).to_numpy(), rtol=0, atol=0.00501)
    np.testing.assert_allclose(columns[2] / 1e5, frame["drawdown"].to_numpy(), rtol=0, atol=0.0000051)


def test_the_same_run_gives_the_same_bytes(tmp_path: Path, busy: Path, market: Bars) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        shutil.copytree(busy, folder)
    result = result_of(second) | {"timing": {"load_s": 99.0}}
    (second / "result.json").write_bytes(msgspec.json.encode(result))
    manifest = msgspec.json.decode((second / "manifest.json").read_bytes()) | {"created": "2031-01-01T00:00:00Z"}
    (second / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    assert write_report(first, candles=market).read_bytes() == write_report(second, candles=market).read_bytes()


def test_packed_blocks_carry_no_time_stamp(page: Page) -> None:
    blocks = [base64.b64decode(text) for attributes, text in page.scripts if "type" in attributes]
    assert len(blocks) == 3
    assert {block[4:8] for block in blocks} == {bytes(4)}


def test_hostile_names_stay_text(tmp_path: Path, samples: Any) -> None:
    checks = [{"name": HOSTILE, "ok": False, "skipped": False, "detail": HOSTILE}]
    folder = samples.write(
        tmp_path, samples.walk(800), every=20, name=HOSTILE, symbol=HOSTILE, run=HOSTILE, detail=HOSTILE, checks=checks,
        marks=[HOSTILE],
    )  # fmt: skip
    rows = (folder / "trades.csv").read_text()
    (folder / "trades.csv").write_text(rows.replace("ENTRY_SIGNAL", "<b onclick=alert(2)>now</b>"))
    page = page_of(folder, samples.walk(800))
    assert "img" not in page.tags
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert page.text.count(HOSTILE) >= 5
    assert "<b onclick=alert(2)>now</b>" in page.text


def test_a_run_without_trades_says_so_and_shows_no_invented_figure(idle: Path, samples: Any) -> None:
    page = page_of(idle, samples.walk(500))
    assert "No trades, so nothing to judge." in page.text
    assert "trades-table" not in page.ids
    assert "nan" not in page.text.lower().split()
    assert page.text.count("no trades") >= 4


def test_without_bars_the_page_says_that_the_price_is_left_out(busy: Path) -> None:
    page = page_of(busy, None)
    head = json.loads(page.packed("chart-head"))
    assert "only equity and drawdown are drawn" in page.text
    assert "price_digits" not in head


def test_marks_are_notices_with_their_sentences(tmp_path: Path, samples: Any) -> None:
    folder = samples.write(tmp_path, samples.walk(600), every=9, marks=["COARSE_FILLS", "SOMETHING_NEW"])
    text = page_of(folder, None).text
    assert "the order of events inside a bar is not known" in text
    assert "Something new" in text


def test_a_failed_check_is_said_before_the_figures(tmp_path: Path, samples: Any) -> None:
    checks = [{"name": "NET_PNL", "ok": False, "skipped": False, "detail": "row 3: 1 is not 2"}] * 2
    checks.append({"name": "FUNDING", "ok": False, "skipped": True, "detail": "no funding"})
    text = page_of(samples.write(tmp_path, samples.walk(600), every=9, checks=checks), None).text
    assert text.index("2 audit checks failed") < text.index("Figures Money")
    assert "0 passed, 2 failed, 1 skipped" in text


def test_a_run_without_an_audit_is_called_unchecked(tmp_path: Path, samples: Any) -> None:
    folder = samples.write(tmp_path, samples.walk(600), every=9, checks=[])
    assert "its figures are unchecked" in page_of(folder, None).text


def test_twenty_thousand_candles_and_thousands_of_trades_stay_under_two_megabytes(tmp_path: Path, samples: Any) -> None:
    bars = samples.walk(20_000)
    folder = samples.write(tmp_path, bars, every=4, hold=3)
    path = write_report(folder, candles=bars)
    page = Page(path.read_text(encoding="utf-8"))
    count = len((folder / "trades.csv").read_text().splitlines()) - 1
    assert count > 4_000
    assert path.stat().st_size < 2_000_000
    assert json.loads(page.packed("chart-head"))["rows"] == 20_000
    packed = json.loads(page.packed("trades-data"))
    assert len(packed["rows"]) == count - 500
    assert {len(keys) for keys in packed["keys"]} == {count}


def test_more_candles_than_fit_are_merged_on_a_coarser_timeframe(tmp_path: Path, samples: Any) -> None:
    bars = samples.walk(45_000)
    page = page_of(samples.write(tmp_path, bars, every=500), bars)
    head = json.loads(page.packed("chart-head"))
    columns = np.cumsum(np.frombuffer(page.packed("chart-data"), "<i4").reshape(-1, head["rows"]), axis=1)
    scale = 10 ** head["price_digits"]
    assert head["rows"] == 45_000 // 4
    assert "11,250 1h candles, merged from 45,000 15m bars" in page.text
    np.testing.assert_allclose((columns[6] + columns[4]) / scale, bars.high.reshape(-1, 4).max(axis=1), atol=1e-9)
    np.testing.assert_allclose(columns[6] / scale, bars.close[3::4], atol=1e-9)


@pytest.mark.parametrize("name", ["result.json", "manifest.json", "trades.csv", "equity.parquet"])
def test_a_missing_file_is_named(idle: Path, name: str) -> None:
    (idle / name).unlink()
    with pytest.raises(DataError, match=f"{re.escape(name)} is missing"):
        write_report(idle, candles=None)


@pytest.mark.parametrize("name", ["result.json", "manifest.json", "equity.parquet"])
def test_a_damaged_file_is_named_and_no_report_appears(idle: Path, name: str) -> None:
    (idle / name).write_bytes(b"{")
    with pytest.raises(DataError, match=re.escape(name)):
        write_report(idle, candles=None)
    assert not (idle / "report.html").exists()


def test_a_word_where_a_number_belongs_is_named_by_line_and_column(tmp_path: Path, samples: Any) -> None:
    folder = samples.write(tmp_path, samples.walk(600), every=9)
    lines = (folder / "trades.csv").read_text().splitlines()
    cells = lines[2].split(",")
    cells[lines[0].split(",").index("net_pnl")] = "much"
    lines[2] = ",".join(cells)
    (folder / "trades.csv").write_text("\n".join(lines))
    with pytest.raises(DataError, match=r"trades\.csv, line 3: net_pnl is 'much'"):
        write_report(folder, candles=None)


def test_a_result_of_another_schema_is_refused(idle: Path) -> None:
    (idle / "result.json").write_bytes(msgspec.json.encode(result_of(idle) | {"schema": "evenkeel.backtest/9"}))
    with pytest.raises(DataError, match=r"backtest/9"):
        write_report(idle, candles=None)


def test_a_folder_that_cannot_be_written_keeps_the_old_report(idle: Path) -> None:
    old = write_report(idle, candles=None).read_bytes()
    blocked = idle / "report.html"
    blocked.unlink()
    blocked.mkdir()
    (blocked / "kept").write_bytes(old)
    with pytest.raises(StorageError, match=r"report\.html"):
        write_report(idle, candles=None)
    assert sorted(path.name for path in idle.iterdir() if path.name.startswith(".")) == []
    assert (blocked / "kept").read_bytes() == old


def test_the_report_leads_with_what_all_tries_prove(tmp_path: Path, busy: Path) -> None:
    folder = shutil.copytree(busy, tmp_path / "judged")
    proof = {
        "trials": 12, "looks": 15, "sessions": 300, "psr": 0.97, "dsr": 0.62, "best_without_skill": 1.1,
        "pbo": 0.34, "pbo_trials": 12, "reasons": {"track_record_min": "the Sharpe ratio is not above zero"},
    }  # fmt: skip
    (folder / "result.json").write_bytes(msgspec.json.encode(result_of(folder) | {"evidence": proof}))

    page = write_report(folder, candles=None).read_text(encoding="utf-8")

    places = [
        page.index(text) for text in ("Deflated Sharpe ratio", "0.62", "34 %", "12 trials in 15 runs", "Figures</h2>")
    ]
    assert places == sorted(places)
    assert "not available: the Sharpe ratio is not above zero" in page


def test_the_head_names_what_is_assumed(tmp_path: Path, busy: Path) -> None:
    folder = shutil.copytree(busy, tmp_path / "named")
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes())
    models = {
        "fees": {"name": "by_liquidity", "text": "taker 5 bp"},
        "queue": {"name": "touch", "text": "at the price"},
    }
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest | {"models": models}))

    page = write_report(folder, candles=None).read_text(encoding="utf-8")

    places = [page.index(text) for text in ("Assumed of the market", "by_liquidity", "taker 5 bp")]
    assert "Assumed of the market" not in write_report(busy, candles=None).read_text(encoding="utf-8")
    assert places == sorted(places)
