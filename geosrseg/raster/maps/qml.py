"""QML: the styles of QGIS 3.

That of a class map draws its polygons too, which may lie beside it under the same name: QGIS
takes ``pipe`` for a raster and ``renderer-v2`` for a vector file.
"""

from dataclasses import dataclass
from xml.etree import ElementTree

from geosrseg.core.legend import Legend

CLASS_ID = "class_id"
"""The column of polygons that says their class."""

OURS = "made by geosrseg, which replaces this file; QGIS drops this note when it saves a style"
"""Stands as a comment in every ``.qml``: what is without it is somebody's own."""

_COLOURS = ("#440154", "#3b528b", "#21918c", "#5ec962", "#fde725")
"""Of a ramp, from low to high: viridis, which grey and colour-blind eyes read in order."""


@dataclass(frozen=True, slots=True)
class Ramp:
    """How a measured band is drawn: in colours between two values.

    Attributes:
        low: its least value,
        high: and its greatest.
        unit: stands behind a value.
    """

    low: float
    high: float
    unit: str = ""


def class_qml(legend: Legend) -> str:
    """The style of class maps and of their polygons: QGIS takes the part that it needs."""
    root = _paletted(legend)
    root.append(_categories(legend))
    return as_text(root)


def as_text(root: ElementTree.Element) -> str:
    """An element as a document."""
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _root() -> ElementTree.Element:
    root = ElementTree.Element("qgis", version="3.0", styleCategories="Symbology")
    root.append(ElementTree.Comment(OURS))
    return root


def ramp_qml(ramp: Ramp) -> str:
    """The style of a raster whose first band is measured."""
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
    """A symbol for each class id, without outlines that would hide small polygons."""
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
        # A hairline of the same colour: without it the ground shows between neighbours.
        settings = {"color": colour, "style": "solid", "outline_color": colour,
                    "outline_style": "solid", "outline_width": "0"}  # fmt: skip
        options = ElementTree.SubElement(layer, "Option", type="Map")
        for key, value in settings.items():
            ElementTree.SubElement(options, "Option", name=key, type="QString", value=value)
        for key, value in settings.items():  # as QGIS before 3.26 reads them
            ElementTree.SubElement(layer, "prop", k=key, v=value)
    return renderer


def _paletted(legend: Legend) -> ElementTree.Element:
    """A paletted renderer; values that it does not name are not drawn."""
    root = _root()
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
