"""The bars of a written run as the checks of the audit take them."""

from __future__ import annotations

from evenkeel.readiness.audit.bars import BaseBars, Columns, columns_of

from .audited_run import Written


def higher_of(written: Written) -> dict[str, Columns]:
    """Return the columns of the higher timeframes."""
    return {name: columns_of(table) for name, table in written.higher.items()}


def bars_of(written: Written, *, execution: bool = True) -> BaseBars:
    """Return the base bars, with the execution bars or without them."""
    base = columns_of(written.base)
    return BaseBars(base, next(iter(higher_of(written).values()), base) if execution else None)
