# Everything that a person or CI runs. `make demo` and `make test` do all the set-up.
PYTHON ?= python3
BIN := .venv/bin
# Tests wait for Git, servers and each other: one more of them than there are cores, at most 4.
WORKERS = $(shell cores=$$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN) && echo $$((cores < 3 ? cores + 1 : 4)))
PYTEST = $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder
# Libraries that are compiled once start several times quicker.
COMPILE ?= $(if $(filter false,$(CHECKS)),,--compile-bytecode)

.PHONY: demo test test-long lint format setup install install-checks extras job lock example pictures transcripts bench clean

demo: setup
	@$(BIN)/mergeline demo

test: setup
	$(PYTEST) -m 'not long'

# The same, and what takes the same paths over more inputs.
test-long: setup
	$(PYTEST)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/zizmor --quiet --no-progress --offline --persona pedantic .
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions .github/actions/*/action.yml
	@PATH="$$PATH:$$HOME/go/bin"; if command -v actionlint; then actionlint; else \
	  echo "actionlint is not installed and was left out: go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"; fi

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

setup: .venv/ready

# What runs Mergeline, and what its checks need beside that: a job on GitHub needs no more.
install: .venv/installed extras
install-checks: .venv/checks extras

# EXTRAS="lightgbm xgboost onnx": libraries of models, beside scikit-learn.
extras: .venv/installed
	$(foreach extra,$(EXTRAS),$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r $(or $(filter requirements/lightgbm.txt requirements/xgboost.txt requirements/onnx.txt,requirements/$(extra).txt),$(error EXTRAS holds "$(extra)", not one of lightgbm, xgboost, onnx)) &&) true

# For .github/actions/setup, on a runner that keeps nothing.
job: $(if $(filter true,$(CHECKS)),.venv/checks,.venv/installed) extras
	$(if $(REMOTE),$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r $(or $(filter requirements/s3.txt requirements/gs.txt requirements/azure.txt,requirements/$(REMOTE).txt),$(error the input `remote` is "$(REMOTE)", not one of s3, gs, azure)))
	$(if $(REQUIREMENTS),$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r "$(GITHUB_WORKSPACE)/$(REQUIREMENTS)")
	echo "$(CURDIR)/$(BIN)" >> "$(GITHUB_PATH)"

.venv/installed: pyproject.toml requirements/setup.txt requirements/main.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if v in ((3, 11), (3, 12)) else "Mergeline needs Python 3.11 or 3.12; $(PYTHON) is %d.%d. Nothing was installed. Name another one: make PYTHON=python3.12 ..." % v)'
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { echo "Mergeline's set-up needs pip for $(PYTHON) (on Debian: apt-get install python3-pip). Nothing was installed."; exit 1; }
	$(PYTHON) -m venv --without-pip .venv
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check --require-hashes -r requirements/setup.txt
	$(BIN)/uv pip install --quiet $(COMPILE) --python $(BIN)/python --require-hashes -r requirements/main.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

.venv/checks: .venv/installed requirements/deepchecks.txt
	$(BIN)/mergeline doctor --build
	@touch $@

.venv/ready: .venv/checks requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@touch $@

lock: setup
	$(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header --no-annotate -o requirements/setup.txt requirements/setup.in
	$(BIN)/uv pip compile -q --universal --fork-strategy fewest --generate-hashes --python-version 3.11 --no-header --no-annotate --extra rehearsal --extra postgresql -o requirements/main.txt pyproject.toml
	$(BIN)/uv pip compile -q --universal --fork-strategy fewest --generate-hashes --python-version 3.11 --no-header --no-annotate -o requirements/dev.txt requirements/dev.in
	$(BIN)/uv pip compile -q --universal --fork-strategy fewest --generate-hashes --python-version 3.10 --no-header --no-annotate -o requirements/deepchecks.txt requirements/deepchecks.in
	for extra in s3 gs azure lightgbm xgboost onnx; do $(BIN)/uv pip compile -q --universal --fork-strategy fewest --generate-hashes --python-version 3.11 --no-header --no-annotate -o requirements/$$extra.txt requirements/$$extra.in || exit; done

example: setup
	$(BIN)/mergeline demo --example reports/example

# The README's pictures of it, in Debian's Chromium.
pictures: setup
	PYTHONPATH=tests $(BIN)/python -m browser.pictures

transcripts: setup
	MERGELINE_TRANSCRIPTS=tests/workflows/transcripts $(BIN)/pytest -n 0 tests/workflows/test_line.py

bench: setup
	$(BIN)/python bench/check.py

clean:
	rm -rf .venv .mergeline
