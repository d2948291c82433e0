"""ClassMap: reads a finished class map, from geosrseg or any other program.

Accepts any GeoTIFF with one band of whole numbers. The classes come from a legend file, from the
sidecar (raster attribute table or category names), or else from the values that occur and the
colour table.
"""

from collections.abc import Iterator, Mapping, Sequence
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
"""Pixels of a map held in memory at once."""

CERTAINTY = 250
"""Stored value of probability 1."""

RUN_TAGS = ("GEOSRSEG_INPUT", "GEOSRSEG_MODEL_SHA256")
"""Tags that all layers of one map share."""

_INTEGERS = ("uint8", "int8", "uint16", "int16", "uint32", "int32")


@dataclass(frozen=True, slots=True)
class ClassMap:
    """A class map that can be read.

    Attributes:
        nodata: the declared nodata value; None if the file declares none.
        tags: metadata tags of the file, among them those about the run that made it.
        ignored: further values that are no data, by a legend file.
    """

    path: Path
    grid: Grid
    legend: Legend
    nodata: int | None
    tags: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[int, ...] = ()

    @property
    def is_ours(self) -> bool:
        """True if geosrseg wrote the file, and so verified it."""
        return self.tags.get("TIFFTAG_SOFTWARE", "").startswith("geosrseg ")

    @property
    def confidence_path(self) -> Path | None:
        """The confidence layer beside the map; None without one, or if it is another map's."""
        return self._layer_path("confidence")

    @property
    def probabilities_path(self) -> Path | None:
        """The layer of probabilities beside the map; see `confidence_path`."""
        return self._layer_path("probabilities")

    def _layer_path(self, name: str) -> Path | None:
        path = self.path.with_name(f"{self.path.stem}.{name}{self.path.suffix}")
        return path if path.is_file() and self._may_own(path) else None

    def _may_own(self, layer: Path) -> bool:
        """False if the tags of the layer and of the map name different scenes or models.

        The layer may be left over from an earlier run whose map has been replaced.
        """
        try:
            with unreferenced_allowed(), rasterio.open(layer, driver="GTiff") as dataset:
                tags = dataset.tags()
        except GDAL_ERRORS:
            return True  # reading the layer will report the fault
        return all(
            self.tags[name] == tags[name] for name in RUN_TAGS if name in self.tags and name in tags
        )

    def labels(self, values: NDArray[np.integer]) -> NDArray[np.uint8]:
        """Convert values of the file to class ids; nodata becomes NODATA.

        Raises:
            OutputError: a value is neither a class nor nodata.
        """
        empty = (NODATA if self.nodata is None else self.nodata, *self.ignored)
        return as_labels(values, legend=self.legend, empty=empty, name=str(self.path))


def as_labels(
    values: NDArray[np.integer], *, legend: Legend, empty: Sequence[int], name: str
) -> NDArray[np.uint8]:
    """Convert whole numbers to class ids; the values of `empty` become NODATA.

    Raises:
        OutputError: a value is neither a class nor nodata.
    """
    table = np.zeros(256, np.bool_)
    table[list(legend.ids)] = True
    missing = np.isin(values, empty)
    known = (values >= 0) & (values < NODATA)
    labels = np.where(known & ~missing, values, NODATA).astype(np.uint8)
    foreign = ~missing & ~(known & table[labels])
    if foreign.any():
        raise OutputError(
            f"{name}: holds {values[foreign].flat[0]}, which is not a class of its legend "
            f"({', '.join(map(str, legend.ids))}): add it to a legend file, `legend` FILE.toml"
        )
    return labels


def open_class_map(path: str | Path, *, legend: str | Path | None = None) -> ClassMap:
    """Examine a class map.

    Args:
        path: a GeoTIFF with one band of whole numbers.
        legend: a legend file, which overrides the map's own classes.

    Raises:
        OutputError: the map or its legend cannot be read, or the file is not a class map.
    """
    path = Path(path)
    if not path.is_file():
        raise OutputError(f"{path}: {'is a folder' if path.is_dir() else 'no such file'}")
    try:
        check_companions(path)
        with small_cache(), unreferenced_allowed(), rasterio.open(path, driver="GTiff") as dataset:
            check_overviews(dataset)
            if dataset.count != 1 or dataset.dtypes[0] not in _INTEGERS:
                raise OutputError(
                    f"{path}: has {counted(dataset.count, 'band')} of {dataset.dtypes[0]}: "
                    "a class map is one band of whole numbers"
                )
            check_blocks(dataset, (1,))
            grid = Grid.of(dataset)
            nodata = _nodata(dataset)
            rules = None if legend is None else read_legend_file(legend)
            classes = _own_legend(path, dataset) if rules is None else rules.legend
            ignored = () if rules is None else rules.ignored
            return ClassMap(path, grid, classes, nodata, dict(dataset.tags()), ignored)
    except SceneError as error:
        raise OutputError(str(error) if str(path) in str(error) else f"{path}: {error}") from error
    except GDAL_ERRORS as error:
        raise OutputError(f"{path}: cannot be read as a class map ({reason(error)})") from error


def _nodata(dataset: DatasetReader) -> int | None:
    """Return the declared nodata; None for a fraction, which no pixel can have."""
    value = dataset.nodata
    return int(value) if value is not None and float(value).is_integer() else None


def _own_legend(path: Path, dataset: DatasetReader) -> Legend:
    colours = _colours(dataset)
    return read_sidecar_legend(path, colours) or colour_legend(_values(path, dataset), colours)


def _colours(dataset: DatasetReader) -> dict[int, tuple[int, ...]]:
    try:
        return dict(dataset.colormap(1))
    except ValueError:  # no colour table
        return {}


def _values(path: Path, dataset: DatasetReader) -> list[int]:
    """Read the whole map and return the class ids that occur."""
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
        raise OutputError(f"{path}: holds only nodata")
    return sorted(found)


def read_strips(
    class_map: ClassMap, window: Window | None = None
) -> Iterator[tuple[Window, NDArray[np.uint8]]]:
    """Read a class map from top to bottom, a few rows at a time.

    Args:
        class_map: the map to read.
        window: the part to read; None for the whole map.

    Yields:
        The window of the rows, and (rows, cols) class ids or NODATA.

    Raises:
        OutputError: the map cannot be read, or holds a value that is not a class.
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
    """Yield a file of the map as uint8 with NODATA: the map itself, or a temporary copy.

    Args:
        class_map: the map to provide.
        folder: holds the copy until the block ends.
        overviews: require overviews by majority, down to a single block. Those of other programs
            are replaced, because many programs average class ids.

    Raises:
        OutputError: a value is not a class of the legend, or the copy cannot be written.
    """
    with unreferenced_allowed(), rasterio.open(class_map.path, driver="GTiff") as dataset:
        plain = dataset.dtypes[0] == "uint8" and class_map.nodata == NODATA
        plain = plain and not class_map.ignored
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
