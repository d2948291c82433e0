"""PAM: writes GDAL's sidecar, which holds the class names that a GeoTIFF cannot."""

from pathlib import Path
from xml.etree import ElementTree

from geosrseg.core.legend import Legend


def pam_path(path: Path) -> Path:
    """Return the sidecar's path."""
    return path.with_name(f"{path.name}.aux.xml")


def write_category_names(path: Path, legend: Legend) -> Path:
    """Write the class names of a class map to its sidecar, and return the sidecar's path.

    GDAL numbers names from 0, so an id that is not a class gets an empty name. Nodata, colours
    and description are in the GeoTIFF itself.
    """
    root = ElementTree.Element("PAMDataset")
    band = ElementTree.SubElement(root, "PAMRasterBand", band="1")
    categories = ElementTree.SubElement(band, "CategoryNames")
    names = dict(zip(legend.ids, legend.names, strict=True))
    for value in range(legend.ids[-1] + 1):
        ElementTree.SubElement(categories, "Category").text = names.get(value, "")
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    sidecar = pam_path(path)
    sidecar.write_text(text + "\n", encoding="utf-8")
    return sidecar
