"""Parts of an account: whatever of it has a state that must outlive the process."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import msgspec


class Part(Protocol):
    """A piece of the account's state, changed by folding only."""

    def saved(self) -> msgspec.Struct:
        """Return everything that the next decision depends on, as a copy.

        What can be derived from the rest is left out. Mappings keep their order, since it may decide what is done
        first.
        """

    def restore(self, saved: bytes) -> None:
        """Take over what `saved` returned, encoded by msgpack; the part is as its constructor left it.

        Raises:
            msgspec.MsgspecError: If the bytes are not those of this part.
        """


@runtime_checkable
class KeepsFeatures(Protocol):
    """A source of features that would have to warm up again without what it keeps."""

    def saved(self) -> bytes:
        """Return everything that the next feature depends on."""

    def restore(self, saved: bytes) -> None:
        """Take over what `saved` returned; the source is as its constructor left it.

        Raises:
            ValueError: If the bytes are not those of this source.
        """
