"""What the package offers at its root."""

from __future__ import annotations

import subprocess
import sys

import pytest

import evenkeel


@pytest.mark.parametrize("name", [name for name in dir(evenkeel) if not name.startswith("__")])
def test_every_public_name_can_be_imported_and_is_explained(name: str) -> None:
    assert getattr(evenkeel, name) is not None
    assert name[0].islower() or getattr(evenkeel, name).__doc__ or name == "Intent"


def test_the_names_are_listed_in_order() -> None:
    assert list(evenkeel._PLACES) == sorted(evenkeel._PLACES)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        evenkeel.nothing  # noqa: B018


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, evenkeel; print(sorted({'numpy', 'numba', 'polars', 'pydantic'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
