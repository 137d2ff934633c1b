"""The table of objects: one row each, kept up to date change by change.

What can be measured is measured (`measure`); certainty, origin and class are told by
whoever made the object. A value: every method returns a new table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.types import Array, Float64Array, LabelArray
from napari_gen2seg.core.objects.measure import (
    MEASURES,
    WHOLE,
    Appearance,
    measure,
    measure_labels,
)
from napari_gen2seg.core.objects.patch import LabelPatch
from napari_gen2seg.core.probe.mask import BBox
from napari_gen2seg.errors import DataError, SettingsError

Origin = Literal["clicked", "proposed", "corrected", "by hand", "imported"]
ORIGINS: tuple[Origin, ...] = get_args(Origin)

#: All columns, in order.
COLUMNS = ("number", *MEASURES, "certainty", "origin", "class")


@dataclass(frozen=True, eq=False)
class ObjectTable:
    """Facts of the objects of one plane.

    Attributes
    ----------
    numbers
        int64 (n,), rising.
    measures
        float64 (n, `MEASURES`).
    certainty
        float64 (n,), 0..1; NaN where nobody knows.
    origin, kind
        str (n,): one of `ORIGINS`; the class, or "".
    more
        Further columns, (n,) each: what is known of objects beyond the plane.
    """

    numbers: npt.NDArray[np.int64]
    measures: Float64Array
    certainty: Float64Array
    origin: npt.NDArray[np.str_]
    kind: npt.NDArray[np.str_]
    more: Mapping[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.numbers)

    @classmethod
    def of(cls, labels: LabelArray, image: Appearance | None = None) -> ObjectTable:
        """Measure all objects of labels, int (H, W), as if drawn by hand.

        Raises
        ------
        DataError
            If labels and image differ in size.
        """
        numbers, measures = measure_labels(labels, image)
        count = len(numbers)
        return cls(
            numbers,
            measures,
            np.full(count, np.nan),
            np.full(count, "by hand", "U9"),
            np.full(count, "", "U64"),
        )

    def place_of(self, number: int) -> int | None:
        """Return the row of an object, None if it has none."""
        place = int(np.searchsorted(self.numbers, number))
        if place < len(self.numbers) and self.numbers[place] == number:
            return place
        return None

    def box_of(self, number: int) -> BBox:
        """Return (row0, column0, row1, column1), half open, of an object.

        Raises
        ------
        DataError
            If it is not in the table.
        """
        r0, c0, r1, c1 = self.measures[self._place(number), 1:5].astype(int).tolist()
        return r0, c0, r1, c1

    def column(self, name: str) -> Array:
        """Return one of `COLUMNS`, (n,).

        Raises
        ------
        SettingsError
            If there is none of that name.
        """
        told: dict[str, Array] = {
            "number": self.numbers,
            "certainty": self.certainty,
            "origin": self.origin,
            "class": self.kind,
        }
        if name in told:
            return told[name]
        if name in self.more:
            return self.more[name]
        if name not in MEASURES:
            names = ", ".join((*COLUMNS, *self.more))
            raise SettingsError(
                f"There is no column {name!r}; it must be one of {names}."
            )
        values = self.measures[:, MEASURES.index(name)]
        return values.astype(np.int64) if name in WHOLE else values

    def columns(self) -> dict[str, Array]:
        """Return all columns by name, in order."""
        return {name: self.column(name) for name in (*COLUMNS, *self.more)}

    def with_more(self, more: Mapping[str, Array]) -> ObjectTable:
        """Return the table with other further columns, (n,) each."""
        return replace(self, more=dict(more))

    def features(self) -> dict[str, Array]:
        """Return the columns as napari's and its plugins' tables of a Labels layer.

        napari finds a label's row by ``index``; others read ``label``.
        """
        columns = self.columns()
        number = columns.pop("number")
        return {"index": number, "label": number, **columns}

    def row(self, number: int) -> dict[str, Any]:
        """Return the facts of one object by name.

        Raises
        ------
        DataError
            If it is not in the table.
        """
        place = self._place(number)
        return {name: values[place].item() for name, values in self.columns().items()}

    def updated(
        self,
        labels: LabelArray,
        patch: LabelPatch,
        image: Appearance | None = None,
        origin: Origin | None = None,
        certainty: float | None = None,
    ) -> ObjectTable:
        """Return the table after a change, measuring only what changed.

        Parameters
        ----------
        labels
            int (H, W), with the change applied.
        patch
            The change.
        image
            As the table was made with.
        origin, certainty
            Of the objects that are new or changed. If not given, a new one is by hand
            and a changed one stays what it was.
        """
        return self.remeasured(labels, patch.numbers, patch.box, image).marked(
            patch.numbers, origin=origin, certainty=certainty
        )

    def remeasured(
        self,
        labels: LabelArray,
        numbers: Iterable[int],
        box: BBox,
        image: Appearance | None = None,
    ) -> ObjectTable:
        """Return the table with some objects measured anew, without further columns.

        Parameters
        ----------
        labels
            int (H, W), as they are now.
        numbers
            Objects that got or lost pixels; those that are gone lose their row.
        box
            Where that was.
        image
            As the table was made with.
        """
        changed = sorted({int(number) for number in numbers})
        rows, present = [], []
        for number in changed:
            r0, c0, r1, c1 = box
            if self.place_of(number) is not None:
                old = self.box_of(number)
                r0, c0 = min(r0, old[0]), min(c0, old[1])
                r1, c1 = max(r1, old[2]), max(c1, old[3])
            mine = labels[r0:r1, c0:c1] == number
            if mine.any():
                rows.append(measure(mine, (r0, c0), image))
                present.append(number)
        rest = ~np.isin(self.numbers, changed)
        known = [self.place_of(number) for number in present]
        order = np.argsort(np.concatenate([self.numbers[rest], present]))

        def joined(old: Array, new: Sequence[Any]) -> Array:
            return np.concatenate([old[rest], np.asarray(new, old.dtype)])[order]

        def told(values: Array, default: Any) -> Array:
            return joined(
                values, [default if at is None else values[at] for at in known]
            )

        fresh = np.asarray(rows, np.float64).reshape(-1, len(MEASURES))
        return ObjectTable(
            joined(self.numbers, present),
            np.concatenate([self.measures[rest], fresh])[order],
            told(self.certainty, np.nan),
            told(self.origin, "by hand"),
            told(self.kind, ""),
        )

    def marked(
        self,
        numbers: Iterable[int],
        *,
        origin: Origin | None = None,
        certainty: float | npt.ArrayLike | None = None,
        kind: str | None = None,
    ) -> ObjectTable:
        """Return the table with something told of some objects.

        Parameters
        ----------
        numbers
            The objects; those without a row are passed over.
        origin, kind
            Where they come from; their class.
        certainty
            One for all, or one for each, 0..1 or NaN.
        """
        if origin is not None and origin not in ORIGINS:
            raise SettingsError(
                f"The origin is {origin!r}; it must be one of {', '.join(ORIGINS)}."
            )
        asked = np.fromiter(numbers, np.int64)
        places = np.searchsorted(self.numbers, asked)
        there = places < len(self.numbers)
        there[there] = self.numbers[places[there]] == asked[there]
        at = places[there]
        rates, origins, kinds = self.certainty, self.origin, self.kind
        if certainty is not None:
            rates = rates.copy()
            rates[at] = np.broadcast_to(certainty, asked.shape)[there]
        if origin is not None:
            origins = origins.copy()
            origins[at] = origin
        if kind is not None:
            kinds = kinds.copy()
            kinds[at] = kind
        return replace(self, certainty=rates, origin=origins, kind=kinds)

    def summary(self) -> Mapping[str, int]:
        """Return how many objects each origin has, all of `ORIGINS`."""
        return {name: int(np.count_nonzero(self.origin == name)) for name in ORIGINS}

    def _place(self, number: int) -> int:
        place = self.place_of(number)
        if place is None:
            raise DataError(
                f"There is no object {number} in the table; it has {len(self)} objects."
            )
        return place
