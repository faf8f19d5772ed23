"""Files that name each other are found in three places, and never outside the folder of the one that names."""

from __future__ import annotations

from pathlib import Path

import pytest

from evenkeel.model.errors import UsageError
from evenkeel.strategies.library import Library


def put(*places: Path) -> None:
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("")


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    for folder in ("own", "home", "shipped"):
        (tmp_path / folder).mkdir()
    return tmp_path


def find(desk: Path, text: str, kind: str = "block") -> Path:
    found = Library(desk / "home", desk / "shipped").find(text, kind=kind, beside=desk / "own")  # type: ignore[arg-type]
    return found.relative_to(desk)


def test_the_nearest_place_wins(desk: Path) -> None:
    put(desk / "shipped/blocks/trend.yaml")
    assert find(desk, "trend") == Path("shipped/blocks/trend.yaml")
    put(desk / "home/blocks/deep/trend.yaml")
    assert find(desk, "trend") == Path("home/blocks/deep/trend.yaml")
    put(desk / "own/blocks/trend.yaml")
    assert find(desk, "trend") == Path("own/blocks/trend.yaml")


def test_two_of_one_name_in_one_place_are_refused(desk: Path) -> None:
    put(desk / "own/trend.yaml", desk / "own/blocks/a/trend.yaml")
    with pytest.raises(UsageError, match=r"the block 'trend' exists more than once: .*trend\.yaml and .*a.trend\.yaml"):
        find(desk, "trend")


def test_plays_and_blocks_have_folders_of_their_own(desk: Path) -> None:
    put(desk / "home/plays/mine.yaml", desk / "shipped/teaching/old.yaml", desk / "shipped/blocks/trend.yaml")
    assert find(desk, "mine", "play") == Path("home/plays/mine.yaml")
    assert find(desk, "old", "play") == Path("shipped/teaching/old.yaml")
    with pytest.raises(UsageError, match="there is no play 'trend'"):
        find(desk, "trend", "play")


def test_an_unknown_name_gets_the_nearest_one(desk: Path) -> None:
    put(desk / "shipped/blocks/trend.yaml")
    with pytest.raises(UsageError, match="there is no block 'trnd'; did you mean 'trend'"):
        find(desk, "trnd")
    with pytest.raises(UsageError, match="there is no block 'zzz'; there are trend"):
        find(desk, "zzz")


def test_a_path_starts_at_the_folder_of_the_file_that_names_it(desk: Path) -> None:
    put(desk / "own/parts/trend.yaml", desk / "own/near.yaml")
    assert find(desk, "parts/trend.yaml") == Path("own/parts/trend.yaml")
    assert find(desk, "near.yaml") == Path("own/near.yaml")
    with pytest.raises(UsageError, match=r"there is no file '.*parts.nope\.yaml'"):
        find(desk, "parts/nope.yaml")


@pytest.mark.parametrize("text", ["../home/x.yaml", "parts/../../home/x.yaml", "/etc/hosts.yaml", "..\\home\\x.yaml"])
def test_a_path_that_leads_out_is_refused(desk: Path, text: str) -> None:
    put(desk / "home/x.yaml")
    with pytest.raises(UsageError, match="leads out of the folder"):
        find(desk, text)


def test_a_link_that_leads_out_is_refused(desk: Path) -> None:
    put(desk / "home/x.yaml")
    (desk / "own/linked.yaml").symlink_to(desk / "home/x.yaml")
    with pytest.raises(UsageError, match="leads out of the folder"):
        find(desk, "linked.yaml")


def test_a_path_needs_a_file_that_names_it(desk: Path) -> None:
    with pytest.raises(UsageError, match="name the block without a path"):
        Library(None, desk / "shipped").find("parts/x.yaml", kind="block", beside=None)


@pytest.mark.parametrize("text", ["a b", "", "-x", "x" * 201, "a\0b", "ä"])
def test_what_cannot_be_a_name_is_refused(desk: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"is not a name|cannot name a block"):
        find(desk, text)
