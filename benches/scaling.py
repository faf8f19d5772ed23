"""How time and memory grow: whole processes from ten thousand to ten million bars, and from one to ten thousand sets.

    python benches/scaling.py measure figures.json [LARGEST]
    python benches/scaling.py draw figures.json docs/images

The workload is W1 of `keel bench`. Each point is a process of its own, with its kernels in the cache, its audit and its
files. Its time is that of the processor, so that what else the machine does counts little. Points are written as they
are measured, small ones first, and those that are there are not measured again; LARGEST leaves out what is larger.
"""

from __future__ import annotations

import json
import math
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from evenkeel.cli.benchmark.process import keel, run_process
from evenkeel.cli.benchmark.workload import WORKLOADS, Workload, write_workload
from evenkeel.monitor.picture.drawing import STYLE
from evenkeel.monitor.report.markup import Html, tag

BARS = (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)
SETS = {
    1: ("10:10:1", "50:50:1"), 10: ("5:14:1", "50:50:1"), 100: ("5:14:1", "50:140:10"),
    1000: ("5:24:1", "50:295:5"), 10_000: ("5:54:1", "60:259:1"),
}  # fmt: skip
"""How many sets, and the steps of the fast and of the slow average that make so many."""

SWEPT_BARS = 100_000
LANES = ("research", "engine")

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 480, 330, 72, 40, 44, 46

Points = dict[str, dict[str, list[float]]]


def measure(path: Path, largest: int) -> None:
    points: Points = json.loads(path.read_text()) if path.exists() else {}
    with TemporaryDirectory() as folder:
        workload = WORKLOADS["W1"]
        play = workload.play.replace("features:", "variables: { fast: 20, slow: 50 }\nfeatures:")
        play = play.replace("length: 20", 'length: "{{ fast }}"').replace("length: 50", 'length: "{{ slow }}"')
        swept, catalog = write_workload(Workload("W3", "sets of W1", play), SWEPT_BARS, Path(folder) / "sweep")
        for count, (fast, slow) in SETS.items():
            sets = ("--set", f"fast={fast}", "--set", f"slow={slow}")
            if count * SWEPT_BARS <= 100 * largest:
                keep(points, path, "sweep", count, ("sweep", str(swept), "--catalog", str(catalog.folder), *sets))
        for count in BARS:
            if count > largest or all(str(count) in points.get(lane, {}) for lane in LANES):
                continue
            written, catalog = write_workload(workload, count, Path(folder) / str(count))
            for lane in LANES:
                command = ("backtest", str(written), "--catalog", str(catalog.folder), "--lane", lane)
                keep(points, path, lane, count, (*command, "--no-report"))


def run(command: Sequence[str]) -> tuple[float, float]:
    """Return processor seconds and megabytes of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with TemporaryDirectory() as folder:
        done = run_process(keel("--home", f"{folder}/home", *command, "--json", "--out", f"{folder}/out"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.memory_mb


def keep(points: Points, path: Path, name: str, count: int, command: Sequence[str]) -> None:
    """Measure a point unless it is there; the first of a line is run once before, for its kernels."""
    line = points.setdefault(name, {})
    if str(count) in line:
        return
    if not line:
        run(command)
    line[str(count)] = list(run(command))
    path.write_text(json.dumps(points, indent=1) + "\n")
    print(f"{name:10} {count:>12,} {line[str(count)][0]:10.2f} s {line[str(count)][1]:10,.0f} MB", flush=True)


def draw(path: Path, folder: Path) -> None:
    points: Points = json.loads(path.read_text())
    folder.mkdir(parents=True, exist_ok=True)
    lanes = {name: points[name] for name in LANES}
    sets = {"sweep": points["sweep"]}
    pictures = {
        "scaling_bars.svg": [("Processor seconds by bars", lanes, 0, "s"), ("Memory by bars", lanes, 1, "MB")],
        "scaling_sets.svg": [
            (f"Processor seconds by sets of {SWEPT_BARS:,} bars", sets, 0, "s"), ("Memory by sets", sets, 1, "MB"),
        ],
    }  # fmt: skip
    for name, panels in pictures.items():
        drawn = [panel(place * WIDTH, *each) for place, each in enumerate(panels)]
        size = f"0 0 {WIDTH * len(panels)} {HEIGHT}"
        page = tag("rect", x=0, y=0, width=WIDTH * len(panels), height=HEIGHT, class_="page")
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}"><style>{STYLE}</style>'
        (folder / name).write_text(f"{head}{page}{''.join(drawn)}</svg>\n")


def panel(left: float, title: str, lines: dict[str, dict[str, list[float]]], column: int, unit: str) -> Html:
    """Return a plot with both axes logarithmic: what grows in proportion is a straight line at 45 degrees."""
    xs = [int(count) for line in lines.values() for count in line]
    ys = [values[column] for line in lines.values() for values in line.values()]
    across, up = (min(xs), max(xs)), (10 ** math.floor(math.log10(min(ys))), 10 ** math.ceil(math.log10(max(ys))))

    def x(value: float) -> float:
        return left + LEFT + (WIDTH - LEFT - RIGHT) * share(value, across)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share(value, up)

    parts = [text(left + LEFT, 24, title, "title")]
    for value in decades(up):
        parts.append(tag("path", d=f"M{x(across[0]):.1f} {y(value):.1f}H{x(across[1]):.1f}", class_="grid"))
        parts.append(text(left + LEFT - 8, y(value) + 4, f"{value:,.10g} {unit}", "label", anchor="end"))
    for value in decades(across):
        parts.append(text(x(value), HEIGHT - BOTTOM + 18, f"{value:,.0f}", "label", anchor="middle"))
    for number, (name, line) in enumerate(lines.items()):
        colour = f"var(--c{number})"
        places = [(x(int(count)), y(values[column])) for count, values in line.items()]
        path = "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in places)
        parts.append(tag("path", d=path, class_="line", style=f"stroke:{colour}"))
        parts += [tag("circle", cx=f"{a:.1f}", cy=f"{b:.1f}", r=3, style=f"fill:{colour}") for a, b in places]
        parts.append(text(x(across[0]) + 8, TOP + 12 + 16 * number, name, "label", colour=colour))
    return Html("".join(parts))


def share(value: float, ends: Sequence[float]) -> float:
    """Return where a value lies between two on a logarithmic axis."""
    low, high = math.log10(ends[0]), math.log10(ends[1])
    return (math.log10(value) - low) / (high - low)


def decades(ends: Sequence[float]) -> list[float]:
    return [10.0**k for k in range(math.ceil(math.log10(ends[0]) - 1e-9), math.floor(math.log10(ends[1]) + 1e-9) + 1)]


def text(x: float, y: float, words: str, look: str, *, anchor: str = "start", colour: str = "") -> Html:
    style = f"fill:{colour}" if colour else ""
    return tag("text", words, x=f"{x:.1f}", y=f"{y:.1f}", class_=look, text_anchor=anchor, style=style)


if __name__ == "__main__":
    if sys.argv[1] == "measure":
        measure(Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else BARS[-1])
    else:
        draw(Path(sys.argv[2]), Path(sys.argv[3]))
