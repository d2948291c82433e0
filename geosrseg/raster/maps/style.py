"""Styles: how a class map is drawn, for QGIS (``.qml``) and for map servers (``.sld``).

QGIS takes the ``.qml`` that stands beside a raster when it opens it. Colours are in the class
map as well, and most programs take them from there; class names many take from a style only.
"""

from pathlib import Path
from xml.etree import ElementTree

from geosrseg.core.legend import Legend
from geosrseg.errors import OutputError
from geosrseg.raster.files.gdal import reason
from geosrseg.raster.storage.publication import check_output, open_drafts, publish

SUFFIXES = (".qml", ".sld")

_SLD = {
    "xmlns": "http://www.opengis.net/sld",
    "xmlns:ogc": "http://www.opengis.net/ogc",
    "version": "1.0.0",
}


def style_paths(class_map_path: Path) -> tuple[Path, Path]:
    """The styles' names, beside the class map."""
    return class_map_path.with_suffix(".qml"), class_map_path.with_suffix(".sld")


def write_styles(class_map_path: Path, legend: Legend, *, overwrite: bool = False) -> None:
    """Write both styles of a class map.

    Args:
        class_map_path: the class map, which need not exist.
        legend: the classes.
        overwrite: replace existing styles.

    Raises:
        OutputError: they cannot be written.
    """
    paths = style_paths(class_map_path)
    for path in paths:
        check_output(path, suffixes=SUFFIXES, overwrite=overwrite)
    roots = _qml(legend), _sld(legend, class_map_path.stem)
    for path, root in zip(paths, roots, strict=True):
        ElementTree.indent(root)
        text = ElementTree.tostring(root, encoding="unicode")
        with open_drafts(path) as folder:
            draft = folder / path.name
            try:
                draft.write_text(text + "\n", encoding="utf-8")
            except OSError as error:
                raise OutputError(f"{path}: cannot be written ({reason(error)})") from error
            publish([draft], path)


def _qml(legend: Legend) -> ElementTree.Element:
    """QGIS 3: a paletted renderer; values that it does not name are not drawn."""
    root = ElementTree.Element("qgis", version="3.0", styleCategories="Symbology")
    pipe = ElementTree.SubElement(root, "pipe")
    renderer = ElementTree.SubElement(
        pipe, "rasterrenderer", type="paletted", band="1", opacity="1", alphaBand="-1"
    )
    palette = ElementTree.SubElement(renderer, "colorPalette")
    for item in legend.classes:
        ElementTree.SubElement(
            palette,
            "paletteEntry",
            value=str(item.id),
            color=item.colour,
            label=item.name,
            alpha="255",
        )
    return root


def _sld(legend: Legend, name: str) -> ElementTree.Element:
    """SLD 1.0 with a colour map of values, as GeoServer reads it."""
    root = ElementTree.Element("StyledLayerDescriptor", _SLD)
    layer = ElementTree.SubElement(root, "NamedLayer")
    ElementTree.SubElement(layer, "Name").text = name
    style = ElementTree.SubElement(layer, "UserStyle")
    ElementTree.SubElement(style, "Name").text = name
    rule = ElementTree.SubElement(ElementTree.SubElement(style, "FeatureTypeStyle"), "Rule")
    symbolizer = ElementTree.SubElement(rule, "RasterSymbolizer")
    colours = ElementTree.SubElement(symbolizer, "ColorMap", type="values")
    for item in legend.classes:
        ElementTree.SubElement(
            colours,
            "ColorMapEntry",
            color=item.colour,
            quantity=str(item.id),
            label=item.name,
            opacity="1",
        )
    return root
