"""QML: builds styles for QGIS 3.

The style of a class map also draws its polygons, because both may share one ``.qml``: QGIS reads
``pipe`` for a raster and ``renderer-v2`` for a vector file.
"""

from dataclasses import dataclass
from xml.etree import ElementTree

from geosrseg.core.legend import Legend

CLASS_ID = "class_id"
"""Column of polygons that holds their class id."""

OURS = "made by geosrseg, which replaces this file; QGIS drops this note when it saves a style"
"""Comment in every ``.qml`` that geosrseg writes; files without it are the user's own."""

_COLOURS = ("#440154", "#3b528b", "#21918c", "#5ec962", "#fde725")
"""Ramp from low to high: viridis, which keeps its order in grey and for colour-blind readers."""


@dataclass(frozen=True, slots=True)
class Ramp:
    """Colour ramp of a measured band.

    Attributes:
        low: value of the first colour.
        high: value of the last colour.
        unit: unit in the labels.
    """

    low: float
    high: float
    unit: str = ""


def class_qml(legend: Legend) -> str:
    """Return the style of a class map and of its polygons."""
    root = _paletted(legend)
    root.append(_categories(legend))
    return as_text(root)


def as_text(root: ElementTree.Element) -> str:
    """Return an element as the text of a document."""
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _root() -> ElementTree.Element:
    root = ElementTree.Element("qgis", version="3.0", styleCategories="Symbology")
    root.append(ElementTree.Comment(OURS))
    return root


def ramp_qml(ramp: Ramp) -> str:
    """Return the style of a raster whose first band holds measurements."""
    low, high = f"{ramp.low:g}", f"{ramp.high:g}"
    root = _root()
    renderer = ElementTree.SubElement(
        ElementTree.SubElement(root, "pipe"), "rasterrenderer", type="singlebandpseudocolor",
        band="1", opacity="1", alphaBand="-1", classificationMin=low, classificationMax=high,
    )  # fmt: skip
    shader = ElementTree.SubElement(
        ElementTree.SubElement(renderer, "rastershader"), "colorrampshader",
        colorRampType="INTERPOLATED", classificationMode="1", clip="0", minimumValue=low,
        maximumValue=high,
    )  # fmt: skip
    for number, colour in enumerate(_COLOURS):
        value = ramp.low + (ramp.high - ramp.low) * number / (len(_COLOURS) - 1)
        label = f"{value:g} {ramp.unit}".strip()
        ElementTree.SubElement(
            shader, "item", value=f"{value:g}", label=label, color=colour, alpha="255"
        )
    return as_text(root)


def _categories(legend: Legend) -> ElementTree.Element:
    """Build a symbol per class id, without outlines, which would hide small polygons."""
    renderer = ElementTree.Element("renderer-v2", type="categorizedSymbol", attr=CLASS_ID)
    categories = ElementTree.SubElement(renderer, "categories")
    symbols = ElementTree.SubElement(renderer, "symbols")
    for number, item in enumerate(legend.classes):
        name, colour = str(number), ",".join(map(str, (*item.rgb, 255)))
        ElementTree.SubElement(
            categories, "category", symbol=name, value=str(item.id), label=item.name, render="true"
        )
        symbol = ElementTree.SubElement(symbols, "symbol", type="fill", name=name, alpha="1")
        layer = ElementTree.SubElement(symbol, "layer", {"class": "SimpleFill", "enabled": "1"})
        # A hairline of the same colour closes the gaps that QGIS draws between neighbours.
        settings = {"color": colour, "style": "solid", "outline_color": colour,
                    "outline_style": "solid", "outline_width": "0"}  # fmt: skip
        options = ElementTree.SubElement(layer, "Option", type="Map")
        for key, value in settings.items():
            ElementTree.SubElement(options, "Option", name=key, type="QString", value=value)
        for key, value in settings.items():  # as QGIS before 3.26 reads them
            ElementTree.SubElement(layer, "prop", k=key, v=value)
    return renderer


def _paletted(legend: Legend) -> ElementTree.Element:
    """Build a paletted renderer; values outside the palette are not drawn."""
    root = _root()
    pipe = ElementTree.SubElement(root, "pipe")
    renderer = ElementTree.SubElement(
        pipe, "rasterrenderer", type="paletted", band="1", opacity="1", alphaBand="-1"
    )
    palette = ElementTree.SubElement(renderer, "colorPalette")
    for item in legend.classes:
        entry = {"value": str(item.id), "color": item.colour, "label": item.name, "alpha": "255"}
        ElementTree.SubElement(palette, "paletteEntry", entry)
    return root
