"""The STAC item of a class map and its files."""

import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pystac
import rasterio
from pystac.extensions.classification import ClassificationExtension
from pystac.extensions.file import FileExtension
from pystac.extensions.projection import ProjectionExtension
from rasterio.io import DatasetReader

from geosrseg.core.legend import Legend
from geosrseg.errors import OutputError
from geosrseg.products.areas import Areas
from geosrseg.products.asset import Asset, MapFile
from geosrseg.products.product_file import FinishedMap, ProductFile
from geosrseg.products.stac import terms as stac
from geosrseg.products.stac.footprint import find_footprint
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.storage.gdal import GDAL_ERRORS, reason, unreferenced_allowed
from geosrseg.raster.storage.location import Location
from geosrseg.raster.storage.publication import check_output, publish_text
from geosrseg.regular_file import hash_file

SUFFIXES = (".json",)

RASTERS = (".tif", ".tiff")

RASTER = "https://stac-extensions.github.io/raster/v2.0.0/schema.json"
"""The extension for the scale and offset of a band."""


class MapItem(ProductFile):
    """The item as a product of `predict`, which lists all others."""

    suffixes = SUFFIXES
    comes_last = True

    def asset(self, path: Path) -> Asset:
        return Asset(title="STAC item", media_type="application/geo+json", roles=("metadata",))

    def write(self, path: Path, finished: FinishedMap, options: Any) -> None:
        write_map_item(
            path,
            finished.files,
            legend=finished.legend,
            areas=finished.areas,
            source=finished.scene.location if finished.scene else None,
            taken=finished.taken,
            properties={
                name.lower().replace("geosrseg_", "geosrseg:"): value
                for name, value in finished.tags.items()
                if name.startswith("GEOSRSEG_")
            },
            licence=finished.tags.get("GEOSRSEG_LICENCE", ""),
            overwrite=True,
        )


def write_map_item(
    path: str | Path,
    files: Mapping[str, MapFile],
    *,
    legend: Legend,
    areas: Areas,
    source: Location | None,
    taken: date | None,
    properties: Mapping[str, Any],
    licence: str,
    overwrite: bool = False,
) -> None:
    """Write the item.

    Args:
        path: the output, ``.json``.
        files: the map's files by asset key; the class map has the key `classes`.
        source: the scene; None if it is not available.
        taken: the scene's date. If it is None, the item has the time of its creation, because
            STAC requires a time, and its description says so.
        properties: further properties of the map.
        overwrite: replace an existing item.

    Raises:
        OutputError: a file cannot be read, or the item cannot be written.
    """
    path = Path(path)
    check_output(path, suffixes=SUFFIXES, overwrite=overwrite)
    with _opened(files["classes"].path) as dataset:
        grid = Grid.of(dataset)
    footprint = find_footprint(grid)
    made = datetime.now(UTC).replace(microsecond=0)
    item = pystac.Item(
        id=files["classes"].path.stem,
        geometry=None if footprint is None else footprint.geometry,
        bbox=None if footprint is None else footprint.bbox,
        datetime=made if taken is None else datetime.combine(taken, time(), UTC),
        properties={
            "created": made.isoformat().replace("+00:00", "Z"),
            "license": stac.licence_code(licence),
            **({} if taken else {"description": _NO_DATE}),
            **properties,
        },
    )
    _add_projection(item, grid)
    for key, file in files.items():
        item.add_asset(key, _asset(file, path))
    for key, asset in item.assets.items():
        _add_checksum(asset, files[key].path)
        if files[key].path.suffix.lower() in RASTERS:
            _add_raster(item, asset, files[key].path, grid)
    _add_classes(item.assets["classes"], legend, areas)
    if source is not None:
        href = quote(str(source), safe=_URL) if source.is_remote else _relative(source.path, path)
        item.add_link(pystac.Link(rel="derived_from", target=href, title=source.name))
    text = json.dumps(item.to_dict(include_self_link=False), indent=2, ensure_ascii=False)
    publish_text(path, text + "\n")


_URL = "%/:=&?~#+!$,;'@()*[]"
"""Characters of a URL besides letters and numbers."""

