"""Illumination: the changes of a scene's light under which ground keeps its class."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosrseg.datasets.augment.atmosphere import Atmosphere

CHANGE = 0.5
"""Share of the chips that get the other kind of reflectance."""

COMMON_GAIN = 2.4
NOISE = 0.06
HAZE = 0.2
"""Standard deviations of the gain of all bands, of the noise and of the haze, each relative to
that of a band's gain. At 0.05 they are 0.12, up to 0.003 of reflectance, and 0.01 in blue."""


@dataclass(frozen=True, slots=True, eq=False)
class Illumination:
    """One change, for every image of the same ground.

    Attributes:
        atmosphere: put before the ground or taken away; None keeps the kind.
        is_added: put before it.
        gain: (bands, 1, 1) sun, slope and calibration.
        haze: (bands, 1, 1) reflectance, falling with the wavelength.
        noise: standard deviation in reflectance, of an LR image.
    """

    atmosphere: Atmosphere | None
    is_added: bool
    gain: NDArray[np.float32]
    haze: NDArray[np.float32]
    noise: float

    @classmethod
    def draw(
        cls,
        bands: tuple[str, ...],
        *,
        reflectance: str,
        strength: float,
        generator: np.random.Generator,
    ) -> "Illumination":
        """A change at random.

        Args:
            reflectance: kind of the image, ``surface`` or ``toa``.
            strength: standard deviation of the gain of a band.
            generator: source of the random numbers.
        """
        atmosphere = Atmosphere.draw(bands, generator)
        gains = COMMON_GAIN * generator.normal() + generator.normal(size=(len(bands), 1, 1))
        haze = atmosphere.path / atmosphere.path.max() * HAZE * strength * generator.normal()
        changed = generator.random() < CHANGE
        return cls(
            atmosphere=atmosphere if changed else None,
            is_added=reflectance == "surface",
            gain=np.exp(strength * gains).astype(np.float32),
            haze=haze.astype(np.float32),
            noise=NOISE * strength * generator.random(),
        )

    def apply(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """(bands, rows, cols) reflectance, less the noise."""
        if self.atmosphere is None:
            return image * self.gain + self.haze
        if self.is_added:
            return self.atmosphere.add(image * self.gain) + self.haze
        return self.atmosphere.remove(image) * self.gain + self.haze
