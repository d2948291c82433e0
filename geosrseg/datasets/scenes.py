"""Scenes: opens all labelled scenes of a dataset, and measures their normalization."""

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
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
from geosrseg.datasets.source_scene import open_source_scenes
from geosrseg.errors import DatasetError, DatasetWarning
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.files.raster_files import RasterFiles
from geosrseg.raster.storage.gdal import small_cache


@contextmanager
def open_labelled_scenes(
    card: DatasetCard, *, normalization: Normalization, checked: bool = False
) -> Iterator[list[LabelledScene]]:
    """Open all scenes of a dataset, with one warning for unknown values in references.

    Args:
        normalization: reflectance to network input.
        checked: skip the search for unknown values, as another check covers it.

    Warns:
        DatasetWarning: references have values or colours that are missing in the card.

    Raises:
        DatasetError: a file cannot be read or contradicts the card, or image, reference and
            split of a scene are not on one grid.
    """
    with open_scenes(card, normalization) as scenes:
        if not (checked or card.polygons):  # `open_polygons` has checked polygons
            found = (
                (one.reference.path, one.reference.coding.count_unknown(codes))
                for one in scenes
                for codes in map(one.reference.read_codes, one.strips())
            )
            if text := unknown_codes(card, found):
                warnings.warn(text, DatasetWarning, stacklevel=2)
        yield scenes


@contextmanager
def open_scenes(card: DatasetCard, normalization: Normalization) -> Iterator[list[LabelledScene]]:
    """Open all scenes of a dataset without checking the references' values."""
    with closing(RasterFiles()) as files, small_cache():
        if card.sources:
            yield [*open_source_scenes(card, normalization, files)]
        else:
            yield [_open(scene, card, normalization, files) for scene in card.scenes]


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
        split=open_split(scene, others=card.scenes, guard=card.guard, grid=image.grid, files=files),
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
            f"{path} holds polygons: name the column with their class, column = .. in a table "
            "[polygons] of the card"
        )
    return open_reference(path, coding=card.coding, grid=grid, files=files)


def unknown_codes(card: DatasetCard, found: Iterable[tuple[Path, Mapping[int, int]]]) -> str:
    """Return a warning about codes that are missing in the card; empty if there are none.

    Args:
        found: files with the pixels of each unknown code.
    """
    counts: Counter[int] = Counter()
    first: dict[int, Path] = {}
    for path, unknown in found:
        counts.update(unknown)
        first = dict.fromkeys(unknown, path) | first
    if not counts:
        return ""
    listed = [
        f"{card.coding.show(code)} ({count} pixels, first in {first[code]})"
        for code, count in counts.most_common(5)
    ]
    more = f" and {len(counts) - 5} more" if len(counts) > 5 else ""
    return (
        f"the references of {card.name} have {counts.total()} pixels with values that the card "
        f"assigns to no class: {', '.join(listed)}{more}; they are ignored. List these values "
        "under `ignored` in the card to silence this warning"
    )


def measure_normalization(card: DatasetCard, *, native: bool = False) -> Normalization:
    """Measure the normalization of the network's input; its fill is the training pixels' mean.

    Args:
        native: the network's input is the native image, even where real LR images exist.
    """
    bare = card.bare_normalization(native=native)
    total, count = np.zeros(len(card.bands)), 0
    with open_scenes(card, bare) as scenes:
        for scene in scenes:
            for inputs in scene.training_inputs(scene.lr.factor if scene.lr and not native else 1):
                total += inputs.sum(axis=1, dtype=np.float64)
                count += inputs.shape[1]
    fill = tuple(float(value) for value in np.round(total / max(count, 1), 4))
    return replace(bare, fill=fill)
