"""The package as a whole: its names, its manners at import, its manifest."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import napari_gen2seg

ROOT = Path(__file__).parent.parent
SOURCE = Path(napari_gen2seg.__file__).parent

#: The public names; a change here is a change of the public API.
PUBLIC = {
    "CandidateSet",
    "Colorer",
    "Coloring",
    "Gen2SegError",
    "LinkSettings",
    "Linked",
    "Mask",
    "ModelSpec",
    "Probe",
    "ProbeSettings",
    "Project",
    "ProposalSettings",
    "__version__",
    "batch",
    "evaluate",
    "finetune",
    "iter_finetune",
    "iter_segment",
    "link",
    "list_models",
    "load_model",
    "load_probe",
    "paint",
    "segment",
    "select",
}

HEAVY = ("torch", "diffusers", "transformers", "peft", "accelerate")
SCREEN = ("napari", "qtpy", "PyQt6", "PySide6", "PyQt5", "vispy")


def loaded_after(code: str) -> set[str]:
    """Return the top-level packages that a fresh interpreter has after `code`."""
    report = "import sys, json; print(json.dumps(sorted(sys.modules)))"
    child = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"],
        capture_output=True,
        text=True,
        check=True,
    )
    modules = json.loads(child.stdout.splitlines()[-1])
    return {name.partition(".")[0] for name in modules}


def test_public_names_are_deliberate() -> None:
    assert set(napari_gen2seg.__all__) == PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(napari_gen2seg, name)
    assert name in dir(napari_gen2seg)
    if name != "__version__":
        assert value.__name__ == name
        assert value.__doc__


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = napari_gen2seg.nonsense


def test_version_is_that_of_the_distribution() -> None:
    assert metadata.version("napari-gen2seg") == napari_gen2seg.__version__


def test_import_loads_nothing_of_weight() -> None:
    loaded = loaded_after("import napari_gen2seg")
    assert not loaded & {*HEAVY, *SCREEN, "numpy", "scipy", "skimage"}


@pytest.mark.parametrize(
    "code",
    [
        "import napari_gen2seg as g; g.list_models()",
        "import napari_gen2seg as g; [getattr(g, name) for name in g.__all__]",
        "import napari_gen2seg.session",
        "import napari_gen2seg.doctor",
        "from napari_gen2seg.cli import main; main(['--help'], standalone_mode=False)",
    ],
)
def test_light_parts_load_neither_torch_nor_a_screen(code: str) -> None:
    assert not loaded_after(code) & {*HEAVY, *SCREEN}


def modules(room: str) -> list[str]:
    """Return every module of a room, those in folders below it included."""
    found = [
        path.relative_to(SOURCE.parent).with_suffix("").parts
        for path in sorted((SOURCE / room).rglob("*.py"))
    ]
    return [".".join(parts).removesuffix(".__init__") for parts in found]


def test_gui_loads_no_torch() -> None:
    names = modules("gui")
    assert "napari_gen2seg.gui.finetune.run.controller" in names
    loaded = loaded_after("\n".join(f"import {name}" for name in names))
    assert "napari_gen2seg" in loaded
    assert not loaded & set(HEAVY)


@pytest.mark.parametrize("room", ["common", "core", "metrics"])
def test_ground_floors_need_arrays_only(room: str) -> None:
    loaded = loaded_after("\n".join(f"import {name}" for name in modules(room)))
    assert not loaded & {*HEAVY, *SCREEN, "psygnal", "huggingface_hub"}


def test_manifest_is_valid_and_every_command_is_there() -> None:
    from npe2 import PluginManifest

    manifest = PluginManifest.from_file(SOURCE / "napari.yaml")
    manifest.validate_imports()
    assert manifest.name == "napari-gen2seg"
    assert manifest.contributions.widgets


def test_napari_finds_the_installed_plugin() -> None:
    from npe2 import PluginManifest

    manifest = PluginManifest.from_distribution("napari-gen2seg")
    assert manifest.name == "napari-gen2seg"


def test_base_dependencies_hold_no_window() -> None:
    from packaging.requirements import Requirement

    needs = [Requirement(line) for line in metadata.requires("napari-gen2seg") or []]
    base = {need.name.lower() for need in needs if need.marker is None}
    assert "torch" in base
    assert not base & {"napari", "pyqt5", "pyqt6", "pyside6", "pyside2"}
    assert not any("opencv" in name for name in base)


CROWDED = 6
"""Modules from which a folder's docstring is a map of it."""


def crowded() -> list[Path]:
    folders = {path.parent for path in SOURCE.rglob("*.py")} - {SOURCE}
    return [
        folder for folder in sorted(folders) if len(list(folder.glob("*.py"))) > CROWDED
    ]


@pytest.mark.parametrize(
    "folder", crowded(), ids=lambda folder: folder.relative_to(SOURCE).as_posix()
)
def test_a_crowded_folder_has_a_map(folder: Path) -> None:
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8")))
    words = set(re.findall(r"\w+", text or ""))
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert modules <= words, f"say what these are for: {sorted(modules - words)}"


def test_directions_between_rooms_hold() -> None:
    check = "import sys; from importlinter.cli import lint_imports"
    child = subprocess.run(
        [sys.executable, "-c", f"{check}; sys.exit(lint_imports())"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stdout + child.stderr
