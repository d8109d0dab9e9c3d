# Everything a newcomer needs: `make run` serves, `make test` and `make test-clients` check.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := -e . -e plugins/ppap-openai -e plugins/ppap-claude -e plugins/ppap-gemini -e plugins/ppap-codex \
	-e examples/custom-provider
STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev
PROJECTS := pyproject.toml plugins/ppap-openai/pyproject.toml plugins/ppap-claude/pyproject.toml \
	plugins/ppap-gemini/pyproject.toml plugins/ppap-codex/pyproject.toml examples/custom-provider/pyproject.toml constraints.txt

.PHONY: run install dev test clients test-clients lint types architecture docs docs-check bench alone clean

run: $(STAMP)
	$(BIN)/ppap serve --init --config config.yaml

install: $(STAMP)

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "PPAP needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)

$(STAMP): $(BIN)/python $(PROJECTS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(PACKAGES)
	touch $@

dev: $(DEV_STAMP)

$(DEV_STAMP): $(STAMP) requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -r requirements-dev.txt
	touch $@

test: $(DEV_STAMP)
	$(BIN)/pytest --ignore=tests/clients

# The clients for Node that tests/clients drives; needs node and npm.
clients:
	tests/clients/install.sh

# Real SDKs and command-line clients against a running proxy.
test-clients: $(DEV_STAMP) clients
	$(BIN)/pytest tests/clients

lint: $(DEV_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV_STAMP)
	$(BIN)/mypy

architecture: $(DEV_STAMP)
	$(BIN)/lint-imports

docs: $(DEV_STAMP)
	$(BIN)/python -m ppap_core.config.docs docs/configuration.md
	$(BIN)/python -m tests.matrix.page docs/translation.md

docs-check: $(DEV_STAMP)
	$(BIN)/python -m ppap_core.config.docs --check docs/configuration.md
	$(BIN)/python -m tests.matrix.page --check docs/translation.md

bench: $(STAMP)
	$(BIN)/python -m benchmarks $(if $(PEER),--peer $(PEER)) $(if $(QUICK),--quick) $(ARGS)

# The core by itself, and each plugin alone beside it, in new environments.
alone:
	$(PYTHON) scripts/install_alone.py

clean:
	rm -rf $(VENV) build
