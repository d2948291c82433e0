"""SpectralFeatures: the input with its logarithms and normalized differences beside it.

A classification of reflectance asks for ratios of bands: sun, slope and haze change bands
together. A logarithm turns ratios into differences, which a convolution sees.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from geosrseg.core.normalize import Normalization

BLUE, GREEN, RED, NIR, SWIR1, SWIR2 = range(6)
LANDSAT = 6
"""Bands of an image whose bands are taken to be these, in this order."""

PAIRS = ((NIR, RED), (GREEN, NIR), (GREEN, SWIR1), (NIR, SWIR1), (NIR, SWIR2))
"""Vegetation, open water, water and snow, moisture, burnt ground."""

DARK = 0.01
"""Reflectance that is added before a logarithm or a division."""

MIDDLE = 2.0
"""Added to a logarithm, so that reflectances of .01 to .9 lie around zero."""


class SpectralFeatures(nn.Module):
    """(N, bands, H, W) normalized -> (N, outputs, H, W).

    Behind the bands come log(r + .01) + 2 of each band's reflectance r, and for six bands the
    normalized differences of `PAIRS`. They are computed from reflectance, whichever the
    normalization is, once `calibrate` has told it; until then the input is taken for it.

    Args:
        bands: of the image.
        widened: false leaves the image unchanged.

    Attributes:
        outputs: bands that it gives.
    """

    low: Tensor
    span: Tensor

    def __init__(self, bands: int, *, widened: bool = True) -> None:
        super().__init__()
        self.widened = widened
        self.pairs = PAIRS if bands == LANDSAT else ()
        self.outputs = 2 * bands + len(self.pairs) if widened else bands
        self.register_buffer("low", torch.zeros(bands, 1, 1))
        self.register_buffer("span", torch.ones(bands, 1, 1))

    def names(self, bands: Sequence[str]) -> list[str]:
        """A name for each of its outputs, for an image of these bands."""
        if not self.widened:
            return list(bands)
        pairs = PAIRS if len(bands) == LANDSAT else ()
        differences = [f"{bands[one]} - {bands[other]}" for one, other in pairs]
        return [*bands, *(f"log {band}" for band in bands), *differences]

    def calibrate(self, normalization: Normalization) -> None:
        """Take in which reflectance is 0 and which is 1."""
        low, high = (torch.tensor(values) for values in (normalization.low, normalization.high))
        self.low.copy_(low[:, None, None])
        self.span.copy_((high - low)[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        if not self.widened:
            return x
        above = (x * self.span + self.low).clamp(min=0) + DARK
        features = [x, above.log() + MIDDLE]
        if self.pairs:
            one, other = (above[:, list(bands)] for bands in zip(*self.pairs, strict=True))
            features.append((one - other) / (one + other))
        return torch.cat(features, 1)
