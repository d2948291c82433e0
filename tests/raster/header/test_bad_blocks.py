"""Bad blocks of a damaged file are named or left out, and all other pixels are kept."""

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geosrseg.core.tiling.windows import Window
from geosrseg.errors import SceneError
from geosrseg.raster.scene import open_scene
from tests.raster.conftest import BANDS

BLOCK = 16
SHAPE = (3, 37, 53)  # 3 rows of 4 blocks


@pytest.fixture
def damaged(write_scene, reflectance):
    """Write a tiled scene and damage some of its blocks, (band, row, col) each."""

    def write(*blocks, **profile):
        settings = {"tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK, "compress": "deflate"}
        path = write_scene(reflectance, **settings | {"interleave": "band"} | profile)
        with rasterio.open(path) as dataset:
            places = [
                dataset.get_tag_item(f"BLOCK_OFFSET_{col}_{row}", "TIFF", bidx=band)
                for band, row, col in blocks
            ]
        content = bytearray(path.read_bytes())
        for place in map(int, places):
            content[place : place + 8] = b"\xff" * 8
        path.write_bytes(content)
        return path

    return write


def opened(path, **options):
    return open_scene(path, model_bands=BANDS, scale=1, **options)


def whole():
    return Window(0, 0, *SHAPE[1:])


def hole(*blocks):
    """(rows, cols) True in the damaged blocks."""
    found = np.zeros(SHAPE[1:], bool)
    for _, row, col in blocks:
        found[row * BLOCK : (row + 1) * BLOCK, col * BLOCK : (col + 1) * BLOCK] = True
    return found


def test_the_first_bad_block_is_named(damaged):
    path = damaged((2, 1, 2), (1, 2, 0))
    with opened(path) as scene, pytest.raises(SceneError) as caught:
        scene.read(whole())
    message = str(caught.value)
    assert message.startswith(f"{path}: cannot be read, block 1,2 (rows 16 to 31, columns 32 to 47")
    assert message.endswith("get it again, or leave such blocks out with `skip_bad_blocks=True`")


@pytest.mark.parametrize("interleave", ["band", "pixel"])
def test_skipped_they_are_not_valid_and_all_else_is_as_it_was(damaged, reflectance, interleave):
    blocks = [(1, 0, 0), (1, 1, 3), (1, 2, 2)]
    with opened(damaged(*blocks, interleave=interleave), skip_bad_blocks=True) as scene:
        numbers, valid = scene.read(whole())
        assert np.array_equal(valid, ~hole(*blocks))
        assert np.array_equal(numbers[:, valid], reflectance[:, valid])
        assert len(scene.bad_blocks) == 3
        assert scene.bad_blocks.warning.startswith("3 damaged blocks left out, nodata in the map")


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_window(damaged, reflectance, data):
    block = (1, data.draw(st.integers(0, 2)), data.draw(st.integers(0, 3)))
    row, col = data.draw(st.integers(0, 36)), data.draw(st.integers(0, 52))
    size = data.draw(st.integers(1, 37 - row)), data.draw(st.integers(1, 53 - col))
    window = Window(row, col, *size)
    with opened(damaged(block), skip_bad_blocks=True) as scene:
        numbers, valid = scene.read(window)
    assert np.array_equal(valid, ~hole(block)[window.rows, window.cols])
    expected = reflectance[:, window.rows, window.cols]
    assert np.array_equal(numbers[:, valid], expected[:, valid])


def test_all_handles_count_each_block_once(damaged):
    with opened(damaged((1, 0, 0)), skip_bad_blocks=True) as scene, scene.reopen() as other:
        for handle in (scene, other, scene):
            handle.read(whole())
        assert len(scene.bad_blocks) == len(other.bad_blocks) == 1


def test_a_whole_file_has_none(damaged):
    with opened(damaged(), skip_bad_blocks=True) as scene:
        scene.read(whole())
        assert scene.bad_blocks.warning == ""


def test_where_every_block_is_bad_nothing_is_valid(damaged):
    blocks = [(band, row, col) for band in (1, 2, 3) for row in range(3) for col in range(4)]
    with opened(damaged(*blocks), skip_bad_blocks=True) as scene:
        numbers, valid = scene.read(whole())
    assert numbers.shape == SHAPE
    assert not valid.any()


@pytest.mark.parametrize("shape", [(10, 14), (74, 106), (2, 2)])
def test_a_picture_of_the_whole_has_a_hole_there(damaged, shape):
    with opened(damaged((1, 1, 1)), skip_bad_blocks=True) as scene:
        numbers, valid = scene.read_decimated(*shape)
    rows, cols = (np.arange(n) * size // n for n, size in zip(shape, SHAPE[1:], strict=True))
    near = hole((1, 1, 1))[np.ix_(rows, cols)]
    assert numbers.shape == (3, *shape)
    assert abs(int((~valid).sum()) - int(near.sum())) <= sum(shape)
    assert valid.any()


def test_the_radiometry_is_told_from_the_others(damaged):
    with open_scene(damaged((1, 0, 0)), model_bands=BANDS) as scene:
        assert scene.radiometry.scale == (1.0, 1.0, 1.0)
