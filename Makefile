# `make` alone lists the targets. Each target installs what it needs on its first run.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
LANGGRAPH_VENV := .venv-langgraph
BIN := $(VENV)/bin
PROMETHEUS := $(VENV)/prometheus/usr/bin
NGINX := $(VENV)/nginx/usr/sbin
PINS := tools/requirements
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r
# The parts of the slow tests that run beside the first one, which has what they leave out.
PAGES = tests/acceptance/javascript tests/acceptance/surfaces tests/browser
STORE = tests/acceptance/inturn tests/integration tests/chaos tests/hosts
# Without this, every process compiles our modules again at its start where PYTHONDONTWRITEBYTECODE is set.
COMPILE = $(BIN)/python -m compileall -q turns web worker supervisor inturn
# Install the command `inturn` as an editable package. --no-build-isolation builds it with the pinned hatchling instead of
# downloading an unpinned one.
INSTALL_COMMAND = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .

.PHONY: help up web worker key doctor test test-service test-pages test-store check check-code check-unit docs audit chaos chaos-files \
  chaos-cluster cluster alerts deployments bench bench-langgraph format lock clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(VENV)/.installed ## start the store, the endpoint and the workers on this machine; Ctrl-C stops them
	@exec $(BIN)/python -m supervisor

web: $(VENV)/.installed ## start one endpoint process, for use with your own process supervisor
	@exec $(BIN)/python -m web

worker: $(VENV)/.installed ## start one worker process; CHAINS=1 for one that runs custom chains
	@exec $(BIN)/python -m worker $(if $(CHAINS),--chains)

key: $(VENV)/.installed ## create an API key while make up runs: make key TENANT=acme [SCOPES=turns,read,operator,observer,admin] [LABEL=…] [DAYS=90] [ADOPT=1]
	@$(if $(TENANT),,echo "Name the tenant: make key TENANT=acme" >&2; exit 2;) \
	  $(BIN)/python -m turns keys create $(TENANT) $(if $(SCOPES),--scopes $(SCOPES)) $(if $(DAYS),--days $(DAYS)) \
	  $(if $(LABEL),--label "$(LABEL)") $(if $(ADOPT),--adopt)

doctor: $(VENV)/.installed ## check the installation and print a fix for each problem: make doctor [ARGS=--ask-model]
	@$(BIN)/python -m supervisor.doctor $(ARGS)

test: check ## run all checks and tests (17 minutes on two cores)
	@$(MAKE) --no-print-directory -j3 test-service test-pages test-store

# Most tests wait for processes or for time, so the three parts run in parallel; all but one print their output at the end.
# The pages' tests end with the browser's, because asyncio tests fail in a process in which Playwright's loop has run.
PRINT_AT_END = log=$$(mktemp) && { "$$@" > $$log 2>&1; code=$$?; cat $$log; rm $$log; exit $$code; }

test-service:
	@$(BIN)/python -m pytest tests --ignore=tests/unit --ignore=tests/alerts --ignore=tests/deployments \
	  $(PAGES:%=--ignore=%) $(STORE:%=--ignore=%)

test-pages:
	@set -- $(BIN)/python -m pytest -p no:cacheprovider $(PAGES) && $(PRINT_AT_END)

test-store:
	@set -- $(BIN)/python -m pytest -p no:cacheprovider $(STORE) && $(PRINT_AT_END)

check: $(VENV)/.installed-dev ## run the quick checks: lint, types, unit tests
	@$(MAKE) --no-print-directory -j2 check-code check-unit

check-code:
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports
	@$(BIN)/python -m tools.prose
	@$(BIN)/mypy

check-unit:
	@set -- $(BIN)/python -m pytest -q tests/unit && $(PRINT_AT_END)

docs: $(VENV)/.installed-docs ## build the documentation as a site in docs/.site; a broken link is an error
	@$(BIN)/zensical build --config-file docs/zensical.toml --strict --clean
	@echo "Open docs/.site/index.html"

chaos: $(VENV)/.installed-dev ## run about twenty thousand turns under faults and write docs/explanation/chaos.md (25 minutes)
	@$(BIN)/python -m tests.chaos

.PHONY: chaos-edits
chaos-edits: $(VENV)/.installed-dev ## run only the row that regenerates, edits, forks and deletes (2 minutes)
	@$(BIN)/python -m tests.chaos --only "regenerate, edit, fork"

.PHONY: chaos-surfaces
chaos-surfaces: $(VENV)/.installed-dev ## run two thousand turns of all clients under kills and write their table (4 minutes)
	@$(BIN)/python -m tests.chaos.surfaces

chaos-files: $(VENV)/.installed-dev ## run two thousand turns with images under kills and write docs/explanation/files_under_kills.md (3 minutes)
	@$(BIN)/python -m tests.chaos.files

chaos-cluster: $(VENV)/.installed-dev ## run only its rows on a Redis Cluster, and images under kills there (7 minutes)
	@$(BIN)/python -m tests.chaos --only "cluster: 10 kills of primaries"
	@$(BIN)/python -m tests.chaos --only "cluster: 20 moves of partitions"
	@$(BIN)/python -m tests.chaos.files --cluster

