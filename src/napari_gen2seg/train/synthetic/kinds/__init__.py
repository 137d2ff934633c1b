"""One kind of synthetic scene a module.

nuclei     fluorescence: nuclei, whole cells, spots
phase      unstained cells: phase contrast, DIC, brightfield
adherent   cells spread thin on a dish
stained    stained tissue
tissue     complete tilings: epithelia, electron micrographs
particles  rods, rings, chains
powder     metal powder in the electron microscope
lines      fibers, worms, branching trees
photos     everyday photographs
things     boxes, creatures, one large object
"""
