# `make help` lists the targets. Everything is installed into .venv by bin/setup; nothing else on the machine is changed,
# but for packages of the system that are missing (as root, by apt).
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
TEMPLATES := flowcrm/pages/templates

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1 \2/p' Makefile | awk '{ printf "  make %-10s", $$2; $$1 = $$2 = ""; print $$0 }'

.PHONY: setup
setup: ## what demo and tests need, into .venv
	@bin/setup --tests

.PHONY: demo
demo: ## the product with stand-in providers and mail; prints its address and sign-ins
	@bin/setup
	@FLOWCRM_HOME="$${FLOWCRM_HOME:-$(CURDIR)/var/demo}" .venv/bin/flowcrm demo

.PHONY: test
test: ## all tests, browser tests included, under 10 minutes
	@bin/setup --tests
	@$(PYTHON) -m pytest -n 2 --dist worksteal

.PHONY: test-fast
test-fast: ## without the slow ones
	@bin/setup --tests
	@$(PYTHON) -m pytest -n 2 --dist worksteal -m "not slow and not needs_chromium"

.PHONY: lint
lint: ## style, types, layers, templates, CSS, house rules
	@bin/setup --tests
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-cache
	@.venv/bin/djlint --lint --profile=django --ignore=H015 --quiet $(TEMPLATES)
	@$(PYTHON) -m tools.css
	@$(PYTHON) -m tools.rules

.PHONY: fmt
fmt: ## format the code
	@.venv/bin/ruff check --fix --quiet .
	@.venv/bin/ruff format .

.PHONY: bench
bench: ## the measured claims, each with its time per stage
	@bin/setup --tests
	@$(PYTHON) -m bench

.PHONY: prove
prove: ## the long proofs: hours; may be stopped and started again; writes docs/proof.md
	@bin/setup --tests
	@FLOWCRM_PROVE=1 $(PYTHON) -m pytest -n 2 --dist worksteal tests/prove/test_proofs.py; \
	status=$$?; $(PYTHON) -m tests.prove.report; exit $$status

.PHONY: lock
lock: ## choose new versions of all packages, with hashes
	@bin/lock
