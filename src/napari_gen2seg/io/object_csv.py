"""The table of objects as a CSV file that any spreadsheet opens."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from napari_gen2seg.common.atomic import writing
from napari_gen2seg.core.objects.table import ObjectTable

_DIGITS = 6  # significant ones of a measure


def write_objects_csv(path: str | Path, table: ObjectTable) -> None:
    """Write one line an object, with the names of the columns above.

    Parameters
    ----------
    path
        The file; there whole or not at all.
    table
        What is not known of an object is left empty.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    columns = table.columns()
    with writing(path) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in zip(*(values.tolist() for values in columns.values()), strict=True):
            writer.writerow([_cell(value) for value in row])


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.{_DIGITS}g}"
    return value
