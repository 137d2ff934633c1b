"""A batch in a process of its own, which a test kills or gives a small disk.

Arguments: folder of images, folder of labels, then words: ``hang=N`` stays in the Nth
look for ever, ``most=BYTES`` is the size of the largest file.
"""

from __future__ import annotations

import sys
import time

from tests.helpers.drawn_sheet import SheetColorer

from napari_gen2seg.errors import Gen2SegError
from napari_gen2seg.workflows.batch import ImageDone, batch

looks = 0


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def main() -> None:
    words = dict(word.split("=") for word in sys.argv[3:])

    def meanwhile() -> None:
        global looks
        looks += 1
        say("look", looks)
        while looks == int(words.get("hang", 0)):
            time.sleep(0.01)

    colorer = SheetColorer(meanwhile)
    if "most" in words:
        import resource
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(words["most"]),) * 2)
    try:
        for event in batch(sys.argv[1], sys.argv[2], colorer, tile=128):
            if isinstance(event, ImageDone):
                say("done", event.name)
    except Gen2SegError as error:
        say(type(error).__name__, error)
        sys.exit(1)


if __name__ == "__main__":
    main()
