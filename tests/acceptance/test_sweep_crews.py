"""Sweeps by threads, by processes and by a Ray cluster find the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from acceptance.keel import Keel

STRATEGY = """\
from evenkeel import PythonStrategy


class Cross(PythonStrategy):
    symbol = "SPY.US"
    timeframe = "D"
    fast = 10
    slow = 40
    stop = 0.0
    restless = False
    account = {"start_equity": "100000"}

    def setup(self, features):
        self.a = features.indicator("ema", length=self.fast)
        self.b = features.indicator("ema", length=self.slow)

    def decide(self, view):
        if view.position == 0 and view.value(self.a) > view.value(self.b):
            return self.long(reason="above", stop=self.stop or None)
        if view.position != 0 and view.value(self.a) <= view.value(self.b):
            return self.close("below")
        return self.nothing()
"""


@pytest.fixture
def keel(tmp_path: Path) -> Keel:
    return Keel(tmp_path / "home")


@pytest.fixture
def strategy(tmp_path: Path) -> Path:
    path = tmp_path / "cross.py"
    path.write_text(STRATEGY, "utf-8")
    return path


def test_a_strategy_in_python_sweeps_in_processes_and_says_so(keel: Keel, strategy: Path) -> None:
    """Each set is the run of the file with those values written into it, and of `--set`, in the engine lane."""
    said = keel.ok("sweep", strategy, "--set", "fast=5,10", "--set", "slow=40", "--workers", "2", "--json")
    assert "Cross decides in Python: each set runs in the engine lane, in a process" in said.err
    document = said.document
    assert document["lane"] == "engine"
    for best in document["best"]:
        fast = best["values"]["fast"]
        strategy.write_text(STRATEGY.replace("fast = 10", f"fast = {fast}"), "utf-8")
        written = keel.ok("backtest", strategy, "--no-report", "--json").document
        assert best["metrics"] == written["metrics"]
        assert best["result_hash"] == written["result_hash"]
        strategy.write_text(STRATEGY, "utf-8")
        given = keel.ok("backtest", strategy, "--set", f"fast={fast}", "--no-report", "--json").document
        assert given["result_hash"] == written["result_hash"]
        keel.ok("replay", given["run"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("fats=5", "Cross has no attribute 'fats' to set; did you mean 'fast'?"),
        ("fast=5.5", "--set fast=5.5 must be a whole number"),
        ("stop=near", "--set stop=near must be a number"),
        ("restless=1", "--set restless=1 must be true or false"),
        ("account=5", "Cross has no attribute 'account' to set"),
        ("kind=play", "Cross has no attribute 'kind' to set"),
    ],
)
def test_a_value_that_cannot_be_set_gets_one_message(keel: Keel, strategy: Path, given: str, message: str) -> None:
    for command in (("backtest", strategy, "--no-report"), ("sweep", strategy)):
        said = keel(*command, "--set", given)
        assert said.code == 2
        assert message in said.message


CLUSTER = """\
import json, sys
from ray.cluster_utils import Cluster
from evenkeel.cli.entry import run

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
cluster.add_node(num_cpus=1)
cluster.wait_for_nodes()
code = run([*json.loads(sys.argv[1]), "--ray", cluster.address])
cluster.shutdown()
sys.exit(code)
"""


def test_a_cluster_of_two_workers_finds_what_threads_find(keel: Keel, tmp_path: Path) -> None:
    """A play in a window that leaves history to warm up from: sets with other averages stand on other bars."""
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'evenkeel[ray]'")
    for name, start in (("ema_cross", "2018-01-02"),):
        asked = ["sweep", name, "--set", "fast=5:20:5", "--set", "slow=15:60:15", "--where", "fast < slow",
                 "--start", start, "--metric", "net_pnl", "--json"]  # fmt: skip
        threads = keel.ok(*asked, "--out", tmp_path / f"{name}-threads").document
        done = subprocess.run(
            [sys.executable, "-c", CLUSTER, json.dumps(["--home", str(keel.home), *asked, "--out",
                                                        str(tmp_path / f"{name}-ray")])],
            capture_output=True, env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"}, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
        cluster = json.loads(done.stdout.decode())
        assert cluster["best"] == threads["best"]
        left, right = (pl.read_parquet(document["files"]["table"]) for document in (threads, cluster))
        assert left.equals(right)


def test_an_address_without_a_cluster_is_told(keel: Keel) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'evenkeel[ray]'")
    said = keel("sweep", "ema_cross", "--set", "fast=5,6", "--ray", "127.0.0.1:1")
    assert said.code == 3
    assert "there is no Ray cluster at '127.0.0.1:1'" in said.message
