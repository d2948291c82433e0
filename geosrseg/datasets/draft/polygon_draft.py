"""Polygon draft: the classes of a polygon file, and the column that holds them."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.legend import even_colour
from geosrseg.datasets.draft.class_draft import MANY, ClassDraft, DraftedClass
from geosrseg.errors import DatasetError, OutputError
from geosrseg.raster.files.features import read_columns


def draft_polygons(path: Path, *, column: str | None = None) -> ClassDraft:
    """Draft a class for each value of a column.

    Args:
        path: any vector file that pyogrio reads.
        column: column with the class of each polygon; None takes the only possible one.

    Raises:
        DatasetError: the file cannot be read, or the column is ambiguous or unusable.
        MissingExtraError: the extra ``gis`` is not installed.
    """
    try:
        columns = read_columns(path)
    except OutputError as error:
        raise DatasetError(str(error)) from error
    if column is not None and column not in columns:
        raise DatasetError(
            f"{path} has no column {column!r}, only {', '.join(columns) or 'none'}: choose "
            "another, `column=NAME`"
        )
    held = {name: found for name, values in columns.items() if (found := _classes(values))}
    fitting = [column] if column is not None else [*held]
    if len(fitting) != 1:
        raise DatasetError(
            f"{path} has the columns {', '.join(columns) or 'none'}, and "
            f"{'several' if fitting else 'none'} of them can hold classes: choose one, "
            "`column=NAME`"
        )
    classes = held.get(fitting[0] or "")
    if not classes:
        raise DatasetError(
            f"{path}: column {column} does not hold 2 to {MANY} different texts or whole "
            "numbers: choose another, `column=NAME`"
        )
    return ClassDraft(
        classes=tuple(
            DraftedClass(
                id=number,
                name=text,
                reference=text,
                values=frozenset(),
                colour=even_colour(number - 1, len(classes)),
            )
            for number, text in enumerate(classes, 1)
        ),
        column=fitting[0] or "",
        remarks=(
            'ground between polygons is ignored; elsewhere = "NAME" in [polygons] gives it a class',
        ),
    )


def _classes(values: NDArray[Any]) -> list[str]:
    """Return the distinct values of a column as texts; none where it cannot hold classes."""
    if values.dtype.kind == "f":
        whole = values[np.isfinite(values)]
        if not len(whole) or (whole != np.floor(whole)).any():
            return []
        values = whole.astype(np.int64)
    if values.dtype.kind not in "OiuU":
        return []
    texts = sorted({str(value).strip() for value in values.tolist() if value is not None} - {""})
    return texts if 2 <= len(texts) <= MANY else []
