"""The command line: one module per command; it parses, calls and prints, and decides nothing.

Importing this package costs the standard library and click. Whatever is heavier is imported inside the function of
the command that needs it, so that `keel --help` answers at once.
"""

from __future__ import annotations

from evenkeel.cli.entry import entry

__all__ = ["entry"]
