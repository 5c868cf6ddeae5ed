# Only Python >= 3.11 and make are needed; everything else goes into .venv
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run test validate lint types bench docs install clean

run: $(VENV)/.installed  ## the main job: the Z' search on the 2018 data set
	$(BIN)/darksector run zprime_invisible --luminosity 276/pb --masses 0.5:7:0.5 \
	    --seed 1 --output results/zprime_invisible

test: $(VENV)/.developer  ## everything but the slow validation
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile

validate: $(VENV)/.developer  ## the slow validation
	$(BIN)/python -m pytest -m slow --junitxml docs/_build/slow.xml
	$(BIN)/python docs/build_pyhf_comparison.py docs/_build/slow.xml

lint: $(VENV)/.developer
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell src tests docs examples benchmarks README.md CONTRIBUTING.md CHANGELOG.md

types: $(VENV)/.developer
	$(BIN)/mypy

bench: $(VENV)/.developer  ## speed beside peers, written to benchmarks/*.md
	$(PIP) --constraint constraints.txt --editable ".[bench]"
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/engine.py
	$(BIN)/python benchmarks/detector.py
	$(BIN)/python benchmarks/inference.py

docs: $(VENV)/.developer  ## HTML documentation in docs/_build
	$(BIN)/python -m pytest -q -m "not slow" tests/validation --junitxml docs/_build/validation.xml
	$(BIN)/python docs/build_validation.py docs/_build/validation.xml
	$(BIN)/python docs/build_processes.py
	$(BIN)/python docs/build_machine.py
	$(BIN)/python docs/build_detector.py
	$(BIN)/python docs/build_photon_searches.py
	$(BIN)/python docs/build_displays.py
	$(BIN)/python docs/build_statistics.py
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --constraint constraints.txt --editable ".[lhe,root]"
	touch $@

$(VENV)/.developer: $(VENV)/.installed
	$(PIP) --constraint constraints.txt --only-binary pythia8mc \
	    --editable ".[lhe,root,test,lint,docs]"
	touch $@

clean:
	rm -rf $(VENV) results docs/_build docs/displays
