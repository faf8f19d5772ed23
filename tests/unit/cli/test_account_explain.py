"""`keel explain` and replay over the journal of an account."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from evenkeel.cli.entry import run
from evenkeel.engine.account.account import Account
from evenkeel.engine.account.entry import OfDesk
from evenkeel.engine.account.log import Recorded
from evenkeel.engine.account.replay import replay_account
from evenkeel.engine.account.stored import recorded
from evenkeel.engine.journal import RealDisk
from evenkeel.engine.simulation.exchange import Print
from evenkeel.model.command import PlaceOrder
from evenkeel.model.decision import EntryApproved
from evenkeel.model.event import Operated, Operation
from evenkeel.model.number import plain
from evenkeel.model.time import format_time
from property.test_world import SYMBOL
from session_desk import LivePlace, Place


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """An account over two sessions that was paused at its end, with a torn write in between."""
    place = Place(RealDisk(), folder=str(tmp_path_factory.mktemp("runs") / "r"))
    place.open()
    place.run(60)
    place.session.close()
    with (Path(place.folder) / "journal" / f"{place.session._segment:06d}.seg").open("ab") as segment:
        segment.write(b"torn")
    place.open()
    place.run(40)
    at = place.now_ns
    place.tell(Operated(event_ns=at, known_ns=at, operation=Operation.PAUSE, by="ada", why="lunch"))
    place.run(30)
    place.session.close()
    return place


def told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert run(["explain", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def trips(place: Place) -> list[list[Print]]:
    """Return the executions of the venue from flat to flat."""
    found: list[list[Print]] = []
    held = Decimal(0)
    for fill in place.exchange.prints:
        if not held:
            found.append([])
        held += fill.quantity
        found[-1].append(fill)
    return found


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_trade_is_told_with_what_the_venue_executed(
    stored: Place, number: int, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    trip = trips(stored)[number - 1]

    lines = told([stored.folder, "--trade", str(number)], capsys)

    way = "long" if trip[0].quantity > 0 else "short"
    assert f"asked for a {way} entry" in lines[0]
    assert lines[1].startswith("All ")
    assert "the entry to" in lines[2]
    for fill in trip:
        verb = "bought" if fill.quantity > 0 else "sold"
        assert any(f"{verb} {plain(abs(fill.quantity))} at {plain(fill.price)}" in line for line in lines)
    assert any("the protective stop to" in line and "was sent" in line for line in lines)
    gross = -sum((fill.quantity * fill.price for fill in trip), Decimal(0))
    fees = sum((fill.fee for fill in trip), Decimal(0))
    assert lines[-1] == (f"Result {plain(gross)} before costs, fees {plain(fees)}, net {plain(gross - fees)} USDT.")


def test_a_trade_that_there_is_not_is_refused_with_the_count(
    stored: Place, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    assert run(["explain", stored.folder, "--trade", "999"]) == 2
    assert f"there is no trade 999; the account has {len(trips(stored))}" in capsys.readouterr().err


def test_without_a_question_it_tells_what_was_refused_and_found(
    stored: Place, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    text = "\n".join(told([stored.folder], capsys))

    assert "a session began, and found: 4 bytes of an interrupted write were cut" in text
    assert "ada asked for 'pause': lunch" in text
    assert "halt level 2, OPERATOR_PAUSE" in text
    assert "the gates refused entry of" in text
    assert "(2 against 1)" in text


def test_at_an_instant_it_tells_how_the_account_stood(stored: Place, capsys: pytest.CaptureFixture[str]) -> None:
    trip = trips(stored)[1]
    at = trip[0].at_ns + 2_000_000_000

    lines = told([stored.folder, "--at", format_time(at)[:19]], capsys)

    assert lines[0].endswith("the account is at halt level 0.")
    assert any(line.startswith(f"restless holds {plain(trip[0].quantity)} {SYMBOL}") for line in lines)
    assert sum("At work: the " in line for line in lines) == 2
    document = run(["explain", stored.folder, "--at", format_time(at)[:19], "--json"])
    assert document == 0
    assert json.loads(capsys.readouterr().out)["lines"] == lines


def test_a_replay_of_the_account_concludes_the_same(stored: Place) -> None:
    found = replay_account(stored.make, recorded(Path(stored.folder)))

    assert found.equal, found.difference
    assert found.commands == len(stored.sent)


def test_a_replay_names_the_first_decision_that_differs(stored: Place) -> None:
    entries: list[Recorded] = list(recorded(Path(stored.folder)))
    place = next(
        place for place, entry in enumerate(entries)
        if isinstance(entry, OfDesk) and isinstance(entry.what, EntryApproved)
    )  # fmt: skip
    altered = entries[place]
    assert isinstance(altered, OfDesk)
    assert isinstance(altered.what, EntryApproved)
    entries[place] = msgspec.structs.replace(altered, what=msgspec.structs.replace(altered.what, reference=Decimal(1)))

    found = replay_account(stored.make, entries)

    assert found.difference is not None
    assert "on BarsClosed: recorded was OfDesk(" in found.difference
    assert "reference=Decimal('1')" in found.difference


def test_a_replay_misses_no_command_that_was_left_out(stored: Place) -> None:
    entries = list(recorded(Path(stored.folder)))
    place = next(place for place, entry in enumerate(entries) if isinstance(entry, PlaceOrder))

    found = replay_account(stored.make, entries[:place] + entries[place + 1 :])

    assert found.difference is not None
    assert "decided again it is PlaceOrder(" in found.difference


def test_sessions_of_another_strategy_are_folded_and_not_decided_again(stored: Place) -> None:
    def other() -> Account:
        account = stored.make()
        for desk in account.desks.values():
            vars(desk.core.strategy)["hash"] = "another"
        return account

    found = replay_account(other, recorded(Path(stored.folder)))

    assert (found.steps, found.equal) == (0, True)


def test_the_command_does_not_replay_an_account_that_does_not_hold_its_bars(
    stored: Place, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    assert run(["replay", stored.folder]) == 2
    assert "whose journal does not hold its bars by value is not available yet" in capsys.readouterr().err


def test_the_command_replays_an_account_from_its_journal_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """Strategies from the manifest, features from the bars that the journal holds by value; over two sessions."""
    place = LivePlace(RealDisk(), str(tmp_path / "r"))
    place.open()
    place.run(120)
    place.session.close()
    place.open()
    assert place.session.begun > 0
    place.run(40)
    place.session.close()
    assert len(trips(place)) > 3

    assert run(["replay", place.folder, "--json"]) == 0

    document = json.loads(capsys.readouterr().out)
    assert (document["equal"], document["difference"]) == (True, None)
    assert document["commands"] == len(place.sent)
