"""Maps that are kept in a project: used again where they would be made again."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from skimage import data
from tests.helpers.fake_colorer import FakeColorer

from napari_gen2seg.core.image.rgb import to_rgb
from napari_gen2seg.project.kept_map import FACTS_NAME, MAP_NAME, Asked, kept_map
from napari_gen2seg.project.project import Project
from napari_gen2seg.project.propose import PROPOSALS, note_proposals, propose

ASKED = Asked("mini")


@pytest.fixture
def project(tmp_path):
    made = Project.create(tmp_path / "project")
    for name, pixels in (("a", data.coins()[:150, :200]), ("s", np.zeros((2, 30, 40)))):
        tifffile.imwrite(tmp_path / f"{name}.tif", pixels.astype(np.uint8))
        made.add(tmp_path / f"{name}.tif")
    return made


def test_a_map_is_kept_by_proposing_and_used_again(project):
    colorer = FakeColorer()
    assert len(list(propose(project, colorer, model="mini"))) == 2
    item = project.item("a")
    plane = item.image().plane(())
    coloring = kept_map(item.folder, ASKED, plane)
    assert coloring.key == colorer.color(to_rgb(plane)).key
    assert not (project.item("s").folder / MAP_NAME).exists()  # a stack has many
    for other in (Asked("other"), Asked("mini", 512), Asked("mini", passes=2)):
        assert kept_map(item.folder, other, plane) is None
    assert kept_map(item.folder, ASKED, plane[::-1]) is None
    assert "coloring.*" in (project.folder / ".gitignore").read_text()

    facts = item.folder / FACTS_NAME
    facts.write_text(facts.read_text().replace('"by": "', '"by": "0.'))
    assert kept_map(item.folder, ASKED, plane) is None  # of another version


def test_other_weights_under_the_same_name_make_another_map(project, tmp_path):
    weights = tmp_path / "own model" / "unet" / "model.safetensors"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"one")
    own = str(tmp_path / "own model")
    list(propose(project, FakeColorer(), model=own))
    item = project.item("a")
    plane = item.image().plane(())
    assert kept_map(item.folder, Asked(own), plane) is not None
    weights.write_bytes(b"another")
    assert kept_map(item.folder, Asked(own), plane) is None


@pytest.mark.parametrize("name", [FACTS_NAME, MAP_NAME])
def test_a_damaged_map_is_made_anew(project, name):
    list(propose(project, FakeColorer(), model="mini"))
    item = project.item("a")
    (item.folder / name).write_bytes(b"nonsense")
    assert kept_map(item.folder, ASKED, item.image().plane(())) is None


def test_proposals_that_wait_are_noted_where_nobody_has_begun(project):
    item = project.item("a")
    note_proposals(item, 7, 0.25)
    state = item.work().state
    assert (state.state, state.settings[PROPOSALS]) == ("proposed", 7)
    project.set_state("a", "done")
    note_proposals(item, 9, 0.5)
    assert item.work().state.settings[PROPOSALS] == 7
