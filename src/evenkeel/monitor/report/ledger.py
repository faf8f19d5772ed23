"""The table of trades: every closed leg with its prices, its reasons and its money.

The first `STATIC_MAX` rows stand in the page and are legible without a script. A longer table carries all of its rows
packed, and the page's script shows them by pages; both forms come from the same rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from evenkeel.model.reason import Reason
from evenkeel.monitor.report.figures import trade_return
from evenkeel.monitor.report.markup import Html, join, tag
from evenkeel.monitor.report.packed import packed_json
from evenkeel.monitor.report.run_files import Run, Trade
from evenkeel.monitor.report.words import count, duration, exit_words, humane, moment, money, price, share

STATIC_MAX = 500
ROWS_MAX = 50_000

_Key: TypeAlias = "float | str | None"
_TEXTS = {str(reason): reason.text for reason in Reason}


@dataclass(frozen=True, slots=True)
class _Column:
    """A column: its head, its cell, and the value by which it sorts."""

    name: str
    cell: Callable[[Trade, Decimal], Html | str]
    key: Callable[[Trade, Decimal], _Key]
    look: str = ""
    hint: str = ""


def _two(first: Html | str, second: Html | str) -> Html:
    return join([tag("span", first), tag("small", second)])


def _look(amount: Decimal | float | None) -> str:
    return "" if not amount else "gain" if amount > 0 else "loss"


def _number(trade: Trade) -> Html:
    return tag("a", trade.number, href="#chart", data_trade=trade.number, title="Show on the chart")


def _entry_reason(code: str) -> Html:
    return tag("span", humane(code), title=_TEXTS.get(code))


def _return(trade: Trade, multiplier: Decimal) -> Html:
    value = trade_return(trade, multiplier)
    return tag("span", share(value, digits=2, signed=True), class_=_look(value) or None)


def _order(trade: Trade) -> _Key:
    return float(trade.number) if trade.number.isascii() and trade.number.isdigit() else trade.number


_COLUMNS = (
    _Column("Trade", lambda trade, _: _number(trade), lambda trade, _: _order(trade), "first"),
    _Column(
        "Side",
        lambda trade, _: _two(tag("b", trade.side.capitalize(), class_=trade.side), price(trade.quantity)),
        lambda trade, _: trade.side,
        hint="Direction, and quantity in units of the instrument",
    ),
    _Column(
        "Entry",
        lambda trade, _: _two(price(trade.entry_price), moment(trade.entry_ns)),
        lambda trade, _: trade.entry_ns / 1e9,
        "number",
    ),
    _Column(
        "Exit",
        lambda trade, _: _two(price(trade.exit_price), moment(trade.exit_ns)),
        lambda trade, _: trade.exit_ns / 1e9,
        "number",
    ),
    _Column(
        "Why",
        lambda trade, _: _two(exit_words(trade.exit_reason), _entry_reason(trade.entry_reason)),
        lambda trade, _: trade.exit_reason,
        hint="How it ended, and below why it began",
    ),
    _Column("Gross", lambda trade, _: money(trade.gross, signed=True), lambda trade, _: float(trade.gross), "number"),
    _Column("Fees", lambda trade, _: money(trade.fees), lambda trade, _: float(trade.fees), "number"),
    _Column(
        "Net",
        lambda trade, _: tag("b", money(trade.net, signed=True), class_=_look(trade.net) or None),
        lambda trade, _: float(trade.net),
        "number",
        "Gross less fees, with funding",
    ),
    _Column("Return", _return, trade_return, "number", "Net over the value of the position at entry"),
    _Column(
        "MAE", lambda trade, _: share(trade.mae, digits=2), lambda trade, _: trade.mae, "number",
        "Furthest against the position, of the entry price",
    ),
    _Column(
        "MFE", lambda trade, _: share(trade.mfe, digits=2), lambda trade, _: trade.mfe, "number",
        "Furthest in favour of the position, of the entry price",
    ),
    _Column(
        "Held",
        lambda trade, _: _two(count(trade.bars_held, "bar"), duration(trade.exit_ns - trade.entry_ns)),
        lambda trade, _: (trade.exit_ns - trade.entry_ns) / 1e9,
        "number",
    ),
)  # fmt: skip
_FUNDING = _Column(
    "Funding",
    lambda trade, _: money(trade.funding, signed=True),
    lambda trade, _: float(trade.funding),
    "number",
)


def ledger_section(run: Run) -> Html:
    """Return the table of trades, or a sentence where there are none."""
    if not run.trades:
        body = tag("p", "The strategy never opened a position in this range.", class_="empty")
        return tag("section", tag("h2", "Trades"), body, id="trades")
    columns = _columns(run)
    rows = [_row(trade, columns, run.multiplier) for trade in run.trades[:ROWS_MAX]]
    return tag(
        "section",
        tag("h2", "Trades"),
        tag("p", _lead(run), class_="quiet"),
        _filters(),
        _table(columns, rows),
        tag("p", "", class_="pager", id="trades-pager", hidden=True),
        _packed(columns, rows, run),
        id="trades",
    )


def _columns(run: Run) -> tuple[_Column, ...]:
    if not any(trade.funding for trade in run.trades):
        return _COLUMNS
    place = next(index for index, column in enumerate(_COLUMNS) if column.name == "Net")
    return (*_COLUMNS[:place], _FUNDING, *_COLUMNS[place:])


def _lead(run: Run) -> str:
    total = len(run.trades)
    text = f"{count(total, 'closed trade')}, money in {run.result.account.currency}, times in UTC."
    if total > ROWS_MAX:
        text += f" The first {ROWS_MAX:,} are listed; all of them are in trades.csv."
    return text


def _filters() -> Html:
    """Return the controls; they stay hidden until the script that serves them runs."""
    choices = (("", "All trades"), ("gain", "Gains"), ("loss", "Losses"), ("long", "Long"), ("short", "Short"))
    return tag(
        "div",
        tag(
            "input",
            type="search",
            id="trades-text",
            placeholder="Filter: stop, 2024-03, 42",
            aria_label="Filter trades",
        ),
        tag(
            "select",
            *(tag("option", text, value=v) for v, text in choices),
            id="trades-kind",
            aria_label="Which trades",
        ),
        tag("span", "", id="trades-count", class_="quiet", role="status"),
        class_="controls",
        id="trades-controls",
        hidden=True,
    )


def _table(columns: tuple[_Column, ...], rows: list[Html]) -> Html:
    heads = (
        tag("th", column.name, scope="col", class_=column.look or None, title=column.hint or None, aria_sort="none")
        for column in columns
    )
    left_out = len(rows) - STATIC_MAX
    note = f"{count(left_out, 'further trade')}: with a script this table has pages; else see trades.csv."
    table = tag(
        "table", tag("thead", tag("tr", *heads)), tag("tbody", *rows[:STATIC_MAX]), class_="ledger", id="trades-table"
    )
    return join(
        [
            tag("div", table, class_="scroll", tabindex="0", role="region", aria_label="Trades"),
            tag("noscript", tag("p", note, class_="quiet")) if left_out > 0 else None,
        ]
    )


def _row(trade: Trade, columns: tuple[_Column, ...], multiplier: Decimal) -> Html:
    cells = (tag("td", column.cell(trade, multiplier), class_=column.look or None) for column in columns)
    return tag("tr", *cells)


def _packed(columns: tuple[_Column, ...], rows: list[Html], run: Run) -> Html:
    """Return the rows beyond the static ones, and of all rows the sort keys and the kinds."""
    shown = run.trades[:ROWS_MAX]
    return packed_json(
        "trades-data",
        {
            "rows": [str(row) for row in rows[STATIC_MAX:]],
            "keys": [[column.key(trade, run.multiplier) for trade in shown] for column in columns],
            "kinds": [f"{_look(trade.net)} {trade.side}" for trade in shown],
        },
    )
