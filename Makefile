# make setup | demo | test | fast | integration | serial | lint | format | bench | nightly | schemas
# | gallery | lock | clean.  Safe to repeat; nothing is done twice.

PY := .venv/bin/python
# No caches beside the code: a checkout may belong to somebody else.
PYTEST := $(PY) -m pytest -p no:cacheprovider
FAST := not integration and not engine and not slow and not serial

export PYTHON

.PHONY: setup demo test fast integration serial lint format bench nightly schemas gallery lock clean

setup: .venv/.installed

.venv/.installed: requirements.lock pyproject.toml scripts/setup
	@./scripts/setup
	@touch $@

demo: setup
	.venv/bin/harness run experiments/bank-overdraft.yaml

# Lint first: it takes seconds. The serial tier last: it is alone on the machine then.
test: lint fast integration serial

fast: setup
	$(PYTEST) -m "$(FAST)" -n 2 --dist=worksteal

integration: setup
	$(PYTEST) -m "(integration or engine or slow) and not serial"

serial: setup
	$(PYTEST) -m serial

lint: setup
	$(PY) -m ruff check --no-cache
	$(PY) -m ruff format --no-cache --check
	$(PY) -m mypy --cache-dir=/dev/null
	.venv/bin/lint-imports --no-cache

format: setup
	$(PY) -m ruff check --no-cache --fix
	$(PY) -m ruff format --no-cache

bench: setup
	@for file in benchmarks/[a-z]*.py; do echo "== $$file"; $(PY) "$$file" || exit 1; done

# Runs on one target exclude each other, so only the fast tests go side by side. The full script of the
# breaker's variants, ten times, takes about four hours.
nightly: setup
	HYPOTHESIS_PROFILE=nightly $(PYTEST) --timeout=3600 -m "$(FAST)" -n 2 --dist=worksteal
	HYPOTHESIS_PROFILE=nightly $(PYTEST) --timeout=3600 -m "not ($(FAST)) and not serial"
	@for n in 1 2 3 4 5 6 7 8 9 10; do .venv/bin/harness run targets/breaker/full --seed $$n || exit; done

# What `harness schema` prints, where the editor hints of our files look for it.
schemas: setup
	.venv/bin/harness schema experiment > docs/reference/experiment.schema.json
	.venv/bin/harness schema target > docs/reference/target.schema.json

# All experiments on all variants, and the page made of what was found: about a quarter of an hour.
gallery: setup
	@mkdir -p runs
	.venv/bin/harness run experiments/ --json > runs/gallery.json
	.venv/bin/python scripts/gallery runs/gallery.json > docs/gallery.md

# Versions and hashes alone, for every system and Python we support; needs uv. Keeps the versions that
# still fit; `make lock UPGRADE=--upgrade` takes the newest.
lock:
	@command -v uv >/dev/null 2>&1 || { echo "lock: uv is needed (pip install uv)" >&2; exit 1; }
	env -u UV_FIND_LINKS -u PIP_FIND_LINKS uv pip compile pyproject.toml --no-config --quiet $(UPGRADE) \
	    --universal --python-version 3.11 --all-extras --group test --group lint --group build \
	    --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
	    --output-file requirements.lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find targets -name node_modules -type l -delete
	find harness targets tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
