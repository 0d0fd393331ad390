# The verbs of this project; `make` lists them. Each does its whole set-up.

# PYTHON may name any Python 3.13; otherwise one is looked for on the PATH and in version managers' folders.
PYTHON ?= $(firstword \
    $(shell command -v python3.13 2>/dev/null | xargs -r -I{} sh -c '{} -c "" 2>/dev/null && echo {}') \
    $(wildcard $(HOME)/.pyenv/versions/3.13*/bin/python) \
    $(wildcard $(HOME)/.local/share/uv/python/cpython-3.13*/bin/python3.13) \
    $(wildcard $(HOME)/.asdf/installs/python/3.13*/bin/python) \
    $(wildcard $(HOME)/.local/share/mise/installs/python/3.13*/bin/python) \
    $(wildcard /opt/python/3.13*/bin/python3.13))

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
EMULATOR := infra/local/node_modules/.package-lock.json
WORKERS ?= 3

# A sync and the tests start many processes; without its compiled form each would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo up test slow check bench docs requirements clean
.DEFAULT_GOAL := help

help: ## list these verbs
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 24

demo: $(READY) $(EMULATOR) ## the main job for real on this machine: three syncs, end to end
	@$(BIN)/python -m infra.local demo

up: $(READY) $(EMULATOR) ## keep a local tenant up to try things in
	@$(BIN)/python -m infra.local up

test: $(READY) $(EMULATOR) ## the tests, but for the few slow ones
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -q -m "not slow"

slow: $(READY) $(EMULATOR) ## the slow tests: whole tenants, killed workers, half a million users, sixty days, the benchmark's own
	@$(BIN)/python -m pytest -n 2 --dist worksteal -q -m slow

check: $(READY) ## format, lint, types, architecture
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@PYTHONPATH=. $(BIN)/lint-imports

bench: $(READY) $(EMULATOR) ## how fast and how small, beside the bare chain and peers (SIZE=limit, ROWS=, PEERS=no, PUBLISH=1)
	@$(BIN)/python -m tests.bench $(if $(SIZE),--size $(SIZE)) $(if $(ROWS),--rows $(ROWS)) \
	  $(if $(LEARNERS),--learners $(LEARNERS)) $(if $(ITEMS),--items $(ITEMS)) \
	  $(if $(filter no,$(PEERS)),--without-peers) $(if $(PUBLISH),--publish)

docs: $(READY) ## write what is generated in the docs: settings, error codes, cost, the connection's schema
	@$(BIN)/python -m tests.documents

requirements: $(READY) ## compile requirements.txt from pyproject.toml
	@$(BIN)/pip install -q pip-tools
	@$(BIN)/pip-compile -q --no-emit-index-url --no-emit-find-links --no-emit-options --strip-extras --no-annotate -o requirements.txt pyproject.toml
	@$(BIN)/pip-compile -q --no-emit-index-url --no-emit-find-links --no-emit-options --strip-extras --no-annotate --extra dev -c requirements.txt -o requirements-dev.txt pyproject.toml

clean: ## remove what the other verbs made
	rm -rf $(VENV) infra/local/node_modules .local build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements-dev.txt Makefile
	@test -n "$(PYTHON)" || { echo "This project needs Python 3.13 (what Azure Functions runs). Install it, for example with"; \
	  echo "'pyenv install 3.13' or 'uv python install 3.13', or name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.13"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' || { echo "$(PYTHON) is not Python 3.13."; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON) (once, about a minute) ..."
	@"$(PYTHON)" -m venv $(VENV)
	@$(BIN)/pip install -qq --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(EMULATOR): infra/local/package-lock.json
	@command -v npm >/dev/null || { echo "The storage emulator needs node and npm (node 20 or later)."; exit 1; }
	@echo "Installing the storage emulator (once) ..."
	@cd infra/local && npm ci --silent --no-audit --no-fund
	@touch $@
