"""Coffee: the pixel labels of the Brazilian Coffee Scenes, which were never released.

The data has, for each city, one raster (green, red, near infrared) and one mask (coffee above
127). As in the paper, Guaxupé and Monte Santo train and Guaranésia tests. Unlike in the paper,
one in five blocks of 512 pixels of the first two is held out for validation.
"""

import re
import unicodedata
from pathlib import Path

from geosrseg.core.legend import Legend, LegendClass
from geosrseg.datasets.block_split import BlockSplit
from geosrseg.datasets.card.card import DatasetCard
from geosrseg.datasets.card.card_scene import CardScene
from geosrseg.datasets.card.image_format import format_of
from geosrseg.datasets.card.reference_coding import ReferenceCoding
from geosrseg.datasets.named.dataset import Dataset
from geosrseg.datasets.named.distribution import (
    DatasetFile,
    Distribution,
    open_distribution,
    unpack,
)
from geosrseg.datasets.named.folder_layout import KnownDataset, is_folder_layout, read_folder_layout
from geosrseg.datasets.reference import find_numbers

TRAIN = BlockSplit(512)
CITIES: dict[str, BlockSplit | str] = {"guaxupe": TRAIN, "montesanto": TRAIN, "guaranesia": "test"}
GUARD = 16

THRESHOLDED = ReferenceCoding(False, (tuple(range(128)), tuple(range(128, 256))))

SOURCE = (
    "the authors of the Brazilian Coffee Scenes (Penatti et al. 2015): the pixel labels were "
    "never released, there is no download"
)

KNOWN = KnownDataset(
    name="coffee",
    licence="not released",
    source=SOURCE,
    bands=("green", "red", "nir"),
    legend=Legend((LegendClass(0, "no coffee", "#d9d2b0"), LegendClass(1, "coffee", "#8c4a2f"))),
    coding=THRESHOLDED,
)

_MASK = re.compile(r"mask|msk|label|reference|truth|(?<![a-z])gt(?![a-z])")
_IMAGE = re.compile(r".*\.(?:tiff?|png|jpe?g)")
_TILES = re.compile(r"(?:.*/)?(?:fold\d|brazilian_coffee_scenes)[^/]*(?:/.*)?")


class Coffee(Dataset):
    """The rasters and masks of the three cities.

    A file belongs to the city that its name contains, ignoring accents and spaces. It is the
    mask if its name or folder contains ``mask``, ``msk``, ``label``, ``gt``, ``truth`` or
    ``reference``.
    """

    source = SOURCE

    def read(self, folder: Path) -> DatasetCard:
        """Find the rasters and masks.

        Raises:
            DatasetError: a raster or a mask is missing.
        """
        if is_folder_layout(folder):
            return read_folder_layout(folder, known=KNOWN)
        found = open_distribution(folder)
        files = {key: file for city in CITIES for key, file in _find(found, city).items()}
        paths = unpack(files)
        scenes = [
            CardScene(paths[f"{city} image"], paths[f"{city} mask"], split)
            for city, split in CITIES.items()
        ]
        coding = THRESHOLDED
        if find_numbers(scene.reference for scene in scenes) <= {0, 1}:
            coding = ReferenceCoding(False, ((0,), (1,)))
        image = format_of(scenes[0].image)
        return KNOWN.card(scenes, image=image, coding=coding, guard=GUARD)


def _find(found: Distribution, city: str) -> dict[str, DatasetFile]:
    kinds: dict[str, DatasetFile] = {}
    for file in found.files:
        name = _plain(file.name)
        if city in re.sub(r"[^a-z]", "", name.rpartition("/")[2]) and _IMAGE.fullmatch(name):
            kinds.setdefault("mask" if _MASK.search(name) else "image", file)
    if missing := {"image", "mask"} - kinds.keys():
        source = SOURCE
        if any(_TILES.fullmatch(_plain(file.name)) for file in found.files):
            source += (
                "; this looks like the public Brazilian Coffee Scenes, tiles of 64 x 64 pixels "
                "with one label each, which cannot be used without pixel labels"
            )
        raise found.lacking(
            f"coffee needs an image and a mask of each city, such as {city}.tif and "
            f"{city}_mask.tif, and lacks the {' and the '.join(sorted(missing))} of {city}",
            source=source,
        )
    return {f"{city} {kind}": file for kind, file in kinds.items()}


def _plain(name: str) -> str:
    """Convert to lower case without accents."""
    split = unicodedata.normalize("NFKD", name.lower())
    return "".join(mark for mark in split if not unicodedata.combining(mark))
