"""SpectralFeatures: adds logarithms and normalized differences of bands to the input.

Sun, slope and haze change all bands together, so classification relies on ratios of bands. A
logarithm turns ratios into differences, which a convolution can compute.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from geosrseg.core.normalize import Normalization

BLUE, GREEN, RED, NIR, SWIR1, SWIR2 = range(6)
LANDSAT = 6
"""Number of bands of an image that is assumed to have these bands in this order."""

PAIRS = ((NIR, RED), (GREEN, NIR), (GREEN, SWIR1), (NIR, SWIR1), (NIR, SWIR2))
"""Vegetation, open water, water and snow, moisture, burnt ground."""

DARK = 0.01
"""Reflectance added before a logarithm or a division."""

MIDDLE = 2.0
"""Offset of the logarithms, which centres reflectances of .01 to .9 around zero."""


class SpectralFeatures(nn.Module):
    """(N, bands, H, W) normalized -> (N, outputs, H, W).

    The bands are followed by log(r + .01) + 2 of each band's reflectance r, and for six bands by
    the normalized differences of `PAIRS`. `calibrate` sets the normalization from which
    reflectance is computed; until then the input counts as reflectance.

    Args:
        widened: False leaves the image unchanged.

    Attributes:
        outputs: number of output bands.
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
        """Name the outputs for an image of these bands."""
        if not self.widened:
            return list(bands)
        pairs = PAIRS if len(bands) == LANDSAT else ()  # `bands` may be another network's
        differences = [f"{bands[one]} - {bands[other]}" for one, other in pairs]
        return [*bands, *(f"log {band}" for band in bands), *differences]

    def calibrate(self, normalization: Normalization) -> None:
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
