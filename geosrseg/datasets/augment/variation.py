"""Variations of a chip beyond flips, turns and light, each by name and relative strength.

- **scale**: the chip shows 0.8 to 1.5 times its usual side of ground. Ground shown larger is
  blurred, and the SR image would learn to be, so it is enlarged less than it is reduced.
- **haze**: a patchy veil over all images of the ground, up to 0.3 thick, thinner towards the
  infrared where the bands say what they are.
- **noise**: of the network's input alone, up to 0.02 of a band's range.
- **drop**: one band of the network's input holds its fill, as where `predict` has no number.

These are the amounts at a strength of 1.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from geosrseg.datasets.augment.atmosphere import WAVELENGTHS

LEAST_SIDE, MOST_SIDE = 0.8, 1.5
"""Factors on the side of the ground that a chip shows."""

HAZY = 0.5
"""Share of the chips with haze."""

THICKEST = 0.3
"""Share of the ground's light that the thickest haze takes."""

AIR = 0.7
"""What haze looks like alone, as network input."""

VEIL = 4
"""Knots of the veil along each side: it differs from place to place, not from pixel to pixel."""

ANGSTROM = 1.3
"""Exponent by which haze thins with the wavelength."""

LOUDEST = 0.02
"""Largest standard deviation of the noise."""

DROPPED = 0.2
"""Share of the chips that lack a band."""


def draw_side(
    size: int,
    *,
    multiple: int,
    length: int,
    strengths: Mapping[str, float],
    generator: np.random.Generator,
) -> int:
    """Pixels along each side of the ground that becomes a chip of `size` pixels.

    Args:
        size: a multiple of `multiple`.
        multiple: of which the side is one too.
        length: shorter side of the image, which a chip reaches over only if its `size` does.
        strengths: by name of a variation.
        generator: source of the random numbers.
    """
    strength = strengths.get("scale", 0.0)
    if not strength:
        return size
    low, high = math.log(LEAST_SIDE) * strength, math.log(MOST_SIDE) * strength
    side = size * math.exp(generator.uniform(low, high))
    most = max(size, length // multiple * multiple)
    return min(max(round(side / multiple), 1) * multiple, most)


def resize_image(image: Tensor, size: int) -> Tensor:
    """(bands, rows, cols) -> (bands, size, size), antialiased, in the range that it had."""
    if image.shape[-1] == size:
        return image
    return F.interpolate(image[None], size=(size, size), mode="bilinear", antialias=True)[0]


def resize_labels(labels: Tensor, size: int) -> Tensor:
    """(rows, cols) -> (size, size): each pixel has the value at its middle, none is new."""
    length = labels.shape[-1]
    if length == size:
        return labels
    middles = ((torch.arange(size) + 0.5) * (length / size)).long()
    return labels[middles][:, middles]


def vary_all(
    *images: Tensor,
    bands: Sequence[str],
    strengths: Mapping[str, float],
    generator: np.random.Generator,
) -> tuple[Tensor, ...]:
    """Put haze before images of one ground, alike.

    Args:
        images: each (bands, rows, cols) in [0, 1].
        bands: their names.
        strengths: by name of a variation.
        generator: source of the random numbers.
    """
    if not strengths.get("haze"):
        return images
    hazy, amount = generator.random() < HAZY, generator.random()
    knots = torch.from_numpy(generator.random((1, 1, VEIL, VEIL))).float()
    if not hazy:
        return images
    thickest = min(THICKEST * strengths["haze"] * amount, 1.0)
    relative = _haze_of(bands)[:, None, None]
    hazed = []
    for image in images:
        veil = F.interpolate(knots, size=image.shape[-2:], mode="bilinear", align_corners=False)[0]
        share = thickest * relative * (0.5 + 0.5 * veil)
        hazed.append((1 - share) * image + share * AIR)
    return tuple(hazed)


def vary_input(
    lr: Tensor,
    *,
    fill: Sequence[float],
    strengths: Mapping[str, float],
    generator: np.random.Generator,
) -> Tensor:
    """Add noise to the network's input, and take a band away.

    Args:
        lr: (bands, rows, cols) in [0, 1]; not changed.
        fill: what a band holds that is not there, one per band.
        strengths: by name of a variation.
        generator: source of the random numbers.
    """
    if strengths.get("noise"):
        deviation = LOUDEST * strengths["noise"] * generator.random()
        noise = torch.from_numpy(generator.standard_normal(tuple(lr.shape), np.float32))
        lr = (lr + deviation * noise).clamp(0, 1)
    if strengths.get("drop"):
        dropped, band = generator.random() < DROPPED * strengths["drop"], generator.random()
        if dropped and len(lr) > 1:
            index = int(band * len(lr))
            lr = lr.clone()
            lr[index] = fill[index]
    return lr


def _haze_of(bands: Sequence[str]) -> Tensor:
    """(bands,) thickness relative to the haziest band; alike where a band is not known."""
    if not all(band in WAVELENGTHS for band in bands):
        return torch.ones(len(bands))
    thickness = np.array([WAVELENGTHS[band] for band in bands]) ** -ANGSTROM
    return torch.from_numpy(thickness / thickness.max()).float()
