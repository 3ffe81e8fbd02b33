# One verb a job. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
PXD := $(wildcard src/squall/*.pxd src/squall/*/*.pxd)
HOT := src/squall/_native.py src/squall/metrics/buckets.py $(PXD) $(PXD:.pxd=.py)

.DEFAULT_GOAL := help
.PHONY: help setup demo test suite controls check bench clean

help:  ## list the verbs
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(STAMP)  ## make .venv with squall and everything to develop it

$(STAMP): requirements/dev.txt pyproject.toml setup.py $(HOT) scripts/setup
	@PYTHON="$(PYTHON)" scripts/setup $(VENV)
	@touch $@

demo: setup  ## ramp to 10,000 connections against the bundled service
	@scripts/demo $(BIN)

test: setup  ## the whole test suite
	@$(BIN)/python -m pytest -q -n 4 --dist worksteal

suite: setup  ## the specification's own tests: SCALE=smoke, standard or full
	@$(BIN)/python -m pytest -q suites --squall-scale $(or $(SCALE),smoke)

controls: setup  ## squall's counts held against an oracle's: every bug of a service, every pair of them; a day's seconds
	@SQUALL_PURE=1 $(BIN)/python -m pytest -q -n 4 --dist worksteal -m "" tests/controls/matrix_of_bugs.py
	@$(BIN)/python -m pytest -q -n 4 --dist worksteal -m "" tests/controls tests/integration/runner/test_long_run.py

check: setup  ## format, lint, types, import layers, tidy
	@scripts/check $(BIN)

bench: setup  ## speed and memory, as ratios to a bare C client
	@$(BIN)/python -m benchmarks

clean:  ## remove what was made
	rm -rf $(VENV) build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis runs
	find src tests benchmarks \( -name __pycache__ -o -name '*.so' \) -prune -exec rm -rf {} +
	rm -f src/squall/_built.py
