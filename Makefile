# The targets a person types. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
STACK ?= dev
PYTHON := .venv/bin/python
# Compiled modules are kept: three workers would compile the tests anew each time.
unexport PYTHONDONTWRITEBYTECODE
# What the type check knows of unchanged files serves every checkout: it takes 1 s then, instead of 28.
export MYPY_CACHE_DIR := $(or $(OBS_CACHE_DIR),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/obs)/mypy

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.PHONY: up
up: ## Get what is missing, then create or update the stack (STACK=dev)
	./obs up $(STACK)

.PHONY: down
down: ## Remove the stack's containers and network; its data stays
	./obs down $(STACK)

.PHONY: test
test: venv ## Get what is missing, then run every check and test
	$(MAKE) --no-print-directory check
	$(PYTHON) -m tools.obtain
	# A module at a time on each worker. One more worker than cores: those with a stack often wait.
	$(PYTHON) -m pytest -n $$(($$(nproc) + 1)) --dist loadfile --no-loadscope-reorder

.PHONY: unit
unit: venv ## Run the tests that need neither Docker nor a built tool
	$(PYTHON) -m pytest -n auto --dist loadfile -m "not tools and not live"

.PHONY: soak
soak: venv ## Tests that take longer, on stacks of their own: faults, broken receivers, stopped servers; over an hour
	$(PYTHON) -m tools.obtain
	# Far longer than a test of `make test` may hang.
	$(PYTHON) -m pytest -o faulthandler_timeout=7200 tests/soak

.PHONY: chaos
chaos: venv ## Change a small stack of its own by hand in every way: verify reports it, up repairs it; 15 minutes
	$(PYTHON) -m tools.obtain
	$(PYTHON) -m pytest -o faulthandler_timeout=7200 tests/soak/test_sabotage.py

.PHONY: bench
bench: venv ## Measure: commands, rendering and rules; 20 systems for a month; 5,000 log lines and 500 spans a second; from a breach to a message
	$(PYTHON) -m tools.obtain
	$(PYTHON) -m tools.benchmarks.speed
	$(PYTHON) -m tools.benchmarks.dashboards
	$(PYTHON) -m tools.benchmarks.collector
	$(PYTHON) -m tools.benchmarks.traces
	$(PYTHON) -m tools.benchmarks.delivery

.PHONY: gallery
gallery: venv ## Draw every dashboard from the running stack's data into docs/gallery
	$(PYTHON) -m tools.gallery $(STACK)

.PHONY: samples
samples: venv ## Record anew what the exporters say (observability/check/samples; two minutes)
	$(PYTHON) -m tools.obtain
	$(PYTHON) -m tests.samples.record

.PHONY: check
check: venv ## Lint, format check and type check, in seconds
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy .

.PHONY: format
format: venv ## Format the code
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

.PHONY: schema
schema: venv ## Write observability/settings/schema.json from the model
	$(PYTHON) -m observability.settings.schema

.PHONY: reference
reference: venv ## Write the pages of docs/reference from the program
	$(PYTHON) -m tools.reference

.PHONY: lock
lock: venv ## Write requirements.lock from pyproject.toml
	$(PYTHON) -m pip install --quiet uv
	$(PYTHON) -m uv pip compile --quiet --generate-hashes --all-extras --no-header --no-annotate pyproject.toml -o requirements.lock
	sed -i '1i # Generated from pyproject.toml by `make lock`; changes here are lost.' requirements.lock

.PHONY: venv
venv:
	@./obs --help >/dev/null
