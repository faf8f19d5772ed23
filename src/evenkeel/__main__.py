"""`python -m evenkeel` is `keel`."""

from __future__ import annotations

from evenkeel.cli import entry

if __name__ == "__main__":
    entry()
