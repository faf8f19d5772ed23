"""Random plays: YAML drawn from whatever indicators and structures are built, valid by construction.

    text = random_play(np.random.default_rng(7))

Each play loads without an error and tends to trade: conditions compare like with like, so that most are true now and
then. Every part of the format that is built turns up: timeframes, chained sources, structures, setups, windows,
offsets, arithmetic, both forms of actions, all order types, stops, targets and sizes, exits of a part, ladders,
trailing and break-even, leverage with every policy of liquidation, funding, impact, and decisions within the bar.
"""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import yaml

from evenkeel.features.node import Node, OutputType, Param
from evenkeel.features.registry import all_indicators, all_structures
from evenkeel.model.errors import UsageError
from evenkeel.model.time import Timeframe
from evenkeel.strategies.play.schema import TimeframesSection

Rng = np.random.Generator

MINUTES = (
    ("1m", "5m", "15m"), ("1m", "3m", "15m"), ("1m", "1m", "1m"), ("3m", "3m", "15m"), ("5m", "15m", "30m"),
    ("1m", "15m", "30m"),
)  # fmt: skip
"""Timeframes of plays on some thousand minutes: low, middle and high."""

ROLES = ("low_tf", "med_tf", "high_tf")
LENGTH_MAX = 24
"""Windows stay short, so that a few thousand bars warm up every play."""

PRICES = frozenset({"ema", "sma", "wma", "dema", "tema", "trima", "zlma", "kama", "alma", "linreg", "midprice", "vwap"})
"""Indicators whose output is a price."""

PRICE_OUTPUTS = frozenset(
    {
        ("bbands", "lower"), ("bbands", "middle"), ("bbands", "upper"), ("donchian", "lower"), ("donchian", "middle"),
        ("donchian", "upper"), ("supertrend", "trend"), ("supertrend", "long"), ("supertrend", "short"),
        ("swing", "high_level"), ("swing", "low_level"), ("swing", "pair_high_level"), ("swing", "pair_low_level"),
    }
)  # fmt: skip
PERCENT_OUTPUTS = frozenset(
    {("rsi", "value"), ("adx", "adx"), ("adx", "dmp"), ("adx", "dmn"), ("stoch", "k"), ("stoch", "d")}
)


INTRABAR = "intrabar" in get_args(TimeframesSection.model_fields["evaluate"].annotation)
"""Whether decisions within the execution bar are built."""

LEVERAGES = (1, 1, 2, 5, 10, 25)
MAINTENANCE = (0.005, 0.01, 0.02)
"""Rates that leave room below the smallest initial margin, a twenty-fifth."""


def pick(rng: Rng, *choices: Any) -> Any:
    """Return one of the choices, as it was given."""
    return choices[int(rng.integers(len(choices)))]


def chance(rng: Rng, share: float) -> bool:
    """Return True this often."""
    return bool(rng.random() < share)


def number(rng: Rng, low: float, high: float) -> float:
    """Return a number with few digits, as a person writes it."""
    return float(f"{rng.uniform(low, high):.3g}")


def random_play(
    rng: Rng,
    *,
    intervals: tuple[tuple[str, str, str], ...] = MINUTES,
    shorts: bool = True,
    by_minutes: bool = True,
    perpetual: bool = True,
    intrabar: bool = True,
    warmup_minutes: int = 1000,
    price: float = 100.0,
    marks: bool = False,
) -> str:
    """Return the YAML of a play.

    Args:
        intervals: Low, middle and high timeframe to choose from.
        shorts: Whether the instrument can be sold short.
        by_minutes: Whether conditions may look at minutes, which some recordings do not have.
        perpetual: Whether the instrument has leverage, liquidation and funding.
        intrabar: Whether a slower execution bar may be decided on at each of its minutes.
        warmup_minutes: No feature needs more history than this, conditions on it a little more.
        price: About where the market is.
        marks: Whether the data have a mark price.
    """
    chosen = pick(rng, *intervals)
    sections = Sections(rng, perpetual, price=price, marks=marks)
    writer = _Writer(rng, chosen, shorts, by_minutes, warmup_minutes, sections)
    return yaml.safe_dump(writer.play(intrabar), sort_keys=False)


