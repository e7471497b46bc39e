# The two commands: make demo, make test. Everything else is a part of them, or a longer version.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in "$$(cat .python-version 2>/dev/null | sed 's/^/python/')" python3.12 python3.13 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null && { echo $$p; break; }; done)

.PHONY: demo test lint types layers unit doctest readme posteriors resume contract bench accuracy docs clean

demo: $(VENV)/.demo
	@mkdir -p build
	$(BIN)/suffice fit examples/old_faithful.csv --gof --report build/old_faithful.html
	$(BIN)/suffice fit examples/danish_fire.csv --column loss --gof
	@echo "open build/old_faithful.html"

test: lint types layers unit doctest readme

lint: $(VENV)/.dev
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/ruff check src tests benchmarks

types: $(VENV)/.dev
	$(BIN)/pyright

layers: $(VENV)/.dev
	$(BIN)/lint-imports

unit: $(VENV)/.dev
	$(BIN)/pytest -n 2 --durations=25

doctest: $(VENV)/.dev
	$(BIN)/pytest --doctest-modules src/suffice -p no:cacheprovider

readme: $(VENV)/.dev
	$(BIN)/python tests/readme.py README.md
	$(BIN)/python tests/readme.py docs/sampling.md
	$(BIN)/python tests/readme.py docs/textbook/information.md
	$(BIN)/python tests/readme.py docs/textbook/regression.md
	$(BIN)/python tests/readme.py docs/textbook/sampling.md
	$(BIN)/python tests/readme.py docs/textbook/sequences.md
	$(BIN)/python tests/readme.py docs/textbook/mixtures.md

posteriors: $(VENV)/.dev
	$(BIN)/pytest -n 2 --full -s tests/posteriors

resume: $(VENV)/.dev
	$(BIN)/pytest -n 2 --full -s tests/sampling/test_checkpoint.py

contract: $(VENV)/.dev
	$(BIN)/pytest -n 2 --full tests/contract.py

bench: accuracy
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/first_calls.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/parquet.py
	$(BIN)/python benchmarks/ranking.py
	$(BIN)/python benchmarks/selection.py
	$(BIN)/python benchmarks/tests_of_fit.py
	$(BIN)/python benchmarks/drawing.py
	$(BIN)/python benchmarks/univariate.py
	$(BIN)/python benchmarks/mcmc.py
	$(BIN)/python benchmarks/nist.py
	$(BIN)/python benchmarks/regression.py
	$(BIN)/python benchmarks/intervals.py
	$(BIN)/python benchmarks/coverage.py
	$(BIN)/python benchmarks/tails.py
	$(BIN)/python benchmarks/divergence.py
	$(BIN)/python benchmarks/language.py
	$(BIN)/python benchmarks/mixture.py
	$(BIN)/python benchmarks/hidden_chains.py

accuracy: $(VENV)/.dev
	$(BIN)/pip install -q -c constraints.txt -e '.[bench]'
	$(BIN)/python benchmarks/accuracy.py

docs: $(VENV)/.dev
	$(BIN)/python docs/catalogue.py
	$(BIN)/python docs/textbook/sampling_figures.py

$(VENV)/bin/pip:
	@test -n "$(PYTHON)" || { echo "Suffice needs Python 3.12 or newer: none was found as python3.12, python3.13 or python3."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/pip pyproject.toml constraints.txt
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(VENV)/bin/pip pyproject.toml constraints.txt
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) build
