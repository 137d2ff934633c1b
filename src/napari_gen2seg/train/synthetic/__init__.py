"""Drawn scenes with exact instance labels, for training without annotations.

`draw_scene` draws one picture of a random or a given kind, `iter_scenes` a stream of
them, and `KINDS` lists what can be drawn. Everything follows from the random generator.

    scene.py      Scene, Kind, KINDS, draw_scene, iter_scenes
    canvas.py      the picture being drawn; fragments, the pixels of many objects
    shapes.py      outlines of blobs            curves.py   thick curves
    layout.py      sizes and positions          tiling.py   complete tilings
    textures.py    smooth noise and a bank of periodic textures
    population.py  outlines, colours, skins and light for populations of objects
    tidy.py        the label policy             degrade.py  optics, sensors, files
    nuclei.py, stained.py, phase.py, adherent.py, tissue.py, particles.py,
    powder.py, lines.py, photos.py, things.py      the kinds
"""

from __future__ import annotations

from napari_gen2seg.train.synthetic.kinds import (
    adherent,
    lines,
    nuclei,
    particles,
    phase,
    photos,
    powder,
    stained,
    things,
    tissue,
)
from napari_gen2seg.train.synthetic.scene import (
    KINDS,
    Kind,
    Scene,
    draw_scene,
    iter_scenes,
)

__all__ = ["KINDS", "Kind", "Scene", "draw_scene", "iter_scenes"]
del adherent, lines, nuclei, particles, phase, photos, powder, stained, things, tissue
