# Two commands on a fresh machine: `make up` and `make test`. Everything goes into .venv/ and var/, nothing elsewhere.
PYTHON ?= python3
PORT ?= 8000
ARGS ?=
# a file at a time for each of three processes (two cores; many tests wait for others), in the order of tests/conftest.py
WHOLE := -n 3 --dist loadfile --no-loadscope-reorder
VENV := .venv
BIN := $(VENV)/bin
LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url

.DEFAULT_GOAL := help
.PHONY: help up test check lock

help: ## what can be made
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /  make \1\t/' | expand -t 14

up: $(VENV)/.installed ## install, migrate and start everything; Ctrl-C stops it (PORT=8100 for another port)
	@exec $(BIN)/sertilink up --port $(PORT)

test: $(VENV)/.installed-test ## the whole suite (ARGS="tests/core -k phone" for a part)
	@$(BIN)/python -m pytest $(or $(ARGS),$(WHOLE))

check: $(VENV)/.installed-test ## ruff, mypy --strict, import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: ## write both lock files anew, from pyproject.toml
	$(PYTHON) -m venv $(VENV)/lock
	$(VENV)/lock/bin/pip install -q --disable-pip-version-check uv
	$(VENV)/lock/bin/uv pip compile $(LOCK) -o requirements.lock pyproject.toml
	$(VENV)/lock/bin/uv pip compile $(LOCK) --extra test -o requirements-test.lock pyproject.toml

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "sertilink needs Python 3.11 or newer; $(PYTHON) was not found (PYTHON=... names another)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "sertilink needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1) (PYTHON=... names another)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python's venv module is missing (on Debian and Ubuntu: apt-get install python3-venv)" >&2; exit 1; }

$(VENV)/.installed: $(BIN)/python requirements.lock pyproject.toml
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed requirements-test.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-test.lock
	@touch $@
