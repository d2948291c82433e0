"""How each trouble of docs/troubleshooting.md comes about: a command that ends in it.

Each function makes files in the current folder and gives the words of the command.
"""

import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio.crs
from affine import Affine

from geosrseg.core.legend import Legend, LegendClass
from geosrseg.raster.files.grid import Grid
from tests.tiny_maps import write_class_map

BANDS = ("blue", "green", "red", "nir", "swir1", "swir2")
PRODUCT = "LC08_L2SP_204023_20200927_20201006_02_T1"
SCALED = ("--scale", "0.0000275", "--offset", "-0.2")

Command = Callable[[], list[str]]


@dataclass(frozen=True, slots=True)
class Trouble:
    """One of them.

    Attributes:
        command: makes the files, gives the words of the command.
        without: a package that is not installed.
    """

    command: Command
    without: str = ""


TROUBLES: dict[str, Trouble] = {}


def trouble(heading: str, **facts: str) -> Callable[[Command], Command]:
    def add(function: Command) -> Command:
        TROUBLES[heading] = Trouble(function, **facts)
        return function

    return add


def write_scene(
    name: str = "scene.tif",
    *,
    names: tuple[str, ...] = BANDS,
    bands: int = 6,
    scale: bool = True,
    pixel: float = 30.0,
    **profile: Any,
) -> str:
    """A scene of grass that the default model takes."""
    values = np.random.default_rng(0).integers(8000, 16000, (bands, 40, 50)).astype("uint16")
    chosen = {
        "driver": "GTiff",
        "dtype": "uint16",
        "count": bands,
        "height": 40,
        "width": 50,
        "crs": "EPSG:32630",
        "transform": Affine(pixel, 0, 5e5, 0, -pixel, 6e6),
        "nodata": 0,
        **profile,
    }
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(name, "w", **chosen) as file:
        file.write(values)
        file.descriptions = names or (None,) * bands
        if scale:
            file.scales, file.offsets = (2.75e-5,) * bands, (-0.2,) * bands
    return name


def write_map(name: str = "map.tif", *, names: tuple[str, ...] = ("water", "trees")) -> str:
    """A class map of two classes."""
    colours = ("#3b8fd1", "#2f7d43")
    classes = zip((1, 2), names, colours, strict=True)
    legend = Legend(tuple(LegendClass(*each) for each in classes))
    grid = Grid(rasterio.crs.CRS.from_epsg(32630), Affine(10, 0, 5e5, 0, -10, 6e6), 30, 40)
    labels = np.repeat([1, 2], 20).astype(np.uint8) * np.ones((30, 1), np.uint8)
    write_class_map(Path(name), labels, grid=grid, legend=legend)
    return name


def write_zones(name: str = "zones.geojson", *, left: float = -3.0) -> str:
    """One square that is named and classed, in degrees."""
    ring = [[left, 54.0], [left + 0.01, 54.0], [left + 0.01, 54.2], [left, 54.2], [left, 54.0]]
    corners = str([[x, y] for x, y in ring])
    Path(name).write_text(
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": '
        '{"name": "here", "class": "swamp"}, "geometry": {"type": "Polygon", "coordinates": '
        f"[{corners}]}}}}]}}",
        encoding="utf-8",
    )
    return name


@trouble("No such file")
def _() -> list[str]:
    return ["predict", "scene.tif"]


@trouble("The file is not a GeoTIFF")
def _() -> list[str]:
    write_scene("scene.png", driver="PNG", bands=3, names=(), scale=False, crs=None)
    return ["predict", "scene.png"]


@trouble("The bands have no names")
def _() -> list[str]:
    return ["predict", write_scene(names=())]


@trouble("The model needs other bands")
def _() -> list[str]:
    return ["predict", write_scene(bands=3, names=("red", "green", "blue"))]


@trouble("The numbers are not reflectance")
def _() -> list[str]:
    return ["predict", write_scene(scale=False)]


@trouble("The pixels have another size")
def _() -> list[str]:
    return ["predict", write_scene(pixel=2.0)]


@trouble("The tar is compressed")
def _() -> list[str]:
    name = f"{PRODUCT}.tar.gz"
    with tarfile.open(name, "w:gz") as file:
        file.add(write_scene(f"{PRODUCT}_SR_B2.TIF", bands=1, names=(), scale=False))
    return ["predict", name]


@trouble("The folder holds no product")
def _() -> list[str]:
    write_scene("folder/scene.tif")
    return ["predict", "folder"]


@trouble("The product is of Collection 1")
def _() -> list[str]:
    name = "LC08_L1TP_204023_20170927_20170928_01_T1"
    write_scene(f"{name}/{name}_B2.TIF", bands=1, names=(), scale=False)
    return ["predict", name]


@trouble("A file of the product is missing")
def _() -> list[str]:
    write_scene(f"{PRODUCT}/{PRODUCT}_SR_B2.TIF", bands=1, names=(), scale=False)
    return ["predict", PRODUCT]


@trouble("There is nothing to mask by")
def _() -> list[str]:
    return ["predict", write_scene(), "--mask", "cloud"]


@trouble("The area of interest lies elsewhere")
def _() -> list[str]:
    return ["predict", write_scene(), "--aoi", write_zones(left=20.0)]


@trouble("The file is damaged")
def _() -> list[str]:
    path = Path(write_scene(tiled=True, blockxsize=16, blockysize=16, compress="deflate"))
    content = bytearray(path.read_bytes())
    content[-3000:-2000] = bytes(1000)
    path.write_bytes(content)
    return ["predict", str(path)]


@trouble("The output exists")
def _() -> list[str]:
    Path("map.tif").write_text("mine", encoding="utf-8")
    return ["predict", write_scene(), "-o", "map.tif"]


@trouble("There is no folder for the output")
def _() -> list[str]:
    return ["predict", write_scene(), "-o", "nowhere/map.tif"]


@trouble("Two maps would have one name")
def _() -> list[str]:
    Path("maps").mkdir()
    return ["predict", write_scene("a/scene.tif"), write_scene("b/scene.tif"), "-o", "maps"]


@trouble("No such model")
def _() -> list[str]:
    return ["predict", write_scene(), "-m", "landcover"]


@trouble("The model file is refused")
def _() -> list[str]:
    Path("mine.onnx").write_text("not a model", encoding="utf-8")
    return ["predict", write_scene(), "-m", "mine.onnx"]


@trouble("The device cannot be used")
def _() -> list[str]:
    return ["predict", write_scene(), "--device", "tensorrt"]


@trouble("The zones have no such column")
def _() -> list[str]:
    return ["areas", write_map(), "--zones", write_zones(), "--zone-column", "district"]


@trouble("The reference has an unknown class")
def _() -> list[str]:
    return ["assess", write_map(), "--reference", write_zones(), "--class-column", "class"]


@trouble("The maps have different legends")
def _() -> list[str]:
    return ["mosaic", write_map(), write_map("b.tif", names=("water", "sand")), "-o", "all.tif"]


@trouble("This is not a class map")
def _() -> list[str]:
    return ["areas", write_scene()]


@trouble("An extra is missing", without="pystac")
def _() -> list[str]:
    return ["predict", write_scene(), "--stac", "map.json"]


@trouble("The quality file is missing")
def _() -> list[str]:
    for number in range(2, 8):
        write_scene(f"{PRODUCT}/{PRODUCT}_SR_B{number}.TIF", bands=1, names=(), scale=False)
    return ["predict", PRODUCT, "--mask", "cloud"]
