# Everything a contributor types. `make` alone prints this list.
.DEFAULT_GOAL := help

CARGO ?= cargo
PYTHON ?= python3
VENV ?= .venv
RUNS ?= runs
BENCH_DIR ?= target/peers
export PYO3_PYTHON ?= $(abspath $(VENV))/bin/python

# Wall time of a step: $(begin) && command && $(timed)
begin = @begun=$$(date +%s)
timed = echo "-- $@: $$(( $$(date +%s) - begun )) s"

.PHONY: help demo test test-rust test-python test-handover test-matrix types wheel check fmt fmt-check \
  lint bench parity parity-full docs

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-14s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## validate the bundled sample, backtest it, write runs/demo with report.html
	$(CARGO) run --release -p tapeworks-cli --bin tapeworks -- demo --out $(RUNS)/demo

test: test-rust test-python ## all Rust and Python tests, from a bare clone on

# One seed, so that a red run can be had again; `PROPTEST_RNG_SEED=` empty draws new cases.
test-rust: export PROPTEST_RNG_SEED ?= 20261121
test-rust: ## all Rust tests, release profile, invariants on
	$(begin) && $(CARGO) test --release --workspace --exclude tapeworks-python && $(timed)

# The wheel is built by maturin from the same target folder and profile, so it costs only the
# bindings (docs/design.md, "Build cost").
wheel: $(VENV)/requirements.stamp ## build the wheel and install it into .venv
	$(begin) && rm -rf target/wheels \
	&& $(VENV)/bin/maturin build --release --interpreter $(VENV)/bin/python --out target/wheels \
	&& $(VENV)/bin/pip install --quiet --force-reinstall --no-deps target/wheels/*.whl \
	&& $(timed)

test-python: wheel ## build and install the wheel, then pytest
	$(begin) && $(VENV)/bin/python -m pytest python/tests && $(timed)

# The libraries that runs are handed to, at the versions of python/requirements-handover.txt.
HANDOVER_PYTHON ?= $(shell $(PYTHON) python/tests/matrix.py --find 3.12 3.13)
HANDOVER := target/handover
test-handover: wheel ## hand runs over to pyfolio, quantstats, alphalens, ml4t-diagnostic
	$(begin) && $(HANDOVER_PYTHON) -m venv $(HANDOVER) \
	&& $(HANDOVER)/bin/python -m pip install --quiet --disable-pip-version-check \
	  -r python/requirements-handover.txt \
	&& $(HANDOVER)/bin/python -m pip install --quiet --force-reinstall --no-deps target/wheels/*.whl \
	&& MPLBACKEND=Agg $(HANDOVER)/bin/python -m pytest -rs python/tests/test_handover.py && $(timed)

test-matrix: wheel ## the wheel with the oldest and newest numpy, polars, pandas and pyarrow
	$(begin) && $(PYTHON) python/tests/matrix.py --wheels target/wheels --folder target/matrix \
	&& $(timed)

PYRIGHT ?= npx --yes pyright@1.1.414
types: wheel ## mypy --strict, stubtest, pyright and its completeness of types
	$(begin) && $(VENV)/bin/python -m pytest python/tests/test_types.py
	@if command -v npx > /dev/null; then $(PYRIGHT) \
	&& cd target && PATH="$(abspath $(VENV))/bin:$$PATH" $(PYRIGHT) --verifytypes tapeworks \
	  --ignoreexternal; else echo "skipped: pyright needs Node (npx)"; fi

$(VENV)/requirements.stamp: python/requirements-test.txt
	$(begin) \
	&& $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "needs Python 3.10")' \
	&& $(PYTHON) -m venv $(VENV) \
	&& $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $< \
	&& touch $@ && $(timed)

check: fmt-check lint docs test ## what a commit has to pass

fmt: ## format the Rust code
	$(CARGO) fmt --all

fmt-check:
	$(CARGO) fmt --all --check

lint: $(VENV)/requirements.stamp ## clippy on everything, warnings are errors
	$(CARGO) clippy --release --workspace --all-targets -- -D warnings

bench: ## time us beside pinned peers, write bench/peers/RESULTS.md (long; a quiet machine)
	$(PYTHON) bench/peers/bench.py --dir $(BENCH_DIR)

parity: ## trade by trade beside pinned peers, live, write oracles/RESULTS.md
	$(PYTHON) bench/peers/bench.py --dir $(BENCH_DIR) --answers
	$(PYTHON) oracles/parity.py --dir $(BENCH_DIR)

parity-full: ## the same with 250 symbols x 5,040 rows, write oracles/RESULTS-full.md (long)
	$(PYTHON) oracles/parity.py --dir $(BENCH_DIR) --full

docs: ## reference documentation of the crates
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --no-deps -p tapeworks -p tapeworks-cli
