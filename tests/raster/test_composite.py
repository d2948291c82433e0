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
