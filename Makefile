# Needs Python 3.11 or newer and a shell; everything else goes into .venv.
# `make demo PYTHON=python3.12` picks another interpreter.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo test fuzz soak bench lint format clean

help:
	@echo "make demo    set up .venv and show a small mesh at work"
	@echo "make test    set up .venv and run lint, types and tests"
	@echo "make fuzz    try 100,000 mutated datagrams, frames and records (SEED=N repeats a run)"
	@echo "make soak    simulate meshes with faults of all kinds for half an hour"
	@echo "             (MINUTES=N, JOBS=N; SEED=N repeats a campaign)"
	@echo "make bench   32 real peers and a simulation, measured; AGAINST=DIR measures another"
	@echo "             checkout in turn with this one"
	@echo "make lint    ruff and mypy alone"
	@echo "make format  let ruff repair and format the code"
	@echo "make clean   remove .venv and everything built"

demo: $(VENV)/.installed
	@$(BIN)/gossamer demo

test: $(VENV)/.installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pytest -n auto --dist loadfile

# Takes about a minute. Each run has another seed; the printed seed repeats it.
fuzz: $(VENV)/.installed-test
	@seed=$${SEED:-$$(date +%s)}; echo "fuzzing with seed $$seed: 'make fuzz SEED=$$seed' repeats it"; \
	GOSSAMER_FUZZ_CASES=$${CASES:-100000} $(BIN)/pytest tests/gossip/test_fuzz.py --hypothesis-seed=$$seed

# Each campaign has another seed; SEED repeats a campaign, and a run has a seed of its own.
soak: $(VENV)/.installed-test
	@$(BIN)/python tests/soak.py --minutes $${MINUTES:-30} --jobs $${JOBS:-2} $${SEED:+--seed $$SEED}

# Nothing else may run on the machine meanwhile. A checkout to compare with needs its own .venv.
bench: $(VENV)/.installed
	@$(BIN)/python benchmarks/mesh.py $${AGAINST:+--against "$$AGAINST"}

lint: $(VENV)/.installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(VENV)/.installed-test
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:
	rm -rf $(VENV) build dist src/*.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find gossip peers cli simulations src tests -name __pycache__ -prune -exec rm -rf {} +

# The install is editable, so only a change of pyproject.toml asks for a new one.
$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "Installing gossamer into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-test: pyproject.toml | $(BIN)/python
	@echo "Installing gossamer and what its tests need into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $(VENV)/.installed $@

# A half-made environment is removed, so that the next attempt starts clean.
$(BIN)/python:
	@command -v '$(PYTHON)' >/dev/null 2>&1 || { \
		echo "make: there is no '$(PYTHON)'; install Python 3.11 or newer, or name one with 'make PYTHON=/path/to/python3'." >&2; exit 1; }
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "make: '$(PYTHON)' is $$('$(PYTHON)' -V 2>&1), but Gossamer needs Python 3.11 or newer; name one with 'make PYTHON=python3.11'." >&2; exit 1; }
	@'$(PYTHON)' -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "make: '$(PYTHON)' cannot make virtual environments; install its venv module (on Debian: apt-get install python3-venv)." >&2; exit 1; }
	@'$(PYTHON)' -m venv $(VENV) || { rm -rf $(VENV); \
		echo "make: '$(PYTHON) -m venv $(VENV)' failed for the reason above." >&2; exit 1; }
