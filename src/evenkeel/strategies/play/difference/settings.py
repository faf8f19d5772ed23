"""Everything but rules and features compared: timing, policy, orders, risk, account, and whatever else a play says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from evenkeel.model.time import Timeframe
from evenkeel.strategies.play.difference.change import Change
from evenkeel.strategies.play.difference.meaning import Pairing
from evenkeel.strategies.play.english.phrases import number, so_many_bars
from evenkeel.strategies.play.english.protection import distance_words, size_words, trailing_words
from evenkeel.strategies.play.exposure import PRICE, Distance, leverage_of, stop_distance, target_distances
from evenkeel.strategies.play.play import Play

Rule: TypeAlias = Mapping[str, Any]

_NAMED = ("version", "name", "id", "description", "variables", "setups", "actions", "features", "structures")
_ROLES = ("low_tf", "med_tf", "high_tf", "exec")
_COSTS = ("fee_model", "slippage_bps", "impact", "funding")
_FEATURE_KEYS = ("atr_feature_id", "structure_key")
_ABSENT = "nothing"


def compare_settings(before: Play, after: Play, pairing: Pairing) -> list[Change]:
    """Return what differs outside of rules and features."""
    was, now = before.resolved, after.resolved
    changes = [*_subject(before, after), *_timing(before, after)]
    changes += _risk(was, now, pairing)
    told = {*_NAMED, "symbol", "timeframes", "risk_model", "account"}
    for key in dict.fromkeys([*was, *now]):
        if key not in told:
            changes += _values(key, was.get(key), now.get(key), key)
    for key in dict.fromkeys([*was["account"], *now["account"]]):
        part = "costs" if key in _COSTS else "account"
        changes += _values(part, was["account"].get(key), now["account"].get(key), f"account.{key}")
    return changes


def _subject(before: Play, after: Play) -> list[Change]:
    if before.instrument == after.instrument:
        return []
    if before.instrument.id != after.instrument.id:
        return [Change("subject", "symbol", f"{before.instrument.id} became {after.instrument.id}")]
    return [Change("subject", "symbol", f"the definition of {after.instrument.id} is another one")]


def compare_symbols(before: Sequence[str], after: Sequence[str]) -> list[Change]:
    """Return which instruments came and went between two files of which one names several."""
    if max(len(before), len(after)) < 2:
        return []
    gone = [Change("subject", "symbols", f"{symbol} is gone") for symbol in before if symbol not in after]
    return gone + [Change("subject", "symbols", f"{symbol} is new") for symbol in after if symbol not in before]


def _timing(before: Play, after: Play) -> list[Change]:
    """Return what differs in when decisions are made; the names of timeframes that only features use mean nothing."""
    was, now = before.intervals.exec, after.intervals.exec
    changes = []
    if was != now:
        changes.append(Change("timing", "timeframes.exec", f"decisions at each {was} close became each {now} close"))
    keys = dict.fromkeys([*before.resolved["timeframes"], *after.resolved["timeframes"]])
    for key in (key for key in keys if key not in _ROLES):
        old, new = before.resolved["timeframes"].get(key), after.resolved["timeframes"].get(key)
        changes += _values("timing", old, new, f"timeframes.{key}")
    return changes


def compare_warmup(before: Mapping[Timeframe, int], after: Mapping[Timeframe, int]) -> list[Change]:
    """Return what differs in the history that is needed before the first decision."""
    changes = []
    for timeframe in sorted({*before, *after}):
        was, now = before.get(timeframe, 0), after.get(timeframe, 0)
        if was != now:
            old, new = (so_many_bars(bars, timeframe) if bars else "none" for bars in (was, now))
            later = "the first decision comes later" if now > was else "the first decision may come earlier"
            changes.append(Change("timing", "history", f"{old} before the first decision became {new}: {later}"))
    return changes


def _risk(was: Rule, now: Rule, pairing: Pairing) -> list[Change]:
    old, new = was["risk_model"], now["risk_model"]
    lev_was, lev_now = leverage_of(was), leverage_of(now)
    changes: list[Change] = []
    for key, word in (("stop_loss", "stop"), ("take_profit", "target")):
        rules = (old.get(key), new.get(key))
        if _meant(rules[0], pairing.before, lev_was) != _meant(rules[1], pairing.after, lev_now):
            told = (_protection(rules[0], lev_was), _protection(rules[1], lev_now))
            moved = _moved(*(_distance(one, key, lev) for one, lev in ((old, lev_was), (new, lev_now))))
            changes.append(Change("risk", word, f"{told[0]} became {told[1]}{moved}"))
    sizes = [size_words(one.get("sizing") or {}, "in account currency") for one in (old, new)]
    if _keyed(old.get("sizing"), {}) != _keyed(new.get("sizing"), {}):
        text = f"{sizes[0]} became {sizes[1]}"
        if sizes[0] == sizes[1]:
            changes += _values("risk", old.get("sizing"), new.get("sizing"), "sizing")
        else:
            changes.append(Change("risk", "size", text))
    for key in dict.fromkeys([*old, *new]):
        if key == "trailing" and old.get(key) and new.get(key):
            if _keyed(old[key], pairing.before) != _keyed(new[key], pairing.after):
                text = f"{trailing_words(old[key])} became {trailing_words(new[key])}"
                changes.append(Change("risk", "trailing", text))
        elif key not in ("stop_loss", "take_profit", "sizing"):
            changes += _values("risk", old.get(key), new.get(key), key)
    return changes


def _keyed(rule: Any, keys: Mapping[str, str]) -> Any:
    """Return a rule with the names in it replaced by what they stand for."""
    if not isinstance(rule, Mapping):
        return rule
    return {key: keys.get(value, value) if key in _FEATURE_KEYS else value for key, value in rule.items()}


def _meant(rule: Rule | None, keys: Mapping[str, str], leverage: float) -> Any:
    """Return a stop or target as what it means: percentages of the margin are percentages of the price by leverage."""
    if rule is None or rule["type"] != "percent":
        return _keyed(rule, keys)
    by_margin = leverage if rule.get("basis", "roi") == "roi" else 1.0
    return float(rule["value"]) / by_margin


def _protection(rule: Rule | None, leverage: float) -> str:
    if rule is None:
        return "none"
    if rule["type"] == "ladder":
        steps = [f"{number(float(step['close_pct']))} % at {_step(step)}" for step in rule.get("steps", ())]
        return f"a ladder ({', '.join(steps)})"
    trails = f" ({trailing_words(rule)})" if str(rule["type"]).startswith("trailing_") else ""
    return f"{distance_words(rule, leverage)}{trails}"


def _step(step: Rule) -> str:
    return f"{number(float(step['pct']))} %" if step.get("pct") is not None else f"{number(float(step['rr']))} R"


def _distance(risk: Rule, key: str, leverage: float) -> Distance | None:
    stop = stop_distance(risk.get("stop_loss"), PRICE, leverage)
    if key == "stop_loss":
        return stop
    targets = target_distances(risk.get("take_profit"), PRICE, leverage, stop)
    return targets[0].distance if len(targets) == 1 else None


def _moved(was: Distance | None, now: Distance | None) -> str:
    """Return which way a level moved, where that does not depend on the market."""
    if was is None or now is None or was.assumption != now.assumption or was.worked == now.worked:
        return ""
    return ", further away" if now.worked > was.worked else ", nearer"


def _values(part: str, was: Any, now: Any, where: str) -> Iterator[Change]:
    """Yield a change for each value below a key that is not what it was."""
    if isinstance(was, Mapping) or isinstance(now, Mapping):
        old, new = (value if isinstance(value, Mapping) else {} for value in (was, now))
        for key in dict.fromkeys([*old, *new]):
            yield from _values(part, old.get(key), new.get(key), f"{where}.{key}")
    elif was != now:
        yield Change(part, where, f"{_shown(was)} became {_shown(now)}")


def _shown(value: Any) -> str:
    if value is None:
        return _ABSENT
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_shown(one) for one in value)}]"
    return number(float(value)) if isinstance(value, int | float) else str(value)
