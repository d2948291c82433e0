"""PAM: the sidecar in which GDAL keeps what a GeoTIFF cannot hold."""

from pathlib import Path
from xml.etree import ElementTree

from geosrseg.core.legend import Legend


def pam_path(path: Path) -> Path:
    """The sidecar's name."""
    return path.with_name(f"{path.name}.aux.xml")


def write_category_names(path: Path, legend: Legend) -> Path:
    """Write the sidecar that names the classes of a class map.

    GDAL numbers the names from 0 in their order, so an id that is no class gets an empty
    one. All else (nodata, colours, description) is in the file itself.

    Returns:
        The sidecar's path.
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
