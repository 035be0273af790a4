# Two commands do all the set-up; they make .venv themselves.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable

.PHONY: demo test bench clean

demo: .venv/demo
	$(BIN)/twelvelead classify "$$($(BIN)/python -c 'from pydicom.data import get_testdata_file; print(get_testdata_file("waveform_ecg.dcm"))')" --paper build/demo --report build/demo

# Hundreds of tests start the command line: without bytecode each would compile the package anew.
test: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

bench: .venv/test
	$(BIN)/python benchmarks/bench.py

.venv/demo: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(INSTALL) .
	touch $@

.venv/test: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(INSTALL) '.[archive,cluster,serve,train,dev]'
	touch $@ .venv/demo

clean:
	rm -rf .venv build
