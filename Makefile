# Two commands do everything on a fresh machine: `make demo` and `make test`. Each sets itself up first.
PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
# Tests start a hundred processes; without bytecode each compiles a thousand files again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo chain test test-long test-nightly check bench lock web openapi screens clean
demo: web
	$(BIN)/inaisle demo $(ARGS)

# The founding scene over a whole chain, in real time: mosquitto, redis-server, PostgreSQL and a broker
# of the Kafka API beside two workers, a bridge and offers. About seven minutes.
chain: .venv/.synced
	$(BIN)/python -m benchmarks.chain $(ARGS)

# What judges by the clock runs apart from what would keep the processors from it; what shares a browser
# too, for its event loop would be in the way of others. The smoothness of pictures is measured alone.
# With ARGS plainly, in one.
test: web
ifeq ($(strip $(ARGS)),)
	failed=0; \
	$(BIN)/python -m pytest -m "not long and not timed and not web" -n 3 --dist worksteal --benchmark-disable --durations 25 || failed=1; \
	$(BIN)/python -m pytest -m "timed and not long and not web" -n 2 --dist worksteal --durations 25 || failed=1; \
	$(BIN)/python -m pytest tests/web -m "not long and not timed" -n 2 --dist loadfile --no-loadscope-reorder --durations 25 || failed=1; \
	$(BIN)/python -m pytest tests/web -m "timed and not long" --durations 5 || failed=1; \
	exit $$failed
else
	$(BIN)/python -m pytest -m "not long" $(ARGS)
endif

test-long: web
	$(BIN)/python -m pytest -m long $(ARGS)

# A million steps of each state machine of offers: hours.
test-nightly: .venv/.synced
	INAISLE_NIGHTLY=1 $(BIN)/python -m pytest --timeout 36000 tests/property/test_offers_*.py tests/contract/test_api_schema.py $(ARGS)

check: web
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/python web/build_pages.py check test

# The pages, where something has changed since they were built.
web: .venv/.synced
	$(BIN)/python web/build_pages.py

# The pictures in docs/screens, as the tests in the browser see the screens.
screens: web
	INAISLE_WRITE_SCREENS=1 $(BIN)/python -m pytest -q -p no:randomly --timeout 1800 tests/web/test_every_screen.py tests/web/test_card_page.py tests/web/test_card_offers.py tests/web/test_whole_story.py

# The API's document, which the pages are built against; after routes have changed.
openapi: .venv/.synced
	$(BIN)/inaisle openapi --out docs/openapi.json

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
	rm -rf .venv web/node_modules web/.built_from inaisle/pages .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
