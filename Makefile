# `make` explains the targets. Every target sets up what it needs and says what it is doing.

READY := .venv/.ready
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo test suites check soak mutants bench docs lock clean

help: ## This list
	@echo "Evenkeel. Needs Python 3.11 or newer, git and make."
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1 | \2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
	  printf '%-13s %s\n' "$$name" "$$text"; done

# An environment that was made elsewhere (a moved or copied folder) is made anew.
ifneq ($(shell cat $(READY) 2>/dev/null),$(CURDIR))
.PHONY: $(READY)
endif
$(READY): requirements/dev.txt pyproject.toml tools/setup.sh
	@tools/setup.sh

setup: $(READY) ## Make .venv with everything (once, about half a minute)
	@echo "Ready: $(BIN)/keel"

demo: $(READY) ## Backtest the shipped examples on shipped real data and write reports
	@$(BIN)/keel demo

test: $(READY) ## Run the tests; ALL=1 includes the slow ones
	@echo "Running the tests in random order on two processes ..."
	@$(BIN)/python -m pytest -n 2 --dist worksteal $(if $(ALL),--tier full,-m "not slow")

# The gates of each tier beside the plays (docs/develop/suites.md): contracts and parity of what the plays rest on.
GATES_QUICK := tests/unit/features/test_node_declarations.py tests/unit/features/test_against_reference.py
GATES_STANDARD := $(GATES_QUICK) tests/unit/features/test_structure_reference.py tests/property/test_aggregate.py \
  tests/scenario/test_entries.py tests/scenario/test_exits.py tests/unit/engine/test_metrics.py
GATES_FULL := $(GATES_STANDARD) tests/architecture
TIER ?= quick

suites: $(READY) ## Run the play suites and their gates; TIER=standard or full for more
	@echo "Running the $(TIER) tier of the play suites on two processes ..."
	@$(BIN)/python -m pytest -n 2 --dist worksteal --tier $(TIER) tests/suites \
	  $(GATES_$(shell echo $(TIER) | tr a-z A-Z))

check: $(READY) ## Format, lint, types, and the rules of the house
	@echo "format";  $(BIN)/ruff format --check --quiet . || { echo "mend it with: $(BIN)/ruff format ."; exit 1; }
	@echo "lint";    $(BIN)/ruff check --quiet .
	@echo "types";   $(BIN)/mypy --no-error-summary
	@echo "rules";   status=0; for check in tools/check_*.py; do $(BIN)/python $$check || status=1; done; exit $$status
	@echo "docs";    $(BIN)/python tools/make_docs.py --check
	@echo "All checks passed."

soak: $(READY) ## All tests, thousands of drawn cases, and array bounds checked
	@$(BIN)/python tools/soak.py

MUTANT_TESTS ?= tests/unit/risk tests/unit/execution tests/unit/engine tests/scenario tests/property
mutants: $(READY) ## Put small faults into the safety rules, and name those that no test notices
	@PYTHONPATH=tools $(BIN)/python -m mutation --safety $(MUTANT_TESTS)

bench: $(READY) ## Measure the speed of both lanes
	@$(BIN)/keel bench

docs: $(READY) ## Write docs/reference from the code
	@$(BIN)/python tools/make_docs.py

lock: ## Pin all dependencies anew with hashes (needs uv)
	@tools/lock.sh

clean: ## Remove .venv and all caches
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
