# Horoi. `make` alone prints this help.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
STORY ?= petroleum
WORKERS ?= auto

.DEFAULT_GOAL := help
.PHONY: help install up test lint format types bench docs clean

help: ## print this help
	@echo "Horoi: a ledger of ownership that nobody runs."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Horoi needs Python 3.11 or newer; set PYTHON=python3.12, say" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[fast,dev]'
	@touch $@

install: $(STAMP) ## create .venv with everything

up: $(STAMP) ## start four companies that keep one ledger, and play the story (STORY=petroleum)
	@$(BIN)/horoi up --story $(STORY)

test: $(STAMP) ## run all tests
	@$(BIN)/python -m pytest -n $(WORKERS)

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
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis dist build
