# Bare `make` explains its targets.
PYTHON ?= python3
RUN := .venv/bin/
# Options for pytest: make test TESTS="tests/upload -x"
TESTS ?=

.DEFAULT_GOAL := help
.PHONY: help env up test reset lint format types check web web-types contracts

help:  ## Show this list
	@awk 'BEGIN {FS = ":.*## "; print "Usage: make <target>\n"} /^[a-z-]+:.*## / {printf "  %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env:  ## Install uv (if it is missing) and the locked Python environment
	@$(PYTHON) deploy/local/bootstrap.py

up: env  ## Install what is missing, start everything, stop it on Ctrl-C (ports: GATEWAY_PORT=… make up)
	@exec $(RUN)baoshen up

reset: env  ## Delete the local stack's data (.local), but not what was downloaded
	@exec $(RUN)baoshen reset --yes

test: env  ## Run the whole test suite; it starts the parts it needs (TESTS="tests/upload -x" for some of it)
	@exec $(RUN)python -m pytest $(TESTS)

lint: env  ## Check style, import rules and dependencies
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)lint-imports
	$(RUN)deptry .

format: env  ## Format the Python code and sort its imports
	$(RUN)ruff check --fix .
	$(RUN)ruff format .

types: env  ## Check types
	$(RUN)mypy

check: lint types  ## Style, import rules and types

web: env  ## Build the web pages if their sources have changed
	@exec $(RUN)python -m deploy.local.web

web-types: env  ## Write the APIs' OpenAPI documents and the pages' types made from them to web/shared/api
	@exec $(RUN)python -m deploy.local.web_types

contracts: env  ## Write the events' JSON Schemas and the AsyncAPI document to docs/events
	@exec $(RUN)baoshen contracts export
