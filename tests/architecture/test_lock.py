"""The locked requirements say the same as pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from evenkeel.cli.doctor import CORE_PACKAGES

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
CORE = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
DEV = [Requirement(text) for text in PROJECT["dependency-groups"]["dev"]]
PYTHONS = ("3.11", "3.12", "3.13")


def pins(name: str) -> list[tuple[Requirement, int]]:
    """Each pin of a requirement file and how many hashes it has."""
    text = (ROOT / "requirements" / name).read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [
        (Requirement(line.split(" --hash")[0]), len(re.findall(r"--hash=sha256:[0-9a-f]{64}", line))) for line in lines
    ]


def pinned_version(locked: list[tuple[Requirement, int]], name: str, python: str) -> str | None:
    for pin, _ in locked:
        marker: Marker | None = pin.marker
        here = {"python_version": python, "python_full_version": f"{python}.1", "sys_platform": "linux"}
        if canonicalize_name(pin.name) == canonicalize_name(name) and (marker is None or marker.evaluate(here)):
            (specifier,) = pin.specifier
            return specifier.version
    return None


@pytest.mark.parametrize("name", ["core.txt", "dev.txt"])
def test_every_pin_is_exact_and_has_hashes(name: str) -> None:
    for pin, hashes in pins(name):
        assert [specifier.operator for specifier in pin.specifier] == ["=="], pin
        assert hashes >= 1, pin


@pytest.mark.parametrize(("name", "required"), [("core.txt", CORE), ("dev.txt", CORE + DEV)])
@pytest.mark.parametrize("python", PYTHONS)
def test_every_dependency_is_pinned_within_its_range(name: str, required: list[Requirement], python: str) -> None:
    locked = pins(name)
    for requirement in required:
        version = pinned_version(locked, requirement.name, python)
        assert version is not None, f"{requirement.name} is not in {name}"
        assert version in requirement.specifier, f"{requirement.name} {version} in {name} is outside {requirement}"


def test_both_files_pin_the_same_versions_of_the_core() -> None:
    development = {str(pin) for pin, _ in pins("dev.txt")}
    assert {str(pin) for pin, _ in pins("core.txt")} <= development


@pytest.mark.parametrize("name", ["core.txt", "dev.txt"])
def test_no_file_names_an_index(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text("utf-8")
    assert "://" not in text
    assert "index" not in text


def test_the_doctor_looks_at_every_core_dependency() -> None:
    assert [canonicalize_name(requirement.name) for requirement in CORE] == list(CORE_PACKAGES)
