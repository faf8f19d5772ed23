"""Finding a strategy: a `.yaml` play, a `.py[:Class]`, or the name of a shipped example."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from evenkeel import examples
from evenkeel.features.plugin import recorded_plugins, using
from evenkeel.model.errors import UsageError
from evenkeel.model.instrument import Instrument
from evenkeel.strategies.kinds import kind_of
from evenkeel.strategies.library import Library
from evenkeel.strategies.strategy import Strategy

if TYPE_CHECKING:
    from evenkeel.strategies.play.trace import TracedRule


def load_strategy(
    text: str,
    *,
    instruments: Callable[[str], Instrument],
    sets: Mapping[str, str] | None = None,
    library: Library | None = None,
    symbol: str | None = None,
) -> Strategy:
    """Return the strategy that a text names.

    Args:
        text: A file with its path, `file.py:Class`, or the name of an example.
        instruments: Finds an instrument by id or unique symbol.
        sets: Values of `--set`, by variable name or dotted path.
        library: Where the blocks of a play are looked up; None takes those that ship.
        symbol: Trade this instrument instead of the strategy's own.

    Raises:
        UsageError: If there is none, or it is not valid; a play tells all its problems at once.
    """
    _, _, class_name = text.partition(".py:") if ".py:" in text else (text, "", "")
    if is_python(text):
        from evenkeel.strategies.python_strategy import load_python_strategy

        if symbol is not None:
            raise UsageError("--symbol is for plays; set `symbol` of a Python strategy with --set symbol=...")
        return load_python_strategy(strategy_file(text), class_name or None, instruments=instruments, sets=sets)
    from evenkeel.strategies.play.load import load_play
    from evenkeel.strategies.play.program import PlayStrategy

    path = examples.locate(text)
    return PlayStrategy(load_play(path, instruments=instruments, sets=sets, library=library, symbol=symbol))


def strategy_kind(text: str) -> str:
    """Return what a text names: `play`, `playbook`, `system`, `block` or `python`.

    Raises:
        UsageError: If there is no such file or example.
    """
    if is_python(text):
        return "python"
    from evenkeel.strategies.play.yaml_source import read_file

    return kind_of(read_file(examples.locate(text)).value)


def strategy_symbols(
    text: str, *, sets: Mapping[str, str] | None = None, library: Library | None = None
) -> tuple[str, ...]:
    """Return the symbols of a strategy of which each is a run of its own; none if it trades a single one."""
    if is_python(text):
        return ()
    from evenkeel.strategies.play.load import play_symbols

    return play_symbols(examples.locate(text), sets=sets, library=library)


def strategy_file(text: str) -> Path:
    """Return the file that holds the strategy that a text names.

    Raises:
        UsageError: If there is no such example.
    """
    if is_python(text):
        file, _, class_name = text.partition(".py:")
        return Path(f"{file}.py") if class_name else Path(text)
    return examples.locate(text)


def is_python(text: str) -> bool:
    """Whether a text names a strategy in Python."""
    return ".py:" in text or text.endswith(".py")


def recorded_strategy(manifest: Mapping[str, Any], *, instruments: Callable[[str], Instrument]) -> Strategy:
    """Return the strategy of a run as its manifest recorded it, whatever has become of its file.

    Raises:
        UsageError: If what is loaded is not what ran: the code has changed in between.
    """
    with using(recorded_plugins(manifest)):
        strategy = _strategy_of(manifest["strategy"], instruments)
    recorded = manifest["strategy"]
    if strategy.hash != recorded["hash"]:
        raise UsageError(
            f"the strategy of this run had the hash {recorded['hash']} and now loads as {strategy.hash}: the code has "
            "changed since; replay it with the version that its manifest names",
            reason="STRATEGY_CHANGED",
        )
    return strategy


def recorded_rules(manifest: Mapping[str, Any], strategy: Strategy) -> tuple[TracedRule, ...] | None:
    """Return the rules of the play of a run with the rows of their conditions; None if it decides in Python."""
    from evenkeel.strategies.play.program import PlayStrategy

    with using(recorded_plugins(manifest)):
        return strategy.rules() if isinstance(strategy, PlayStrategy) else None


def _strategy_of(recorded: Mapping[str, Any], instruments: Callable[[str], Instrument]) -> Strategy:
    if recorded["kind"] == "python":
        from evenkeel.strategies.python_strategy import load_python_source

        resolved = recorded["resolved"]
        sets = resolved.get("values")
        return load_python_source(resolved["source"], resolved["class"], instruments=instruments, sets=sets)
    from evenkeel.strategies.play.load import load_play
    from evenkeel.strategies.play.program import PlayStrategy

    text = msgspec.json.encode(recorded["resolved"]).decode()
    return PlayStrategy(load_play(text, instruments=instruments))