_NO_DATE = "The date of the scene is unknown: the time is that of the map's creation."


@contextmanager
def _opened(path: Path) -> Iterator[DatasetReader]:
    try:
        with unreferenced_allowed(), rasterio.open(path, driver="GTiff") as dataset:
            yield dataset
    except GDAL_ERRORS as error:
        raise OutputError(f"{path}: cannot be read ({reason(error)})") from error


def _add_projection(item: pystac.Item, grid: Grid) -> None:
    if grid.crs is None:
        return
    code = grid.crs.to_epsg()
    ProjectionExtension.ext(item, add_if_missing=True).apply(
        code=None if code is None else f"EPSG:{code}",
        wkt2=grid.crs.to_wkt() if code is None else None,
        bbox=_bbox(grid),
        shape=[grid.height, grid.width],
        transform=list(grid.transform[:6]),
    )


def _bbox(grid: Grid) -> list[float]:
    """Smallest x and y, largest x and y, in the CRS of the grid."""
    left, bottom, right, top = grid.bounds
    return [min(left, right), min(bottom, top), max(left, right), max(bottom, top)]


def _asset(file: MapFile, item_path: Path) -> pystac.Asset:
    said = file.asset
    return pystac.Asset(
        href=_relative(file.path, item_path),
        title=said.title,
        media_type=said.media_type,
        roles=list(said.roles),
    )


def _add_checksum(asset: pystac.Asset, file: Path) -> None:
    try:
        digest = hash_file(file)
        size = file.stat().st_size
    except OSError as error:
        raise OutputError(f"{file}: cannot be read ({reason(error)})") from error
    FileExtension.ext(asset, add_if_missing=True).apply(
        checksum=stac.SHA256_MULTIHASH + digest, size=size
    )


def _add_raster(item: pystac.Item, asset: pystac.Asset, path: Path, common: Grid) -> None:
    """Add the bands of a raster, and its projection if its grid differs from the class map's."""
    with _opened(path) as dataset:
        grid = Grid.of(dataset)
        bands = [_band(dataset, index) for index in range(dataset.count)]
    if common.crs is not None and grid != common:
        ProjectionExtension.ext(asset).apply(
            code=item.properties.get("proj:code"),
            shape=[grid.height, grid.width],
            transform=list(grid.transform[:6]),
            bbox=_bbox(grid),
        )
    asset.extra_fields["bands"] = bands
    if "raster:scale" in bands[0] and RASTER not in item.stac_extensions:
        item.stac_extensions.append(RASTER)


def _band(dataset: DatasetReader, index: int) -> dict[str, Any]:
    """A band in STAC 1.1, from the metadata in the file."""
    nodata, unit = dataset.nodatavals[index], dataset.units[index]
    band: dict[str, Any] = {
        "name": dataset.descriptions[index] or f"band {index + 1}",
        "data_type": dataset.dtypes[index],
    }
    if nodata is not None:
        number = int(nodata) if nodata.is_integer() else nodata
        band["nodata"] = number if math.isfinite(nodata) else str(nodata)  # JSON has no NaN
    if unit:
        band["unit"] = unit
    scaling = dataset.scales[index], dataset.offsets[index]
    if scaling != (1, 0):
        band |= zip(("raster:scale", "raster:offset"), scaling, strict=True)
    return band


def _add_classes(asset: pystac.Asset, legend: Legend, areas: Areas) -> None:
    (band,) = asset.extra_fields["bands"]
    band["name"] = "class"
    nodata = band.get("nodata")
    empty = [stac.nodata_class(nodata)] if isinstance(nodata, int) else []
    named = [item for item in stac.classes(legend, areas) if item.value != nodata]
    ClassificationExtension.ext(asset, add_if_missing=True).apply(classes=[*named, *empty])


def _relative(file: Path, item_path: Path) -> str:
    """A path relative to the item's folder, as a URL reference."""
    try:
        path = Path(os.path.relpath(file.resolve(), item_path.resolve().parent))
        return quote(path.as_posix())
    except ValueError:  # on another drive of Windows
        return file.resolve().as_uri()
