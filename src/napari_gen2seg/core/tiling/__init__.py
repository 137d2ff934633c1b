"""A plane too large for one look: tiles, the objects of each, and one answer.

grid      tiles: each has a core of its own and looks a margin beyond it
found     what was found in one tile
seams     which objects of neighboring tiles are one, and who owns it
painting  the labels of one core
"""
