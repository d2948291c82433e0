"""Pairs: images and their masks, found in a folder by their names.

A file is a mask if its name or folder has a word such as mask, label or truth; all others are
images. Without such words, the two paths are equal:

    images/a.tif            masks/a.png
    tile1/images/p1.jpg     tile1/masks/p1.png
    train/a.tif             train_msk/a.tif
    image_1.tif             mask_1.tif
    a.tif                   a_label.tif
"""

import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from geosrseg.datasets.card.card_scene import SUFFIXES, VECTORS
from geosrseg.errors import DatasetError, DatasetWarning

_MASK_WORDS = {
    *("mask", "masks", "msk", "msks", "label", "labels", "lbl", "annotation", "annotations"),
    *("gt", "truth", "groundtruth", "reference", "references", "ref", "target", "targets"),
    *("seg", "segmentation", "class", "classes", "landcover"),
}
_IMAGE_WORDS = {"image", "images", "img", "imgs", "scene", "scenes", "input", "inputs", "rgb"}
_SPLIT_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
_WORD = re.compile(r"[a-z]+|\d+")


@dataclass(frozen=True, slots=True)
class Pair:
    """An image and its mask.

    Attributes:
        mask: file of the mask; one polygon file may serve all images.
        place: words of the image's folders without those for mask, image or a split; files of
            one place may show neighbouring ground.
        split: split that the image's folder is named after; empty without one.
    """

    image: Path
    mask: Path
    place: tuple[str, ...]
    split: str


def find_pairs(folder: Path, *, masks: Path | None = None) -> list[Pair]:
    """Find the images of a folder and their masks, sorted by path.

    Args:
        folder: holds the images, and the masks unless `masks` is given.
        masks: another folder with masks of the same names, or a polygon file for all images.

    Warns:
        DatasetWarning: images have no mask, or masks no image; they are left out.

    Raises:
        DatasetError: there is no pair, or two files differ only in suffix.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder} is not a folder: expected one with images and masks")
    files = _files(folder, SUFFIXES)
    if masks is None:
        masks = _only_polygons(folder, files)
    if masks is None or masks.is_file():
        own = [file for file in files if _is_mask(folder, file)]
    elif masks.is_dir():
        own = _files(masks, SUFFIXES)
    else:
        raise DatasetError(f"{masks} is neither a folder with masks nor a polygon file")
    images = _by_key(folder, sorted({*files} - {*own}))
    if masks and masks.is_file():
        if not images:
            raise DatasetError(f"{folder} holds no image ({', '.join(SUFFIXES)})")
        return _split_by_folders(folder, {key: (image, masks) for key, image in images.items()})
    references = _by_key(masks or folder, own)
    both = {key: (images[key], references[key]) for key in images if key in references}
    if not both:
        counts = " and ".join(
            f"{len(found)} {what}{f' such as {next(iter(found.values()))}' if found else ''}"
            for found, what in ((images, "images"), (references, "masks"))
        )
        raise DatasetError(
            f"{folder} holds no image with its mask ({counts}): put images into images/ and masks "
            "of the same names into masks/, name them like a.tif and a_mask.tif, or give the "
            "folder of the masks, `masks=FOLDER`"
        )
    _report_alone("images have no mask", [images[key] for key in images if key not in both])
    _report_alone("masks have no image", [references[key] for key in references if key not in both])
    return _split_by_folders(folder, both)


def _files(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in suffixes
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )


def _only_polygons(folder: Path, files: Iterable[Path]) -> Path | None:
    """Return the only polygon file beside images without masks, if there is one."""
    if any(_is_mask(folder, file) for file in files):
        return None
    found = [file for file in _files(folder, VECTORS) if not file.name.endswith(".aux.json")]
    return found[0] if len(found) == 1 else None


def _path_words(folder: Path, file: Path) -> list[list[str]]:
    relative = file.relative_to(folder)
    return [_WORD.findall(part.lower()) for part in (*relative.parts[:-1], relative.stem)]


def _is_mask(folder: Path, file: Path) -> bool:
    return any(word in _MASK_WORDS for words in _path_words(folder, file) for word in words)


def _by_key(folder: Path, files: Iterable[Path]) -> dict[tuple[str, ...], Path]:
    """Key files by the words that an image and its mask share."""
    found: dict[tuple[str, ...], Path] = {}
    for file in files:
        words = [word for part in _path_words(folder, file) for word in part]
        key = tuple(word for word in words if word not in _MASK_WORDS | _IMAGE_WORDS)
        if key in found:
            raise DatasetError(
                f"{found[key]} and {file} differ only in suffix or in a word such as image: "
                "keep one of them"
            )
        found[key] = file
    return found


def _split_by_folders(folder: Path, pairs: dict[tuple[str, ...], tuple[Path, Path]]) -> list[Pair]:
    made = []
    for image, mask in pairs.values():
        above = [word for words in _path_words(folder, image)[:-1] for word in words]
        splits = [_SPLIT_WORDS[word] for word in above if word in _SPLIT_WORDS]
        known = _MASK_WORDS | _IMAGE_WORDS | _SPLIT_WORDS.keys()
        place = tuple(word for word in above if word not in known)
        made.append(Pair(image, mask, place, splits[0] if splits else ""))
    return sorted(made, key=lambda pair: pair.image)


def _report_alone(what: str, alone: list[Path]) -> None:
    if alone:
        text = f"{len(alone)} {what} and are left out, first {alone[0]}"
        warnings.warn(text, DatasetWarning, stacklevel=3)
