"""How far a batch is, and how long the rest takes."""

from __future__ import annotations

import time

from napari_gen2seg.common.text import duration_text
from napari_gen2seg.workflows.batch.events import (
    BatchEvent,
    BatchStarted,
    ImageDone,
    ImageFailed,
    ImageProgress,
    ImageSkipped,
)


class Tally:
    """Counts the events of a batch.

    Attributes
    ----------
    count
        Images in all.
    done, skipped, failed
        Of them so far.
    """

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.count = self.done = self.skipped = self.failed = 0
        self._part = 0.0  # of the image at work

    def tell(self, event: BatchEvent) -> None:
        """Count an event."""
        if isinstance(event, BatchStarted):
            self.count = event.count
        elif isinstance(event, ImageProgress):
            self._part = event.fraction
        elif isinstance(event, ImageSkipped):
            self.skipped += 1
        elif isinstance(event, ImageDone):
            self.done, self._part = self.done + 1, 0.0
        elif isinstance(event, ImageFailed):
            self.failed, self._part = self.failed + 1, 0.0

    @property
    def tried(self) -> int:
        """Images that were tried, those done before among them."""
        return self.done + self.skipped + self.failed

    @property
    def fraction(self) -> float:
        """How far it is, 0..1."""
        return min((self.tried + self._part) / max(self.count, 1), 1.0)

    @property
    def left(self) -> str:
        """How long the rest takes, if images are alike: "2 min left"; or nothing."""
        worked = self.done + self.failed + self._part
        rest = self.count - self.skipped - worked
        if worked <= 0 or rest <= 0:
            return ""
        passed = time.monotonic() - self.began
        return f"{duration_text(passed * rest / worked)} left"
