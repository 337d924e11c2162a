# Two commands do everything on a fresh machine: `make demo` and `make test`. Each sets itself up first.
PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
# Tests start a hundred processes; without bytecode each compiles a thousand files again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test test-long test-nightly check bench lock clean
demo: .venv/.synced
	$(BIN)/inaisle demo $(ARGS)

# In two processes at once, but for what judges by the clock; with ARGS plainly, in one.
test: .venv/.synced
ifeq ($(strip $(ARGS)),)
	failed=0; \
	$(BIN)/python -m pytest -m "not long and not timed" -n 2 --dist worksteal --benchmark-disable --durations 25 || failed=1; \
	$(BIN)/python -m pytest -m "timed and not long" --durations 25 || failed=1; \
	exit $$failed
else
	$(BIN)/python -m pytest -m "not long" $(ARGS)
endif

test-long: .venv/.synced
	$(BIN)/python -m pytest -m long $(ARGS)

# A million steps of each state machine of offers: hours.
test-nightly: .venv/.synced
	INAISLE_NIGHTLY=1 $(BIN)/python -m pytest --timeout 36000 tests/property/test_offers_*.py tests/contract/test_api_schema.py $(ARGS)

check: .venv/.synced
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/lint-imports
	$(BIN)/mypy

bench: .venv/.synced
	$(BIN)/inaisle bench $(ARGS)

# Names, versions and hashes only: no registry address enters the tree.
lock: .venv/.synced
	$(UV) pip compile pyproject.toml --all-extras --universal --generate-hashes --no-emit-index-url --no-annotate -q -o requirements.lock

.venv/.synced: pyproject.toml requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	test -x $(UV) || $(BIN)/python -m pip install -q "uv>=0.13"
	$(UV) pip install -q --require-hashes -r requirements.lock
	$(UV) pip install -q --no-deps -e .
	touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