cluster: $(VENV)/.installed-dev ## run the tests of stores and scripts on a Redis Cluster, also those that make test leaves out (3 minutes)
	@CLUSTER_INTERLEAVINGS=1 $(BIN)/python -m pytest -m cluster tests/integration/turns

alerts: $(VENV)/.installed-dev $(PROMETHEUS)/promtool ## show in Debian's Prometheus that each alert of deploy/ fires (12 minutes, 20 MB)
	@PATH="$(abspath $(PROMETHEUS)):$$PATH" $(BIN)/python -m pytest tests/alerts

# No package registry of Python has Prometheus, so `make test` does without it. The package is unpacked, not installed.
$(PROMETHEUS)/promtool: | $(VENV)/bin/python
	@command -v apt-get dpkg >/dev/null || { echo "make alerts needs Debian or Ubuntu, whose package of Prometheus it unpacks."; exit 1; }
	@mkdir -p $(VENV)/prometheus && cd $(VENV)/prometheus && \
	  { apt-get download -qq prometheus 2>/dev/null || { apt-get update -qq && apt-get download -qq prometheus; }; } && \
	  dpkg -x prometheus_*.deb . && rm prometheus_*.deb

deployments: $(VENV)/.installed-dev $(NGINX)/nginx ## run deploy/ in Debian's nginx, and check its units with systemd-analyze
	@PATH="$(abspath $(NGINX)):$$PATH" $(BIN)/python -m pytest tests/deployments

$(NGINX)/nginx: | $(VENV)/bin/python
	@command -v apt-get dpkg >/dev/null || { echo "make deployments needs Debian or Ubuntu, whose package of nginx it unpacks."; exit 1; }
	@mkdir -p $(VENV)/nginx && cd $(VENV)/nginx && \
	  { apt-get download -qq nginx 2>/dev/null || { apt-get update -qq && apt-get download -qq nginx; }; } && \
	  dpkg -x nginx_*.deb . && rm nginx_*.deb

bench: $(VENV)/.installed-bench ## measure what a turn costs and write docs/explanation/performance.md (15 minutes)
	@$(BIN)/python -W ignore -m bench

bench-langgraph: $(LANGGRAPH_VENV)/.installed ## install LangGraph's development server (Elastic License 2.0), which make bench then measures too

audit: $(VENV)/.installed-dev ## check the pinned packages for known vulnerabilities
	@$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements.txt

format: $(VENV)/.installed-dev ## format the code and regenerate the docs
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/python -m tools.docs

LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

lock: $(VENV)/.installed-dev ## resolve the requirements again and write the pins
	@$(LOCK) $(PINS)/service.in -o requirements.txt
	@for name in otel s3 dev; do $(LOCK) -c requirements.txt $(PINS)/$$name.in -o $(PINS)/$$name.txt || exit; done
	@$(LOCK) -c requirements.txt -c $(PINS)/dev.txt $(PINS)/docs.in -o $(PINS)/docs.txt
	@for name in bench langgraph; do $(LOCK) $(PINS)/$$name.in -o $(PINS)/$$name.txt || exit; done

clean: ## remove the environment; keep the data
	rm -rf $(VENV) $(LANGGRAPH_VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "InTurn needs Python 3.11 or later. To choose one: make up PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "Python's venv module is missing. On Debian or Ubuntu: apt-get install python3-venv"; rm -rf $(VENV); exit 1; }

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	@echo "Installing dependencies (only once; 350 MB, about a minute)…"
	@$(PIP_INSTALL) requirements.txt
	@$(INSTALL_COMMAND)
	@$(COMPILE)
	@touch $@

$(VENV)/.installed-dev: $(PINS)/dev.txt | $(VENV)/bin/python
	@echo "Installing dependencies and development tools (only once; about a minute)…"
	@# uv needs a third of pip's time. It does not read pip's configuration, so pip is the fallback where that names the index.
	@sed -n '/^uv==/,/[^\\]$$/p' $(PINS)/dev.txt > $(VENV)/uv.txt
	@$(PIP_INSTALL) $(VENV)/uv.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r $(PINS)/dev.txt \
	  || { echo "Installing with pip instead…"; $(PIP_INSTALL) $(PINS)/dev.txt; }
	@$(INSTALL_COMMAND)
	@$(COMPILE)
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-docs: $(PINS)/docs.txt | $(VENV)/bin/python
	@echo "Installing the site generator (only once)…"
	@$(PIP_INSTALL) $(PINS)/docs.txt
	@touch $@

$(VENV)/.installed-bench: $(PINS)/bench.txt | $(VENV)/.installed-dev
	@echo "Installing the plotting library (only once)…"
	@$(PIP_INSTALL) $(PINS)/bench.txt
	@touch $@

$(LANGGRAPH_VENV)/.installed: $(PINS)/langgraph.txt
	@echo "Installing LangGraph's development server into $(LANGGRAPH_VENV) (only once)…"
	@$(PYTHON) -m venv $(LANGGRAPH_VENV)
	@$(LANGGRAPH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(PINS)/langgraph.txt
	@touch $@
