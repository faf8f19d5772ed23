"""The offline HTML report of a backtest, and the summary of several runs.

A report leads with uncertainty, not with profit: what luck could have made of the same trades comes before any figure
of merit. It is one file that opens from a disk without a network, and the same run always gives the same bytes.

    path = write_report(Path("runs/7f3a"), candles=bars)
"""

from __future__ import annotations

from evenkeel.monitor.report.page import render_report, write_report
from evenkeel.monitor.report.summary import SUMMARY_COLUMNS, read_uncertainty, summary_table

__all__ = ["SUMMARY_COLUMNS", "read_uncertainty", "render_report", "summary_table", "write_report"]
