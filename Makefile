# `make demo` and `make test` do everything on a fresh machine with Python 3.11+.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Two to a core of a small machine: the longest tests wait for servers and processes.
WORKERS ?= 4

.PHONY: demo test quick mutants billed sheets lint chaos bench bench-quick hostile soak install-walk fuzz lock pictures clean

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

demo: $(VENV)/.installed
	$(BIN)/ingest demo

# Every test that this machine can run; says at its end what it left out.
# Bytecode is written, whatever the environment says: without it each process that a test starts
# compiles the program anew, half a second at a time, and each worker all of the tests.
test quick: export PYTHONDONTWRITEBYTECODE :=
test: $(VENV)/.installed
	$(BIN)/python -m compileall -q -j 0 config ingest layouts parsers samples storage
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

# Half a minute: no socket, no process, no sleep.
quick: $(VENV)/.installed
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --quick

# Small changes at random in ROOM, one by one: which did the tests notice?
# make mutants ROOM=layouts/rules MUTANTS=40 SEED=1; TESTS=tests/layouts names other tests.
mutants: $(VENV)/.installed
	$(BIN)/python -m tests.mutants $${ROOM:-layouts/rules} --tests "$${TESTS:-}" \
	  --count $${MUTANTS:-40} --seed $${SEED:-0}

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Long: hundreds of letters, the service killed and cut off again and again.
chaos: $(VENV)/.installed
	CHAOS_LETTERS=$${CHAOS_LETTERS:-400} CHAOS_KILLS=$${CHAOS_KILLS:-40} \
	  $(BIN)/python -m pytest -s tests/end_to_end/test_kill.py
	$(BIN)/python -m pytest -s tests/end_to_end/cluster_chaos.py

# Ten minutes, and needs dovecot-imapd; tables for docs/performance.md.
bench: $(VENV)/.installed
	$(BIN)/python -m benchmarks

# A minute: exits 1 when a ratio to the floor is 30 % worse than recorded.
bench-quick: $(VENV)/.installed
	$(BIN)/python -m benchmarks quick

# Five minutes: letters made to hurt, given to the running service; a table for
# docs/reliability.md.
hostile: $(VENV)/.installed
	$(BIN)/python -m tests.hostile.against_the_service

# An hour, with a fault every minute (SOAK_MINUTES=5 for less); figures for docs/reliability.md.
soak: $(VENV)/.installed
	$(BIN)/python -m tests.end_to_end.soak --minutes $${SOAK_MINUTES:-60}

# docs/install.md from an empty machine to the first reply: in a file system of its own, as root.
install-walk: $(VENV)/.installed
	$(BIN)/python -m tests.end_to_end.install_walk

# Minutes: long histories of documents, imports, withdrawals and closings, other ones each time.
billed: $(VENV)/.installed
	BILLED_EXAMPLES=$${BILLED_EXAMPLES:-200} $(BIN)/python -m pytest -q -n 0 --timeout 0 \
	  tests/ingest/operations/test_stays_billed.py

# Minutes: thousands of generated sheets, other ones each time.
sheets: $(VENV)/.installed
	SHEETS_EXAMPLES=$${SHEETS_EXAMPLES:-3000} $(BIN)/python -m pytest -q -n 0 --timeout 0 \
	  tests/parsers/test_sheets_property.py

# Coverage-guided; finds are kept in fuzz/. FUZZ_SECONDS is for each of the targets.
fuzz: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[fuzz]'
	for target in read_letter unpack parse; do \
	  $(BIN)/python -m tests.hostile.fuzz $$target fuzz \
	    -max_total_time=$${FUZZ_SECONDS:-60} || exit 1; \
	done

# Every dependency at one version, with hashes: what the image and a release install.
lock: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[lock]'
	$(BIN)/uv pip compile pyproject.toml --extra parquet --extra cluster --universal --python-version 3.11 \
	  --generate-hashes --quiet --custom-compile-command 'make lock' -o requirements.lock

# Every picture of the pages in docs/pictures, anew, of the demo's invented year; needs chromium.
pictures: $(VENV)/.installed
	$(BIN)/python -m tests.browser.pictures

clean:
	rm -rf $(VENV) .peers build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
