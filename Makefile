# flowlib: `make demo` shows it, `make test` proves it; both set up what they need.
# The environments live in .venv*/ and are made anew only when pyproject.toml asks for something else.

SHELL := /bin/bash
.DEFAULT_GOAL := help
export PYTHONPATH :=
export PYTHONUNBUFFERED := 1

# The first Python >= 3.11 that can make environments; a shim that only complains is passed over.
PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11 \
	"$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.1[1-9]*/bin/python3; do \
	"$$each" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo "$$each" && break; done)
VENV := .venv/bin
# One more than cores: tests wait for servers, processes and clocks. Each begins with a part of its own,
# so that most servers are started once, and takes from the others when it is done.
WORKERS ?= $(shell count=$$(nproc 2>/dev/null || echo 2); echo $$((count > 3 ? 4 : count + 1)))

.PHONY: help python demo setup format lint check system core wheel exports test bench test-torch clean

help: ## What can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

python:
	@test -n "$(PYTHON)" || { \
		echo "flowlib needs Python 3.11 or newer with its venv module (Debian: python3-venv)"; exit 1; }

demo: python ## A sweep of real tasks, run, found again and partly forced
	@$(PYTHON) -m tools.environment .venv --extra examples
	@$(VENV)/python -m examples.digits

setup: python ## The environment of the developers in .venv/
	@$(PYTHON) -m tools.environment .venv --extra examples --extra viz --group dev

format: setup ## Put the sources in order
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .

lint: setup ## Style, types and the directions of imports
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy
	$(VENV)/lint-imports

check: lint ## lint and the quick tests, without servers
	$(VENV)/python -m pytest -q -n $(WORKERS) --dist worksteal -m "not slow and not server"

system: python ## The programs that the tests start
	@$(PYTHON) -m tools.system

core: python ## The core suite on every supported Python, with the core dependencies alone
	@$(PYTHON) -m tools.core_suite

wheel: setup ## The built wheel in a clean environment
	@$(VENV)/python -m tools.wheel_suite

exports: python ## Flows under Prefect and Kubeflow, each in an environment of its own
	@$(PYTHON) -m tools.export_suites

test: system lint wheel ## Everything
	@$(PYTHON) -m tools.side_by_side tools.core_suite tools.export_suites
	$(VENV)/python -m pytest -p pytest_cov -n $(WORKERS) --dist worksteal --cov --cov-report=term

bench: setup ## Times against floors and other systems
	$(VENV)/python -m benchmarks

test-torch: python ## The PyTorch example, in an environment of its own
	@$(PYTHON) -m tools.environment .venv-torch --group core-tests --group torch
	.venv-torch/bin/python -m pytest tests/torch

clean: ## Remove the environments and what was built
	rm -rf .venv .venv-* build dist *.egg-info .coverage* .hypothesis .mypy_cache .pytest_cache \
		.ruff_cache .import_linter_cache
