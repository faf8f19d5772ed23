"""Parameters of the shapes of generated markets, each with its limits.

>>> Parameters.of({"trend_magnitude": 0.1}).trend_magnitude
0.1
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from difflib import get_close_matches

from evenkeel.model.errors import UsageError

LIMITS: dict[str, tuple[float, float]] = {
    "trend_magnitude": (0.01, 0.75),
    "pullback_depth": (0.0, 1.0),
    "stairs_steps": (1, 20),
    "volatility_base": (0.001, 0.5),
    "spike": (0.01, 0.4),
    "squeeze": (0.0005, 0.5),
    "range_width": (0.005, 0.5),
    "triangle_slope": (0.0, 0.01),
    "noise_level": (0.05, 1.0),
    "hunt_depth": (0.001, 0.2),
    "hunt_recovery": (0.0, 1.0),
}
"""The lowest and the highest value of each. Within them every shape stays above zero."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """How large, how wild and how deep; all fractions are of the base price unless something else is said.

    Attributes:
        trend_magnitude: How far a trend goes; T in the table of the regimes.
        pullback_depth: How much of a trend a pullback takes back, as a fraction of the trend.
        stairs_steps: Steps of a staircase.
        volatility_base: Standard deviation of the return of a day in an ordinary market.
        spike: Standard deviation of the return of a day in a storm; a crash goes twice as far.
        squeeze: Standard deviation of the return of a day in a market that hardly moves.
        range_width: From the lower to the upper edge of a range.
        triangle_slope: How far the sloping edge of a triangle moves in a fiftieth of the path.
        noise_level: Noise of shapes that are not about volatility, as a fraction of `volatility_base`.
        hunt_depth: How far a hunt for stops reaches beyond the edge.
        hunt_recovery: How much of the way back to the middle of the range the price makes after the hunt.
    """

    trend_magnitude: float = 0.20
    pullback_depth: float = 0.30
    stairs_steps: int = 4
    volatility_base: float = 0.02
    spike: float = 0.10
    squeeze: float = 0.005
    range_width: float = 0.08
    triangle_slope: float = 0.001
    noise_level: float = 0.3
    hunt_depth: float = 0.02
    hunt_recovery: float = 0.8

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise UsageError(f"the parameter {name} is {value:g}; it must lie from {low:g} to {high:g}")
        if self.stairs_steps != int(self.stairs_steps):
            raise UsageError(f"the parameter stairs_steps is {self.stairs_steps:g}; it must be a whole number")

    @property
    def noise(self) -> float:
        """Standard deviation of the return of a day in shapes that are not about volatility."""
        return self.volatility_base * self.noise_level

    @classmethod
    def of(cls, values: Mapping[str, float]) -> Parameters:
        """Return the defaults with some of them replaced.

        Raises:
            UsageError: If there is no parameter of a name, or a value lies outside its limits.
        """
        for name in values:
            if name not in LIMITS:
                near = get_close_matches(name, LIMITS, n=1)
                hint = f"; did you mean '{near[0]}'?" if near else ""
                raise UsageError(f"there is no parameter '{name}'{hint}; known are {', '.join(LIMITS)}")
        given = dict(values)
        if given.get("stairs_steps", 0.5) % 1 == 0:
            given["stairs_steps"] = int(given["stairs_steps"])
        return cls(**given)  # type: ignore[arg-type]

    def changed(self) -> dict[str, float]:
        """Return those that differ from the defaults."""
        defaults = asdict(Parameters())
        return {name: value for name, value in asdict(self).items() if value != defaults[name]}
