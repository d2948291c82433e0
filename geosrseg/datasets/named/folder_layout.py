"""FolderLayout: the folders of the paper's reference code.

    train/ train_msk/ test/ test_msk/ [val/ val_msk/]

An image and its mask have one name; their suffixes may differ. Masks have one band with
class ids from 0 on, 255 is ignored; masks of 0 and 255 alone are of two classes. Without
``val/`` every fifth training image, by name, is held out for validation, or blocks where
there are fewer than five.
"""

import colorsys
from dataclasses import dataclass
from pathlib import Path

from geosrseg.core.legend import NODATA, Legend, LegendClass
from geosrseg.datasets.block_split import ONE_IN, BlockSplit
from geosrseg.datasets.card.card import DatasetCard
from geosrseg.datasets.card.card_scene import CardScene
from geosrseg.datasets.card.image_format import ImageFormat, format_of
from geosrseg.datasets.card.reference_coding import ReferenceCoding
from geosrseg.datasets.reference import find_numbers
from geosrseg.errors import DatasetError

SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg")
FOLDERS = {"train": "train", "val": "validation", "test": "test"}
BLOCK = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDataset:
    """What is known of a dataset, however its files lie.

    Attributes:
        name: of the dataset.
        licence: of the data.
        source: where the data comes from.
        bands: names, in the order of the files.
        legend: the classes.
        coding: the ids that the masks in the folders have.
    """

    name: str
    licence: str
    source: str
    bands: tuple[str, ...]
    legend: Legend
    coding: ReferenceCoding


def is_folder_layout(folder: Path) -> bool:
    """True where a folder has training images and masks in this layout."""
    return (folder / "train").is_dir() and (folder / "train_msk").is_dir()


def read_folder_layout(folder: Path, *, known: KnownDataset | None = None) -> DatasetCard:
    """Describe a folder without a card.

    Args:
        folder: the folder.
        known: the dataset that lies there; without it the files alone say what there is.

    Raises:
        DatasetError: a folder is missing, or an image has no mask.
    """
    scenes = [
        CardScene(image, mask, split)
        for name, split in FOLDERS.items()
        for image, mask in _pairs(folder, name)
    ]
    if not any(scene.split == "validation" for scene in scenes):
        scenes = _hold_out(scenes)
    stored = format_of(scenes[0].image)
    known = known or _describe(folder, stored, [scene.reference for scene in scenes])
    return DatasetCard(
        name=known.name,
        licence=known.licence,
        source=known.source,
        bands=known.bands,
        low=(0.0,) * len(known.bands),
        high=(1.0,) * len(known.bands),
        legend=known.legend,
        coding=known.coding,
        guard=0,
        image=stored,
        scenes=tuple(scenes),
    )


def _describe(folder: Path, stored: ImageFormat, masks: list[Path]) -> KnownDataset:
    legend, coding = _classes(masks)
    name = folder.resolve().name
    return KnownDataset(
        name=name,
        licence="unknown",
        source=f"the folder {name}",
        bands=tuple(f"band{index}" for index in stored.indexes or ()),
        legend=legend,
        coding=coding,
    )


def _pairs(folder: Path, name: str) -> list[tuple[Path, Path]]:
    """The images of a part with their masks, sorted; only the validation part may be absent."""
    images, masks = folder / name, folder / f"{name}_msk"
    if name == "val" and not images.is_dir():
        return []
    for part in (images, masks):
        if not part.is_dir():
            found = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
            raise DatasetError(
                f"{folder} has no folder {part.name}: expected train, train_msk, test and "
                f"test_msk, found {found}; or give a dataset card"
            )
    found_images, found_masks = _by_stem(images), _by_stem(masks)
    if alone := sorted(found_images.keys() ^ found_masks.keys()) or not found_images:
        first = alone[0] if isinstance(alone, list) else "any"
        raise DatasetError(
            f"{images} has {len(found_images)} images and {masks} {len(found_masks)} masks, and "
            f"{first} is not in both: every image ({', '.join(SUFFIXES)}) has a mask of its name"
        )
    return [(found_images[stem], found_masks[stem]) for stem in sorted(found_images)]


def _by_stem(folder: Path) -> dict[str, Path]:
    return {
        path.stem.lower(): path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    }


def _hold_out(scenes: list[CardScene]) -> list[CardScene]:
    train = [scene for scene in scenes if scene.split == "train"]
    rest = [scene for scene in scenes if scene.split != "train"]
    if len(train) < ONE_IN:
        blocks = BlockSplit(BLOCK)
        return [CardScene(scene.image, scene.reference, blocks) for scene in train] + rest
    parts = (
        "validation" if number % ONE_IN == ONE_IN - 1 else "train" for number in range(len(train))
    )
    return [
        CardScene(scene.image, scene.reference, part)
        for scene, part in zip(train, parts, strict=True)
    ] + rest


def _classes(masks: list[Path]) -> tuple[Legend, ReferenceCoding]:
    """As many classes as the largest id says, evenly coloured."""
    found = find_numbers(masks)
    ids = {number for number in found if number != NODATA}
    if found == {0, NODATA}:
        codes: tuple[tuple[int, ...], ...] = ((0,), (NODATA,))
    elif ids and all(0 <= number < NODATA and number == int(number) for number in ids):
        codes = tuple((number,) for number in range(int(max(ids)) + 1))
    else:
        shown = ", ".join(f"{number:g}" for number in sorted(found)[:8])
        raise DatasetError(
            f"the masks beside {masks[0]} hold {shown}, expected class ids from 0 on and 255 for "
            "what is ignored: describe them by a dataset card"
        )
    classes = (
        LegendClass(number, f"class {number}", _colour(number, len(codes)))
        for number in range(len(codes))
    )
    return Legend(tuple(classes)), ReferenceCoding(False, codes)


def _colour(number: int, count: int) -> str:
    channels = colorsys.hsv_to_rgb(number / count, 0.7, 0.85)
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in channels)
