"""Synthetic scenes with exact instance labels, for training without annotations.

`draw_scene` draws one picture of a random or a given kind, `iter_scenes` a stream of
them, and `KINDS` lists what can be drawn. Everything follows from the random generator.

scene       `Scene`, `Kind`, `KINDS`, `draw_scene`, `iter_scenes`; start here
canvas      the image being drawn; fragments, the pixels of many objects
shapes      outlines of blobs
curves      thick curves
layout      sizes and positions
tiling      complete tilings, as of tissue
textures    smooth noise and a bank of periodic textures
population  outlines, colors, surfaces and light for populations of objects
tidy        which pixels belong to whom, and what is too small to count
degrade     optics, sensors, files
kinds/      one kind of scene a module: nuclei, tissue, particles, fibers, things
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
