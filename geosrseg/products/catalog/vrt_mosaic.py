"""VRT mosaic: maps of one CRS as one raster, for GDAL before 3.9, which lacks tile indexes."""

from collections.abc import Sequence
from xml.etree import ElementTree

from geosrseg.core.legend import NODATA, Legend
from geosrseg.products.catalog.catalogued_map import CataloguedMap
from geosrseg.products.catalog.layer_grid import common_grid
from geosrseg.raster.files.grid import Grid

SUFFIX = ".vrt"

BLOCK = 512
"""Block size of the maps."""


def vrt_mosaic(maps: Sequence[CataloguedMap], legend: Legend) -> str:
    """The text of a VRT file that is to be written beside the maps.

    Args:
        maps: maps of one CRS with grids; later ones are on top where several have a class.
        legend: the common legend of all maps.
    """
    grids = [item.grid for item in maps if item.grid is not None]
    grid = common_grid(grids)
    root = ElementTree.Element(
        "VRTDataset", rasterXSize=str(grid.width), rasterYSize=str(grid.height)
    )
    srs = ElementTree.SubElement(root, "SRS", dataAxisToSRSAxisMapping=_axes(grid))
    srs.text = grid.crs.to_wkt() if grid.crs else ""
    a, b, c, d, e, f = grid.transform[:6]
    ElementTree.SubElement(root, "GeoTransform").text = ", ".join(map(str, (c, a, b, f, d, e)))
    band = ElementTree.SubElement(root, "VRTRasterBand", dataType="Byte", band="1")
    ElementTree.SubElement(band, "Description").text = "class"
    ElementTree.SubElement(band, "NoDataValue").text = str(NODATA)
    ElementTree.SubElement(band, "ColorInterp").text = "Palette"
    _add_colours(band, legend)
    for item, own in zip(maps, grids, strict=True):
        _add_source(band, item, own, grid)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _axes(grid: Grid) -> str:
    """Map the file's axes x and y to those of the CRS, which may start with latitude."""
    return "2,1" if grid.crs is not None and grid.crs.is_geographic else "1,2"


def _add_colours(band: ElementTree.Element, legend: Legend) -> None:
    table = ElementTree.SubElement(band, "ColorTable")
    names = ElementTree.Element("CategoryNames")
    named = {item.id: item for item in legend.classes}
    for value in range(max(named) + 1):
        entry = named.get(value)
        red, green, blue = entry.rgb if entry else (0, 0, 0)
        ElementTree.SubElement(
            table, "Entry", c1=str(red), c2=str(green), c3=str(blue), c4="255" if entry else "0"
        )
        ElementTree.SubElement(names, "Category").text = entry.name if entry else ""
    band.append(names)


def _add_source(band: ElementTree.Element, item: CataloguedMap, own: Grid, grid: Grid) -> None:
    """Add a map at its place; maps below show through its nodata."""
    source = ElementTree.SubElement(band, "ComplexSource")
    # GDAL drops spaces at the start of a text.
    name = f"./{item.file}" if item.file[0].isspace() else item.file
    ElementTree.SubElement(source, "SourceFilename", relativeToVRT="1").text = name
    ElementTree.SubElement(source, "SourceBand").text = "1"
    size = {"RasterXSize": str(own.width), "RasterYSize": str(own.height)}
    block = {"DataType": "Byte", "BlockXSize": str(BLOCK), "BlockYSize": str(BLOCK)}
    ElementTree.SubElement(source, "SourceProperties", size | block)
    whole = {"xOff": "0", "yOff": "0", "xSize": str(own.width), "ySize": str(own.height)}
    ElementTree.SubElement(source, "SrcRect", whole)
    left, bottom, right, top = own.bounds
    (col, row), (stop, row_stop) = (
        ~grid.transform @ corner for corner in ((left, top), (right, bottom))
    )
    place = {"xOff": col, "yOff": row, "xSize": stop - col, "ySize": row_stop - row}
    ElementTree.SubElement(source, "DstRect", {key: _number(value) for key, value in place.items()})
    ElementTree.SubElement(source, "NODATA").text = str(NODATA)


def _number(value: float) -> str:
    """A position in pixels, as an integer if it is one up to rounding errors."""
    return str(round(value) if abs(value - round(value)) < 1e-6 else value)
