"""`keel data show --with` and `keel indicators --plot`, on the shipped sample."""

from __future__ import annotations

from pathlib import Path

import pytest

from acceptance.keel import Keel


@pytest.fixture
def keel(tmp_path: Path) -> Keel:
    return Keel(tmp_path / "home")


def test_values_stand_beside_the_bars(keel: Keel) -> None:
    said = keel.ok("data", "show", "SPY", "--tail", 2, "--with", "rsi:14", "--with", "bbands.upper:50")

    head, *rows = said.out.splitlines()
    assert head.split() == ["open", "time", "close", "rsi:14", "bbands.upper:50"]
    assert len(rows) == 2
    assert all(len(row.split()) == 4 for row in rows)


def test_a_structure_gets_what_it_reads_and_says_so(keel: Keel) -> None:
    said = keel.ok("data", "show", "SPY", "--tail", 1, "--with", "zone:demand:1")
    assert "zone:demand:1 reads atr (length 14), swing (mode fractal, left 5, right 5" in said.err

    said = keel.ok("data", "show", "SPY", "--tail", 1, "--with", "zone:demand:1", "--with", "swing:left=2:right=3")
    assert "zone:demand:1 reads atr (length 14), swing (mode fractal, left 2, right 3" in said.err
    assert "swing:left=2:right=3 has 18 further outputs" in said.out


def test_the_document_holds_every_output_in_its_own_type(keel: Keel) -> None:
    given = keel.ok("data", "show", "SPY", "--head", 1, "--tail", 1, "--with", "swing", "--json").document

    values = given["with"]["swing"]
    assert len(values) == 24
    assert values["high_level"][0] is None
    assert isinstance(values["high_level"][1], float)
    assert isinstance(values["high_idx"][1], int)
    assert isinstance(values["high_accepted"][1], bool)
    assert values["last_confirmed_pivot_type"][1] in ("high", "low")
    assert given["notes"] == ["swing reads atr (length 14)"]


def test_bars_before_the_range_warm_the_values_up(keel: Keel) -> None:
    whole = keel.ok("data", "show", "SPY", "--tail", 1, "--end", "2020-02-01", "--with", "ema:50", "--json").document
    part = keel.ok(
        "data", "show", "SPY", "--start", "2020-01-31", "--end", "2020-02-01", "--with", "ema:50", "--json"
    ).document  # fmt: skip

    assert part["total"] == 1
    assert part["with"] == whole["with"]
    assert part["bars"] == whole["bars"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--with", "rsi", "--with", "rsi"), "--with gives 'rsi' twice"),
        (("--with", "emma"), "there is no indicator or structure 'emma'; did you mean 'ema'?"),
        (("--with", "rsi", "--start", "2199-01-01"), "no bar of SPY.US lies in that range"),
    ],
)
def test_what_cannot_be_shown_is_refused(arguments: tuple[str, ...], message: str, keel: Keel) -> None:
    said = keel("data", "show", "SPY", *arguments)

    assert said.code == 2
    assert said.message == message


def test_a_picture_is_written_as_svg_or_as_a_page(keel: Keel, tmp_path: Path) -> None:
    said = keel.ok("indicators", "bbands:50", "--plot", "SPY", "--out", tmp_path / "b.svg")
    given = keel.ok("indicators", "zone", "--plot", "SPY", "--out", tmp_path / "z.html", "--json").document

    assert said.out == f"picture: {tmp_path / 'b.svg'}\n"
    assert "bbands:50 on SPY.US, D" in (tmp_path / "b.svg").read_text("utf-8")
    assert (tmp_path / "z.html").read_text("utf-8").startswith("<!doctype html>")
    assert given["file"] == str(tmp_path / "z.html")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ema", "--plot", "SPY", "--out", "e.png"), "--out e.png must end in .svg or .html"),
        (("ema", "--plot", "SPY", "--out", "no/e.svg"), "there is no folder no for --out"),
        (
            ("ema", "--plot", "SPY", "--end", "2001-01-01"),
            "SPY.US D has no bar in that range; it spans 2015-01-02T14:30:00Z to 2025-12-30T21:00:00Z",
        ),
        (("--plot", "SPY"), "--plot needs the NAME of an indicator or structure"),
        (("ema", "--out", "e.svg"), "--tf, --end and --out belong to --plot INSTRUMENT"),
        (("--check",), "--check needs the NAME of an indicator or structure"),
    ],
)
def test_a_picture_that_cannot_be_is_refused(arguments: tuple[str, ...], message: str, keel: Keel) -> None:
    said = keel("indicators", *arguments)

    assert said.code == 2
    assert said.message == message
