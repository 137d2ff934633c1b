"""The names in napari's menus, which appends the plugin's own to each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from npe2 import PluginManifest

import napari_gen2seg

MANIFEST = Path(napari_gen2seg.__file__).parent / "napari.yaml"
DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def manifest() -> PluginManifest:
    return PluginManifest.from_file(MANIFEST)


def test_no_name_holds_the_plugin_s_own(manifest):
    parts = manifest.contributions
    named = [command.title for command in parts.commands]
    named += [widget.display_name for widget in parts.widgets]
    named += [sample.display_name for sample in parts.sample_data]
    assert not [name for name in named if manifest.display_name in name]


def test_a_thing_has_one_name(manifest):
    titles = {command.id: command.title for command in manifest.contributions.commands}
    for widget in manifest.contributions.widgets:
        assert titles[widget.command] == widget.display_name


def test_the_guide_says_what_the_menu_says(manifest):
    guide = " ".join((DOCS / "using.md").read_text("utf-8").split())
    titles = {command.id: command.title for command in manifest.contributions.commands}
    items = manifest.contributions.menus["napari/layers/segment"]
    for title in (titles[item.command] for item in items):
        assert f"**Layers > Segment > {title} ({manifest.display_name})**" in guide


def test_paths_below_plugins_are_those_of_the_menu(manifest):
    """napari puts several widgets of a plugin into a menu of the plugin's name."""
    own = manifest.display_name
    names = [widget.display_name for widget in manifest.contributions.widgets]
    known = re.compile(rf"Plugins > {own} > ({'|'.join(map(re.escape, names))})")
    root, wrong = DOCS.parent, []
    pages = [*DOCS.rglob("*.md"), root / "README.md", *MANIFEST.parent.rglob("*.py")]
    for page in pages:
        text = " ".join(page.read_text("utf-8").split())
        for found in re.finditer(r"Plugins > (?!Install)[^.,;*]{0,40}", text):
            part = found.group()
            if part.rstrip(" ") != f"Plugins > {own}" and not known.match(part):
                wrong.append((page.name, part))
    assert not wrong
