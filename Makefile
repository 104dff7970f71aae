# Horoi. `make` alone prints this help.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
STORY ?= petroleum
WORKERS ?= auto
EXPLORER := src/horoi/web/explorer
BUILT := $(EXPLORER)/built/manifest.json

.DEFAULT_GOAL := help
.PHONY: help install explorer browser up test lint format types bench docs pictures clean

help: ## print this help
	@echo "Horoi: a ledger of ownership that nobody runs."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml constraints.txt hatch_build.py package.json package-lock.json
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Horoi needs Python 3.11 or newer; set PYTHON=python3.12, say" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[fast,bench,plots,dask,dev]'
	@touch $@

# The installation packs the explorer; after a change of its source alone, packing is enough (where Node is the machine's own).
$(BUILT): $(STAMP) $(shell find $(EXPLORER)/source $(EXPLORER)/build.mjs -type f)
	@if [ -d node_modules ] && command -v node >/dev/null; then node $(EXPLORER)/build.mjs; \
	else $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .; fi
	@touch $@

install: $(BUILT) ## create .venv with everything

explorer: $(BUILT) ## pack the pages of the explorer again

# Tests look at the explorer through Debian's chromium. Without it, and without the right to install it, they say that they are skipped.
browser:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq \
	&& apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; } \
	|| echo "chromium is missing and cannot be installed from here: the explorer is NOT tested in a browser" >&2

up: $(BUILT) ## start four companies that keep one ledger, and play the story (STORY=petroleum)
	@$(BIN)/horoi up --story $(STORY)

test: $(BUILT) browser ## run all tests
	@$(BIN)/python -m pytest -n $(WORKERS)

pictures: $(BUILT) browser ## make the pictures of docs/explorer.md again
	@HOROI_PICTURES=1 $(BIN)/python -m pytest -n 0 tests/web/explorer/test_explorer_pictures.py

lint: $(STAMP) ## ruff: rules and format
	@$(BIN)/ruff check src tests
	@$(BIN)/ruff format --check src tests

format: $(STAMP) ## write the format that lint asks for
	@$(BIN)/ruff check --fix src tests
	@$(BIN)/ruff format src tests

types: $(STAMP) ## strict type checks
	@$(BIN)/mypy

bench: $(STAMP) ## measure the ledger: JSON and a table
	@$(BIN)/horoi bench ledger

clean: ## remove .venv and caches
	rm -rf $(VENV) node_modules $(EXPLORER)/built .mypy_cache .ruff_cache .hypothesis dist build
