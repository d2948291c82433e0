"""Products: what is made from a finished class map.

Styles always stand beside the map, for they cost nothing. All else is asked for by naming
its file.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from rasterio.crs import CRS

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.core.legend import Legend
from geosrseg.core.spec import ModelSpec
from geosrseg.errors import OutputError
from geosrseg.extras import extra
from geosrseg.products import area_table, quicklook
from geosrseg.products.areas import AreaCounter, Areas
from geosrseg.products.ground_area import pixel_areas
from geosrseg.products.page import map_page
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.files.publication import check_output, open_drafts
from geosrseg.raster.landsat.acquisition import acquisition_date
from geosrseg.raster.maps import style
from geosrseg.raster.maps.layers import CLASSES, CONFIDENCE
from geosrseg.raster.maps.strips import open_strips
from geosrseg.raster.scene import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Products:
    """What is wanted besides the layers.

    Attributes:
        quicklook: a PNG of scene and map.
        areas: a CSV of the classes' areas.
        report: an HTML page to look at.
        stac: a STAC item of the map and all its files.
        vector: the map's polygons.
        min_area: square metres of the smallest polygon.
        simplify: tolerance of the polygons' borders, in units of the CRS.
        count_areas: count the areas though no product needs them.
    """

    quicklook: Path | None = None
    areas: Path | None = None
    report: Path | None = None
    stac: Path | None = None
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

    def check(self, class_map: Path, *, replaced: Callable[[Path], bool]) -> None:
        """Refuse before hours of work what would be refused after them.

        Args:
            class_map: the map.
            replaced: whether a file may be replaced.

        Raises:
            OutputError: a file cannot be written.
            MissingExtraError: a package is not installed.
        """
        for path in style.style_paths(class_map):
            check_output(path, suffixes=style.SUFFIXES, overwrite=replaced(path))
        for name, path in self.named().items():
            check_output(path, suffixes=_suffixes(name), overwrite=replaced(path))
            with open_drafts(path):
                pass  # its folder can be written

    def check_grid(self, grid: Grid) -> None:
        """Refuse polygons that a map on this grid cannot have.

        Raises:
            OutputError: they need a CRS, and the grid has none that does.
        """
        if self.vector is not None:
            with extra("gis"):
                from geosrseg.products.polygons.vector import check_polygons
            check_polygons(self.vector, grid=grid, min_area=self.min_area)

    def named(self) -> dict[str, Path]:
        """The files that are asked for, by the attribute that names them."""
        names = ("quicklook", "areas", "report", "vector", "stac")
        files = {name: getattr(self, name) for name in names}
        return {name: path for name, path in files.items() if path is not None}

    def files(self) -> list[Path]:
        """The files that are asked for."""
        return list(self.named().values())

    @property
    def needs_areas(self) -> bool:
        """Whether the map has to be read for its areas."""
        return self.count_areas or not self.named().keys().isdisjoint(("areas", "report", "stac"))


def _suffixes(name: str) -> Sequence[str]:
    """What the name of a product's file may end in.

    Raises:
        MissingExtraError: a package that the product needs is not installed.
    """
    if name == "vector":
        with extra("gis"):
            from geosrseg.products.polygons import vector
        return vector.SUFFIXES
    if name == "stac":
        with extra("gis"):
            from geosrseg.products.stac import map_item
        return map_item.SUFFIXES
    modules = {"quicklook": quicklook, "areas": area_table, "report": map_page}
    return modules[name].SUFFIXES


def write_products(
    wanted: Products,
    layers: Mapping[str, Path],
    *,
    scene: Scene,
    spec: ModelSpec,
    tags: Mapping[str, str],
    options: Mapping[str, str],
    overwrite: bool = False,
) -> Areas | None:
    """Make all that is wanted from layers that are finished.

    Args:
        wanted: what to make.
        layers: the file of each layer, the class map's among them.
        scene: the open scene.
        spec: of the model.
        tags: what the layers say of their making.
        options: how they were made, for the page.
        overwrite: replace existing files.

    Returns:
        The areas, if they were counted.

    Raises:
        GeosrsegError: a layer or the scene cannot be read, or a product cannot be written.
    """
    class_map, legend = layers[CLASSES], spec.legend
    style.write_styles(class_map, legend, overwrite=overwrite)
    sampled = not scene.header.unlike  # else the confusion matrix is of another population
    areas = measure_areas(class_map, spec, adjusted=sampled) if wanted.needs_areas else None
    if wanted.areas is not None and areas is not None:
        area_table.write_areas(wanted.areas, areas, overwrite=overwrite)
    if wanted.report is not None and areas is not None:
        map_page.write_page(
            wanted.report,
            scene=scene,
            class_map_path=class_map,
            legend=legend,
            areas=areas,
            facts=list(_facts(scene, spec, tags, options)),
            cautions=_cautions(scene, spec, areas),
            generator=tags["TIFFTAG_SOFTWARE"],
            overwrite=overwrite,
        )
    if wanted.quicklook is not None:
        quicklook.write_quicklook(
            wanted.quicklook,
            scene=scene,
            class_map_path=class_map,
            legend=legend,
            caution="; ".join(scene.header.unlike),
            overwrite=overwrite,
        )
    if wanted.vector is not None:
        _write_vector(wanted, layers, legend, overwrite=overwrite)
    if wanted.stac is not None and areas is not None:
        _write_item(wanted, layers, areas, scene=scene, spec=spec, tags=tags, overwrite=overwrite)
    return areas


def _write_vector(
    wanted: Products, layers: Mapping[str, Path], legend: Legend, *, overwrite: bool
) -> None:
    with extra("gis"):
        from geosrseg.products.polygons.vector import write_polygons
    write_polygons(
        layers[CLASSES],
        wanted.named()["vector"],
        legend=legend,
        confidence_path=layers.get(CONFIDENCE),
        min_area=wanted.min_area,
        simplify=wanted.simplify,
        overwrite=overwrite,
    )


def _write_item(
    wanted: Products,
    layers: Mapping[str, Path],
    areas: Areas,
    *,
    scene: Scene,
    spec: ModelSpec,
    tags: Mapping[str, str],
    overwrite: bool,
) -> None:
    """The STAC item, which lists all other files and so comes last."""
    with extra("gis"):
        from geosrseg.products.stac.map_item import write_map_item
    products = wanted.named()
    item = products.pop("stac")
    qml, sld = style.style_paths(layers[CLASSES])
    write_map_item(
        item,
        {**layers, "qml": qml, "sld": sld, **products},
        legend=spec.legend,
        areas=areas,
        source=scene.location,
        taken=acquisition_date(scene),
        properties={
            name.lower().replace("geosrseg_", "geosrseg:"): value
            for name, value in tags.items()
            if name.startswith("GEOSRSEG_")
        },
        licence=spec.licence,
        overwrite=overwrite,
    )


def _cautions(scene: Scene, spec: ModelSpec, areas: Areas) -> list[str]:
    """What the figures of a map mean, and what they do not."""
    said = [
        f"The scene is unlike what the model learned from: {text}." for text in scene.header.unlike
    ]
    counted = "Areas are those of the map's pixels, its errors included."
    if any(item.estimate for item in areas.classes):
        counted += (
            f" The adjusted ones allow for the errors that {spec.name} makes on its own validation "
            "pixels; they hold only as far as the errors are the same here."
        )
    elif said and spec.confusion:
        counted += " They are not adjusted: the model's known errors are those of other scenes."
    return [*said, counted]


def measure_areas(class_map: Path, spec: ModelSpec, *, adjusted: bool = True) -> Areas:
    """Count the areas of a finished class map, in one reading.

    Args:
        class_map: its file.
        spec: of the model that made it.
        adjusted: estimate the areas from the model's confusion matrix too, where it has one.

    Raises:
        OutputError: it cannot be read.
    """
    with open_strips(class_map) as strips:
        counter = AreaCounter(spec.legend, pixel_areas(strips.grid))
        for strip in strips:
            counter.add(strip.labels, strip.row_off)
    known = adjusted and spec.confusion
    return counter.areas(ConfusionMatrix(np.array(spec.confusion)) if known else None)


def _facts(
    scene: Scene, spec: ModelSpec, tags: Mapping[str, str], options: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """How a map was made, for its page."""
    taken = acquisition_date(scene)
    grid = scene.grid
    yield "Scene", tags["GEOSRSEG_INPUT"]
    yield "Taken on", "" if taken is None else taken.isoformat()
    yield "Bands", ", ".join(scene.band_names)
    yield "Coordinate system", "" if grid.crs is None else _crs_name(grid.crs)
    yield "Pixels", f"{spec.upscale_factor} times finer than the scene's, along each axis"
    yield "Model", tags["GEOSRSEG_MODEL"]
    yield "Model file (SHA-256)", tags["GEOSRSEG_MODEL_SHA256"]
    yield "Trained on", spec.training_data
    yield "Its limits", spec.limits
    yield from options.items()
    yield "Licence", spec.licence
    yield "Made with", tags["TIFFTAG_SOFTWARE"]
    yield "Made on", datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")


def _crs_name(crs: CRS) -> str:
    code = crs.to_epsg()
    name = crs.to_dict(projjson=True).get("name", "")
    return name if code is None else f"{name} (EPSG:{code})"
