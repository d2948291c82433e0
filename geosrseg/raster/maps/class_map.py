"""ClassMap: a finished map of classes, made here or anywhere else.

Any GeoTIFF of one band of whole numbers is taken. Its classes come from a legend file, from
its sidecar (raster attribute table or category names), or, without names, from the values that
occur and the colours of its colour table.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.io import DatasetReader

from geosrseg.core.legend import NODATA, Legend
from geosrseg.core.text.counted import counted
from geosrseg.core.tiling.windows import Window
from geosrseg.errors import OutputError, SceneError
from geosrseg.raster.files.blocks import check_blocks
from geosrseg.raster.files.grid import Grid, rasterio_window
from geosrseg.raster.maps.cog import build_overviews, halvings, read_row_blocks
from geosrseg.raster.maps.legend_file import colour_legend, read_legend_file, read_sidecar_legend
from geosrseg.raster.storage.companions import check_companions, check_overviews
from geosrseg.raster.storage.gdal import GDAL_ERRORS, reason, small_cache, unreferenced_allowed
from geosrseg.raster.storage.publication import open_drafts

STRIP_PIXELS = 2**21
"""Pixels of a map that memory holds at once."""

CERTAINTY = 250
"""What stands for 1 in a layer of probabilities."""

RUN_TAGS = ("GEOSRSEG_INPUT", "GEOSRSEG_MODEL_SHA256")
"""What the layers of one map have in common."""

_INTEGERS = ("uint8", "int8", "uint16", "int16", "uint32", "int32")


@dataclass(frozen=True, slots=True)
class ClassMap:
    """A class map that can be read.

    Attributes:
        path: the file.
        grid: where its pixels lie.
        legend: its classes.
        nodata: the value where nothing is known; None where the file declares none.
        tags: what the file says of its making.
    """

    path: Path
    grid: Grid
    legend: Legend
    nodata: int | None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_ours(self) -> bool:
        """It was written by this program, which checks what it writes."""
        return self.tags.get("TIFFTAG_SOFTWARE", "").startswith("geosrseg ")

    @property
    def confidence_path(self) -> Path | None:
        """The confidence layer beside it, if it is there and not of another map."""
        return self._layer_path("confidence")

    @property
    def probabilities_path(self) -> Path | None:
        """The layer of probabilities beside it; see `confidence_path`."""
        return self._layer_path("probabilities")

    def _layer_path(self, name: str) -> Path | None:
        path = self.path.with_name(f"{self.path.stem}.{name}{self.path.suffix}")
        return path if path.is_file() and self._may_own(path) else None

    def _may_own(self, layer: Path) -> bool:
        """A layer says of scene and model what the map says, or one of them says nothing.

        An earlier run may have left a layer beside the map that has replaced its own.
        """
        try:
            with unreferenced_allowed(), rasterio.open(layer, driver="GTiff") as dataset:
                tags = dataset.tags()
        except GDAL_ERRORS:
            return True  # whoever reads it says what is wrong
        return all(
            self.tags[name] == tags[name] for name in RUN_TAGS if name in self.tags and name in tags
        )

    def labels(self, values: NDArray[np.integer]) -> NDArray[np.uint8]:
        """The class ids of numbers read from the file; nodata becomes NODATA.

        Raises:
            OutputError: a value is no class of the legend.
        """
        return as_labels(values, legend=self.legend, nodata=self.nodata, name=str(self.path))


def as_labels(
    values: NDArray[np.integer], *, legend: Legend, nodata: int | None, name: str
) -> NDArray[np.uint8]:
    """Class ids of any numbers; nodata becomes NODATA.

    Raises:
        OutputError: a value is neither of the legend nor nodata.
    """
    table = np.zeros(256, np.bool_)
    table[list(legend.ids)] = True
    empty = values == (NODATA if nodata is None else nodata)
    known = (values >= 0) & (values < NODATA)
    labels = np.where(known & ~empty, values, NODATA).astype(np.uint8)
    foreign = ~empty & ~(known & table[labels])
    if foreign.any():
        raise OutputError(
            f"{name}: holds {values[foreign].flat[0]}, which is no class of its legend "
            f"({', '.join(map(str, legend.ids))}): name it in a file, `legend` FILE.toml"
        )
    return labels


def open_class_map(path: str | Path, *, legend: str | Path | None = None) -> ClassMap:
    """Examine a class map.

    Args:
        path: a GeoTIFF of one band of whole numbers.
        legend: a legend file; it goes before what the map says of its classes.

    Raises:
        OutputError: the map or its legend cannot be read, or it is no map of classes.
    """
    path = Path(path)
    if not path.is_file():
        raise OutputError(f"{path}: {'is a folder' if path.is_dir() else 'no such file'}")
    try:
        check_companions(path)
        with small_cache(), unreferenced_allowed(), rasterio.open(path, driver="GTiff") as dataset:
            check_overviews(dataset)
            _check(path, dataset)
            check_blocks(dataset, (1,))
            grid = Grid.of(dataset)
            nodata = _nodata(dataset)
            classes = _legend(path, dataset, legend)
            return ClassMap(path, grid, classes, nodata, dict(dataset.tags()))
    except SceneError as error:
        raise OutputError(str(error) if str(path) in str(error) else f"{path}: {error}") from error
    except GDAL_ERRORS as error:
        raise OutputError(f"{path}: cannot be read as a class map ({reason(error)})") from error


def _nodata(dataset: DatasetReader) -> int | None:
    """The declared value; what is no whole number is of no pixel."""
    value = dataset.nodata
    return int(value) if value is not None and float(value).is_integer() else None


def _check(path: Path, dataset: DatasetReader) -> None:
    if dataset.count != 1 or dataset.dtypes[0] not in _INTEGERS:
        raise OutputError(
            f"{path}: has {counted(dataset.count, 'band')} of {dataset.dtypes[0]}: "
            "a class map is one band of whole numbers"
        )


def _legend(path: Path, dataset: DatasetReader, legend: str | Path | None) -> Legend:
    if legend is not None:
        return read_legend_file(legend).legend
    colours = _colours(dataset)
    return read_sidecar_legend(path, colours) or colour_legend(_values(path, dataset), colours)


def _colours(dataset: DatasetReader) -> dict[int, tuple[int, ...]]:
    try:
        return dict(dataset.colormap(1))
    except ValueError:  # it has none
        return {}


def _values(path: Path, dataset: DatasetReader) -> list[int]:
    """The class ids that occur, found by reading all of the map."""
    found: set[int] = set()
    for (rows,) in read_row_blocks(dataset):
        found.update(np.unique(rows).tolist())
        if len(found) > NODATA + 1:
            break
    found.discard(NODATA if (empty := _nodata(dataset)) is None else empty)
    if len(found) > NODATA or not all(0 <= value < NODATA for value in found):
        raise OutputError(
            f"{path}: holds values such as {max(found)} ({len(found)} distinct): class ids are 0 "
            f"to {NODATA - 1}; is this a class map?"
        )
    if not found:
        raise OutputError(f"{path}: holds nothing but nodata")
    return sorted(found)


def read_strips(
    class_map: ClassMap, window: Window | None = None
) -> Iterator[tuple[Window, NDArray[np.uint8]]]:
    """Read a class map from top to bottom, a few rows at a time.

    Args:
        class_map: the map.
        window: the part to read; None for the whole map.

    Yields:
        Where the rows lie in the map, and (rows, cols) class ids or NODATA.

    Raises:
        OutputError: it cannot be read, or holds a value that is no class.
    """
    whole = window or Window(0, 0, class_map.grid.height, class_map.grid.width)
    step = max(STRIP_PIXELS // whole.width, 1)
    bottom = whole.row_off + whole.height
    with small_cache(), unreferenced_allowed(), rasterio.open(class_map.path) as dataset:
        for row_off in range(whole.row_off, bottom, step):
            strip = Window(row_off, whole.col_off, min(step, bottom - row_off), whole.width)
            try:
                values = dataset.read(1, window=rasterio_window(strip))
            except GDAL_ERRORS as error:
                raise OutputError(f"{class_map.path}: cannot be read ({reason(error)})") from error
            yield strip, class_map.labels(values)


@contextmanager
def plain_class_map(
    class_map: ClassMap, folder: Path, *, overviews: bool = False
) -> Iterator[Path]:
    """The file of a map in the form that products read: uint8, NODATA where nothing is known.

    Args:
        class_map: the map.
        folder: where a map in another form is copied to, until the block ends.
        overviews: it has overviews down to a block, each pixel with the class that most of
            its pixels have. Those of other programs are not trusted: many average the ids.

    Raises:
        OutputError: a value is no class of the legend, or the disk does not take the copy.
    """
    with unreferenced_allowed(), rasterio.open(class_map.path, driver="GTiff") as dataset:
        plain = dataset.dtypes[0] == "uint8" and class_map.nodata == NODATA
        if overviews and halvings(dataset):
            whole = len(dataset.overviews(1)) == halvings(dataset)
            plain = plain and whole and class_map.is_ours
    if plain:
        yield class_map.path
        return
    with ExitStack() as stack:
        try:
            drafts = stack.enter_context(open_drafts(folder / class_map.path.name))
            path = drafts / class_map.path.name
            _write_plain(class_map, path)
            if overviews:
                build_overviews(path, Resampling.mode)
        except GDAL_ERRORS as error:
            raise OutputError(
                f"{folder}: cannot hold a copy of the map ({reason(error)})"
            ) from error
        yield path


def _write_plain(class_map: ClassMap, path: Path) -> None:
    grid = class_map.grid
    profile = {"driver": "GTiff", "dtype": "uint8", "count": 1, "nodata": NODATA, "tiled": True}
    size = {"height": grid.height, "width": grid.width, "compress": "deflate"}
    try:
        with (
            small_cache(),
            unreferenced_allowed(),
            rasterio.open(
                path, "w", crs=grid.crs, transform=grid.transform, bigtiff="IF_SAFER",
                **profile, **size,
            ) as copy,
        ):  # fmt: skip
            for strip, labels in read_strips(class_map):
                copy.write(labels, 1, window=rasterio_window(strip))
    except GDAL_ERRORS as error:
        raise OutputError(f"{path}: cannot be written ({reason(error)})") from error
