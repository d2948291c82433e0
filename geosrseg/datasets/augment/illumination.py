"""Illumination: changes of a scene's light under which the ground keeps its classes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosrseg.datasets.augment.atmosphere import Atmosphere

CHANGE = 0.5
"""Share of chips that change to the other kind of reflectance."""

COMMON_GAIN = 2.4
NOISE = 0.06
HAZE = 0.2
"""Standard deviations of the gain of all bands, of the noise and of the haze, relative to that of
a band's gain. With 0.05 they are 0.12, at most 0.003 in reflectance, and 0.01 in blue."""


@dataclass(frozen=True, slots=True, eq=False)
class Illumination:
    """One change, for every image of the same ground.

    Attributes:
        atmosphere: atmosphere to add or remove; None keeps the kind of reflectance.
        is_added: add the atmosphere; False removes it.
        gain: (bands, 1, 1) effect of sun, slope and calibration.
        haze: (bands, 1, 1) reflectance of haze, falling with the wavelength.
        noise: standard deviation of the LR image's noise, in reflectance.
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
        """Draw a change.

        Args:
            reflectance: kind of the image's reflectance, ``surface`` or ``toa``.
            strength: standard deviation of a band's gain.
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
        """Return the changed reflectance, (bands, rows, cols), without the noise."""
        if self.atmosphere is None:
            return image * self.gain + self.haze
        if self.is_added:
            return self.atmosphere.add(image * self.gain) + self.haze
        return self.atmosphere.remove(image) * self.gain + self.haze
