"""Writing: checks and writes the product files and styles of a finished map."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from geosrseg.errors import MissingExtraError, SceneError
from geosrseg.products.asset import Asset, MapFile
from geosrseg.products.product_file import FinishedMap
from geosrseg.products.products import PRODUCTS, Products
from geosrseg.raster.files.fingerprint import hash_files
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.maps import style
from geosrseg.raster.maps.qml import Ramp
from geosrseg.raster.storage.publication import check_output, open_drafts

STYLES = {
    "qml": Asset(title="Style for QGIS", media_type="application/xml", roles=("metadata",)),
    "sld": Asset(title="Style for map servers", media_type="application/xml", roles=("metadata",)),
}
"""Assets of the styles, which are written beside every layer of class ids."""


def check_products(requested: Products, *, replaced: Callable[[Path], bool]) -> None:
    """Refuse products that cannot be written, before hours of work.

    Args:
        replaced: tells whether a file may be replaced.

    Raises:
        OutputError: a file cannot be written.
        MissingExtraError: a product needs a package that is not installed.
    """
    for name, path in requested.files.items():
        check_output(path, suffixes=PRODUCTS.load(name).suffixes, overwrite=replaced(path))
        with open_drafts(path):
            pass  # proves that its folder is writable


def check_grid(requested: Products, grid: Grid) -> None:
    """Refuse products that cannot be made from a map on this grid.

    Raises:
        OutputError: a product cannot be made.
    """
    for name, path in requested.files.items():
        PRODUCTS.load(name)().check(path, grid, requested.options_of(name))


def write_products(requested: Products, finished: FinishedMap) -> None:
    """Write all products of a map whose layers are finished; existing files are replaced.

    Raises:
        GeosrsegError: a layer or the scene cannot be read, or a product cannot be written.
    """
    products = {name: PRODUCTS.load(name)() for name in requested.files}
    for name in sorted(products, key=lambda name: products[name].comes_last):
        path = requested.files[name]
        products[name].write(path, finished, requested.options_of(name))
        finished.files[name] = MapFile(path, products[name].asset(path))
    if requested.count_areas:
        _ = finished.areas


def map_contents(class_map: Path) -> str:
    """Fingerprint of an existing map; empty if there is none."""
    try:
        return hash_files([class_map]) if class_map.is_file() else ""
    except SceneError:  # a map that cannot be read can still be replaced
        return "unknown"


def left_over(
    class_map: Path, *, before: str, made: Collection[Path], layers: Sequence[Path] = ()
) -> str:
    """Name the files beside a new map that belong to the map it replaced.

    Args:
        class_map: the new map.
        before: `map_contents` of the previous map.
        made: files made with the new map, or unrelated to any map.
        layers: layers of the previous map; its products are found by their names.

    Returns:
        A warning; empty if there are no such files, or the map has not changed.
    """
    if before in ("", map_contents(class_map)):
        return ""
    known = {path.absolute() for path in made}
    products = (class_map.with_suffix(suffix) for suffix in _suffixes())
    older = [path for path in (*layers, *products) if path.absolute() not in known]
    names = [path.name for path in older if path.is_file()]
    if not names:
        return ""
    are, them = ("are", "them") if len(names) > 1 else ("is", "it")
    return (
        f"{', '.join(names)} {are} older than the {class_map.name} that was just made: "
        f"remove {them}, or make {them} again"
    )


def _suffixes() -> Iterator[str]:
    for name in PRODUCTS.names:
        with suppress(MissingExtraError):  # its suffixes are unknown then
            yield from PRODUCTS.load(name).suffixes


def write_ramp_style(finished: FinishedMap, layer: str, ramp: Ramp) -> None:
    """Write the style of a continuous layer beside it; an existing style is replaced.

    Raises:
        OutputError: the style cannot be written.
    """
    path = style.write_ramp_style(finished.files[layer].path, ramp, overwrite=True)
    finished.files[f"{layer}_qml"] = MapFile(path, STYLES["qml"])


def write_styles(finished: FinishedMap, layer: str) -> None:
    """Write the styles of a layer of class ids beside it; existing styles are replaced.

    Raises:
        OutputError: a style cannot be written.
    """
    path = finished.files[layer].path
    style.write_styles(path, finished.legend, overwrite=True)
    for (kind, asset), file in zip(STYLES.items(), style.style_paths(path), strict=True):
        key = kind if path == finished.class_map else f"{layer}_{kind}"
        finished.files[key] = MapFile(file, asset)
