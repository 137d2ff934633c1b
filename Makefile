# make demo    set up, then open napari on a real picture (or write demo-output/)
# make test    set up and run the whole test suite through tox, headless included
# make setup   the virtual environment alone (.venv)
# make lint    ruff, mypy, typos, npe2 validate, import-linter, workflows, docs
# make docs    the documentation as a site, in site/
# make coverage  the suite, with a table of what it does not reach

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
# A machine without an NVIDIA GPU gets a torch without CUDA (gigabytes less).
LINKS = PIP_FIND_LINKS="$$($(BIN)/python scripts/torch_links.py)"
PIP = $(LINKS) $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	-c constraints.txt

.PHONY: demo setup test coverage lint docs system clean

demo: setup
	$(BIN)/napari-gen2seg demo

setup: system $(VENV)/setup.stamp
	@echo "Ready: $(BIN)/napari-gen2seg and $(BIN)/napari"

test: system $(VENV)/tox.stamp
	$(LINKS) $(BIN)/tox run -e py $(if $(ARGS),-- $(ARGS))

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
