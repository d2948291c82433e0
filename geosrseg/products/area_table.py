"""The area table: the areas of a class map as CSV."""

from pathlib import Path
from typing import Any

from geosrseg.core.text.csv_text import write_rows
from geosrseg.errors import OutputError
from geosrseg.products.areas import Areas
from geosrseg.products.asset import Asset
from geosrseg.products.product_file import FinishedMap, ProductFile
from geosrseg.raster.files.gdal import reason
from geosrseg.raster.storage.publication import check_output, open_drafts, publish

SUFFIXES = (".csv",)


class AreaTable(ProductFile):
    """The area table as a product of `predict`."""

    suffixes = SUFFIXES

    def asset(self, path: Path) -> Asset:
        """See `ProductFile.asset`."""
        return Asset(title="Area of each class", media_type="text/csv", roles=("metadata",))

    def write(self, path: Path, finished: FinishedMap, options: Any) -> None:
        """See `ProductFile.write`."""
        write_areas(path, finished.areas, overwrite=True)


def write_areas(path: str | Path, areas: Areas, *, overwrite: bool = False) -> None:
    """Write one line a class, in the legend's order, below a line of names.

    UTF-8, a comma between and a point inside numbers; what is not known is empty. The names
    are those of `ClassArea.to_json`.

    Args:
        path: the output, ``.csv``.
        areas: what to write.
        overwrite: replace an existing file.

    Raises:
        OutputError: the output cannot be written.
    """
    path = Path(path)
    check_output(path, suffixes=SUFFIXES, overwrite=overwrite)
    rows = [item.to_json() for item in areas.classes]
    with open_drafts(path) as folder:
        draft = folder / path.name
        try:
            with draft.open("w", encoding="utf-8", newline="") as file:
                write_rows(file, [rows[0].keys(), *(row.values() for row in rows)])
        except OSError as error:
            raise OutputError(f"{path}: cannot be written ({reason(error)})") from error
        publish([draft], path)
