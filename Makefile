# make demo, make test: each sets everything up first. Needs Python 3.11 or newer, pip and make.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
OPEN_CLIP = .venv-open-clip

.PHONY: demo test coverage test-random test-slow test-milvus test-open-clip lint results bench clean

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet "$$(grep '^torch==' constraints.txt)"
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

demo: $(VENV)/.installed  ## the whole way on made pictures, with a report
	$(BIN)/bcls demo --output demo

test: $(VENV)/.installed  ## lint, types, floors, tests; lists what was skipped, and fails for skips that are not allowed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -rs

coverage: $(VENV)/.installed  ## which lines no test reaches
	$(BIN)/python -m pytest -q --cov=bcls --cov-report=term:skip-covered

test-random: $(VENV)/.installed  ## the tests by hypothesis on other input than ever before
	$(BIN)/python -m pytest -q -m "hypothesis and not slow and not milvus" --hypothesis-profile=random

test-slow: $(VENV)/.installed  ## what takes minutes
	$(BIN)/python -m pytest -q -rs -m slow

test-milvus: $(VENV)/.installed  ## the search engines' tests on a real Milvus server, in a network of their own
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[milvus-server]"
	unshare --map-root-user --net sh -c "ip link set lo up && $(BIN)/python -m pytest -q -m milvus tests/search"

test-open-clip: $(OPEN_CLIP)/.installed  ## beside the real open_clip, in an environment of its own (5.5 GB on x86_64)
	$(OPEN_CLIP)/bin/python -m pytest -q -rs -m open_clip tests/integrations/test_open_clip_library.py

$(OPEN_CLIP)/.installed: pyproject.toml  # torch and torchvision of one release: others do not load beside each other
	$(PYTHON) -m venv $(OPEN_CLIP)
	$(OPEN_CLIP)/bin/pip install --quiet torch==2.14.1 torchvision==0.29.1
	$(OPEN_CLIP)/bin/pip install --quiet --editable ".[open-clip]" pytest hypothesis
	touch $@

results: $(VENV)/.installed  ## the table of docs/results.md: every loss, three seeds, on Flickr8k
	$(BIN)/bcls study configs/studies/flickr8k.yaml

bench: $(VENV)/.installed  ## speed and memory side by side with named baselines, into benchmarks/results
	$(BIN)/python benchmarks

lint: $(VENV)/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	find src -name "*.nb[ic]" -delete
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
