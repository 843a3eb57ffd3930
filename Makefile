# `make` lists the verbs. Everything is set up on first use by scripts/setup.py, which is quick when nothing changed.

PYTHON ?= python3
NAME ?=
SECONDS ?=
BIN := .venv/bin

# The checks work on a home of their own, and as a real installation would be: in production, behind https.
CHECKED := PARCELWARD_HOME=var/check PARCELWARD_MODE=production PARCELWARD_PUBLIC_URL=https://post.example \
	PYTHONPATH=src DJANGO_SETTINGS_MODULE=parcelward.doors.settings

.DEFAULT_GOAL := help
.PHONY: help setup setup-tests up test check bench format clean

help:  ## list the verbs
	@sed -n 's/^\([a-z]*\):.*  ## \(.*\)/make \1@\2/p' $(MAKEFILE_LIST) | awk -F@ '{printf "  %-12s %s\n", $$1, $$2}'

setup:  ## set up what is missing: .venv with everything
	@$(PYTHON) scripts/setup.py

setup-tests:
	@$(PYTHON) scripts/setup.py --tests

up: setup  ## start everything on http://localhost:8000 with a sample town; Ctrl-C stops, make up continues
	@exec $(BIN)/parcelward up

test: setup-tests  ## run every test, two files at a time (ARGS="..." goes to pytest)
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

check: setup  ## ruff, mypy, import-linter, migrations, deploy check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(CHECKED) $(BIN)/mypy
	$(BIN)/lint-imports
	$(CHECKED) $(BIN)/python -W ignore::RuntimeWarning -m django makemigrations --check --dry-run
	$(CHECKED) $(BIN)/python -m django check --deploy --fail-level WARNING

bench: setup  ## the benchmarks, as tables (NAME=ingest SECONDS=60 for one; NAME=pages ARGS="--sizes 1,10,30")
	@$(BIN)/python -m benchmarks $(NAME) $(if $(SECONDS),--seconds $(SECONDS)) $(ARGS)

format: setup  ## put every Python file into the one form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## remove what setup and the checks made; the data in var/ stays
	rm -rf .venv frontend/node_modules src/parcelward/doors/static/vendor var/check
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests benchmarks scripts -name __pycache__ -type d -prune -exec rm -rf {} +