class Sections:
    """Draws the sections that say how to trade, whatever the conditions are: account, entry, risk and exits.

    Args:
        rng: Where the draws come from.
        perpetual: Whether the instrument has leverage, liquidation and funding.
        price: About where the market is, for distances and quantities.
        leverages: What the account may allow.
        marks: Whether the data have a mark price, which may then fire stops.

    Attributes:
        swings: Keys of swings on the execution timeframe, to which stops may be set.
    """

    def __init__(
        self, rng: Rng, perpetual: bool, *, price: float = 100.0, leverages: tuple[int, ...] = LEVERAGES,
        marks: bool = False,
    ) -> None:  # fmt: skip
        self.rng, self.perpetual, self.price, self.marks = rng, perpetual, price, marks
        self.leverages = leverages if perpetual else (1,)
        self.leverage = int(pick(rng, *self.leverages))
        self.swings: list[str] = []

    def account(self) -> dict[str, Any]:
        rng = self.rng
        fees = {
            "taker_bps": float(pick(rng, 0, 5.5, 10)), "maker_bps": float(pick(rng, 0, 2)),
            "per_contract": float(pick(rng, 0, 0, 0.62)),
        }  # fmt: skip
        account: dict[str, Any] = {
            "starting_equity": float(pick(rng, 10_000, 25_000, 98_765.43)),
            "max_drawdown_pct": float(pick(rng, 100, 100, 20, 5, 1)),
            "slippage_bps": float(pick(rng, 0, 1, 2, 7.5)),
            "fee_model": fees,
            "min_trade_notional": float(pick(rng, 0, 0, 0, 10, 10, 10, 10, 10, 2500, 15_000)),
            "require_trade_through": chance(rng, 0.3),
            "include_close_fee": chance(rng, 0.7),
        }
        if chance(rng, 0.3):
            account["impact"] = {
                "mode": pick(rng, "linear", "sqrt"), "coef_bps": float(pick(rng, 5, 50, 200)),
                "max_bps": float(pick(rng, 3, 100)),
            }  # fmt: skip
        account |= self.limits(account["starting_equity"])
        if self.perpetual:
            account |= self.margin(fees)
        return account

    def limits(self, start: float) -> dict[str, Any]:
        """Return what bounds a position, a fill or the run, each of them now and then."""
        rng = self.rng
        found: dict[str, Any] = {}
        if chance(rng, 0.4):
            found["max_position_equity_pct"] = float(pick(rng, 30, 100, 100, 100))
        if chance(rng, 0.1):
            found["max_notional"] = float(pick(rng, 700, 4000))
        if self.perpetual and chance(rng, 0.1):
            found["max_margin"] = float(pick(rng, 200, 1500))
        if chance(rng, 0.1):
            found["stop_equity"] = round(start * float(pick(rng, 0.99, 0.9)), 2)
        if chance(rng, 0.3):
            found["max_volume_fraction"] = float(pick(rng, 0.02, 0.1, 0.5, 1.0))
        if self.marks and chance(rng, 0.6):
            found["trigger_source"] = "MarkPrice"
        return found

    def way(self) -> dict[str, Any]:
        """Return what lies between an order and its fill, each now and then: a spread, latency, others in the queue."""
        rng = self.rng
        found: dict[str, Any] = {}
        if chance(rng, 0.25):
            found["latency_ms"] = int(pick(rng, 1, 250, 60_000, 60_001, 150_000))
        if chance(rng, 0.35):
            found["queue"] = pick(
                rng, {"model": "trade_through", "ticks": int(pick(rng, 1, 2, 9))},
                {"model": "volume_ahead", "share": float(pick(rng, 0.4, 1.5))},
                {"model": "volume_ahead", "share": float(pick(rng, 0, 0.4, 3))},
            )  # fmt: skip
        if chance(rng, 0.1 if "queue" in found else 0.35):  # a spread leaves no price on the tick of a limit
            found["half_spread_bps"] = float(pick(rng, 1.3, 7.1))
        return found

    def margin(self, fees: dict[str, float]) -> dict[str, Any]:
        """Return what only accounts with leverage have."""
        rng = self.rng
        if chance(rng, 0.4):
            fees["liquidation_bps"] = float(pick(rng, 0, 7.5, 50))
        found: dict[str, Any] = {
            "max_leverage": float(self.leverage),
            "on_sl_beyond_liq": pick(rng, "reject", "adjust", "warn", "warn"),
            "min_liq_distance_pct": float(pick(rng, 0, 0, 0, 1, 5)),
            "maintenance_margin_rate": pick(rng, *MAINTENANCE),
            "continue_after_liquidation": chance(rng, 0.5),
            "funding": pick(
                rng, {"enabled": False}, {"fixed_rate": 0.0001}, {"fixed_rate": -0.0003}, {"fixed_rate": 0.02}
            ),
        }  # fmt: skip
        if chance(rng, 0.15):
            found["mm_deduction"] = float(pick(rng, 0.5, 3))
        return found

    def entry(self) -> dict[str, Any]:
        rng = self.rng
        if chance(rng, 0.5):
            return {}
        tif = pick(rng, "GTC", "GTC", "IOC", "FOK", "PostOnly")
        expire = int(rng.integers(0, 6)) if tif in ("GTC", "PostOnly") else 0
        offset = float(pick(rng, 0.0, 0.02, 0.1))
        return {
            "order_type": "LIMIT", "limit_offset_pct": offset, "time_in_force": tif, "expire_after_bars": expire,
        }  # fmt: skip

    def risk(self, exit_mode: str) -> dict[str, Any]:
        rng = self.rng
        stop = self.stop() if exit_mode == "sl_tp_only" or chance(rng, 0.7) else None
        target = self.target(stop is not None) if exit_mode == "sl_tp_only" or chance(rng, 0.7) else None
        found = {
            "stop_loss": stop, "take_profit": target, "sizing": self.sizing(stop is not None),
            **(self.moves(stop) if stop else {}),
        }  # fmt: skip
        return {
            **{key: value for key, value in found.items() if value},
            "tp_order_type": pick(rng, "Market", "Limit"),
            **({"sl_order_type": "Limit"} if stop and chance(rng, 0.15) else {}),
        }

    def sizing(self, has_stop: bool) -> dict[str, Any]:
        rng = self.rng
        models = ["percent_equity", "fixed_usdt", "fixed_quantity", *(["risk_based", "risk_based"] if has_stop else [])]
        model = pick(rng, *models)
        value = {"percent_equity": pick(rng, 40.0, 100.0), "fixed_usdt": 900.0,
                 "fixed_quantity": max(3.0, 300 // self.price),
                 "risk_based": pick(rng, 0.5, 3.0)}[model]  # fmt: skip
        sizing: dict[str, Any] = {"model": model, "value": value}
        if model == "fixed_usdt" and chance(rng, 0.3):
            sizing["basis"] = "notional"
        if model == "risk_based":
            sizing["include_costs"] = chance(rng, 0.5)
        if self.perpetual and chance(rng, 0.3):
            self.leverage = min(self.leverage, int(pick(rng, *self.leverages)))
            sizing["max_leverage"] = float(self.leverage)
        return sizing

    def stop(self) -> dict[str, Any]:
        """Return a rule of a stop: now and then one beyond liquidation."""
        rng = self.rng
        if self.leverage > 1 and chance(rng, 0.25):
            return {"type": "percent", "value": round(number(rng, 60, 120) / self.leverage, 6), "basis": "price"}
        rules = [*self.distances(), *self.trails()]
        if self.swings:
            rule = {
                "type": "structure",
                "structure_key": pick(rng, *self.swings),
                "max_distance_pct": number(rng, 0.5, 3),
            }
            rules.append(
                {**rule, **pick(rng, {"buffer_pct": 0.05}, {"buffer_atr": 0.5, "atr_feature_id": "atr_exec"}),
                 **pick(rng, {}, {"value": 0.5})}
            )  # fmt: skip
        return dict(pick(rng, *rules))

    def target(self, has_stop: bool) -> dict[str, Any]:
        rng = self.rng
        kind = pick(rng, "plain", "plain", "ratio", "ladder")
        if kind == "ladder":
            return {"type": "ladder", "steps": self.ladder(has_stop)}
        if kind == "ratio" and has_stop:
            return {"type": "rr_ratio", "value": number(rng, 0.5, 3)}
        target = dict(pick(rng, *self.distances()))
        target.pop("buffer_pct", None)
        return target

    def ladder(self, has_stop: bool) -> list[dict[str, float]]:
        """Return one to eight steps in any order, some of them close to nothing."""
        rng = self.rng
        count = int(rng.integers(1, 9))
        cuts = sorted(rng.choice(np.arange(1, 100), count - 1, replace=False).tolist())
        shares = [float(b - a) for a, b in zip([0, *cuts], [*cuts, 100], strict=True)]
        return [
            {**({"rr": number(rng, 0.3, 4)} if has_stop and chance(rng, 0.5) else {"pct": number(rng, 0.05, 2)}),
             "close_pct": share}
            for share in shares
        ]  # fmt: skip

    def moves(self, stop: dict[str, Any]) -> dict[str, Any]:
        """Return what moves a stop after the entry, or nothing."""
        rng = self.rng
        found: dict[str, Any] = {}
        if not stop["type"].startswith("trailing") and chance(rng, 0.3):
            found["trailing"] = dict(pick(rng, *self.trails()))
        if chance(rng, 0.3):
            activation = number(rng, 0.02, 1.5)
            found["break_even"] = {
                "activation_pct": activation, "offset_pct": float(f"{activation * rng.uniform(0, 0.9):.2g}"),
            }  # fmt: skip
        return found

    def trails(self) -> list[dict[str, Any]]:
        rng = self.rng
        by_atr: dict[str, Any] = {"type": "trailing_atr", "atr_feature_id": "atr_exec"}
        if chance(rng, 0.7):
            by_atr["atr_multiplier"] = number(rng, 0.5, 4)
        by_share: dict[str, Any] = {"type": "trailing_pct", "trail_pct": number(rng, 0.05, 1.5)}
        for rule in (by_atr, by_share):
            if chance(rng, 0.6):
                rule["activation_pct"] = number(rng, 0, 0.8)
        return [by_atr, by_share]

    def distances(self) -> list[dict[str, Any]]:
        """Return rules that stops and targets have in common."""
        rng, basis = self.rng, pick(self.rng, "price", "roi")
        value = round(number(rng, 0.05, 1.5) * (self.leverage if basis == "roi" else 1), 6)
        return [
            {"type": "percent", "value": value, "basis": basis},
            {"type": "atr_multiple", "value": number(rng, 0.5, 4), "atr_feature_id": "atr_exec", "buffer_pct": 0.05},
            {"type": "fixed_points", "value": round(number(rng, 0.05, 2) * self.price / 100, 6)},
        ]

    def intent(self, action: str) -> Any:
        """Return an action as an intent; an exit may close a part."""
        if action.startswith("exit") and chance(self.rng, 0.5):
            return {"action": action, "percent": float(pick(self.rng, 100, 50, 33.3, 25, 10, 0.01))}
        return action


class _Writer:
    def __init__(
        self, rng: Rng, intervals: tuple[str, str, str], shorts: bool, by_minutes: bool, warmup_minutes: int,
        sections: Sections,
    ) -> None:  # fmt: skip
        self.rng, self.sections = rng, sections
        self.intervals = dict(zip(ROLES, intervals, strict=True))
        self.role = pick(rng, *ROLES)
        self.exec = self.intervals[self.role]
        self.shorts, self.by_minutes, self.warmup_minutes = shorts, by_minutes, warmup_minutes
        self.phrases: list[Any] = []
        self.minutes: dict[str, int] = {}
        self.features: dict[str, Any] = {}
        self.structures: dict[str, list[dict[str, Any]]] = {}
        self.setups: dict[str, Any] = {}
        self.outputs: list[tuple[str, Node, str]] = []

    def play(self, intrabar: bool) -> dict[str, Any]:
        rng = self.rng
        self.features["atr_exec"] = {
            "indicator": "atr",
            "tf": self.role,
            "params": {"length": int(rng.integers(2, 15))},
        }
        for place in range(int(rng.integers(2, 6))):
            self.feature(f"f{place}")
        for place in range(int(rng.integers(0, 3))):
            self.structure(place)
        for place in range(int(rng.integers(0, 3))):
            self.setups[f"s{place}"] = self.condition(2, f"s{place}")
        mode = (
            pick(rng, "long_only", "long_only", "short_only", "long_short", "long_short")
            if self.shorts
            else "long_only"
        )
        exit_mode = pick(rng, "sl_tp_only", "signal", "first_hit", "first_hit")
        document: dict[str, Any] = {
            "version": "3.0.0",
            "name": "drawn",
            "symbol": "TEST",
            "timeframes": {**self.intervals, "exec": self.role, **self.schedule(intrabar)},
            "account": self.sections.account(),
            "features": self.features,
            "structures": self.structures,
            "setups": self.setups,
            "actions": self.actions(mode, exit_mode),
            "position_policy": {"mode": mode, "exit_mode": exit_mode},
            "entry": self.sections.entry(),
            "risk_model": self.sections.risk(exit_mode),
        }
        return {key: value for key, value in document.items() if value not in ({}, [])}

    def schedule(self, intrabar: bool) -> dict[str, Any]:
        """Return when the play decides, where that is not at the close alone."""
        wanted = chance(self.rng, 0.3)
        return {"evaluate": "intrabar"} if wanted and intrabar and INTRABAR and self.exec != "1m" else {}

    def value(self, param: Param) -> Any:
        rng = self.rng
        if param.choices:
            return pick(rng, *(word for word in param.choices if word != "W"))
        if param.type is bool:
            return chance(rng, 0.5)
        if param.type is int:
            low = int(param.low or 1)
            return int(rng.integers(low, max(low + 1, LENGTH_MAX)))
        low = (param.low or 0.0) + (0.1 if param.above else 0.0)
        return number(rng, low, min(param.high or 4.0, low + 3.0))

    def params(self, node: Node) -> dict[str, Any]:
        """Return parameters that the node accepts; an optional one may be left out."""
        for _ in range(200):
            given = {p.name: self.value(p) for p in node.params if not (p.optional and chance(self.rng, 0.5))}
            if node.name == "donchian":
                given = {"lower_length": given["lower_length"], "upper_length": given["upper_length"]}
            try:
                node.resolve(given)
            except UsageError:
                continue
            return given
        return {}

    def feature(self, name: str) -> None:
        rng = self.rng
        while True:
            node, role = pick(rng, *all_indicators().values()), pick(rng, *ROLES)
            spec: dict[str, Any] = {"indicator": node.name, "tf": role, "params": self.params(node)}
            needed = node.warmup(node.resolve(spec["params"])) * Timeframe.parse(self.intervals[role]).minutes
            if needed <= self.warmup_minutes:
                break
        if node.single_series and chance(rng, 0.4):
            same = [
                (known, below, output) for known, below, output in self.outputs
                if known in self.features and self.features[known]["tf"] == role
                and below.output(output).type is OutputType.FLOAT and below.name != "obv"
                and self.minutes[known] + needed <= self.warmup_minutes
            ]  # fmt: skip
            known, _, output = pick(rng, *same) if same and chance(rng, 0.5) else (None, None, None)
            spec["source"] = (
                f"indicator:{known}.{output}" if known else pick(rng, "open", "high", "hl2", "hlc3", "ohlc4")
            )
            if known:
                node = _renamed(node)
            needed += self.minutes.get(known, 0)
        self.features[name], self.minutes[name] = spec, needed
        self.outputs += [(name, node, output.name) for output in node.outputs]

    def structure(self, place: int) -> None:
        rng, built = self.rng, all_structures()
        if "swing" not in built:
            return
        key, role = f"sw{place}", pick(rng, "exec", *ROLES)
        params: dict[str, Any] = {"left": int(rng.integers(1, 5)), "right": int(rng.integers(1, 5))}
        if chance(rng, 0.3):
            atr = f"atr_{place}"
            self.features[atr] = {
                "indicator": "atr",
                "tf": self.role if role == "exec" else role,
                "params": {"length": 5},
            }
            params = pick(
                rng, {"mode": "atr_zigzag", "atr_key": atr, "atr_multiplier": number(rng, 0.5, 3)},
                {**params, "atr_key": atr, "min_atr_move": number(rng, 0, 1), "strict_alternation": True},
            )  # fmt: skip
        declared = [{"type": "swing", "key": key, "params": params}]
        self.outputs += [(key, built["swing"], output.name) for output in built["swing"].outputs]
        if "trend" in built and chance(rng, 0.6):
            declared.append({"type": "trend", "key": f"tr{place}", "uses": key})
            self.outputs += [(f"tr{place}", built["trend"], output.name) for output in built["trend"].outputs]
        declared += self.more_structures(place, key, role, built)
        self.structures.setdefault(role, []).extend(declared)
        if role == "exec" or self.intervals[role] == self.exec:
            self.sections.swings.append(key)

    def more_structures(self, place: int, swing: str, role: str, built: dict[str, Node]) -> list[dict[str, Any]]:
        """Return some of the detectors that read a swing or nothing, and note what can be said of them."""
        rng, atr = self.rng, f"atz_{place}"
        choices: dict[str, tuple[dict[str, Any], list[Any]]] = {
            "rolling_window": (
                {"params": {"mode": "max", "size": int(rng.integers(2, 20)), "exclude_current": True}},
                [["close", ">", f"rw{place}.value"], ["high", "<", f"rw{place}.value"]],
            ),
            "market_structure": (
                {"uses": swing},
                [[f"ma{place}.bos_this_bar", "==", True], [f"ma{place}.bos_direction", "==", "bullish"]],
            ),
            "zone": (
                {"uses": swing, "params": {"zone_type": "demand", "width_atr": number(rng, 0.2, 2), "atr_key": atr}},
                [[f"zo{place}.state", "==", pick(rng, "active", "broken")], ["close", "<", f"zo{place}.upper"]],
            ),
            "fibonacci": (
                {"uses": swing, "params": {"levels": [0.5, 0.618]}},
                [["close", ">", f"fi{place}.level[0.5]"], ["close", "cross_below", f"fi{place}.level[0.618]"]],
            ),
            "derived_zone": (
                {"uses": swing, "params": {"levels": [0.5, 0.618], "max_active": 3}},
                [[f"de{place}.any_inside", "==", True], [f"de{place}.zone[0].state", "==", "active"]],
            ),
        }
        found = []
        for name, (facts, phrases) in choices.items():
            if name in built and chance(rng, 0.25):
                found.append({"type": name, "key": f"{name[:2]}{place}".replace("ro", "rw"), **facts})
                self.phrases += phrases
                if name == "zone":
                    tf = self.role if role == "exec" else role
                    self.features[atr] = {"indicator": "atr", "tf": tf, "params": {"length": 4}}
        return found

    def condition(self, depth: int, inside: str | None = None) -> Any:
        rng = self.rng
        kind = pick(rng, "compare", "compare", "all", "any", "not", "window", "setup") if depth > 0 else "compare"
        if kind == "setup" and self.setups and inside is None:
            return {"setup": pick(rng, *self.setups)}
        if kind in ("all", "any"):
            return {kind: [self.condition(depth - 1, inside) for _ in range(int(rng.integers(1, 4)))]}
        if kind == "not":
            return {"not": self.condition(depth - 1, inside)}
        if kind == "window":
            return self.window(depth - 1, inside)
        return self.compare()

    def window(self, depth: int, inside: str | None) -> Any:
        rng, minutes = self.rng, Timeframe.parse(self.exec).minutes
        kind, samples = pick(rng, "holds_for", "occurred_within", "count_true"), int(rng.integers(1, 6))
        facts: dict[str, Any] = {"bars": samples, "expr": self.condition(depth, inside)}
        if kind == "count_true":
            facts["min_true"] = int(rng.integers(1, samples + 1))
        form = pick(rng, "bars", "anchored", "duration")
        if form == "anchored":
            facts["anchor_tf"] = pick(rng, *ROLES)
        if form == "duration" and minutes * samples <= 1440:
            del facts["bars"]
            return {f"{kind}_duration": {"duration": f"{minutes * samples}m", **facts}}
        return {kind: facts}

    def reference(self, name: str, output: str) -> Any:
        rng = self.rng
        if chance(rng, 0.15):
            return {"feature_id": name, "field": output, "offset": int(rng.integers(0, 4))}
        return f"{name}.{output}"

    def compare(self) -> Any:
        rng = self.rng
        if self.phrases and chance(rng, 0.25):
            return pick(rng, *self.phrases)
        name, node, output = pick(rng, *self.outputs)
        declared, left = node.output(output), self.reference(name, output)
        if declared.type is OutputType.BOOL:
            return [left, pick(rng, "==", "!="), pick(rng, True, False, 1)]
        if declared.type is OutputType.ENUM:
            words = declared.values
            if chance(rng, 0.3):
                return [left, "in", [pick(rng, *words), pick(rng, *words).upper()]]
            return [left, pick(rng, "==", "!="), pick(rng, *words)]
        if declared.type is OutputType.INT and "hash" not in output:
            return pick(
                rng, [left, "==", pick(rng, 0, 1, -1)], [left, "in", [0, 1]], [left, ">", 0],
                [left, "!=", self.reference(name, output)],
            )  # fmt: skip
        return self.measure(name, node, output, left)

    def measure(self, name: str, node: Node, output: str, left: Any) -> Any:
        """Compare a number with something of its own kind."""
        rng = self.rng
        is_price = node.name in PRICES or (node.name, output) in PRICE_OUTPUTS
        if is_price:
            right = self.price()
            left = pick(
                rng, left, left, pick(rng, "close", "high", "low", "last_price" if self.by_minutes else "close")
            )
        elif (node.name, output) in PERCENT_OUTPUTS:
            right = pick(rng, number(rng, 25, 75), number(rng, 25, 75), 50)
        elif output == "percent_b":
            right = number(rng, 0, 1)
        else:
            right = pick(rng, 0, {"feature_id": name, "field": output, "offset": int(rng.integers(1, 4))})
            if node.name == "atr":
                right = ["close", "*", number(rng, 0.0005, 0.003)]
        op = pick(rng, ">", "<", ">=", "<=", "cross_above", "cross_below", "near", "between")
        if op == "near" and is_price:
            return [left, "near_pct", right, number(rng, 0.1, 0.5)]
        if op == "between" and is_price:
            return [left, "between", [[right, "-", "atr_exec"], [right, "+", "atr_exec"]]]
        return [left, ">" if op in ("near", "between") else op, right]

    def price(self) -> Any:
        rng = self.rng
        prices = [f"{n}.{o}" for n, node, o in self.outputs if node.name in PRICES or (node.name, o) in PRICE_OUTPUTS]
        plain = pick(rng, "close", "open", "hl", *prices)
        if plain == "hl":
            return {"/": [["high", "+", "low"], 2]}
        if chance(rng, 0.3):
            return [plain, pick(rng, "+", "-"), ["atr_exec", "*", number(rng, 0.1, 1.5)]]
        return plain

    def actions(self, mode: str, exit_mode: str) -> Any:
        rng = self.rng
        sides = {"long_only": ["long"], "short_only": ["short"], "long_short": ["long", "short"]}[mode]
        wanted = [f"entry_{side}" for side in sides]
        if exit_mode != "sl_tp_only":
            wanted += pick(rng, [f"exit_{side}" for side in sides], ["exit_all"])
        if chance(rng, 0.5):
            return {action: [self.condition(3)] for action in wanted}
        blocks = []
        for place, action in enumerate(wanted):
            emit = [
                {"action": action, "metadata": self.metadata()} if chance(rng, 0.3) else self.sections.intent(action)
            ]
            cases = [{"when": self.condition(2), "emit": emit}]
            if chance(rng, 0.4):
                cases.insert(
                    int(rng.integers(0, 2)), {"when": self.condition(1), "emit": [pick(rng, "no_action", *wanted)]}
                )
            block: dict[str, Any] = {"id": f"b{place}", "cases": cases}
            if chance(rng, 0.2):
                block["else"] = {"emit": [pick(rng, "no_action", *wanted)]}
            blocks.append(block)
        return blocks

    def metadata(self) -> dict[str, Any]:
        """Return what is kept with a trade: a word, a built-in, and an output of any type."""
        name, _, output = pick(self.rng, *self.outputs)
        seen = {"feature_id": name, "field": output, "offset": int(self.rng.integers(0, 3))}
        return {"drawn": "yes", "range": {"feature_id": "atr_exec"}, "seen": seen}


def _renamed(node: Node) -> Node:
    """Return the node under a name of no known kind: an average of an oscillator is no price."""
    return Node(**{name: getattr(node, name) for name in node.__slots__ if name != "name"}, name=f"{node.name}_of")
