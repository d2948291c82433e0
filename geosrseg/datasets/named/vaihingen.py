"""Vaihingen: the ISPRS 2D Semantic Labeling benchmark, 33 areas of 9 cm, 16 with a reference.

The split is the paper's: areas 11, 15, 28, 30 and 34 test. The paper holds out nothing for
validation; here areas 7 and 23 do not train but validate. The benchmark scores on eroded
references, in which black borders of three pixels between objects do not count. Validation and
test use them if all of them exist; training always uses the full references. Clutter is not a
class, as in section 4.1 of the paper.
"""

from collections.abc import Sequence
from pathlib import Path

from geosrseg.core.legend import Legend, LegendClass
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

TEST = ("11", "15", "28", "30", "34")
VALIDATION = ("7", "23")
TRAIN = ("1", "3", "5", "13", "17", "21", "26", "32", "37")
SCORED = VALIDATION + TEST

IMAGE_NAME = "top/top_mosaic_09cm_area{}.tif"
REFERENCE_NAME = "top_mosaic_09cm_area{}.tif in a folder other than top"

LEGEND = Legend(
    (
        LegendClass(0, "impervious surfaces", "#ffffff"),
        LegendClass(1, "building", "#0000ff"),
        LegendClass(2, "low vegetation", "#00ffff"),
        LegendClass(3, "tree", "#00ff00"),
        LegendClass(4, "car", "#ffff00"),
    )
)
"""The classes that count, in the colours of the benchmark."""

CODING = ReferenceCoding(
    True,
    tuple((int(class_.colour[1:], 16),) for class_ in LEGEND.classes),
    ignored=(0xFF0000, 0x000000),  # clutter, eroded
)

SOURCE = (
    "the ISPRS benchmark on semantic labeling, Vaihingen, after registration with the ISPRS: "
    "ISPRS_semantic_labeling_Vaihingen.zip (top/) and "
    "ISPRS_semantic_labeling_Vaihingen_ground_truth_COMPLETE.zip"
)

KNOWN = KnownDataset(
    name="vaihingen",
    licence="ISPRS benchmark, for research; see its terms",
    source=SOURCE,
    bands=("nir", "red", "green"),
    legend=LEGEND,
    coding=ReferenceCoding(False, tuple((id_,) for id_ in LEGEND.ids), ignored=(5,)),
)

_AREA = r"top_mosaic_09cm_area(\d+)"
_IMAGE = rf"(?:.*/)?top/{_AREA}\.tiff?"
_REFERENCE = rf"(?!(?:.*/)?(?:top|dsm|ndsm)/)(?:.*/)?{_AREA}\.tiff?"
_ERODED = rf"(?:.*/)?{_AREA}_noBoundary\.tiff?"


class Vaihingen(Dataset):
    """The areas of Vaihingen, in zips or unpacked."""

    source = SOURCE

    def read(self, folder: Path) -> DatasetCard:
        """Find the areas.

        Raises:
            DatasetError: an area or its reference is missing.
        """
        if is_folder_layout(folder):
            return read_folder_layout(folder, known=KNOWN)
        found = open_distribution(folder)
        images = _areas(found, _IMAGE, IMAGE_NAME, TRAIN + VALIDATION + TEST)
        eroded = {area: file for area, file in found.find(_ERODED).items() if area in SCORED}
        if len(eroded) < len(SCORED):
            eroded = {}
        full = _areas(found, _REFERENCE, REFERENCE_NAME, TRAIN if eroded else TRAIN + SCORED)
        paths, references = unpack(images), unpack({**full, **eroded})
        splits = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
        scenes = [
            CardScene(paths[area], references[area], split)
            for split, areas in splits.items()
            for area in areas
        ]
        return KNOWN.card(scenes, image=OF_8_BITS, coding=CODING)


def _areas(
    found: Distribution, pattern: str, shown: str, areas: Sequence[str]
) -> dict[str, DatasetFile]:
    """Return the files of the areas, or raise if any is missing."""
    files = found.find(pattern)
    if missing := [area for area in areas if area not in files]:
        needed = f"vaihingen needs {shown.format('N')} for the areas {', '.join(missing)},"
        raise found.lacking(needed, source=SOURCE)
    return {area: files[area] for area in areas}
