"""What might go wrong with labels that are to be learnt from (no torch)."""

from __future__ import annotations

from napari_gen2seg.io.label_facts import PIECES, TINY, LabelFacts

FEW = 5  # fewer objects in all are worth a warning
_BARE = 0.02  # share of labelled pixels, below which a whole picture is unlikely


def remarks(facts: LabelFacts, complete: bool) -> list[str]:
    """Say in plain words what might go wrong with one image."""
    said = []
    count = facts.objects
    if not count:
        return ["There are no objects in these labels."]
    if facts.torn:
        said.append(
            f"{facts.torn} of {count} labels are in more than {PIECES} pieces. Give "
            "every object a number of its own, or the model learns that they are one; "
            "labels of classes (all cells 1) must be split into objects first."
        )
    if 2 * facts.rim > count and count > 1:
        said.append(
            f"{facts.rim} of {count} objects touch the rim of the picture: the model "
            "sees only parts of them. Whole objects teach more."
        )
    if facts.tiny:
        noun = "object has" if facts.tiny == 1 else "objects have"
        said.append(
            f"{facts.tiny} {noun} fewer than {TINY} pixels: most often a slip of the "
            "brush. Erase them if they are."
        )
    if complete and facts.covered < _BARE:
        said.append(
            "You said that the picture is complete, but hardly anything is labeled; "
            "everything else will be taught as background."
        )
    return said
