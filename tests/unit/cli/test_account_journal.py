"""`keel journal` over the journal of an account: what must hold of it, and views of it as tables."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from evenkeel.cli.entry import run
from evenkeel.engine.account.audit import audit
from evenkeel.engine.account.log import Recorded
from evenkeel.engine.account.stored import recorded
from evenkeel.engine.journal import RealDisk
from evenkeel.execution.supervisor.venue_terms import Capabilities
from evenkeel.model.command import PlaceOrder
from evenkeel.model.event import Event, Operated, Operation
from evenkeel.model.ids import ClientId, Leg
from evenkeel.model.report import Executed
from evenkeel.risk.gates.judged import Judged
from property.test_world import SYMBOL
from session_desk import Place


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """An account that traded, was killed while it held something, traded on, and was paused at its end."""
    place = Place(RealDisk(), folder=str(tmp_path_factory.mktemp("runs") / "r"))
    place.open()
    place.run(30)
    place.until(lambda: place.exchange.positions.get(SYMBOL, 0) != 0)
    place.session.close()
    place.open()
    place.run(60)
    at = place.now_ns
    place.tell(Operated(event_ns=at, known_ns=at, operation=Operation.PAUSE, by="ada", why="lunch"))
    place.run(10)
    place.session.close()
    return place


@pytest.fixture(scope="module")
def entries(stored: Place) -> list[Recorded]:
    return list(recorded(Path(stored.folder)))


def test_the_journal_of_an_account_is_checked_for_its_promises(
    stored: Place, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    assert run(["journal", "verify", stored.folder]) == 0
    placed = sum(isinstance(command, PlaceOrder) for command in stored.sent)
    fills = len(stored.exchange.prints)
    assert f"sessions 2, orders {placed}, " in (said := capsys.readouterr().out)
    assert f"executions {fills}: each order was approved and placed once" in said

    assert run(["journal", "verify", stored.folder, "--json"]) == 0
    account = json.loads(capsys.readouterr().out)["account"]
    assert (account["sessions"], account["orders"], account["executions"]) == (2, placed, fills)
    assert account["transitions"]["sent filled"] > 5


Change = Callable[[list[Recorded]], Sequence[Recorded]]


def first(entries: list[Recorded], kind: type, **facts: Any) -> int:
    """Return the place of the first entry of a kind."""
    return next(
        place for place, entry in enumerate(entries)
        if isinstance(entry, kind) and all(getattr(entry, name) == value for name, value in facts.items())
    )  # fmt: skip


def without_approval(entries: list[Recorded]) -> Sequence[Recorded]:
    place = first(entries, Judged)
    return entries[:place] + entries[place + 1 :]


def twice(entries: list[Recorded]) -> Sequence[Recorded]:
    place = first(entries, PlaceOrder)
    return [*entries[: place + 1], entries[place], *entries[place + 1 :]]


def at_a_halt(entries: list[Recorded]) -> Sequence[Recorded]:
    """The first approved entry is placed again under another id behind the pause at the end."""
    place = first(entries, PlaceOrder)
    order = entries[place]
    approval = entries[first(entries, Judged)]
    assert isinstance(order, PlaceOrder)
    assert isinstance(approval, Judged)
    assert order.order.leg is Leg.ENTRY
    other = ClientId("kle-late")
    return [
        *entries,
        msgspec.structs.replace(approval, client_id=other),
        msgspec.structs.replace(order, order=msgspec.structs.replace(order.order, client_id=other)),
    ]


def backwards(entries: list[Recorded]) -> Sequence[Recorded]:
    place = first(entries, Executed)
    event = entries[place]
    assert isinstance(event, Event)
    return [*entries[:place], msgspec.structs.replace(event, known_ns=1), *entries[place + 1 :]]


BROKEN: list[tuple[Change, str]] = [
    (without_approval, "was not approved by the gates"),
    (twice, "is used a second time"),
    (at_a_halt, "the entry kle-late was placed at halt level 2"),
    (backwards, "its stamp 1 does not lie after"),
]


@pytest.mark.parametrize(("change", "words"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_a_promise_that_did_not_hold_is_named_with_its_entry(
    entries: list[Recorded], change: Change, words: str
) -> None:  # fmt: skip
    assert audit(entries, Capabilities()).problems == []

    found = audit(change(list(entries)), Capabilities())

    assert found.counted >= 1
    assert any(words in problem for problem in found.problems)
    assert found.problems[0].startswith("entry ")


def test_an_execution_that_counts_twice_is_found(entries: list[Recorded], monkeypatch: pytest.MonkeyPatch) -> None:
    """The order book is broken here: it forgets which executions it has heard, and one is told twice."""
    place = first(entries, Executed)
    event = entries[place]
    assert isinstance(event, Event)
    again = msgspec.structs.replace(event, known_ns=event.known_ns + 1)
    told = [*entries[: place + 1], again, *entries[place + 1 :]]
    assert audit(told, Capabilities()).problems == []

    monkeypatch.setattr("evenkeel.execution.executions.Executions.named", lambda *_: None)

    problems = audit(told, Capabilities()).problems
    assert any("the executions of" in problem and "add up to" in problem for problem in problems)


def test_a_move_that_may_not_be_is_found(entries: list[Recorded], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evenkeel.engine.account.audit.LEGAL", {})

    found = audit(entries, Capabilities())

    assert found.counted == sum(found.transitions.values()) > 20
    assert len(found.problems) == 20
    assert "moved from sent to" in found.problems[0]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_orders_and_fills_are_tables(stored: Place, tmp_path: Path) -> None:
    out = tmp_path / "orders.csv"
    assert run(["journal", "export", stored.folder, "--table", "orders", "--out", str(out)]) == 0
    placed = [command.order for command in stored.sent if isinstance(command, PlaceOrder)]
    assert [row["client_id"] for row in rows(out)] == [order.client_id for order in placed]
    assert {row["leg"] for row in rows(out)} >= {"entry", "stop", "target"}
    assert all(row["time"] for row in rows(out))

    out = tmp_path / "fills.csv"
    assert run(["journal", "export", stored.folder, "--table", "fills", "--out", str(out)]) == 0
    assert [row["quantity"] for row in rows(out)] == [str(fill.quantity) for fill in stored.exchange.prints]


def test_decisions_and_checks_are_tables(stored: Place, entries: list[Recorded], tmp_path: Path) -> None:
    out = tmp_path / "decisions.csv"
    assert run(["journal", "export", stored.folder, "--table", "decisions", "--out", str(out)]) == 0
    told = rows(out)
    assert {"entry_approved", "submit_entry", "halt_changed"} <= {row["type"] for row in told}
    assert {row["instrument"] for row in told if row["type"] == "entry_approved"} == {"BTCUSDT.BYBIT"}

    parquet = tmp_path / "checks.parquet"
    arguments = ["journal", "export", stored.folder, "--table", "checks", "--format", "parquet", "--out", str(parquet)]
    assert run(arguments) == 0
    table = pl.read_parquet(parquet)
    assert table.height == sum(isinstance(entry, Judged) for entry in entries)
    assert table["vector"].str.len_chars().unique().to_list() == [49]
