# Everything from a fresh clone: Python 3.11 or newer and make are enough.
#   make demo    a city and two counties on this machine, and the story of one request
#   make test    the test suite (database and broker come from wheels)
#   make test-kafka  the tests of the bus on Apache Kafka (needs Java and Maven)
#   make lint    style, types and import rules
#   make bench   the figures of tests/bench/last.json            GROUPS="search bus"
#   make simulate  seeded worlds with crashes and duplicates     SEEDS=20000
#   make soak    the tests that take longer than a minute
PYTHON ?= python3
BIN := .venv/bin
SEEDS ?= 200
NO_EMIT := $(foreach member,contracts kernel catalog sharing notify federation,--no-emit-package yiwang-$(member))

.PHONY: demo test test-kafka lint format bench simulate soak environment lock clean

demo: environment
	$(BIN)/yiwang demo $(DEMO)

test: environment
	$(BIN)/pytest -m "not slow" $(TESTS)

# what the wheel's broker lacks is only covered by Apache Kafka (needs Java and Maven)
test-kafka: environment
	CI=true TEST_BROKER=kafka $(BIN)/pytest -m "broker and not slow" tests/integration

soak: environment
	$(BIN)/pytest -m slow $(TESTS)

lint: environment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: environment
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: environment
	$(BIN)/python -m tests.bench $(GROUPS)

simulate: environment
	$(BIN)/python -m tests.simulation --seeds $(SEEDS)

environment:
	@$(PYTHON) deploy/environment.py

# pins with hashes and without any address; run it after a change of dependencies
lock: environment
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header $(NO_EMIT) --group dev pyproject.toml --output-file requirements.lock

clean:
	-$(BIN)/yiwang down --purge
	rm -rf .venv .yiwang .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
