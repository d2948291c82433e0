"""Landsat view: Sentinel-2's reflectance as Landsat's OLI would measure it.

Two published differences are corrected.

- **Bands.** The linear fits of NASA's Harmonized Landsat and Sentinel-2 (HLS v2.0), made on
  500 hyperspectral spectra of 160 Hyperion scenes (hls.gsfc.nasa.gov/algorithms/
  bandpass-adjustment; Claverie et al., Remote Sensing of Environment 219, 2018). HLS takes
  the near infrared from band 8A; images with band 8 get the same adjustment.
- **Blur.** OLI's point spread function as a Gaussian. Its required edge slope of 0.027 per
  metre (Knight and Kvaran, Remote Sensing 6, 2014) corresponds to a standard deviation of
  14.8 m, which passes 0.30 at the Nyquist frequency of 30 m. Sentinel-2's own blur is part of
  this: a transfer of 0.25, within ESA's range of 0.15 to 0.30 for the 10 m bands, corresponds
  to a standard deviation of 5.3 m. The remaining blur is 13.8 m, 0.46 of a Landsat pixel.
"""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

SIGMA = 0.46
"""Standard deviation of the blur in LR pixels."""

REACH = 1
"""Radius in LR pixels of the ground that an LR pixel depends on: 3.3 standard deviations."""

BANDS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "S2A": {
        "blue": (0.9778, -0.0040),
        "green": (1.0053, -0.0009),
        "red": (0.9765, 0.0009),
        "nir": (0.9983, -0.0001),
        "swir1": (0.9987, -0.0011),
        "swir2": (1.0030, -0.0012),
    },
    "S2B": {
        "blue": (0.9778, -0.0040),
        "green": (1.0075, -0.0008),
        "red": (0.9761, 0.0010),
        "nir": (0.9966, 0.0000),
        "swir1": (1.0000, -0.0003),
        "swir2": (0.9867, 0.0004),
    },
}
"""Slope and offset of each band, by sensor."""


def adjust_bands(
    reflectance: NDArray[np.float32], *, sensor: str, bands: tuple[str, ...]
) -> NDArray[np.float32]:
    """Convert Sentinel-2's reflectance to Landsat's.

    Args:
        reflectance: (bands, rows, cols).
        sensor: a key of `BANDS`.
        bands: band names, keys of the sensor's table in `BANDS`.
    """
    slope, offset = np.array([BANDS[sensor][band] for band in bands], np.float32).T[..., None, None]
    return reflectance * slope + offset


def reduce_image(hr: Tensor, *, factor: int) -> Tensor:
    """Blur an image as OLI does, and sample it at the centre of every LR pixel.

    Args:
        hr: (bands, factor * H, factor * W); mirrored at its edges.
        factor: HR pixels per LR pixel along each axis.

    Returns:
        (bands, H, W).
    """
    down, across = (_reduction(length // factor, factor) for length in hr.shape[-2:])
    return down @ hr @ across.T


@lru_cache(maxsize=16)
def _reduction(length: int, factor: int) -> Tensor:
    """Return (length, factor * length) weights of the HR pixels in each LR pixel along one axis."""
    taps = np.arange(-factor, 2 * factor)  # from one LR pixel before to one after
    weights = np.exp(-0.5 * ((taps - (factor - 1) / 2) / (SIGMA * factor)) ** 2)
    rows = np.repeat(np.arange(length), len(taps))
    cols = (np.arange(length)[:, None] * factor + taps).ravel()
    last = factor * length - 1
    cols = np.where(cols < 0, -cols, np.where(cols > last, 2 * last - cols, cols))
    matrix = np.zeros((length, last + 1))
    np.add.at(matrix, (rows, cols), np.tile(weights / weights.sum(), length))
    return torch.from_numpy(matrix.astype(np.float32))
