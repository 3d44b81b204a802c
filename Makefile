# From a clean checkout with Python >= 3.11, git and make; everything else goes into .venv.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq

.PHONY: help demo lab test rows

help:
	@echo "make demo   see replies stream in the terminal, from the built-in demo endpoint"
	@echo "make lab    open the notebooks in JupyterLab"
	@echo "make test   run every gate and every test that this machine can run"
	@echo "make rows   list the fault and threat rows with the tests that prove them"

demo: .venv/.runtime
	@$(BIN)/ipython --no-banner --colors=NoColor notebooks/demo.ipy

lab: .venv/.test
	$(BIN)/jupyter lab notebooks/quickstart.ipynb

test: .venv/.test
	@$(BIN)/python tests/run.py

rows: .venv/.test
	@$(BIN)/python -m pytest --rows --quiet --no-header --no-summary

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python >= 3.11 is needed; $(PYTHON) is older. Choose another: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv

.venv/.runtime: pyproject.toml | $(BIN)/python
	@echo "installing jmuz_magic into .venv ..."
	@$(PIP) install --editable .
	@touch $@

.venv/.test: pyproject.toml | $(BIN)/python
	@echo "installing jmuz_magic and what its tests need into .venv ..."
	@$(PIP) install --editable '.[test]'
	@touch $@ .venv/.runtime
