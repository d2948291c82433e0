"""MTL values: derives reflectance scales and the grid from a product's metadata."""

import math
from contextlib import suppress
from pathlib import PurePosixPath

from affine import Affine
from rasterio.crs import CRS

from geosrseg.core.text.numerals import parse_integer
from geosrseg.errors import SceneError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.landsat.mtl import MOST_BYTES, Mtl, parse_mtl
from geosrseg.raster.landsat.product_id import ProductId
from geosrseg.raster.storage.location import Location
from geosrseg.raster.storage.product_archive import read_file

FARTHEST = 1e8
"""Metres; no place on Earth is as far from a projection's origin."""

LEVEL_2_SCALE, LEVEL_2_OFFSET = 2.75e-05, -0.2


def reflectance_scales(product: ProductId, mtl: Mtl | None) -> dict[str, tuple[float, float]]:
    """Return band name -> scale and offset.

    Raises:
        SceneError: a Level 1 product lacks its MTL, or the MTL lacks the numbers.
    """
    if mtl is None:
        if product.level == 2:
            return dict.fromkeys(product.numbers, (LEVEL_2_SCALE, LEVEL_2_OFFSET))
        raise SceneError(
            f"{product.text}_MTL.txt is missing: Level 1 needs it to compute reflectance, put it "
            "beside the bands"
        )
    level_2 = "LEVEL2_SURFACE_REFLECTANCE_PARAMETERS"
    group = level_2 if product.level == 2 else "LEVEL1_RADIOMETRIC_RESCALING"
    factor = 1.0 if product.level == 2 else 1 / _sine_of_sun_elevation(mtl)
    return {
        name: (
            mtl.number(group, f"REFLECTANCE_MULT_BAND_{number}") * factor,
            mtl.number(group, f"REFLECTANCE_ADD_BAND_{number}") * factor,
        )
        for name, number in product.numbers.items()
    }


def grid_of_corners(mtl: Mtl) -> Grid | None:
    """Return the grid whose corner pixels have their centres at the MTL's corners.

    Returns None if the projection is neither UTM nor Antarctic polar stereographic, or if the
    corners do not match the numbers of rows and columns.
    """
    group = "PROJECTION_ATTRIBUTES"
    corners = [
        mtl.number(group, f"CORNER_{corner}_PROJECTION_{axis}_PRODUCT")
        for corner, axis in (("UL", "X"), ("UL", "Y"), ("LR", "X"), ("LR", "Y"))
    ]
    left, top, right, bottom = corners
    size = mtl.number(group, "GRID_CELL_SIZE_REFLECTIVE")
    rows = int(mtl.number(group, "REFLECTIVE_LINES"))
    cols = int(mtl.number(group, "REFLECTIVE_SAMPLES"))
    crs = _crs(mtl)
    sides = (cols - 1) * size, (rows - 1) * size
    fits = (right - left, top - bottom) == sides and max(map(abs, corners)) < FARTHEST
    if crs is None or not fits or min(rows, cols) < 1 or size <= 0:
        return None
    transform = Affine(size, 0, left - size / 2, 0, -size, top + size / 2)
    return Grid(crs, transform, rows, cols)


def read_mtl(location: Location) -> Mtl:
    """Read a metadata file.

    Raises:
        SceneError: the file cannot be read, or is not a Collection 2 MTL.
    """
    content = read_file(location, most=MOST_BYTES)
    return parse_mtl(content, suffix=PurePosixPath(location.name).suffix)


def _sine_of_sun_elevation(mtl: Mtl) -> float:
    elevation = mtl.number("IMAGE_ATTRIBUTES", "SUN_ELEVATION")
    if not 0 < elevation <= 90:
        raise SceneError(
            f"its sun elevation is {elevation:g} degrees, expected more than 0: a scene taken "
            "at night has no reflectance"
        )
    return math.sin(math.radians(elevation))


def _crs(mtl: Mtl) -> CRS | None:
    attributes = mtl.groups.get("PROJECTION_ATTRIBUTES", {})
    projection, zone = attributes.get("MAP_PROJECTION"), attributes.get("UTM_ZONE", "")
    if attributes.get("DATUM") != "WGS84":
        return None
    # Landsat uses northern zones everywhere, with negative northings south of the equator.
    if projection == "UTM":
        with suppress(ValueError):
            return CRS.from_epsg(32600 + parse_integer(zone, low=1, high=60))
    if projection == "PS" and attributes.get("TRUE_SCALE_LAT", "").startswith("-71"):
        return CRS.from_epsg(3031)
    return None
