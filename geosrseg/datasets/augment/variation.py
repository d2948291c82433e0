"""Variations of a chip beyond flips, turns and light, each with a name and a relative strength.

- **scale**: the chip shows 0.8 to 1.5 times its usual side of ground. Enlarging blurs, and the
  network would learn blurred SR images, so ground is enlarged less than it is reduced.
- **haze**: a patchy veil over all images of the ground, up to 0.3 thick, thinner towards the
  infrared where the wavelengths of the bands are known.
- **noise**: added to the network's input only, up to 0.02 of a band's range.
- **drop**: one band of the network's input holds its fill, as `predict` fills missing numbers.

The amounts apply to a strength of 1.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from geosrseg.datasets.augment.atmosphere import WAVELENGTHS

LEAST_SIDE, MOST_SIDE = 0.8, 1.5
"""Range of the factor on the side of the ground that a chip shows."""

HAZY = 0.5
"""Share of chips with haze."""

THICKEST = 0.3
"""Share of the ground's light that the thickest haze removes."""

AIR = 0.7
"""Network input of haze alone."""

VEIL = 4
"""Knots of the veil along each side: it varies between places, not between pixels."""

ANGSTROM = 1.3
"""Exponent by which haze thins with the wavelength."""

LOUDEST = 0.02
"""Largest standard deviation of the noise."""

WHOLE = 1 - 1e-4
"""Share of a resized pixel that must be marked; rounding leaves less than 1."""

DROPPED = 0.2
"""Share of chips that lack a band."""


def draw_side(
    size: int,
    *,
    multiple: int,
    length: int,
    strengths: Mapping[str, float],
    generator: np.random.Generator,
) -> int:
    """Draw the side in pixels of the ground that becomes a chip of `size` pixels.

    Args:
        size: usual side, a multiple of `multiple`.
        multiple: divides the result.
        length: shorter side of the image; the result exceeds it only where `size` does.
        strengths: strength of each variation by name.
    """
    strength = strengths.get("scale", 0.0)
    if not strength:
        return size
    low, high = math.log(LEAST_SIDE) * strength, math.log(MOST_SIDE) * strength
    side = size * math.exp(generator.uniform(low, high))
    most = max(size, length // multiple * multiple)
    return min(max(round(side / multiple), 1) * multiple, most)


def resize_image(image: Tensor, size: int) -> Tensor:
    """Resize (bands, rows, cols) to (bands, size, size), antialiased, within the input's range."""
    if image.shape[-1] == size:
        return image
    return F.interpolate(image[None], size=(size, size), mode="bilinear", antialias=True)[0]


def resize_labels(labels: Tensor, size: int) -> Tensor:
    """Resize (rows, cols) to (size, size): each pixel takes the value at its centre."""
    length = labels.shape[-1]
    if length == size:
        return labels
    middles = ((torch.arange(size) + 0.5) * (length / size)).long()
    return labels[middles][:, middles]


def resize_mask(mask: Tensor, size: int) -> Tensor:
    """Resize (rows, cols) bool like an image: a pixel is True if all that it shows is."""
    if mask.shape[-1] == size:
        return mask
    return resize_image(mask.float()[None], size)[0] > WHOLE


def vary_all(
    *images: Tensor,
    bands: Sequence[str],
    strengths: Mapping[str, float],
    generator: np.random.Generator,
) -> tuple[Tensor, ...]:
    """Add the same haze to all images of one ground.

    Args:
        images: each (bands, rows, cols) in [0, 1].
        bands: names of the bands.
        strengths: strength of each variation by name.
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
    """Add noise to the network's input, and drop a band.

    Args:
        lr: (bands, rows, cols) in [0, 1]; not changed.
        fill: network input of a dropped band, one per band.
        strengths: strength of each variation by name.
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
    """Return (bands,) thickness relative to the haziest band; (1,) one if a band is unknown."""
    if not bands or not all(band in WAVELENGTHS for band in bands):
        return torch.ones(1)
    thickness = np.array([WAVELENGTHS[band] for band in bands]) ** -ANGSTROM
    return torch.from_numpy(thickness / thickness.max()).float()
