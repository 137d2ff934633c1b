"""``python -m napari_gen2seg``: the command line where no script is on the path."""

from napari_gen2seg.cli import main

if __name__ == "__main__":
    main()
