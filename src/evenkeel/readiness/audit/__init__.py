"""The independent audit of a backtest: every figure derived again in `Decimal` from fills and bars.

Nothing in this package imports anything else of the project, on purpose: a fault that engine and audit shared would
hide itself. It reads only the files of a run and, where given, the bars that the run used.

    checks = audit(Path("out"), base_bars=bars, higher_bars={"15m": execution_bars})
    failed = [check for check in checks if check.failed]
"""

from __future__ import annotations

from evenkeel.readiness.audit.audit import audit
from evenkeel.readiness.audit.catalogue import RULES, SHARED_RULES, SPECIFIED, Rule
from evenkeel.readiness.audit.check import Check
from evenkeel.readiness.audit.playbook import audit_playbook
from evenkeel.readiness.audit.portfolio import audit_portfolio
from evenkeel.readiness.audit.shared import Tables

__all__ = [
    "RULES",
    "SHARED_RULES",
    "SPECIFIED",
    "Check",
    "Rule",
    "Tables",
    "audit",
    "audit_playbook",
    "audit_portfolio",
]
