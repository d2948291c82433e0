"""Folder layout: the folders of the paper's reference code.

    train/ train_msk/ [val/ val_msk/] [test/ test_msk/]

An image and its mask have the same name; their suffixes may differ. Masks have one band, whose
values are the classes. 255 is ignored, except in masks of only 0 and 255, which have two
classes. Without ``val/``, every fifth training image by name validates, or one in five blocks
with a guard around them where there are fewer than five images.
"""

import warnings
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from geosrseg.core.legend import NODATA, Legend, LegendClass, even_colour
from geosrseg.datasets.block_split import ONE_IN, BlockSplit, guard_of
from geosrseg.datasets.card.card import DatasetCard
from geosrseg.datasets.card.card_scene import SUFFIXES, CardScene
from geosrseg.datasets.card.image_format import ImageFormat, format_of
from geosrseg.datasets.card.reference_coding import ReferenceCoding
from geosrseg.datasets.reference import find_numbers, is_lossy
from geosrseg.errors import DatasetError, DatasetWarning
from geosrseg.raster.files.raster_files import RasterFiles

FOLDERS = {"train": "train", "val": "validation", "test": "test"}
BLOCK = 256

MANY = 64
"""Most values with gaps that are plausible as classes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDataset:
    """Facts about a dataset, in any layout of its files.

    Attributes:
        source: where the data comes from.
        bands: band names, in the order of the files.
        coding: values of the classes in the masks of the folder layout.
    """

    name: str
    licence: str
    source: str
    bands: tuple[str, ...]
    legend: Legend
    coding: ReferenceCoding

    def card(
        self,
        scenes: Iterable[CardScene],
        *,
        image: ImageFormat,
        coding: ReferenceCoding | None = None,
        guard: int = 0,
    ) -> DatasetCard:
        """Make the card of the given scenes; the bands span [0, 1].

        Args:
            image: how the images store reflectance.
            coding: coding of the references; None takes that of the folder layout.
            guard: see `DatasetCard`.
        """
        return DatasetCard(
            name=self.name,
            licence=self.licence,
            source=self.source,
            bands=self.bands,
            low=(0.0,) * len(self.bands),
            high=(1.0,) * len(self.bands),
            legend=self.legend,
            coding=coding or self.coding,
            guard=guard,
            image=image,
            scenes=tuple(scenes),
        )


def is_folder_layout(folder: Path) -> bool:
    """Return whether a folder has training images and masks in this layout."""
    return (folder / "train").is_dir() and (folder / "train_msk").is_dir()


def read_folder_layout(folder: Path, *, known: KnownDataset | None = None) -> DatasetCard:
    """Describe a folder without a card.

    Args:
        known: the dataset in the folder; None derives bands and classes from the files.

    Raises:
        DatasetError: a folder is missing, or an image has no mask.
    """
    scenes = [
        CardScene(image, mask, split)
        for name, split in FOLDERS.items()
        for image, mask in _pairs(folder, name)
    ]
    guard = 0
    if not any(scene.split == "validation" for scene in scenes):
        scenes = _hold_out(scenes)
        blocks = [scene.image for scene in scenes if isinstance(scene.split, BlockSplit)]
        guard = guard_of(BLOCK, side=min(map(_side, blocks))) if blocks else 0
    stored = format_of(scenes[0].image)
    if known is None:
        legend, coding = _classes([scene.reference for scene in scenes])
        name = folder.resolve().name
        known = KnownDataset(
            name=name,
            licence="unknown",
            source=f"the folder {name}",
            bands=tuple(f"band{index}" for index in stored.indexes or ()),
            legend=legend,
            coding=coding,
        )
    return known.card(scenes, image=stored, guard=guard)


def _side(image: Path) -> int:
    """Return the shorter side of an image in pixels."""
    with closing(RasterFiles()) as files, files.use(image) as dataset:
        return int(min(dataset.shape))


def _pairs(folder: Path, name: str) -> list[tuple[Path, Path]]:
    """Return the images of a part with their masks, sorted; only training must exist."""
    images, masks = folder / name, folder / f"{name}_msk"
    if name != "train" and not images.is_dir() and not masks.is_dir():
        return []
    for part in (images, masks):
        if not part.is_dir():
            found = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
            raise DatasetError(
                f"{folder} has no folder {part.name}: expected train and train_msk, and "
                "optionally val and val_msk, test and test_msk, or a dataset card; found "
                f"{found}"
            )
    found_images, found_masks = _by_stem(images), _by_stem(masks)
    alone = sorted(found_images.keys() ^ found_masks.keys())
    if alone or not found_images:
        lack = f", and {alone[0]} is not in both" if alone else ""
        raise DatasetError(
            f"{images} has {len(found_images)} images and {masks} {len(found_masks)} masks{lack}: "
            f"give every image ({', '.join(SUFFIXES)}) a mask of its name"
        )
    return [(found_images[stem], found_masks[stem]) for stem in sorted(found_images)]


def _by_stem(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
            continue
        if (other := found.setdefault(path.stem.lower(), path)) != path:
            raise DatasetError(
                f"{folder} has {other.name} and {path.name}, which differ only in suffix: keep one "
                "of them"
            )
    return found


def _hold_out(scenes: list[CardScene]) -> list[CardScene]:
    train = [scene for scene in scenes if scene.split == "train"]
    rest = [scene for scene in scenes if scene.split != "train"]
    if len(train) < ONE_IN:
        return [replace(scene, split=BlockSplit(BLOCK)) for scene in train] + rest
    for index in range(ONE_IN - 1, len(train), ONE_IN):
        train[index] = replace(train[index], split="validation")
    return train + rest


def _classes(masks: list[Path]) -> tuple[Legend, ReferenceCoding]:
    """Make a class for each value in the masks, with evenly spaced hues."""
    found = {path: find_numbers([path]) for path in masks}
    values = set().union(*found.values())
    ids = sorted(values - {NODATA})
    if not all(0 <= number < NODATA and number == int(number) for number in ids):
        first = next(path for path, held in found.items() if held - {NODATA} - set(range(NODATA)))
        raise DatasetError(
            f"{first} holds {_shown(found[first])}, expected class ids from 0 to 254 and 255 for "
            "ignored pixels: describe the masks in a dataset card"
        )
    held = [0, NODATA] if values == {0, NODATA} else [*map(int, ids)]
    numbers = [0, 1] if values == {0, NODATA} else held
    _check_values(found, values)
    classes = (
        LegendClass(number, f"class {number}", even_colour(index, len(numbers)))
        for index, number in enumerate(numbers)
    )
    return Legend(tuple(classes)), ReferenceCoding(False, tuple((value,) for value in held))


def _check_values(found: dict[Path, set[float]], values: set[float]) -> None:
    """Refuse or report masks whose values are implausible as classes.

    Raises:
        DatasetError: there is only one class, or a lossy format has blurred the values.
    """
    ids = sorted(values - {NODATA})
    lossy = [path for path in found if is_lossy(path)]
    if lossy and len(ids) > 2:
        raise DatasetError(
            f"{lossy[0]} has lossy compression ({len(lossy)} of {len(found)} masks), so the masks "
            f"hold values between classes: {_shown(values)}. Save masks as PNG or GeoTIFF, or "
            'write a card that gives the classes ranges, reference = "0-127" and "128-255"'
        )
    if len(ids) > MANY and ids != [*range(len(ids))]:
        raise DatasetError(
            f"the masks hold {len(ids)} different values ({_shown(values)}), as after a lossy "
            "format or resampling by interpolation: save them again without either, or write a "
            'card that gives the classes ranges, reference = "0-127"'
        )
    if values != {0, NODATA} and len(ids) < 2:
        raise DatasetError(
            f"the masks hold only one class ({_shown(values)}; 255 is ignored): expected two "
            "values or more, such as 0 for all other ground"
        )
    binary = next((path for path, held in found.items() if held == {0, NODATA}), None)
    other = next((path for path, held in found.items() if held - {0, NODATA}), None)
    if binary and other:
        count = sum(held == {0, NODATA} for held in found.values())
        _warn(
            f"{binary} holds only 0 and 255 ({count} of {len(found)} masks do), {other} "
            f"{_shown(found[other])}: 255 is ignored in all masks, so the network does not learn "
            "its meaning in the first; replace it by the value of its class"
        )
    if ids == [*range(1, len(ids) + 1)]:
        _warn(
            f"the masks hold {_shown(set(ids))} and no 0: only these {len(ids)} classes are trained"
        )
    elif values != {0, NODATA} and ids != [*range(len(ids))]:
        _warn(
            f"the masks hold {_shown(set(ids))}, with gaps: each value is a class, {len(ids)} in "
            "all; in a card you can name or merge them"
        )


def _warn(text: str) -> None:
    warnings.warn(text, DatasetWarning, stacklevel=2)


def _shown(values: set[float]) -> str:
    ordered = [f"{value:g}" for value in sorted(values)]
    return ", ".join(ordered if len(ordered) <= 8 else [*ordered[:6], "...", ordered[-1]])
