"""Thetford: the IEEE GRSS Data Fusion Contest 2014, its visible images.

As in the paper, the training part is the contest's subset with its training map, and the test
part the full image with the test labels. Unlike in the paper, one in five blocks of 512 pixels
of the training part is held out for validation. Bare soil, which only the training part has, is
not a class.

The references hold the contest's ids, one byte per pixel. Without an ENVI header they have the
size of their image. The test labels were released after the contest under a name that is not
documented: any file with ``test``, ``truth``, ``label`` or ``reference`` in its name counts.
"""

import re
import warnings
from pathlib import Path

import numpy as np
import rasterio

from geosrseg.core.legend import Legend, LegendClass
from geosrseg.datasets.block_split import BlockSplit
from geosrseg.datasets.cache import make_once
from geosrseg.datasets.card.card import DatasetCard
from geosrseg.datasets.card.card_scene import CardScene
from geosrseg.datasets.card.image_format import OF_8_BITS
from geosrseg.datasets.card.reference_coding import ReferenceCoding
from geosrseg.datasets.named.dataset import Dataset
from geosrseg.datasets.named.distribution import (
    DatasetFile,
    Distribution,
    open_distribution,
    unpack,
)
from geosrseg.datasets.named.folder_layout import KnownDataset, is_folder_layout, read_folder_layout
from geosrseg.errors import DatasetError, DatasetWarning
from geosrseg.raster.storage.gdal import unreferenced_allowed

BLOCK = 512
GUARD = 16
MAP = "map.tif"

LEGEND = Legend(
    (
        LegendClass(1, "road", "#ff00ff"),
        LegendClass(2, "trees", "#00ff00"),
        LegendClass(3, "red roof", "#ff0000"),
        LegendClass(4, "grey roof", "#00ffff"),
        LegendClass(5, "concrete roof", "#800080"),
        LegendClass(6, "vegetation", "#2e8b57"),
    )
)
CODING = ReferenceCoding(False, tuple((id_,) for id_ in LEGEND.ids), ignored=(0, 7))

SOURCE = (
    "the IEEE GRSS Data Fusion Contest 2014, Thetford Mines, after registration with the IEEE "
    "GRSS Image Analysis and Data Fusion committee: IEEE_GRSS_IADFTC_Contest2014_subset.zip and "
    "IEEE_GRSS_IADFTC_Contest2014_full_data_set.zip"
)

KNOWN = KnownDataset(
    name="thetford",
    licence="IEEE GRSS Data Fusion Contest, for research; see its terms",
    source=SOURCE,
    bands=("red", "green", "blue"),
    legend=LEGEND,
    coding=CODING,
)

_TRAIN_IMAGE = r"(?:.*/)?TelopsDatasetCityVisible[^/]*Subset\.(img)"
_TRAIN_MAP = r"(?:.*/)?TrainingMap[^/]*\.(raw|img)"
_TEST_IMAGE = r"(?:.*/)?TelopsDatasetCityVisible(?:(?!Subset)[^/])*\.(img)"
_TEST_MAP = (
    r"(?:.*/)?(?!Telops|Training)"
    r"([^/]*(?:test|truth|label|reference)[^/]*\.(?:raw|img|dat|tiff?|png))"
)
_HEADER = r"{}(?:\.(?:img|raw|dat))?(\.hdr)"


class Thetford(Dataset):
    """The contest's two images, in zips or unpacked."""

    source = SOURCE

    def read(self, folder: Path) -> DatasetCard:
        """Find the images and references.

        Warns:
            DatasetWarning: there are no test labels, so the dataset has no test part.

        Raises:
            DatasetError: a file of the training part is missing, or has another size.
        """
        if is_folder_layout(folder):
            return read_folder_layout(folder, known=KNOWN)
        found = open_distribution(folder)
        image = _image(found, _TRAIN_IMAGE, "TelopsDatasetCityVisible_20cm_Subset.img")
        maps = found.find(_TRAIN_MAP)
        if not maps:
            raise found.lacking("thetford needs TrainingMap_ENVI_RAW_format.raw", source=SOURCE)
        reference = _reference(found, next(iter(maps.values())), image)
        scenes = [CardScene(image, reference, BlockSplit(BLOCK)), *_test_scenes(found)]
        return KNOWN.card(scenes, image=OF_8_BITS, guard=GUARD)


def _test_scenes(found: Distribution) -> tuple[CardScene, ...]:
    maps = found.find(_TEST_MAP)
    if len(maps) > 1:
        raise DatasetError(
            f"thetford: several files may be the test labels, {', '.join(maps)}: keep one of them "
            f"in {found.folder}"
        )
    if not maps:
        warnings.warn(
            f"thetford has no test part: no file in {found.folder} has test, truth, label or "
            "reference in its name, which would mark the contest's test labels",
            DatasetWarning,
            stacklevel=3,
        )
        return ()
    image = _image(found, _TEST_IMAGE, "TelopsDatasetCityVisible.img")
    return (CardScene(image, _reference(found, next(iter(maps.values())), image), "test"),)


def _image(found: Distribution, pattern: str, shown: str) -> Path:
    """Find an ENVI image of 8 bits with its header, and unpack it."""
    files = found.find(pattern)
    if not files:
        raise found.lacking(f"thetford needs {shown}", source=SOURCE)
    file = next(iter(files.values()))
    header = _header(found, file)
    if not header:
        raise found.lacking(f"thetford needs the header of {file.name} (.hdr)", source=SOURCE)
    path = unpack({"file": file, **header})["file"]
    if (largest := _largest(path)) > 255:
        raise DatasetError(
            f"{path} has values up to {largest:g}, expected the contest's 8 bits: describe it in "
            "a dataset card with its scale"
        )
    return path


def _reference(found: Distribution, file: DatasetFile, image: Path) -> Path:
    """Unpack a map of ids; a raw one without a header becomes a GeoTIFF."""
    header = _header(found, file)
    path = unpack({"file": file, **header})["file"]
    if header or not file.name.lower().endswith((".raw", ".img", ".dat")):
        return path
    with unreferenced_allowed(), rasterio.open(image, driver="ENVI") as dataset:
        height, width = dataset.shape
    size = path.stat().st_size
    if size != height * width:
        raise DatasetError(
            f"{path} has {size} bytes and no header (.hdr) beside it, expected {height} x {width} "
            f"= {height * width}, one byte for each pixel of {image.name}"
        )
    identity = f"{path.resolve()} {path.stat().st_mtime_ns} {height} {width}"
    return make_once(identity, lambda folder: _write(path, (height, width), folder)) / MAP


def _write(raw: Path, shape: tuple[int, int], folder: Path) -> None:
    ids = np.fromfile(raw, np.uint8).reshape(1, *shape)
    profile = {"count": 1, "height": shape[0], "width": shape[1], "dtype": "uint8"}
    with (
        unreferenced_allowed(),
        rasterio.open(folder / MAP, "w", driver="GTiff", compress="deflate", **profile) as file,
    ):
        file.write(ids)


def _header(found: Distribution, file: DatasetFile) -> dict[str, DatasetFile]:
    """Find the ENVI header beside a file."""
    stem = file.name.rpartition(".")[0]
    return found.find(_HEADER.format(re.escape(stem)))


def _largest(path: Path) -> float:
    with unreferenced_allowed(), rasterio.open(path, driver="ENVI") as dataset:
        if dataset.dtypes[0] == "uint8":
            return 255
        return max(
            float(dataset.read(window=window).max()) for _, window in dataset.block_windows()
        )
