# make chat: try it.  make test: check it.  Both set up everything they need in .venv.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INDEX ?= .assistant/samples
PIP_INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable

.PHONY: chat test check gate clean

chat: $(VENV)/.user
	@if [ -t 0 ] && [ -t 1 ]; then \
	  $(BIN)/assistant chat corpus/samples --index $(INDEX); \
	else \
	  $(BIN)/assistant index corpus/samples --index $(INDEX) && \
	  $(BIN)/assistant ask "What does it cost to have garden waste collected?" --index $(INDEX); \
	fi

test: $(VENV)/.developer
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

check: $(VENV)/.developer
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

gate: $(VENV)/.developer
	$(BIN)/assistant index corpus/samples --index $(INDEX)
	$(BIN)/assistant eval eval/datasets/samples.jsonl --index $(INDEX) --thresholds eval/datasets/samples.toml

clean:
	rm -rf $(VENV) .assistant

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.user: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing into $(VENV): some minutes the first time." >&2
	$(PIP_INSTALL) ".[rerank]"
	@touch $@

$(VENV)/.developer: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing into $(VENV): some minutes the first time." >&2
	$(PIP_INSTALL) ".[rerank,eval,dev]"
	@touch $@ $(VENV)/.user
