# `make demo`, `make test` and `make check` set up what they need in .venv, once, and again only
# when the dependencies change.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile \
	-c constraints.txt
# By all cores; some packages hold files of other Pythons, which do not compile.
COMPILE := $(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true
CORES := $(shell nproc 2>/dev/null || echo 1)

.PHONY: help demo demo-llm test check format clean

help:
	@echo "make demo      search for a reward function on cartpole-swingup, offline"
	@echo "make demo-llm  the same on cheetah-run, with the recorded answers of a language model"
	@echo "make test      run the tests"
	@echo "make check     format, lint, types and layers"
	@echo "make format    format the code in place"
	@echo "make clean     remove .venv and caches (runs/ stays)"

demo: $(VENV)/.base
	$(BIN)/reward-synth run cartpole-swingup --samples 4 --iterations 2

# The numbers in later prompts depend on the processor, so the recording is replayed anyway.
demo-llm: $(VENV)/.base
	$(BIN)/reward-synth run cheetah-run --strategy card --samples 4 --iterations 3 --seeds 2 \
		--model replay-anyway:examples/recordings/cheetah-run-card.jsonl

# A file's tests stay together, for what they share; in order, so that no long file comes last.
test: $(VENV)/.dev
	$(BIN)/python -m pytest -q -n $(CORES) --dist loadfile --no-loadscope-reorder

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist

# A half-made environment has no stamp, and is made anew.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "RewardSynth needs Python 3.11 or newer, and $(PYTHON) is" \
			"$$($(PYTHON) --version 2>&1 | head -n 1); name another one: make PYTHON=python3.11" >&2; \
		exit 2; }
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.base: $(VENV)/.made pyproject.toml constraints.txt
	@echo "Installing RewardSynth into $(VENV) (some minutes the first time)"
	$(PIP_INSTALL) -e .
	@$(COMPILE)
	@touch $@

$(VENV)/.dev: $(VENV)/.made pyproject.toml constraints.txt
	@echo "Installing RewardSynth and its development tools into $(VENV) (some minutes the first time)"
	$(PIP_INSTALL) -e '.[dev]'
	@$(COMPILE)
	@touch $(VENV)/.base $@
