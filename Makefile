# Two commands for a fresh machine: `make scenarios` and `make test`. Both set up .venv by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed

# Runs start several Python processes, which without stored bytecode compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
CLIENTS := tests/clients
NEXTJS := examples/nextjs-voice
.PHONY: help install scenarios nightly allure test check format clients proof attack bench docs calibration networks answers ways transports limits test-clients test-wheel wheel clean

help:  ## list the commands
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

$(READY): pyproject.toml requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.11"; exit 2; }
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "$(PYTHON) cannot make a virtual environment. On Debian: apt-get install python3-venv"; exit 2; }
	@echo "installing the pinned dependencies into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

install: $(READY)  ## set up .venv with the pinned dependencies

# For every platform and Python that we support, so that what is downloaded is what was looked at here.
.PHONY: lock
lock:  ## write requirements.txt anew: the pins of constraints.txt with the hashes of their files
	$(PYTHON) -m venv .cache/lock
	.cache/lock/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	.cache/lock/bin/uv pip compile --quiet pyproject.toml --extra dev -c constraints.txt -o requirements.txt \
	  --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header --no-annotate \
	  --no-emit-index-url

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

test: $(READY)  ## format, lint, strict types, import floors, and the test suite, side by side
	$(BIN)/python -m tools.suite $(ARGS)

# What is installed apart: Node.js and other pins; a wheel in an empty environment.
test-clients: $(READY) install-clients  ## official clients in JavaScript and Python against the fake
	$(BIN)/pytest -q tests/clients $(ARGS)

test-wheel: $(READY)  ## the wheel and the sdist: what is in them, and what runs without this checkout
	$(BIN)/pytest -q tests/product $(ARGS)

# That fills its environment by links; this one by pip, as a user does, and says how large it is.
wheel: $(READY)  ## build the wheel, install it by pip into an empty environment, and run it there
	$(BIN)/python -m tools.installed

check: $(READY)  ## all but the tests
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(READY)  ## rewrite the sources as `make test` wants them
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

proof: $(READY)  ## faultless calls with every offer, pairs of faults, calls of ten minutes, an hour of load: two hours; then the figures go to docs/
	$(BIN)/python -m tools.proof $(ARGS)
	$(BIN)/python -m tools.pages

attack: $(READY)  ## what a hostile target, file or environment could send, at random, for half an hour; ARGS="SECONDS SEED"
	$(BIN)/python -m tools.attack $(ARGS)

bench: $(READY)  ## measure calls per core against plain aiortc and the floor (about ten minutes)
	$(BIN)/python -m tools.bench $(ARGS)

docs: $(READY)  ## write docs/ anew from the declarations
	$(BIN)/python -m tools.pages

calibration: $(READY)  ## measure the impaired networks for 30 s and write the table
	$(BIN)/python -m tools.calibration

networks: $(READY)  ## call from behind NATs and firewalls, and write docs/nat-verdicts.md anew (root)
	$(BIN)/python -m tools.networks

answers: $(READY)  ## ask Chromium about thousands of answers changed by rule, and write docs/answers.md anew
	$(BIN)/python -m tools.answers; status=$$?; $(BIN)/python -m tools.pages; exit $$status

ways: $(READY)  ## call through relays of every shape of the field, and write docs/ways.md anew (eleven minutes; ARGS=--resume goes on with what is missing)
	$(BIN)/python -m tools.ways $(ARGS); status=$$?; $(BIN)/python -m tools.pages; exit $$status

transports: $(READY)  ## WebSocket against WebRTC over the same bad networks, and write docs/transports.md anew (root; twenty minutes)
	$(BIN)/python -m tools.transports $(ARGS)

limits: $(READY)  ## find relays' own limits by offers, and by wrk, and write docs/limits.md anew (half an hour; needs wrk and Node.js)
	$(BIN)/python -m tools.limits $(ARGS); status=$$?; $(BIN)/python -m tools.pages; exit $$status

clients: $(READY) install-clients  ## official clients hold conversations with the fake; then the table goes to docs/
	$(BIN)/python -m tools.clients; status=$$?; $(BIN)/python -m tools.pages; exit $$status

# Their pins do not agree with ours, so the Python ones live apart; versions are exact, transitive ones too.
.PHONY: install-clients
install-clients: $(CLIENTS)/node_modules/.installed $(NEXTJS)/node_modules/.installed .venv-clients/.installed

%/node_modules/.installed: %/package.json %/package-lock.json
	@node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 11) ? 0 : 1)' \
	  || { echo "Node.js 20.11 or newer and npm are needed for the JavaScript clients"; exit 2; }
	cd $* && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.venv-clients/.installed: $(CLIENTS)/requirements.txt
	$(PYTHON) -m venv .venv-clients
	.venv-clients/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r $<
	@touch $@

clean:  ## remove .venv, caches and reports
	rm -rf $(VENV) .venv-clients $(CLIENTS)/node_modules $(NEXTJS)/node_modules $(NEXTJS)/.next .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find reports -mindepth 1 ! -name .gitkeep -delete
