"""The small faults that `make mutants` puts in, and what it counts as a safety rule."""

from __future__ import annotations

from pathlib import Path

from mutation.mutants import mutants_of
from mutation.safety import safety_functions

ROOT = Path(__file__).resolve().parent.parent.parent.parent

SOURCE = '''
class Room:
    """Docs with a number: 3."""

    def left(self, most: int) -> bool:
        """Whether 2 is left."""
        if self.used < most and not self.closed:
            return True
        return False
'''


def test_every_place_of_a_function_is_changed_once_in_each_way(tmp_path: Path) -> None:
    path = tmp_path / "room.py"
    path.write_text(SOURCE)
    changes = {mutant.change for mutant in mutants_of("room", path)}
    assert changes == {
        "if self.used < most and (not self.closed): ... -> if not (self.used < most and (not self.closed)): ...",
        "self.used < most and (not self.closed) -> self.used < most or not self.closed",
        "self.used < most -> self.used <= most", "self.used < most -> self.used >= most",
        "not self.closed -> self.closed", "True -> False", "False -> True",
    }  # fmt: skip


def test_a_mutant_behaves_as_it_says_and_leaves_the_source_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "double.py"
    path.write_text("def double(x):\n    return x * 2\n")
    codes = {mutant.change: mutant.code for mutant in mutants_of("double", path)}
    assert set(codes) == {"x * 2 -> x / 2", "2 -> 3"}

    def living(x: float) -> float:
        return x

    for change, answer in (("x * 2 -> x / 2", 2.0), ("2 -> 3", 12.0)):
        living.__code__ = codes[change]
        assert living(4) == answer
    assert path.read_text() == "def double(x):\n    return x * 2\n"


def test_what_a_gate_or_the_order_machine_reaches_is_a_safety_rule() -> None:
    rules = safety_functions(ROOT / "src")
    assert "judge" in rules["evenkeel.risk.gates.judge"]
    assert "exposure" in rules["evenkeel.risk.gates.exposure"]
    assert "OrderBook.fold" in rules["evenkeel.execution.orders"]
    assert "Guardrails" not in rules.get("evenkeel.risk.guardrails", ())
    assert not any(module.startswith("evenkeel.cli") for module in rules)
