import numpy as np

from geosrseg.raster.composite import EMPTY, Composite, find_limits, stretch
from geosrseg.raster.scene import open_scene
from tests.raster.conftest import BANDS


def test_the_stretch_goes_from_the_2nd_to_the_98th_percentile():
    numbers = np.arange(3 * 1001, dtype=np.int16).reshape(3, 1, 1001)
    valid = np.ones((1, 1001), np.bool_)
    valid[0, -1] = False
    pixels = stretch(numbers, valid, find_limits(numbers, valid))
    assert pixels[0, 0].tolist() == pixels[0, 19].tolist() == [0, 0, 0]
    assert pixels[0, 981].tolist() == [255, 255, 255]
    assert pixels[0, 500].tolist() == [128, 128, 128]
    assert tuple(pixels[0, -1].tolist()) == EMPTY


def test_land_is_seen_beside_much_water():
    """The 98th percentile of a scene of water is water, which would turn all land white."""
    numbers = np.full((3, 50, 100), 0.02, np.float32)
    numbers[:, :, 50:] = 0.03
    land = np.zeros((50, 100), np.bool_)
    land[0, :51] = True
    numbers[:, 0, :51] = np.linspace(0.1, 0.6, 51)
    valid = np.ones_like(land)
    blind = stretch(numbers, valid, find_limits(numbers, valid))
    assert (blind[0, :51] == 255).all()
    pixels = stretch(numbers, valid, find_limits(numbers, valid, land))
    assert len(np.unique(pixels[0, :51, 0])) > 45
    assert pixels[1, 0, 0] < pixels[1, 99, 0] < pixels[0, 0, 0]
    land[0, 40:] = False  # too little of it to take a stretch from
    assert np.array_equal(stretch(numbers, valid, find_limits(numbers, valid, land)), blind)


def test_every_part_of_a_scene_is_stretched_alike(write_scene, reflectance):
    with open_scene(write_scene(reflectance), model_bands=BANDS) as scene:
        composite = Composite.of(scene)
        whole, valid = scene.read_decimated(scene.grid.height, scene.grid.width)
        picture = composite.paint(scene, whole, valid)
        part = composite.paint(scene, whole[:, :5, :7], valid[:5, :7])
    assert composite.bands == ("nir", "red", "green")
    assert np.array_equal(part, picture[:5, :7])
    assert (picture.min(), picture.max()) == (0, 255)


def test_a_scene_without_a_valid_pixel():
    numbers, valid = np.zeros((3, 2, 2), np.float32), np.zeros((2, 2), np.bool_)
    assert (stretch(numbers, valid, find_limits(numbers, valid)) == EMPTY).all()
