"""The work on one image: every act is in a file before it is shown.

journal  `Journal`: open, record, undo, save whole, close
writer   its way to the disk, on a thread of its own
act      what a person did
patch    how labels changed by it
state    what acts add up to, labels aside
history  what can be undone and redone
files    labels, facts and acts in a folder
record   lines with a checksum, torn ones left out
log_file the file of these lines while it is open
holding  the folder while it is open; what is told of earlier work
place    beside the image or in the user's folder; earlier work found
aside    earlier work that was set aside, and brought back
lock     one writer at a time
"""

from napari_gen2seg.project.journal.act import Act
from napari_gen2seg.project.journal.holding import Earlier
from napari_gen2seg.project.journal.journal import Journal
from napari_gen2seg.project.journal.patch import Patch
from napari_gen2seg.project.journal.place import Found, find_work
from napari_gen2seg.project.journal.state import STATES, ItemState, WorkState
from napari_gen2seg.project.journal.writer import SaveState

__all__ = [
    "STATES",
    "Act",
    "Earlier",
    "Found",
    "ItemState",
    "Journal",
    "Patch",
    "SaveState",
    "WorkState",
    "find_work",
]
