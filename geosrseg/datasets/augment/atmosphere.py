"""Atmosphere: what lies between surface reflectance and that at the top of the atmosphere.

A plain model for augmentation, not for correction: single scattering, a horizontal surface,
the sensor above it, no gases. Molecules scatter with the optical depth 0.00877 λ^-4.05
(Dutton et al., Journal of Geophysical Research 99, 1994), aerosols with Ångström's power
law. A network that has seen both sides of many atmospheres takes both kinds of images.
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
"""Middles of OLI's bands in micrometres."""

AEROSOL_PHASE = 0.25
"""Share that aerosols scatter back to a sensor above, relative to scattering evenly."""

AEROSOL_LOSS, MOLECULAR_LOSS = 0.16, 0.5
"""Parts of the optical depths that are lost to the surface: most light is scattered on."""


@dataclass(frozen=True, slots=True)
class Atmosphere:
    """One state of the atmosphere, for the bands of an image.

    Attributes:
        path: (bands, 1, 1) reflectance of the air alone.
        transmission: (bands, 1, 1) share of the surface's reflectance that gets through.
    """

    path: NDArray[np.float32]
    transmission: NDArray[np.float32]

    @classmethod
    def of(
        cls, bands: tuple[str, ...], *, sun_zenith: float, turbidity: float, exponent: float
    ) -> "Atmosphere":
        """The atmosphere over some bands.

        Args:
            bands: their names, keys of `WAVELENGTHS`.
            sun_zenith: in degrees.
            turbidity: optical depth of the aerosols at 0.55 micrometres.
            exponent: Ångström's, by which that falls with the wavelength.
        """
        wavelength = np.array([WAVELENGTHS[band] for band in bands])
        sun = math.cos(math.radians(sun_zenith))
        molecules = 0.00877 * wavelength**-4.05
        aerosols = turbidity * (wavelength / 0.55) ** -exponent
        # Rayleigh's phase function; the light turns by 180° less the sun's zenith angle.
        scattered = molecules * 0.75 * (1 + sun**2) + aerosols * AEROSOL_PHASE
        lost = (MOLECULAR_LOSS * molecules + AEROSOL_LOSS * aerosols) * (1 / sun + 1)
        path, transmission = scattered / (4 * sun), np.exp(-lost)
        return cls(*(v.astype(np.float32)[:, None, None] for v in (path, transmission)))

    @classmethod
    def draw(cls, bands: tuple[str, ...], generator: np.random.Generator) -> "Atmosphere":
        """One that scenes have, from clear to hazy, from a high sun to a low one."""
        return cls.of(
            bands,
            sun_zenith=generator.uniform(20, 65),
            turbidity=float(np.clip(generator.lognormal(math.log(0.12), 0.7), 0.02, 0.6)),
            exponent=generator.uniform(0.8, 1.6),
        )

    def add(self, surface: NDArray[np.float32]) -> NDArray[np.float32]:
        """Reflectance at the top of the atmosphere, (bands, rows, cols)."""
        return self.path + self.transmission * surface

    def remove(self, toa: NDArray[np.float32]) -> NDArray[np.float32]:
        """Surface reflectance, (bands, rows, cols)."""
        return (toa - self.path) / self.transmission
