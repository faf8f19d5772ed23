"""`python -m tests.suites`, from the root of the repository; `command.py` tells what it does."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from suites.command import main

sys.exit(main(sys.argv[1:]))
