"""What may be trained on, kept up to date, and what a person chose of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_gen2seg.common.text import names_text
from napari_gen2seg.common.types import LabelArray
from napari_gen2seg.core.joined_labels import join_labels
from napari_gen2seg.errors import DataError, Gen2SegError
from napari_gen2seg.gui.finetune.data.candidates import TrainingCandidate, candidates
from napari_gen2seg.gui.finetune.data.project_rows import project_rows
from napari_gen2seg.gui.finetune.data.search import folder_rows, search
from napari_gen2seg.gui.qt_threads import debounce
from napari_gen2seg.io.annotated import Annotated, AnnotatedSource, Role, as_labels
from napari_gen2seg.io.label_facts import parts_together, together
from napari_gen2seg.jobs.training.written_data import file_names, worries
from napari_gen2seg.session.session import sentence
from napari_gen2seg.train.data.split import choose_validation, own_work_told
from napari_gen2seg.train.finetune.config import FinetuneConfig

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_gen2seg.gui.layers.source import Source
    from napari_gen2seg.session import Runner, Ticket

NOTES = 3  # lines on labels taken together or left out; a movie has many planes
PAUSE = 400  # milliseconds without a change before layers are looked through


@dataclass(frozen=True)
class PairChoice:
    """What a person wants of an image.

    It is kept by the row's key while rows are found again and again, so it stays apart
    from the `AnnotatedSource`, which gets ``complete`` and ``role`` when a run begins.
    """

    use: bool
    complete: bool = False
    role: Role = "auto"


class PairList(QObject):
    """Looks through layers and folders behind the window.

    Parameters
    ----------
    viewer
        Whose layers.
    source
        Knows how each is read.
    runner
        Where labels are looked through.
    """

    changed = Signal()
    chosen_changed = Signal()
    looking = Signal(bool)
    warned = Signal(str)

    def __init__(
        self,
        viewer: ViewerModel,
        source: Source,
        runner: Runner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._source, self._runner = viewer, source, runner
        self.rows: list[TrainingCandidate] = []
        self._choices: dict[str, PairChoice] = {}
        self._sets: dict[
            str, list[TrainingCandidate]
        ] = {}  # by the content of the picture
        self._wanted: dict[str, str] = {}
        self._folders: dict[Path, list[TrainingCandidate]] = {}
        self._layers: list[TrainingCandidate] = []
        self._heard: list[Any] = []
        self.on = False
        self._soon = debounce(self, self.rescan, PAUSE)
        for name in ("inserted", "removed"):
            getattr(viewer.layers.events, name).connect(self.later)

    # ---- choices

    def choice(self, row: TrainingCandidate) -> PairChoice:
        """Return what is wanted of an image."""
        for one in (row, *self._alike(row)):
            if one.key in self._choices:
                now = self._choices[one.key]
                return now if one is row else replace(now, use=row.suggested)
        return PairChoice(row.suggested, row.source.complete)

    def choose(self, row: TrainingCandidate, **changes: Any) -> None:
        """Want something else of it; names as in `PairChoice`.

        Whether all is labelled, and what it is used for, is said of a picture: of all
        its sets of labels.
        """
        for one in [row] if "use" in changes else self._alike(row):
            self._choices[one.key] = replace(self.choice(one), **changes)
        self.chosen_changed.emit()

    @property
    def used(self) -> list[tuple[TrainingCandidate, PairChoice]]:
        """The images to train on or to hold back, each once: see `joined`."""
        found: dict[str, TrainingCandidate] = {}
        for row in self.rows:
            if row.facts is not None and self.choice(row).use:
                found.setdefault(row.facts.key or row.key, row)
        return [(self.joined(row), self.choice(row)) for row in found.values()]

    def joined(self, row: TrainingCandidate) -> TrainingCandidate:
        """Return an image with all labels that are ticked for it, put together."""
        sets = self._ticked(row)
        if len(sets) < 2 or row not in sets or row.facts is None:
            return row

        def labels() -> LabelArray:
            return join_labels([one.source.labels() for one in sets])

        def read() -> Annotated:
            return Annotated(row.source.read().image, as_labels(labels()))

        facts = together([one.facts for one in sets if one.facts is not None])
        source = replace(
            row.source,
            reader=read,
            label_reader=labels,
            facts=facts,
            proposed=sum(one.source.proposed for one in sets),
            proposed_inside=_inside_together([one.source for one in sets]),
        )
        return replace(row, source=source)

    def notes(self) -> list[str]:
        """Say which sets of labels are put together, and which are left out."""
        joined, left = defaultdict(list), defaultdict(list)
        for row, _ in self.used:
            ticked = tuple(one.drawn for one in self._ticked(row))
            if len(ticked) > 1:
                joined[ticked].append(repr(row.name))
            others = tuple(one.drawn for one in self._alike(row) if self._unasked(one))
            if others:
                left[others].append(repr(row.name))
        said = [
            f"{names_text(pictures)}: the objects of {' and '.join(map(repr, names))} "
            f"are taken together; where two overlap, that of {names[-1]!r} counts."
            for names, pictures in joined.items()
        ]
        said += [
            f"More labels of {names_text(pictures)} are in "
            f"{' and '.join(map(repr, names))}: tick them to learn from them too."
            for names, pictures in left.items()
        ]
        more = len(said) - NOTES
        return said if more <= 0 else [*said[:NOTES], f"And {more} more like these."]

    def _unasked(self, row: TrainingCandidate) -> bool:
        """Whether labels are left out though nobody said so."""
        return row.key not in self._choices and not row.suggested

    def _ticked(self, row: TrainingCandidate) -> list[TrainingCandidate]:
        """List the labels that are ticked for an image; the last count most."""
        ticked = [one for one in self._alike(row) if self.choice(one).use]
        # Files first, then layers from below.
        return sorted(ticked, key=lambda one: one.layer_id is not None)

    def _alike(self, row: TrainingCandidate) -> list[TrainingCandidate]:
        """List the rows of a row's image: one for every set of labels."""
        key = "" if row.facts is None else row.facts.key
        return self._sets.get(key, [row])

    @property
    def objects(self) -> int:
        """How many objects the used images hold; doubles are not told apart."""
        return sum(row.facts.objects for row, _ in self.used if row.facts)

    def worries(self) -> list[str]:
        """Say what might go wrong with the choice."""
        said = worries([(row.name, row.facts, at.role) for row, at in self.used])
        told = own_work_told(*self._judged_own())
        return [*said, told] if told else said

    def _judged_own(self) -> tuple[int, int]:
        """Count unchanged proposals, and objects, in what will be held back.

        As far as it is known here: no run says yet what earlier ones learnt from, and
        facts of labels that are taken together are estimates.
        """
        sources = []
        for row, at in self.used:
            if row.facts is None:
                continue
            sets = [one.facts.parts for one in self._ticked(row) if one.facts]
            facts = replace(row.facts, parts=row.facts.parts or parts_together(sets))
            group = row.source.group or row.facts.key or row.key
            sources.append(replace(row.source, role=at.role, group=group, facts=facts))
        seed = FinetuneConfig.seed
        try:
            return choose_validation(sources, FinetuneConfig.hold_back, seed).own_work
        except DataError:  # told of, one way or another
            return 0, 0

    def sources(
        self,
    ) -> tuple[list[AnnotatedSource], list[str], list[TrainingCandidate]]:
        """Return what is to be written down, names for files, and the rows."""
        used = self.used
        sources = [
            replace(row.source, complete=at.complete, role=at.role) for row, at in used
        ]
        return sources, file_names(sources), [row for row, _ in used]

    def pair_with(self, row: TrainingCandidate, layer_id: str) -> None:
        """Take another layer as the image of these labels."""
        self._wanted[row.labels_id] = layer_id
        self.rescan()

    # ---- looking

    def later(self, _event: object = None) -> None:
        """Look again once nothing has changed for a moment."""
        if self.on:
            self._soon.start()

    def rescan(self) -> None:
        """Look through the open layers."""
        self._hear()
        found = candidates(self._viewer, self._source.options_of, self._wanted)

        def done(ticket: Ticket, rows: Any, error: BaseException | None) -> None:
            if ticket.cancelled:
                return
            self.looking.emit(False)
            if error is not None:
                self.warned.emit(sentence(error))
                return
            self._layers = rows
            self._tell()

        self.looking.emit(True)
        self._runner.submit("pairs", lambda t: search(found, t.check), done)

    def add_folder(self, folder: Path) -> None:
        """Offer the images of a folder too."""
        self._add(folder, lambda check: folder_rows(folder, check))

    def _add(
        self,
        folder: Path,
        find: Callable[[Callable[[], None]], list[TrainingCandidate]],
    ) -> None:
        def done(ticket: Ticket, rows: Any, error: BaseException | None) -> None:
            self.looking.emit(False)
            if isinstance(error, Gen2SegError):
                self.warned.emit(str(error))
            elif error is not None:
                self.warned.emit(sentence(error))
            elif not ticket.cancelled:
                self._folders[folder] = rows
                self._tell()

        self.looking.emit(True)
        self._runner.submit(f"folder {folder}", lambda t: find(t.check), done)

    def add_project(self, folder: Path, leave_out: Collection[str] = ()) -> None:
        """Offer the pictures of a project that are in work or done.

        Parameters
        ----------
        folder
            The project.
        leave_out
            Pictures that are open as layers, by name.
        """
        self._add(folder, lambda check: project_rows(folder, leave_out, check))

    def close(self) -> None:
        """Stop listening."""
        self.on = False
        with suppress(RuntimeError):  # Qt deletes timers together with their window
            self._soon.stop()
        for name in ("inserted", "removed"):
            getattr(self._viewer.layers.events, name).disconnect(self.later)
        self._hear(off=True)

    def _tell(self) -> None:
        self.rows = [
            *self._layers,
            *(r for rows in self._folders.values() for r in rows),
        ]
        self._sets = defaultdict(list)
        for row in self.rows:
            if row.facts is not None and row.facts.key:
                self._sets[row.facts.key].append(row)
        self.changed.emit()
        self.chosen_changed.emit()

    def _hear(self, off: bool = False) -> None:
        """Listen to the Labels layers that are there."""
        from napari.layers import Labels

        for layer in self._heard:
            for name in ("paint", "data"):
                getattr(layer.events, name).disconnect(self.later)
        now = [one for one in self._viewer.layers if isinstance(one, Labels)]
        self._heard = [] if off else now
        for layer in self._heard:
            for name in ("paint", "data"):
                getattr(layer.events, name).connect(self.later)


def _inside_together(sources: Sequence[AnnotatedSource]) -> tuple[int, ...]:
    """Sum up where unchanged proposals of several sets of labels of an image lie."""
    known = [one.proposed_inside for one in sources if one.proposed]
    return tuple(sum(part) for part in zip(*known, strict=True)) if all(known) else ()
