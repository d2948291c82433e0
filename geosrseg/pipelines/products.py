"""Products: what is made from a finished class map.

Styles always stand beside the map, for they cost nothing. All else is asked for by naming
its file.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geosrseg.core.areas import AreaCounter, Areas
from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.core.spec import ModelSpec
from geosrseg.errors import OutputError
from geosrseg.extras import extra
from geosrseg.pipelines.painter import CLASSES, CONFIDENCE
from geosrseg.raster import area_table, quicklook, style
from geosrseg.raster.grid import Grid
from geosrseg.raster.ground_area import pixel_areas
from geosrseg.raster.publication import check_output, open_drafts
from geosrseg.raster.scene import Scene
from geosrseg.raster.strips import open_strips


@dataclass(frozen=True, slots=True, kw_only=True)
class Products:
    """What is wanted besides the layers.

    Attributes:
        quicklook: a PNG of scene and map.
        areas: a CSV of the classes' areas.
        vector: the map's polygons.
        min_area: square metres of the smallest polygon.
        simplify: tolerance of the polygons' borders, in units of the CRS.
        count_areas: count the areas though no product needs them.
    """

    quicklook: Path | None = None
    areas: Path | None = None
    vector: Path | None = None
    min_area: float | None = None
    simplify: float | None = None
    count_areas: bool = False

    def __post_init__(self) -> None:
        for option, value in (("--min-area", self.min_area), ("--simplify", self.simplify)):
            if value is not None and self.vector is None:
                raise OutputError(f"{option} is for polygons: name their file with --vector")
            if value is not None and not 0 < value < np.inf:
                raise OutputError(f"{option} {value:g}: expected a number above 0")

    def check(self, class_map: Path, *, overwrite: bool) -> None:
        """Refuse before hours of work what would be refused after them.

        Raises:
            OutputError: a file cannot be written.
            MissingExtraError: a package is not installed.
        """
        for path in style.style_paths(class_map):
            check_output(path, suffixes=style.SUFFIXES, overwrite=overwrite)
        for path, suffixes in self._suffixes():
            check_output(path, suffixes=suffixes, overwrite=overwrite)
            with open_drafts(path):
                pass  # its folder can be written

    def check_grid(self, grid: Grid) -> None:
        """Refuse polygons that a map on this grid cannot have.

        Raises:
            OutputError: they need a CRS, and the grid has none that does.
        """
        if self.vector is not None:
            with extra("gis"):
                from geosrseg.raster.vector import check_polygons
            check_polygons(self.vector, grid=grid, min_area=self.min_area)

    def files(self) -> list[Path]:
        """The files that are asked for."""
        return [path for path, _ in self._suffixes()]

    def _suffixes(self) -> Iterator[tuple[Path, Sequence[str]]]:
        if self.quicklook is not None:
            yield self.quicklook, quicklook.SUFFIXES
        if self.areas is not None:
            yield self.areas, area_table.SUFFIXES
        if self.vector is not None:
            with extra("gis"):
                from geosrseg.raster.vector import SUFFIXES
            yield self.vector, SUFFIXES


def write_products(
    wanted: Products,
    layers: Mapping[str, Path],
    *,
    scene: Scene,
    spec: ModelSpec,
    overwrite: bool = False,
) -> Areas | None:
    """Make all that is wanted from layers that are finished.

    Args:
        wanted: what to make.
        layers: the file of each layer, the class map's among them.
        scene: the open scene.
        spec: of the model.
        overwrite: replace existing files.

    Returns:
        The areas, if they were counted.

    Raises:
        GeosrsegError: a layer or the scene cannot be read, or a product cannot be written.
    """
    class_map = layers[CLASSES]
    style.write_styles(class_map, spec.legend, overwrite=overwrite)
    areas = None
    if wanted.areas is not None or wanted.count_areas:
        areas = measure_areas(class_map, spec)
    if wanted.areas is not None and areas is not None:
        area_table.write_areas(wanted.areas, areas, overwrite=overwrite)
    if wanted.quicklook is not None:
        quicklook.write_quicklook(
            wanted.quicklook,
            scene=scene,
            class_map_path=class_map,
            legend=spec.legend,
            overwrite=overwrite,
        )
    if wanted.vector is not None:
        with extra("gis"):
            from geosrseg.raster.vector import write_polygons
        write_polygons(
            class_map,
            wanted.vector,
            legend=spec.legend,
            confidence_path=layers.get(CONFIDENCE),
            min_area=wanted.min_area,
            simplify=wanted.simplify,
            overwrite=overwrite,
        )
    return areas


def measure_areas(class_map: Path, spec: ModelSpec) -> Areas:
    """Count the areas of a finished class map, in one reading.

    Raises:
        OutputError: it cannot be read.
    """
    with open_strips(class_map) as strips:
        counter = AreaCounter(spec.legend, pixel_areas(strips.grid))
        for strip in strips:
            counter.add(strip.labels, strip.row_off)
    return counter.areas(ConfusionMatrix(np.array(spec.confusion)) if spec.confusion else None)
