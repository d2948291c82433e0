"""The domain of a dataset: what the LR images are like that a network learns from."""

import statistics
from collections.abc import Sequence
from dataclasses import replace

from geosrseg.core.band_counts import BandCounts
from geosrseg.core.domain import LEVELS, Domain
from geosrseg.core.normalize import Normalization
from geosrseg.datasets.card.card import DatasetCard
from geosrseg.datasets.labelled_scene import LabelledScene
from geosrseg.datasets.scenes import open_scenes
from geosrseg.raster.files.resolution import ground_resolution

BEYOND = 10
"""Ranges of a band on either side of its own that are counted: what the network clips is
a part of what the images are like."""

DIGITS = 6
"""Decimal places of a quantile of reflectance."""


def measure_domain(card: DatasetCard, *, factor: int) -> Domain:
    """Measure the inputs of a network that is trained on a dataset.

    Args:
        card: the dataset, which says in words what cannot be measured.
        factor: upscale factor of the network; 1 where it sees the native images.

    Raises:
        DatasetError: a file cannot be read.
    """
    native = factor == 1 or card.lr is None
    low, high = (card.low, card.high) if native or not card.lr else (card.lr.low, card.lr.high)
    spans = [upper - lower for lower, upper in zip(low, high, strict=True)]
    wide = Normalization(
        tuple(lower - BEYOND * span for lower, span in zip(low, spans, strict=True)),
        tuple(upper + BEYOND * span for upper, span in zip(high, spans, strict=True)),
        (0.5,) * len(low),
    )
    counts = BandCounts((0.0,) * len(low), (1.0,) * len(low))
    with open_scenes(card, wide) as scenes:
        for scene in scenes:
            for inputs in scene.training_inputs(factor):
                counts.add(inputs)
        resolution = _resolution(scenes, card.domain.resolution, factor)
    if not counts.pixels:
        return replace(card.domain, resolution=resolution)
    return replace(
        card.domain,
        resolution=resolution,
        quantiles=tuple(
            tuple(_reflectance(value, wide, band) for value in quantiles)
            for band, quantiles in enumerate(counts.quantiles(LEVELS))
        ),
        means=tuple(_reflectance(value, wide, band) for band, value in enumerate(counts.means())),
    )


def _reflectance(value: float, wide: Normalization, band: int) -> float:
    low, high = wide.low[band], wide.high[band]
    return round(low + value * (high - low), DIGITS)


def _resolution(scenes: Sequence[LabelledScene], stated: float | None, factor: int) -> float | None:
    """Metres of an LR pixel: by the georeferences, else by the card."""
    found = [(ground_resolution(scene.grid), scene.is_lr) for scene in scenes]
    known = [value if is_lr else value * factor for value, is_lr in found if value is not None]
    if not known:
        return None if stated is None else round(stated * factor, 3)
    return round(statistics.median(known), 3)
