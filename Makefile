# `make` alone lists what there is. Both commands of the README do all of their own set-up.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
LANGGRAPH_VENV := .venv-langgraph
BIN := $(VENV)/bin
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r
BESIDE = tests/acceptance/client tests/acceptance/test_own_chains.py tests/acceptance/test_providers.py \
  tests/browser tests/chaos tests/hosts
# Else each process compiles our own again at its start, where Python is told to write no bytecode.
COMPILE = $(BIN)/python -m compileall -q turns web worker supervisor inturn
# The command `inturn`, on the code as it is here. Built with what is installed already: nothing unpinned is fetched.
INSTALL_COMMAND = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .

.PHONY: help up web worker key doctor test test-most test-beside check audit chaos bench bench-langgraph format lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(VENV)/.installed ## everything on this machine: store, endpoint, workers; Ctrl-C stops it
	@exec $(BIN)/python -m supervisor

web: $(VENV)/.installed ## one endpoint process, for a supervisor of your own
	@exec $(BIN)/python -m web

worker: $(VENV)/.installed ## one worker process, for a supervisor of your own
	@exec $(BIN)/python -m worker

key: $(VENV)/.installed ## an API key, where make up runs: make key TENANT=acme [SCOPES=turns,read,operator,observer] [DAYS=90]
	@$(BIN)/python -m turns keys create $(TENANT) $(if $(SCOPES),--scopes $(SCOPES)) $(if $(DAYS),--days $(DAYS))

doctor: $(VENV)/.installed ## is everything as it must be? make doctor [ARGS=--ask-model]
	@$(BIN)/python -m supervisor.doctor $(ARGS)

test: check ## all tests and checks: a quarter of an hour on two cores
	@$(MAKE) --no-print-directory -j2 test-most test-beside

# Most tests wait for processes to start or for time to pass, so one half runs beside the other. What a browser, a fault
# or a second machine is needed for tells what it found at its end. The client's come first there: what runs an asyncio loop
# cannot follow a browser. Chains and providers are there so that both halves take the same time.
test-most:
	@$(BIN)/python -m pytest tests --ignore=tests/unit $(BESIDE:%=--ignore=%)

test-beside:
	@said=$$(mktemp) && \
	  { $(BIN)/python -m pytest -p no:cacheprovider $(BESIDE) > $$said 2>&1; code=$$?; cat $$said; rm $$said; exit $$code; }

check: $(VENV)/.installed-dev ## the quick part: lint, types, unit tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest tests/unit

chaos: $(VENV)/.installed-dev ## about ten thousand turns under faults; writes docs/chaos.md (15 minutes)
	@$(BIN)/python -m tests.chaos

bench: $(VENV)/.installed-bench ## what a turn costs, beside the thirty lines; writes docs/performance.md (15 minutes)
	@$(BIN)/python -W ignore -m bench

bench-langgraph: $(LANGGRAPH_VENV)/.installed ## installs LangGraph's development server (Elastic License 2.0), for make bench to measure too

audit: $(VENV)/.installed-dev ## known flaws of what is pinned; asks the advisory database
	@$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements.txt

format: $(VENV)/.installed-dev ## format the code, and write the generated docs again
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/python -m docs.generate

lock: $(VENV)/.installed-dev ## resolve requirements.in again
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header requirements.in -o requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header requirements-otel.in -o requirements-otel.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header requirements-dev.in -o requirements-dev.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header requirements-bench.in -o requirements-bench.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header requirements-langgraph.in -o requirements-langgraph.txt

clean: ## remove the environment, not the data
	rm -rf $(VENV) $(LANGGRAPH_VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "InTurn needs Python 3.11 or later; name one: make up PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "The venv module is missing; on Debian or Ubuntu: apt-get install python3-venv"; rm -rf $(VENV); exit 1; }

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	@echo "Installing, once: 350 MB, about a minute…"
	@$(PIP_INSTALL) requirements.txt
	@$(INSTALL_COMMAND)
	@$(COMPILE)
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt | $(VENV)/bin/python
	@echo "Installing with the development tools, once: about a minute…"
	@# uv does it in a third of the time; where the index is known to pip alone, pip does it.
	@sed -n '/^uv==/,/[^\\]$$/p' requirements-dev.txt > $(VENV)/uv.txt
	@$(PIP_INSTALL) $(VENV)/uv.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements-dev.txt \
	  || { echo "Installing with pip instead…"; $(PIP_INSTALL) requirements-dev.txt; }
	@$(INSTALL_COMMAND)
	@$(COMPILE)
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-bench: requirements-bench.txt | $(VENV)/.installed-dev
	@echo "Installing what draws the plots, once…"
	@$(PIP_INSTALL) requirements-bench.txt
	@touch $@

$(LANGGRAPH_VENV)/.installed: requirements-langgraph.txt
	@echo "Installing LangGraph's development server into an environment of its own, once…"
	@$(PYTHON) -m venv $(LANGGRAPH_VENV)
	@$(LANGGRAPH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-langgraph.txt
	@touch $@
