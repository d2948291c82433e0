"""Makes the products of `predict` from any class map: report page, quicklook and STAC item."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import rasterio

from geosrseg.errors import OutputError
from geosrseg.products.asset import Asset, MapFile
from geosrseg.products.product_file import FinishedMap
from geosrseg.products.products import PRODUCTS
from geosrseg.products.writing import STYLES
from geosrseg.raster.maps.class_map import RUN_TAGS, ClassMap, open_class_map, plain_class_map
from geosrseg.raster.maps.map_on_grid import pixel_shift
from geosrseg.raster.maps.style import ramp_path, style_paths
from geosrseg.raster.scene import Scene
from geosrseg.raster.storage.gdal import GDAL_ERRORS, unreferenced_allowed
from geosrseg.raster.storage.location import Location
from geosrseg.raster.storage.publication import check_output
from geosrseg.raster.survey import open_for_display


def report(
    class_map: str | Path,
    output: str | Path,
    *,
    scene: str | Path | None = None,
    legend: str | Path | None = None,
    title: str = "",
    overwrite: bool = False,
) -> None:
    """Write the report page of a class map: one HTML file with map, legend and areas.

    Args:
        class_map: a map of classes, see `open_class_map`.
        output: ``.html``.
        scene: scene that the map was made from, to swipe between the two.
        legend: a legend file for the map.
        title: heading; the name of the scene or else of the map by default.

    Raises:
        OutputError: the map cannot be read, the scene covers other ground, or the output cannot
            be written.
        SceneError: the scene cannot be read.
    """
    _make("report", class_map, output, scene=scene, legend=legend, title=title, overwrite=overwrite)


def quicklook(
    class_map: str | Path,
    output: str | Path,
    *,
    scene: str | Path | None = None,
    legend: str | Path | None = None,
    title: str = "",
    overwrite: bool = False,
) -> None:
    """Draw a class map with its legend, beside the scene, as ``.png``; see `report`."""
    _make(
        "quicklook", class_map, output, scene=scene, legend=legend, title=title, overwrite=overwrite
    )


def stac(
    class_map: str | Path,
    output: str | Path,
    *,
    scene: str | Path | None = None,
    legend: str | Path | None = None,
    overwrite: bool = False,
) -> None:
    """Write the STAC item of a class map, its styles and layers, as ``.json``; see `report`.

    Raises:
        MissingExtraError: the extra ``gis`` is not installed.
    """
    _make("stac", class_map, output, scene=scene, legend=legend, overwrite=overwrite)


def _make(
    name: str,
    class_map: str | Path,
    output: str | Path,
    *,
    scene: str | Path | None,
    legend: str | Path | None,
    title: str = "",
    overwrite: bool,
) -> None:
    product, output = PRODUCTS.load(name)(), Path(output)
    check_output(output, suffixes=product.suffixes, overwrite=overwrite)
    opened = open_class_map(class_map, legend=legend)
    with ExitStack() as stack:
        plain = stack.enter_context(plain_class_map(opened, output.parent, overviews=True))
        finished = FinishedMap(
            legend=opened.legend,
            files=_files(opened),
            tags=opened.tags,
            scene=None if scene is None else stack.enter_context(_open_scene(scene, opened)),
            plain=plain,
            title=title,
        )
        product.check(output, opened.grid, None)
        product.write(output, finished, None)


def _files(class_map: ClassMap) -> dict[str, MapFile]:
    """Return the map, its styles, and the layers from the same run beside it."""
    path = class_map.path
    files = {"classes": MapFile(path, Asset(title="Class map"))}
    for layer in sorted(path.parent.glob(f"{path.stem}.*{path.suffix}")):
        if title := _title_of_layer(layer, class_map):
            key = layer.name.removeprefix(f"{path.stem}.").removesuffix(path.suffix)
            files[key] = MapFile(layer, Asset(title=title))
            if ramp_path(layer).is_file():
                files[f"{key}_qml"] = MapFile(ramp_path(layer), STYLES["qml"])
    for (kind, asset), file in zip(STYLES.items(), style_paths(path), strict=True):
        if file.is_file():
            files[kind] = MapFile(file, asset)
    return files


def _title_of_layer(path: Path, class_map: ClassMap) -> str:
    """Return the title of a layer; empty if it is not from the same run as the map."""
    try:
        with unreferenced_allowed(), rasterio.open(path, driver="GTiff") as dataset:
            tags = dataset.tags()
            names = ", ".join(filter(None, dataset.descriptions))
    except GDAL_ERRORS:
        return ""
    wanted = [class_map.tags.get(name) for name in RUN_TAGS]
    same = None not in wanted and wanted == [tags.get(name) for name in RUN_TAGS]
    return tags.get("TIFFTAG_IMAGEDESCRIPTION") or names or path.name if same else ""


@contextmanager
def _open_scene(scene: str | Path, class_map: ClassMap) -> Iterator[Scene]:
    """Open the scene; refuse one that covers other ground than the map."""
    with open_for_display(Location.of(scene)) as opened:
        grid = class_map.grid
        finer = opened.grid.refined(max(grid.width // opened.grid.width, 1))
        same_size = (finer.height, finer.width) == (grid.height, grid.width)
        if not same_size or pixel_shift(finer, grid) != (0, 0):
            raise OutputError(
                f"{opened.location}: does not cover the ground of {class_map.path}, pixel by "
                "pixel: give the scene that the map was made from, or none"
            )
        yield opened
