"""Styles: writes styles of maps for QGIS (``.qml``) and map servers (``.sld``).

QGIS applies the ``.qml`` beside a file when it opens the file. Most programs read colours from
the class map itself, but many read class names only from a style.
"""

from pathlib import Path
from xml.etree import ElementTree

from geosrseg.core.legend import Legend
from geosrseg.errors import OutputError
from geosrseg.raster.maps.qml import OURS, Ramp, as_text, class_qml, ramp_qml
from geosrseg.raster.storage.gdal import reason
from geosrseg.raster.storage.publication import check_output, publish_text
from geosrseg.regular_file import read_regular

SUFFIXES = (".qml", ".sld")

MOST_BYTES = 2**24
"""Largest style read; with all 255 classes it has about 300 kB."""

_SLD = {
    "xmlns": "http://www.opengis.net/sld",
    "xmlns:ogc": "http://www.opengis.net/ogc",
    "version": "1.0.0",
}


def style_paths(class_map_path: Path) -> tuple[Path, Path]:
    """Return the paths of the two styles, beside the class map."""
    return class_map_path.with_suffix(".qml"), class_map_path.with_suffix(".sld")


def ramp_path(raster: Path) -> Path:
    """Return the path of a measured raster's style."""
    return raster.with_suffix(".qml")


def check_styles(class_map_path: Path, *, overwrite: bool) -> None:
    """Refuse styles that `write_styles` could not write.

    Raises:
        OutputError: see `check_output`.
    """
    for path in style_paths(class_map_path):
        check_output(path, suffixes=SUFFIXES, overwrite=overwrite)


def write_styles(class_map_path: Path, legend: Legend, *, overwrite: bool = False) -> None:
    """Write both styles of a class map, which need not exist.

    Raises:
        OutputError: a style cannot be written, or exists and `overwrite` is false.
    """
    paths = style_paths(class_map_path)
    check_styles(class_map_path, overwrite=overwrite)
    publish_text(paths[0], class_qml(legend))
    publish_text(paths[1], as_text(_sld(legend, class_map_path.stem)))


def write_ramp_style(raster: Path, ramp: Ramp, *, overwrite: bool = False) -> Path:
    """Write the ``.qml`` of a raster whose first band holds measurements, and return its path.

    Raises:
        OutputError: the style cannot be written, or exists and `overwrite` is false.
    """
    path = ramp_path(raster)
    check_output(path, suffixes=SUFFIXES, overwrite=overwrite)
    publish_text(path, ramp_qml(ramp))
    return path


def write_polygon_style(polygons: Path, legend: Legend) -> None:
    """Write the ``.qml`` of polygons of a class map; keep an existing one not by geosrseg.

    Raises:
        OutputError: the style cannot be written.
    """
    path = polygons.with_suffix(".qml")
    try:
        if path.exists() and OURS.encode() not in read_regular(path, limit=MOST_BYTES):
            return
    except (OSError, ValueError) as error:
        raise OutputError(f"{path}: cannot be read ({reason(error)})") from error
    publish_text(path, class_qml(legend))


def _sld(legend: Legend, name: str) -> ElementTree.Element:
    """Build SLD 1.0 with a colour map of values, as GeoServer reads it."""
    root = ElementTree.Element("StyledLayerDescriptor", _SLD)
    layer = ElementTree.SubElement(root, "NamedLayer")
    ElementTree.SubElement(layer, "Name").text = name
    style = ElementTree.SubElement(layer, "UserStyle")
    ElementTree.SubElement(style, "Name").text = name
    rule = ElementTree.SubElement(ElementTree.SubElement(style, "FeatureTypeStyle"), "Rule")
    symbolizer = ElementTree.SubElement(rule, "RasterSymbolizer")
    colours = ElementTree.SubElement(symbolizer, "ColorMap", type="values")
    for item in legend.classes:
        entry = {"color": item.colour, "quantity": str(item.id), "label": item.name, "opacity": "1"}
        ElementTree.SubElement(colours, "ColorMapEntry", entry)
    return root
