"""Pages of searches: what an optimisation tried, and how a walk forward went on data that had not been seen."""

from __future__ import annotations

from evenkeel.monitor.search.optimize import Point, write_optimize_page
from evenkeel.monitor.search.walkforward import write_walkforward_page

__all__ = ["Point", "write_optimize_page", "write_walkforward_page"]
