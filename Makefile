# make demo   from a clean clone to published customers, set-up included
# make test   everything a change must pass; CI runs this
# make test-slow AREA=...   the long proofs, each under an hour: protocol, landing, identity, faults, conformance,
#                           exactness-salesforce, -hubspot, -stripe, -erp, -spreadsheets
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Nothing is sent anywhere, and no package may ask.
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export DO_NOT_TRACK := 1
export RUNTIME__DLTHUB_TELEMETRY := false
PEOPLE ?= 2000

.PHONY: help setup demo test test-slow lint lint-text lint-sql bench lock clean

help:
	@sed -n '1,4s/^# //p' Makefile

setup: $(VENV)/.complete

$(VENV)/.complete: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "customer_360 needs Python 3.11 or newer; say which: make setup PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

demo: setup
	$(BIN)/c360 demo --people $(PEOPLE)

# SQL is linted while tests wait for answers.
test: setup lint-text
	@mkdir -p var/lint; \
	$(MAKE) --no-print-directory lint-sql > var/lint/sqlfluff.txt 2>&1 & lint=$$!; \
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile; tests=$$?; \
	wait $$lint || { cat var/lint/sqlfluff.txt; exit 1; }; \
	exit $$tests

test-slow: setup
	@test -n "$(AREA)" || { echo "say which area: see make help" >&2; exit 2; }
	$(BIN)/python -m pytest -m slow --area=$(AREA) --timeout=3600

lint: lint-text lint-sql

lint-text: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/yamllint --strict .

lint-sql: setup
	mkdir -p var/lint
	C360_ENV=lint $(BIN)/sqlfluff lint models tests --processes 2 --nocolor --disable-progress-bar

bench: setup
	$(BIN)/python -m benchmarks

# Hashes and no addresses: the lock names packages, every machine brings its own index.
lock:
	uv lock
	uv export --format requirements-txt --no-emit-project --all-extras --quiet --output-file requirements.lock

clean:
	rm -rf $(VENV) target logs var/lint
