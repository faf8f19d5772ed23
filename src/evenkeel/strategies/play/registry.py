"""What the loader asks of the registry of indicators and structures, and the registry that ships.

The protocols are met by `evenkeel.features.node`; they stand here so that a play can be checked against any registry,
and so that checking one does not load the kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol


class ParamInfo(Protocol):
    """A parameter of an indicator or structure; `evenkeel.features.node.Param` is one."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def type(self) -> type: ...  # noqa: D102
    @property
    def default(self) -> Any: ...  # noqa: D102
    @property
    def low(self) -> float | None: ...  # noqa: D102
    @property
    def high(self) -> float | None: ...  # noqa: D102
    @property
    def above(self) -> bool: ...  # noqa: D102
    @property
    def choices(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def optional(self) -> bool: ...  # noqa: D102


class OutputInfo(Protocol):
    """An output with its type FLOAT, INT, BOOL, ENUM or STRING, the words of an ENUM and the ends of a number."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def type(self) -> str: ...  # noqa: D102
    @property
    def values(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def low(self) -> float | None: ...  # noqa: D102
    @property
    def high(self) -> float | None: ...  # noqa: D102


class NodeInfo(Protocol):
    """What the loader must know of an indicator or structure; `evenkeel.features.node.Node` is one."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def inputs(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def params(self) -> Sequence[ParamInfo]: ...  # noqa: D102
    @property
    def outputs(self) -> Sequence[OutputInfo]: ...  # noqa: D102
    def outputs_of(self, params: Mapping[str, Any], /) -> Sequence[OutputInfo]: ...  # noqa: D102
    @property
    def primary(self) -> str: ...  # noqa: D102
    @property
    def single_series(self) -> bool: ...  # noqa: D102
    @property
    def uses(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def check(self) -> Callable[[Mapping[str, Any]], str | None]: ...  # noqa: D102


class Registry(Protocol):
    """All indicators and structures, by name."""

    def indicators(self) -> Mapping[str, NodeInfo]:
        """Return every indicator that exists."""
        ...

    def structures(self) -> Mapping[str, NodeInfo]:
        """Return every structure detector that exists."""
        ...

    def specified_indicators(self) -> Sequence[str]:
        """Return the names of all indicators that will exist."""
        ...

    def specified_structures(self) -> Sequence[str]:
        """Return the names of all structure detectors that will exist."""
        ...


class ShippedRegistry:
    """The indicators and structures of `evenkeel.features`, imported on first use."""

    def indicators(self) -> Mapping[str, NodeInfo]:
        """Return every indicator that exists."""
        from evenkeel.features.registry import all_indicators

        return all_indicators()

    def structures(self) -> Mapping[str, NodeInfo]:
        """Return every structure detector that exists."""
        from evenkeel.features.registry import all_structures

        return all_structures()

    def specified_indicators(self) -> Sequence[str]:
        """Return the names of all indicators that will exist."""
        from evenkeel.features.registry import INDICATOR_NAMES

        return INDICATOR_NAMES

    def specified_structures(self) -> Sequence[str]:
        """Return the names of all structure detectors that will exist."""
        from evenkeel.features.registry import STRUCTURE_NAMES

        return STRUCTURE_NAMES
