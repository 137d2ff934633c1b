"""What may go wrong inside a decoder, as errors that people can read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_gen2seg.common.text import bytes_text
from napari_gen2seg.errors import Gen2SegError, MemoryShortError, StorageError

_SHARE = 0.9  # of the free memory that one image may take


@contextmanager
def decoding(source: Path) -> Iterator[None]:
    """Name whatever a library raises while it reads a file.

    Damaged files make decoders raise anything, from ``ZeroDivisionError`` to an error
    of their own.

    Raises
    ------
    StorageError
        If the file cannot be read, or what is in it cannot.
    MemoryShortError
        If memory does not suffice.
    """
    try:
        yield
    except Gen2SegError:
        raise
    except MemoryError as error:
        raise MemoryShortError(
            f"{source} does not fit into memory. Close other programs, or cut the "
            "picture; if it should be small, it is damaged."
        ) from error
    except OSError as error:
        if error.errno is None:  # the decoder's word, not the system's
            raise not_an_image(source) from error
        raise StorageError(
            f"{source} could not be read ({error.strerror}). Check that you may read "
            "it."
        ) from error
    except Exception as error:
        raise StorageError(
            f"{source} is damaged or of a kind that is not read here "
            f"({type(error).__name__}: {str(error)[:200]}). Save it again as plain "
            "TIFF or PNG."
        ) from error


def check_fits(source: Path, needed: int) -> None:
    """Refuse what does not fit into memory, before it is tried.

    Parameters
    ----------
    needed
        Bytes of the pixels.

    Raises
    ------
    MemoryShortError
        With both sizes.
    """
    import psutil

    free = int(psutil.virtual_memory().available)
    if needed > _SHARE * free:
        raise MemoryShortError(
            f"The pixels of {source} take {bytes_text(needed)}, but only "
            f"{bytes_text(free)} of memory are free. Name one plane, cut the picture "
            "into parts, or close other programs; if it should be small, it is damaged."
        )


def not_an_image(source: Path) -> StorageError:
    """Say that a file is no image."""
    return StorageError(
        f"{source} is not a picture that can be read, or it is damaged; pictures are "
        "TIFF, PNG, JPEG, BMP, GIF, WebP, NPY or OME-Zarr."
    )
