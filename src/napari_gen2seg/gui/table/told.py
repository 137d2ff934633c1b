"""What a journal tells of objects, written into their table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from napari_gen2seg.core.objects.table import ObjectTable

if TYPE_CHECKING:
    from napari_gen2seg.core.objects.table import Origin as Kind
    from napari_gen2seg.project.origin import Origin


def tell(
    table: ObjectTable, origins: Mapping[int, Origin], classes: Mapping[int, str]
) -> ObjectTable:
    """Return a table with certainty, origin and class of its objects.

    Parameters
    ----------
    table
        As measured; whatever is not told of is by hand.
    origins, classes
        Of a journal, by object; others may be in them.
    """
    by_kind: dict[Kind, list[int]] = {}
    for number, origin in origins.items():
        by_kind.setdefault(kind_of(origin), []).append(number)
    for kind, numbers in by_kind.items():
        scores = [origins[n].score for n in numbers]
        rates = np.asarray([np.nan if s is None else s for s in scores], float)
        table = table.marked(numbers, origin=kind, certainty=rates)
    by_class: dict[str, list[int]] = {}
    for number, name in classes.items():
        by_class.setdefault(name, []).append(number)
    for name, numbers in by_class.items():
        table = table.marked(numbers, kind=name)
    return table


def kind_of(origin: Origin) -> Kind:
    """Return the word of the table for an origin of the journal."""
    if origin.who == "human":
        return "clicked" if origin.points else "by hand"
    return origin.who
