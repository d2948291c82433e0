# Each target makes the virtual environment it needs, once, and again when its pins have
# changed: .venv-demo holds what `predict` needs, .venv-site also what builds the site, .venv
# also PyTorch and the checks, .venv-tools what pins are made with. The pins, .ci/*.txt, name
# every package with its version and hashes.

PYTHON ?= python3
DEV := .venv
DEMO := .venv-demo
SITE := .venv-site
TOOLS := .venv-tools

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18

.PHONY: demo
demo: $(DEMO)/installed ## Map the demo scene with the embedded model
	@mkdir -p build/demo
	$(DEMO)/bin/geosrseg predict docs/demo/liverpool.tif -o build/demo/liverpool_classes.tif \
		--quicklook build/demo/liverpool.png --overwrite
	@echo "The class map is build/demo/liverpool_classes.tif, a picture of it build/demo/liverpool.png."

.PHONY: test
test: lint types contracts tests ## All checks, as CI runs them

.PHONY: lint
lint: $(DEV)/installed ## Format and lint (ruff)
	$(DEV)/bin/ruff format --check
	$(DEV)/bin/ruff check

.PHONY: types
types: $(DEV)/installed ## Types (mypy)
	$(DEV)/bin/mypy

.PHONY: contracts
contracts: $(DEV)/installed ## Which layer may import which (import-linter)
	$(DEV)/bin/lint-imports

.PHONY: tests
tests: $(DEV)/installed ## Tests (pytest), on all cores
	$(DEV)/bin/pytest -n auto --maxprocesses 8 --dist worksteal

.PHONY: bench
bench: $(DEV)/installed ## Measure this machine in five minutes: tables, and figures in build/bench/
	@mkdir -p build/bench
	$(DEV)/bin/geosrseg benchmark --quick --overwrite -o build/bench/default.json
	$(DEV)/bin/geosrseg benchmark --quick --full --overwrite -o build/bench/full.json
	$(DEV)/bin/geosrseg benchmark --quick --compare-seams --overwrite -o build/bench/seams.json

.PHONY: docs
docs: $(DEV)/installed ## Write docs/cli.md anew from the commands' help
	$(DEV)/bin/python docs/cli_reference.py

.PHONY: site
site: $(SITE)/installed ## Build the documentation as a site, build/site/index.html
	$(SITE)/bin/python -m docs.site.build

EXTRAS := cpu cloud dask gis site smp train xarray dev
PIN := $(TOOLS)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --custom-compile-command "make pins" --upgrade

.PHONY: pins
pins: $(TOOLS)/installed ## Pin the newest versions of all packages, with their hashes
	$(PIN) pyproject.toml --group build --output-file .ci/demo.txt
	$(PIN) pyproject.toml --group build $(EXTRAS:%=--extra %) --output-file .ci/dev.txt
	$(PIN) pyproject.toml --group build --extra cpu --extra gis --extra site --output-file .ci/site.txt
	$(PIN) --group tools --output-file .ci/tools.txt

.PHONY: sbom
sbom: $(TOOLS)/installed $(DEMO)/installed ## List what predict installs, as CycloneDX: build/sbom.json
	@mkdir -p build
	$(TOOLS)/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
		--output-file build/sbom.json $(DEMO)/bin/python
	@echo "The list is build/sbom.json."

$(DEV)/installed $(DEMO)/installed $(SITE)/installed $(TOOLS)/installed:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "geosrseg needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; \
		exit 1; }
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --require-hashes -r $(PINS)
	$(INSTALL)
	@touch $@

$(DEV)/installed $(DEMO)/installed $(SITE)/installed: INSTALL = $(@D)/bin/python -m pip install --quiet --no-deps \
	--no-build-isolation --editable .
$(DEV)/installed: PINS := .ci/dev.txt
$(DEMO)/installed: PINS := .ci/demo.txt
$(SITE)/installed: PINS := .ci/site.txt
$(TOOLS)/installed: PINS := .ci/tools.txt
$(DEV)/installed: .ci/dev.txt pyproject.toml
$(DEMO)/installed: .ci/demo.txt pyproject.toml
$(SITE)/installed: .ci/site.txt pyproject.toml
$(TOOLS)/installed: .ci/tools.txt
