"""The tables of the suites: each row is one play, and says only what sets it apart.

A table is a YAML file in `plays/`: `suite`, `tier`, `defaults` for all rows, and `rows`. What a row may say:

    id          name of the play, unique over all tables
    about       what it shows, one line; becomes the description
    tier        quick, standard or full: the smallest run that it is part of
    side        long, short or both
    tf          the three timeframes and which decides: `1m 5m 15m low`
    use         features by name, in the short notation
    levels      structures by key, in the short notation
    set         variables
    setups      named conditions
    when        entry of the side (with `both`: of the long side); when_short: of the short side
    leave       signal exit, likewise leave_short; only with exit forms that take one
    blocks      the block form of actions, instead of when and leave
    exit, size, entry, account
                names of forms in `forms.yaml`
    with        sections of a play that are laid over all others
    market      a generated market: regime, minutes, seed
    window      a recorded market instead: a name in `windows.yaml`
    expect      load_error, stop_reason, min_trades, max_trades, exits: what must come of it
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from evenkeel.strategies.play.yaml_source import read

FOLDER = Path(__file__).resolve().parent / "plays"

NO_ROWS = ("forms.yaml", "windows.yaml")
"""Files beside the tables that hold something else."""

TIERS = ("quick", "standard", "full")
"""From the fewest plays to all of them."""


@dataclass(frozen=True, eq=False)
class Row:
    """One play of a suite; the head of this module says what each field holds. Rows are equal only to themselves."""

    id: str
    suite: str
    tier: str
    about: str = ""
    side: str = "long"
    tf: str = "5m 15m 1h low"
    use: Mapping[str, str] = field(default_factory=dict)
    levels: Mapping[str, str] = field(default_factory=dict)
    set: Mapping[str, Any] = field(default_factory=dict)
    setups: Mapping[str, Any] = field(default_factory=dict)
    when: Any = None
    when_short: Any = None
    leave: Any = None
    leave_short: Any = None
    blocks: Any = None
    exit: str = "percent"
    size: str = "percent"
    entry: str = "market"
    account: str = "plain"
    with_: Mapping[str, Any] = field(default_factory=dict)
    market: tuple[Any, ...] = ()
    window: str = ""
    expect: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_recorded(self) -> bool:
        """Whether it trades a recorded market."""
        return bool(self.window)

    @property
    def is_negative(self) -> bool:
        """Whether it must be refused at load."""
        return "load_error" in self.expect


_NAMES = {one.name for one in fields(Row)}


@cache
def all_rows(folder: Path = FOLDER) -> tuple[Row, ...]:
    """Return every row of every table, in the order of the files."""
    found = [row for path in sorted(folder.glob("*.yaml")) if path.name not in NO_ROWS for row in _table(path)]
    twins = sorted({row.id for row in found if sum(other.id == row.id for other in found) > 1})
    if twins:
        raise ValueError(f"more than one play is called {', '.join(twins)}")
    return tuple(found)


def find(name: str) -> Row:
    """Return the row of that id."""
    for row in all_rows():
        if row.id == name:
            return row
    raise KeyError(f"no suite has a play '{name}'")


def in_tier(tier: str) -> tuple[Row, ...]:
    """Return the rows that run in a tier: its own and those of the smaller ones."""
    reached = TIERS[: TIERS.index(tier) + 1]
    return tuple(row for row in all_rows() if row.tier in reached)


def read_document(path: Path) -> Any:
    """Return a YAML file as plain values, by the rules of plays."""
    source = read(path.read_text("utf-8"), str(path))
    if source.faults:
        raise ValueError(source.faults[0].message)
    return source.value


def _table(path: Path) -> list[Row]:
    table = read_document(path)
    unknown = set(table) - {"suite", "tier", "defaults", "rows"}
    if unknown:
        raise ValueError(f"{path.name}: unknown keys {sorted(unknown)}")
    shared = {"suite": table["suite"], "tier": table["tier"], **table.get("defaults", {})}
    return [_row({**shared, **given}, path) for given in table["rows"]]


def _row(given: dict[str, Any], path: Path) -> Row:
    facts = {("with_" if name == "with" else name): value for name, value in given.items()}
    if unknown := set(facts) - _NAMES:
        raise ValueError(f"{path.name}: {facts.get('id')}: unknown keys {sorted(unknown)}")
    if facts["tier"] not in TIERS:
        raise ValueError(f"{path.name}: {facts['id']}: there is no tier {facts['tier']!r}")
    return Row(**{**facts, "market": tuple(facts.get("market", ()))})
