"""Atmosphere: converts surface reflectance to top-of-atmosphere reflectance and back.

A simple model for augmentation, not for correction: single scattering, a horizontal surface,
the sensor above it, no gases. Molecules scatter with the optical depth 0.00877 λ^-4.05
(Dutton et al., Journal of Geophysical Research 99, 1994), aerosols with Ångström's power
law. A network that has seen both sides of many atmospheres accepts both kinds of images.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WAVELENGTHS: Mapping[str, float] = {
    "blue": 0.482,
    "green": 0.561,
    "red": 0.655,
    "nir": 0.865,
    "swir1": 1.609,
    "swir2": 2.201,
}
"""Centre wavelengths of OLI's bands in micrometres."""

AEROSOL_PHASE = 0.25
"""Light that aerosols scatter towards a sensor above, relative to isotropic scattering."""

AEROSOL_LOSS, MOLECULAR_LOSS = 0.16, 0.5
"""Parts of the optical depths that keep light from the surface: most light scatters forward."""


@dataclass(frozen=True, slots=True)
class Atmosphere:
    """One state of the atmosphere, for the bands of an image.

    Attributes:
        path: (bands, 1, 1) reflectance of the air alone.
        transmission: (bands, 1, 1) share of the surface reflectance that passes through.
    """

    path: NDArray[np.float32]
    transmission: NDArray[np.float32]

    @classmethod
    def of(
        cls, bands: tuple[str, ...], *, sun_zenith: float, turbidity: float, exponent: float
    ) -> "Atmosphere":
        """Compute the atmosphere in some bands.

        Args:
            bands: names, keys of `WAVELENGTHS`.
            sun_zenith: angle in degrees.
            turbidity: optical depth of the aerosols at 0.55 micrometres.
            exponent: Ångström exponent, by which that depth falls with the wavelength.
        """
        wavelength = np.array([WAVELENGTHS[band] for band in bands])
        sun = math.cos(math.radians(sun_zenith))
        molecules = 0.00877 * wavelength**-4.05
        aerosols = turbidity * (wavelength / 0.55) ** -exponent
        # Rayleigh's phase function; the scattering angle is 180° less the sun's zenith angle.
        scattered = molecules * 0.75 * (1 + sun**2) + aerosols * AEROSOL_PHASE
        lost = (MOLECULAR_LOSS * molecules + AEROSOL_LOSS * aerosols) * (1 / sun + 1)
        path, transmission = scattered / (4 * sun), np.exp(-lost)
        return cls(*(v.astype(np.float32)[:, None, None] for v in (path, transmission)))

    @classmethod
    def draw(cls, bands: tuple[str, ...], generator: np.random.Generator) -> "Atmosphere":
        """Draw an atmosphere as in scenes, from clear to hazy, under a high or low sun."""
        return cls.of(
            bands,
            sun_zenith=generator.uniform(20, 65),
            turbidity=float(np.clip(generator.lognormal(math.log(0.12), 0.7), 0.02, 0.6)),
            exponent=generator.uniform(0.8, 1.6),
        )

    def add(self, surface: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return top-of-atmosphere reflectance, (bands, rows, cols)."""
        return self.path + self.transmission * surface

    def remove(self, toa: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return surface reflectance, (bands, rows, cols)."""
        return (toa - self.path) / self.transmission
