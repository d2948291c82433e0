"""Scenes: all labelled scenes of a dataset, opened together."""

import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from geosrseg.core.normalize import Normalization
from geosrseg.datasets.card.card import DatasetCard
from geosrseg.datasets.card.card_scene import VECTORS, CardScene
from geosrseg.datasets.dataset_image import open_image
from geosrseg.datasets.labelled_scene import LabelledScene
from geosrseg.datasets.lr_image import open_lr_image
from geosrseg.datasets.polygon_reference import PolygonReference, open_polygons
from geosrseg.datasets.reference import Reference, open_reference
from geosrseg.datasets.scene_split import open_split
from geosrseg.datasets.source_scene import check_bands, open_source_scenes
from geosrseg.errors import DatasetError, DatasetWarning
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.files.raster_files import RasterFiles
from geosrseg.raster.storage.gdal import small_cache


@contextmanager
def open_labelled_scenes(
    card: DatasetCard, *, normalization: Normalization, checked: bool = False
) -> Iterator[list[LabelledScene]]:
    """All scenes of a dataset; their files are open until the end of the context.

    References with values or colours that the card does not know give one DatasetWarning.

    Args:
        normalization: of the network's input.
        checked: the references have been looked at already.

    Raises:
        DatasetError: a file cannot be read, is not what the card says, or image, reference
            and split of a scene are not on one grid.
    """
    with open_scenes(card, normalization) as scenes:
        if not checked:
            _warn_of_unknown_codes(card, scenes)
        yield scenes


@contextmanager
def open_scenes(card: DatasetCard, normalization: Normalization) -> Iterator[list[LabelledScene]]:
    """As `open_labelled_scenes`, without a look at the references' values."""
    files = RasterFiles()
    try:
        with small_cache():
            if card.sources:
                check_bands(card)
                yield [*open_source_scenes(card, normalization, files)]
            else:
                yield [_open(scene, card, normalization, files) for scene in card.scenes]
    finally:
        files.close()


def _open(
    scene: CardScene, card: DatasetCard, normalization: Normalization, files: RasterFiles
) -> LabelledScene:
    image = open_image(scene.image, bands=card.bands, stored=card.image, files=files)
    lr = None
    if scene.lr and card.lr:
        lr = open_lr_image(scene.lr, image, bands=card.bands, stored=card.lr.image, files=files)
    return LabelledScene(
        image=image,
        reference=_open_reference(scene.reference, card, image.grid, files),
        split=open_split(scene, guard=card.guard, grid=image.grid, files=files),
        normalization=normalization,
        ranges=Normalization(card.low, card.high, normalization.fill),
        lr=lr,
    )


def _open_reference(
    path: Path, card: DatasetCard, grid: Grid, files: RasterFiles
) -> Reference | PolygonReference:
    if card.polygons:
        return open_polygons(path, column=card.polygons, coding=card.coding, grid=grid)
    if path.suffix.lower() in VECTORS:
        raise DatasetError(
            f"{path} holds polygons: say in which column their class is, column = .. in a table "
            "[polygons] of the card"
        )
    return open_reference(path, coding=card.coding, grid=grid, files=files)


def _warn_of_unknown_codes(card: DatasetCard, scenes: Sequence[LabelledScene]) -> None:
    """Read every reference once: a code that nobody thought of is a mistake of the card."""
    counts: Counter[int] = Counter()
    first: dict[int, Path] = {}
    for scene in scenes:
        for strip in scene.strips():
            for code, count in scene.reference.count_unknown(strip).items():
                counts[code] += count
                first.setdefault(code, scene.reference.path)
    if counts:
        warnings.warn(unknown_codes(card, counts, first), DatasetWarning, stacklevel=3)


def unknown_codes(card: DatasetCard, counts: Counter[int], first: Mapping[int, Path]) -> str:
    """What is said of codes that the card does not know.

    Args:
        counts: pixels by code.
        first: by code, a reference that holds it.
    """
    listed = [
        f"{card.coding.show(code)} ({count} pixels, first in {first[code]})"
        for code, count in counts.most_common(5)
    ]
    more = f" and {len(counts) - 5} more" if len(counts) > 5 else ""
    return (
        f"the references of {card.name} have {counts.total()} pixels whose value no class has: "
        f"{', '.join(listed)}{more}; they are ignored, and without this warning if the card's list "
        "`ignored` has them"
    )


def measure_normalization(card: DatasetCard, *, native: bool = False) -> Normalization:
    """The normalization of the network's input, with the training pixels' mean as its fill.

    Args:
        native: the network's input is the native image, though there may be real LR images.
    """
    native = native or card.lr is None
    low, high = (card.low, card.high) if native or not card.lr else (card.lr.low, card.lr.high)
    bare = Normalization(low, high, (0.0,) * len(card.bands))
    total, count = np.zeros(len(card.bands)), 0
    with open_scenes(card, bare) as scenes:
        for scene in scenes:
            sums, pixels = scene.sum_inputs(native=native)
            total, count = total + sums, count + pixels
    fill = tuple(float(value) for value in np.round(total / max(count, 1), 4))
    return replace(bare, fill=fill)
