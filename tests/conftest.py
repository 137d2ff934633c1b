"""Shared by all tests: one thread, and folders of their own.

Nothing here may touch the home of the person who runs the tests, nor the
network.
"""

from __future__ import annotations

import gc
import os
import tempfile
from pathlib import Path

import pytest

# Read by OpenMP and torch when they are loaded, so set before anything else.
# More threads than free cores make small models several times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Read when napari and huggingface_hub are imported: too early for a fixture.
_HOME = Path(tempfile.mkdtemp(prefix="napari-gen2seg-tests-"))
for _name, _folder in {
    "XDG_CACHE_HOME": "cache",
    "XDG_CONFIG_HOME": "config",
    "XDG_DATA_HOME": "data",
    "XDG_STATE_HOME": "state",
    "HF_HOME": "hub",
}.items():
    os.environ[_name] = str(_HOME / _folder)
os.environ["NAPARI_GEN2SEG_HOME"] = str(_HOME / "gen2seg")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["NAPARI_CONFIG"] = str(_HOME / "napari-settings.yaml")
os.environ["QT_LOGGING_RULES"] = "*.debug=false"

DATA = Path(__file__).parent / "data"


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    import shutil

    shutil.rmtree(_HOME, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that have slow tests, then those that train.

    pytest-xdist hands out whole files, in this order: none of them is left for the end,
    where the other processes would wait for it.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    training = [Path(__file__).parent / name for name in ("train", "workflows")]

    def later(item: pytest.Item) -> tuple[bool, bool]:
        return item.path not in slow, not any(map(item.path.is_relative_to, training))

    items.sort(key=later)


@pytest.fixture(autouse=True, scope="module")
def old_objects_are_not_searched() -> None:
    """Keep what is there before a file of tests out of garbage collection.

    napari collects at every layer that goes, and we when a model goes: beside torch
    and napari each search takes a fifth of a second, a third of the suite in all.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Return the folder of the small files that the tests bring along."""
    return DATA


@pytest.fixture(scope="session")
def tiny_sd() -> Path:
    """Return a random-weight model of the family ``sd``, published layout."""
    return DATA / "tiny-gen2seg-sd"


@pytest.fixture(scope="session")
def tiny_guided(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a random-weight model shaped as mini is; nothing may be written into it.

    Made before the first test of a file begins, so that what diffusers leaves behind
    is not searched again either (see above).
    """
    from tests.train.finetune.made import guided_model

    return guided_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def tiny_offsets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a random-weight model of the family ``offsets``.

    It needs torch alone: a process that trains it starts in a third of the time that
    the others take to import diffusers.
    """
    from tests.train.finetune.made import offsets_model

    return offsets_model(tmp_path_factory.mktemp("models") / "tiny-offsets")


@pytest.fixture(scope="session")
def tiny_mae() -> Path:
    """Return a random-weight model of the family ``mae``, published layout."""
    return DATA / "tiny-gen2seg-mae"
