"""What a batch tells, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class BatchStarted:
    """How many images there are."""

    count: int


@dataclass(frozen=True)
class ImageSkipped:
    """The labels are there already, made of the same image, model and settings."""

    name: str
    target: Path
    number: int
    count: int


@dataclass(frozen=True)
class ImageProgress:
    """How far an image is, 0..1, and what is done."""

    name: str
    fraction: float
    text: str


@dataclass(frozen=True)
class ImageDone:
    """The labels of an image are written; `number` of `count` images are done."""

    name: str
    target: Path
    objects: int
    planes: int
    number: int
    count: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImageFailed:
    """An image could not be done; the others go on."""

    name: str
    error: Exception
    number: int
    count: int


@dataclass(frozen=True)
class BatchDone:
    """All images were tried."""

    done: int
    skipped: int
    failed: int
    seconds: float


BatchEvent = (
    BatchStarted | ImageSkipped | ImageProgress | ImageDone | ImageFailed | BatchDone
)
