"""Keys that a play may not have any more, with what replaced them.

Each rule takes its key out of the document after telling it, so that nothing later stumbles over it again.
"""

from __future__ import annotations

from typing import Any

from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.problems import Path

_REMOVED: dict[Path, str] = {
    ("blocks",): "use `actions`",
    ("signal_rules",): "use `actions`",
    ("ltf",): "use `timeframes.low_tf`",
    ("mtf",): "use `timeframes.med_tf`",
    ("htf",): "use `timeframes.high_tf`",
    ("exec_tf",): "use `timeframes.exec` with low_tf, med_tf or high_tf",
    ("timeframes", "ltf"): "use `low_tf`",
    ("timeframes", "mtf"): "use `med_tf`",
    ("timeframes", "htf"): "use `high_tf`",
    ("timeframes", "exec_tf"): "use `exec` with low_tf, med_tf or high_tf",
}


def refuse(document: dict[str, Any], log: ProblemLog) -> None:
    """Tell every removed key of the document and take it out."""
    for path, remedy in _REMOVED.items():
        if _holds(document, path):
            log.error(path, f"`{path[-1]}` is no longer a key", remedy, key=True)
            _take_out(document, path, log)
    _refuse_values_that_read_like_keys(document, log)


def _refuse_values_that_read_like_keys(document: dict[str, Any], log: ProblemLog) -> None:
    """Values of older formats whose plain refusal would not say what to do."""
    if _find(document, ("account", "margin_mode")) == "isolated":
        log.error(
            ("account", "margin_mode"), "`isolated` is no longer a value", "write isolated_usdt or remove the key"
        )
        _take_out(document, ("account", "margin_mode"), log)


def _find(document: Any, path: Path) -> Any:
    place = document
    for part in path:
        if not isinstance(place, dict) or part not in place:
            return None
        place = place[part]
    return place


def _holds(document: Any, path: Path) -> bool:
    parent = _find(document, path[:-1])
    return isinstance(parent, dict) and path[-1] in parent


def _take_out(document: dict[str, Any], path: Path, log: ProblemLog) -> None:
    parent = _find(document, path[:-1])
    del parent[path[-1]]
    log.close(path)
