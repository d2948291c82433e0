"""The atmosphere: adding it can be undone."""

import numpy as np
import pytest

from geosrseg.datasets.augment.atmosphere import WAVELENGTHS, Atmosphere
from geosrseg.datasets.augment.illumination import Illumination

BANDS = tuple(WAVELENGTHS)


def test_haze_falls_with_the_wavelength():
    air = Atmosphere.of(BANDS, sun_zenith=40, turbidity=0.1, exponent=1.3)
    assert (np.diff(air.path.ravel()) < 0).all()
    assert (np.diff(air.transmission.ravel()) > 0).all()
    # Blue over dark water at the top of the atmosphere: 0.06 to 0.1 in clear scenes.
    assert 0.05 < air.path[0, 0, 0] < 0.1
    assert air.path[-1, 0, 0] < 0.005


def test_removing_undoes_adding():
    air = Atmosphere.draw(BANDS, np.random.default_rng(1))
    ground = np.random.default_rng(0).random((6, 4, 4), np.float32)
    np.testing.assert_allclose(air.remove(air.add(ground)), ground, atol=1e-5)


@pytest.mark.parametrize(("kind", "brighter"), [("surface", True), ("toa", False)])
def test_half_of_the_chips_get_the_other_kind_of_reflectance(kind, brighter):
    generator = np.random.default_rng(0)
    drawn = [
        Illumination.draw(BANDS, reflectance=kind, strength=0.0, generator=generator)
        for _ in range(200)
    ]
    changed = [light for light in drawn if light.atmosphere]
    assert 70 < len(changed) < 130
    dark = np.full((6, 1, 1), 0.05, np.float32)
    assert all((light.apply(dark)[0, 0, 0] > 0.05) == brighter for light in changed)
    unchanged = [light for light in drawn if not light.atmosphere]
    assert all((light.apply(dark) == dark).all() for light in unchanged)
