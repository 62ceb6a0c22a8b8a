# Two commands for a fresh machine: `make scenarios` and `make test`. Both set up .venv by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed

# Runs start several Python processes, which without stored bytecode compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install scenarios nightly allure test check format proof bench docs calibration networks clean

help:  ## list the commands
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	  || { echo "Python 3.11 to 3.13 is needed, $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.11"; exit 2; }
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "$(PYTHON) cannot make a virtual environment. On Debian: apt-get install python3-venv"; exit 2; }
	@echo "installing the pinned dependencies into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

install: $(READY)  ## set up .venv with the pinned dependencies

scenarios: $(READY)  ## make real calls through the embedded relay and judge them
	$(BIN)/pytest scenarios/ $(ARGS)

# What a nightly job runs. A run that conforms and is no worse becomes the next night's baseline.
NIGHTLY := reports/nightly
BUDGET_USD ?= 1.00
ALLURE := allure@3.18.0
nightly: $(READY)  ## regression against HARNESS_TARGET: history, baseline, JUnit, Allure results, a budget
	$(BIN)/pytest scenarios/ --reports=$(NIGHTLY)/run --history=$(NIGHTLY)/history.sqlite \
	  --junitxml=$(NIGHTLY)/junit.xml --alluredir=$(NIGHTLY)/allure-results --clean-alluredir \
	  --limit cost_per_run_usd=$(BUDGET_USD) \
	  $$(test -d $(NIGHTLY)/baseline && echo --baseline=$(NIGHTLY)/baseline --fail-on-regression) $(ARGS)
	rm -rf $(NIGHTLY)/baseline && cp -r $(NIGHTLY)/run $(NIGHTLY)/baseline

allure:  ## make Allure 3's report of the last nightly run; needs Node.js
	npx --yes $(ALLURE) generate -c $(NIGHTLY)/allure-results/allurerc.json -o $(NIGHTLY)/allure-report \
	  $(NIGHTLY)/allure-results

# Tests of real conversations measure times, so they have the machine to themselves; all others share it.
ALONE := tests/call tests/fakes/faults tests/load tests/system
test: check  ## format, lint, strict types, import floors, and the test suite
	$(BIN)/pytest tests/ $(ALONE:%=--ignore=%) -n 3 --dist loadfile $(ARGS)
	$(BIN)/pytest $(ALONE) $(ARGS)

check: $(READY)
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(READY)  ## rewrite the sources as `make test` wants them
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

proof: $(READY)  ## the calls of docs/proof.md, over half an hour; ARGS="--part pairs" makes some; needs Node and Firefox
	$(BIN)/python -m tests.system.proof $(ARGS)
	$(BIN)/python -m tests.system.pages

bench: $(READY)  ## measure calls per core against plain aiortc and the floor (about ten minutes)
	$(BIN)/python -m tests.bench $(ARGS)

docs: $(READY)  ## write docs/ anew from the declarations
	$(BIN)/python -m tests.system.pages

calibration: $(READY)  ## measure the impaired networks for 30 s and write the table
	$(BIN)/python -m tests.network.calibration

networks: $(READY)  ## call from behind NATs and firewalls, and write docs/nat-verdicts.md anew (root)
	$(BIN)/python -m tests.network.nat.page

clean:  ## remove .venv, caches and reports
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find reports -mindepth 1 ! -name .gitkeep -delete
