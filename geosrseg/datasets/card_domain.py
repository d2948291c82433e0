"""The domain of a dataset: what the LR images that a network learns from are like."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.band_counts import BandCounts
from geosrseg.core.domain import LEVELS, Domain
from geosrseg.core.normalize import Normalization
from geosrseg.datasets.card.card import DatasetCard
from geosrseg.datasets.chips import ChipConfig
from geosrseg.datasets.labelled_scene import LabelledScene
from geosrseg.datasets.scenes import open_scenes
from geosrseg.datasets.source_chips import SourceChips
from geosrseg.datasets.source_scene import SourceScene
from geosrseg.raster.files.resolution import ground_resolution

BEYOND = 10
"""Widths of a band's range that are counted below and above it: values that the network clips
describe the images too."""

DRAWN = 500
"""Chips of several sources that are measured; weights, light and haze are those of training."""

DIGITS = 6
"""Decimal places of reflectance quantiles."""


def measure_domain(
    card: DatasetCard,
    *,
    factor: int,
    chips: ChipConfig | None = None,
    fill: Sequence[float] = (),
    most: int = DRAWN,
) -> Domain:
    """Measure the inputs of a network that is trained on a dataset.

    The images of a card are measured as they are. A card with several sources is measured by
    its chips, which mix the sources by weight and add or remove atmospheres.

    Args:
        card: the dataset; it states what cannot be measured.
        factor: upscale factor of the network; 1 where it sees the native images.
        chips: how chips of several sources are drawn; None measures their images instead.
        fill: network input of missing pixels in chips, one per band.
        most: largest number of these chips.

    Raises:
        DatasetError: a file cannot be read.
    """
    bare = card.bare_normalization(native=factor == 1)
    low, high = np.array(bare.low), np.array(bare.high)
    margin = BEYOND * (high - low)
    wide = Normalization(
        tuple((low - margin).tolist()),
        tuple((high + margin).tolist()),
        tuple((BEYOND + value) / (2 * BEYOND + 1) for value in fill or (0.5,) * len(low)),
    )
    counts = BandCounts((0.0,) * len(low), (1.0,) * len(low))
    with open_scenes(card, wide) as scenes:
        for inputs in _inputs(scenes, card, factor, chips, most):
            counts.add(inputs)
        resolution = _resolution(scenes, card.domain.resolution, factor)
        shares = _largest_shares(scenes, len(card.legend))
    domain = replace(card.domain, resolution=resolution, shares=shares)
    if not counts.pixels:
        return domain
    return replace(
        domain,
        quantiles=tuple(
            tuple(_reflectance(value, wide, band) for value in quantiles)
            for band, quantiles in enumerate(counts.quantiles(LEVELS))
        ),
        means=tuple(_reflectance(value, wide, band) for band, value in enumerate(counts.means())),
    )


def _inputs(
    scenes: Sequence[LabelledScene],
    card: DatasetCard,
    factor: int,
    chips: ChipConfig | None,
    most: int,
) -> Iterator[NDArray[np.float32]]:
    """Yield (bands, pixels) network inputs of the training data."""
    sourced = [scene for scene in scenes if isinstance(scene, SourceScene)]
    if sourced and chips:
        drawn = SourceChips(
            sourced, classes=len(card.legend), config=replace(chips, cutout=0, augment={})
        )
        for number in range(min(DRAWN, most)):
            yield drawn[number].lr.flatten(1).numpy()
        return
    for scene in scenes:
        yield from scene.training_inputs(factor)


def _largest_shares(scenes: Sequence[LabelledScene], classes: int) -> tuple[float, ...]:
    """Return the largest share of each class in the labelled training pixels of one file."""
    by_file: dict[Path, NDArray[np.int64]] = {}
    for scene in scenes:
        if scene.split.may_hold("train"):
            counts = by_file.setdefault(scene.reference.path, np.zeros(classes, np.int64))
            for strip in scene.strips():
                labels = scene.read_target(strip, "train").ravel()
                counts += np.bincount(labels, minlength=256)[:classes]
    known = [counts / counts.sum() for counts in by_file.values() if counts.any()]
    return tuple(np.max(known, axis=0).round(4).tolist()) if known else ()


def _reflectance(value: float, wide: Normalization, band: int) -> float:
    low, high = wide.low[band], wide.high[band]
    return round(low + value * (high - low), DIGITS)


def _resolution(scenes: Sequence[LabelledScene], stated: float | None, factor: int) -> float | None:
    """Return metres per LR pixel, from the georeferences or else from the card."""
    found = [(ground_resolution(scene.grid), scene.is_lr) for scene in scenes]
    known = [value if is_lr else value * factor for value, is_lr in found if value is not None]
    if not known:
        return None if stated is None else round(stated * factor, 3)
    return float(f"{statistics.median(known):.3g}")  # UTM grids differ by less
