"""The rules of the house hold in the package, and each check can fail."""

from __future__ import annotations

import ast
from pathlib import PurePosixPath

import pytest

import check_assert
import check_clock
import check_except
import check_imports
import check_names
import check_print
from sources import Check, problems

CHECKS = [module.check for module in (check_assert, check_clock, check_except, check_imports, check_names, check_print)]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__module__)
def test_the_package_keeps_the_rule(check: Check) -> None:
    assert problems(check) == []


BROKEN = [
    (check_assert.check, "risk/size.py", "def f(x):\n    assert x > 0"),
    (check_clock.check, "engine/core.py", "import time\nstamp = time.time_ns()"),
    (check_clock.check, "engine/core.py", "from time import perf_counter"),
    (check_clock.check, "engine/core.py", "from time import monotonic as tick"),
    (check_clock.check, "data/lock.py", "from datetime import datetime as moment\nnow = moment.now()"),
    (check_clock.check, "data/lock.py", "import datetime\ntoday = datetime.date.today"),
    (check_clock.check, "model/ids.py", "import uuid"),
    (check_clock.check, "model/ids.py", "from random import choice"),
    (check_clock.check, "data/synth.py", "import numpy as np\nnoise = np.random.default_rng(1)"),
    (check_clock.check, "venues/bybit/orders.py", "import asyncio\nasync def f():\n    await asyncio.sleep(1)"),
    (check_clock.check, "engine/core.py", "import os\nos.urandom(8)"),
    (check_except.check, "data/catalog.py", "try:\n    f()\nexcept:\n    pass"),
    (check_except.check, "data/catalog.py", "try:\n    f()\nexcept (ValueError, Exception):\n    pass"),
    (check_except.check, "data/catalog.py", "try:\n    f()\nexcept BaseException as error:\n    g(error)"),
    (check_except.check, "data/catalog.py", "for x in y:\n    try:\n        f()\n    except Exception:\n        if x:\n"
                                            "            continue\n        raise"),
    (check_except.check, "data/catalog.py", "from contextlib import suppress\nwith suppress(Exception):\n    f()"),
    (check_imports.check, "model/bar.py", "from evenkeel.data.catalog import Catalog"),
    (check_imports.check, "model/bar.py", "from evenkeel.kernel import kernel"),
    (check_imports.check, "kernel.py", "from evenkeel.model.bar import Bars"),
    (check_imports.check, "features/graph.py", "def f():\n    import evenkeel.strategies.play"),
    (check_imports.check, "engine/core.py", "from evenkeel import cli"),
    (check_imports.check, "data/catalog.py", "from .lock import WriterLock"),
    (check_imports.check, "strategies/play/rules.py", "from ..classic import Strategy"),
    (check_imports.check, "readiness/audit/replay/grid.py", "from evenkeel.features import instants"),
    (check_imports.check, "readiness/audit/bars.py", "from evenkeel.model.bar import Bars"),
    (check_imports.check, "pantry/jam.py", "from evenkeel.model.bar import Bars"),
    (check_names.check, "data/utils.py", '"""Odds and ends."""'),
    (check_names.check, "data/helpers/text.py", '"""Text."""'),
    (check_names.check, "data/catalog.py", "x = 1"),
    (check_print.check, "engine/core.py", "print('here')"),
    (check_print.check, "engine/core.py", "import sys\nsys.stderr.write('here')"),
    (check_print.check, "engine/core.py", "show = print"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "where", "source"), BROKEN)
def test_a_breach_is_found(check: Check, where: str, source: str) -> None:
    assert list(check(ast.parse(source), PurePosixPath(where)))


ALLOWED = [
    (check_clock.check, "cli/backtest.py", "import time\ntime.perf_counter()"),
    (check_clock.check, "engine/clock.py", "import time\ntime.time_ns()"),
    (check_clock.check, "venues/bybit/driver.py", "import asyncio\nasync def f():\n    await asyncio.sleep(1)"),
    (check_clock.check, "data/synth.py", "def draw(random):\n    return random.next()"),
    (check_clock.check, "model/time.py", "from datetime import UTC, datetime\ndatetime.fromtimestamp(0, UTC)"),
    (check_except.check, "cli/entry.py", "try:\n    f()\nexcept Exception:\n    pass"),
    (check_except.check, "data/atomic.py", "try:\n    f()\nexcept BaseException:\n    g()\n    raise"),
    (check_imports.check, "kernel.py", "from evenkeel.model.errors import invariant"),
    (check_imports.check, "features/graph.py", "from evenkeel.kernel import kernel\nfrom evenkeel.data import bar"),
    (check_imports.check, "cli/entry.py", "import evenkeel\nfrom evenkeel import kernel, __version__"),
    (check_names.check, "cli/_hidden.py", "x = 1"),
    (check_print.check, "cli/output.py", "print('here')"),
    (check_print.check, "engine/core.py", "def f(print_row):\n    print_row()"),
]


@pytest.mark.parametrize(("check", "where", "source"), ALLOWED)
def test_what_is_allowed_passes(check: Check, where: str, source: str) -> None:
    assert list(check(ast.parse(source), PurePosixPath(where))) == []
