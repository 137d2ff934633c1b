"""What can go wrong, drawn as a tree.

Everything this package raises on purpose is a :class:`Gen2SegError`; most are
also the built-in error a caller would expect, so ``except ValueError`` works::

    Gen2SegError
     ├ ImageError (ValueError)          the picture cannot be used as it is
     ├ PromptError (ValueError)         the clicks cannot be used as they are
     ├ SettingsError (ValueError)       a setting is outside what it may be
     ├ DataError (ValueError)           labels or pairs for training and evaluation
     ├ ModelError (RuntimeError)
     │  ├ ModelNotFoundError (LookupError)   no model of that name
     │  ├ WeightsError                       files missing, broken or unsafe
     │  ├ WrongFamilyError                   a model, but not one we can run
     │  ├ LicenceError                       terms not accepted yet
     │  └ DownloadError (OSError)            the transfer failed
     │     └ OfflineError                    no network, or told not to use it
     ├ StorageError (OSError)           not writable, unreadable, damaged
     │  ├ DiskFullError                      no space left, or a quota used up
     │  └ InUseError                         another window or process has it open
     ├ MemoryShortError (MemoryError)   would not fit, or did not
     ├ TrainingError (RuntimeError)     training could not go on
     ├ ClusterError (RuntimeError)      workers cannot be reached, or keep dying
     └ Cancelled                        somebody asked for it to stop

A message names the thing, what it was, what it must be, and what to do.
"""

from __future__ import annotations


class Gen2SegError(Exception):
    """Anything this package raises on purpose."""


class ImageError(Gen2SegError, ValueError):
    """The image has a wrong type, shape, value or size."""


class PromptError(Gen2SegError, ValueError):
    """A click lies outside the image, or no positive click was given."""


class SettingsError(Gen2SegError, ValueError):
    """A setting is outside the values it may take."""


class DataError(Gen2SegError, ValueError):
    """Images and labels for training or evaluation do not fit together."""


class ModelError(Gen2SegError, RuntimeError):
    """A model could not be found, loaded or run."""


class ModelNotFoundError(ModelError, LookupError):
    """No model is known by that name or found at that path."""


class WeightsError(ModelError):
    """Model files are missing, damaged or in a format that is not safe to load."""


class WrongFamilyError(ModelError):
    """The files are a model, but none of a family that this package runs."""


class LicenceError(ModelError):
    """The model's licence has not been accepted yet."""


class DownloadError(ModelError, OSError):
    """A model could not be downloaded completely."""


class OfflineError(DownloadError):
    """The hub cannot be reached, or offline mode forbids trying."""


class StorageError(Gen2SegError, OSError):
    """A file could not be written or read: no space, no permission, damaged."""


class DiskFullError(StorageError):
    """There is no space for a file: the disk is full, or a quota is used up."""


class InUseError(StorageError):
    """Another window or process is working on the same files."""


class MemoryShortError(Gen2SegError, MemoryError):
    """The work does not fit into the memory there is."""


class TrainingError(Gen2SegError, RuntimeError):
    """Training could not start or could not go on."""


class ClusterError(Gen2SegError, RuntimeError):
    """Workers of a cluster cannot be reached, or keep dying."""


class Cancelled(Gen2SegError):
    """The work was stopped because somebody asked for it; nothing is broken."""
