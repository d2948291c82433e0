"""The area table: the areas of a class map as CSV."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from geosrseg.core.text.csv_text import as_csv
from geosrseg.products.areas import HECTARE, Areas
from geosrseg.products.asset import Asset
from geosrseg.products.product_file import FinishedMap, ProductFile
from geosrseg.raster.storage.publication import check_output, publish_text

SUFFIXES = (".csv",)

NOT_MAPPED, TOTAL = "not mapped", "total mapped"
"""Names of the last two rows, which have no class id."""


class AreaTable(ProductFile):
    """The area table as a product of `predict`."""

    suffixes = SUFFIXES

    def asset(self, path: Path) -> Asset:
        return Asset(title="Area of each class", media_type="text/csv", roles=("metadata",))

    def write(self, path: Path, finished: FinishedMap, options: Any) -> None:
        write_areas(path, finished.areas, overwrite=True)


def write_areas(path: str | Path, areas: Areas, *, overwrite: bool = False) -> None:
    """Write the rows of `area_rows` below a header.

    The file is UTF-8, with commas as separators and decimal points; unknown values are empty.

    Args:
        path: the output, ``.csv``.
        overwrite: replace an existing file.

    Raises:
        OutputError: the output cannot be written.
    """
    path = Path(path)
    check_output(path, suffixes=SUFFIXES, overwrite=overwrite)
    rows = list(area_rows(areas))
    publish_text(path, as_csv([rows[0].keys(), *(row.values() for row in rows)]))


def area_rows(areas: Areas) -> Iterator[dict[str, Any]]:
    """One row per class in the legend's order, one for unmapped ground, and the sum of the classes.

    The columns are those of `ClassArea.to_json`; numbers are rounded to the size of a pixel.
    """
    for item in areas.classes:
        yield _rounded(item.to_json(), areas)
    empty = dict.fromkeys(areas.classes[0].to_json())
    lost, total = areas.nodata_square_metres, areas.square_metres
    missing = {"pixels": areas.nodata_pixels, "hectares": None if lost is None else lost / HECTARE}
    yield _rounded({**empty, "class_name": NOT_MAPPED, **missing}, areas)
    mapped = {"pixels": areas.pixels, "hectares": None if total is None else total / HECTARE}
    share = 100.0 if areas.pixels else None
    yield _rounded({**empty, "class_name": TOTAL, **mapped, "percent": share}, areas)


def _rounded(row: dict[str, Any], areas: Areas) -> dict[str, Any]:
    """Round the numbers of a row."""
    decimals = areas.hectare_decimals
    places = {name: decimals for name in row if name.endswith("hectares")} | {"percent": 2}
    return {
        name: round(value, places[name]) if name in places and value is not None else value
        for name, value in row.items()
    }
