"""Pictures of indicators and structures on bars: one SVG each, no script, light and dark as the reader prefers.

subject = Subject(find_indicator("rsi"), {}, bars, calendar)
path.write_text(draw(subject, title="rsi on SPY.US, D"))
"""

from evenkeel.monitor.picture.drawing import draw, draw_bars
from evenkeel.monitor.picture.page import page
from evenkeel.monitor.picture.plan import SAMPLES, Subject

__all__ = ["SAMPLES", "Subject", "draw", "draw_bars", "page"]
