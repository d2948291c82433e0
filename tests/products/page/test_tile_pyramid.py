import base64
import zlib

import numpy as np
import pytest
import rasterio
from rasterio.io import MemoryFile

from geosrseg.errors import OutputError
from geosrseg.products.page.tile_pyramid import TILE, class_map_pyramid, scene_pyramid
from geosrseg.raster.composite import Composite
from geosrseg.raster.scene import open_scene
from geosrseg.raster.storage.gdal import unreferenced_allowed
from tests.raster.conftest import BANDS
from tests.tiny_maps import write_class_map

PLENTY = 10**9


def put_together(level, decode):
    """The whole picture of a level."""
    places = range(0, level.height, TILE), range(0, level.width, TILE)
    tiles = iter(level.tiles)
    rows = []
    for row in places[0]:
        shapes = [
            (min(TILE, level.height - row), min(TILE, level.width - col)) for col in places[1]
        ]
        rows.append(np.hstack([decode(base64.b64decode(next(tiles)), shape) for shape in shapes]))
    assert next(tiles, None) is None
    return np.vstack(rows)


def labels_of(content, shape):
    return np.frombuffer(zlib.decompress(content), np.uint8).reshape(shape)


def picture_of(content, shape):
    with unreferenced_allowed(), MemoryFile(content).open() as dataset:
        assert dataset.shape == shape
        return dataset.read().transpose(1, 2, 0)


@pytest.fixture
def class_map(tmp_path, grid, labels, legend):
    return write_class_map(tmp_path / "map.tif", labels, grid=grid, legend=legend)


def test_every_level_is_the_class_map_or_its_overview(class_map, labels):
    pyramid = class_map_pyramid(class_map, max_bytes=PLENTY)
    assert np.array_equal(put_together(pyramid.levels[-1], labels_of), labels)
    with rasterio.open(class_map) as dataset:
        count = len(dataset.overviews(1))
    assert len(pyramid.levels) == count + 1 >= 2
    for number, level in enumerate(reversed(pyramid.levels[:-1])):
        with rasterio.open(class_map, overview_level=number) as dataset:
            assert np.array_equal(put_together(level, labels_of), dataset.read(1))
    assert pyramid.reduction == 1


def test_every_level_of_a_scene_is_its_composite(write_scene):
    rng = np.random.default_rng(0)
    coarse = rng.uniform(0.05, 0.5, (3, 20, 30)).astype(np.float32)
    numbers = coarse.repeat(33, axis=1).repeat(27, axis=2)[:, :641, :803]
    numbers[:, 100:150, 200:260] = np.nan
    with open_scene(write_scene(numbers), model_bands=BANDS) as scene:
        pyramid = scene_pyramid(scene, max_bytes=PLENTY)
        expected = Composite.of(scene).paint(scene, *scene.read_decimated(641, 803))
    fine = put_together(pyramid.levels[-1], picture_of)
    assert fine.shape == expected.shape
    assert np.abs(fine.astype(int) - expected).mean() < 8  # JPEG, of a picture that is all edges
    assert [(level.height, level.width) for level in pyramid.levels] == [(321, 402), (641, 803)]


def test_levels_that_would_be_too_large_are_left_out(class_map):
    whole = class_map_pyramid(class_map, max_bytes=PLENTY)
    sizes = [sum(map(len, level.tiles)) for level in whole.levels]
    part = class_map_pyramid(class_map, max_bytes=sum(sizes) - 1)
    assert part.levels == whole.levels[:-1]
    assert part.reduction == 2
    assert class_map_pyramid(class_map, max_bytes=0).levels == whole.levels[:1]


@pytest.mark.parametrize("shape", [(1, 1), (1, 1500), (512, 512), (513, 2)])
def test_any_size(tmp_path, write_scene, legend, shape):
    numbers = np.random.default_rng(0).uniform(0.1, 0.5, (3, *shape)).astype(np.float32)
    with open_scene(write_scene(numbers), model_bands=BANDS) as scene:
        pyramid = scene_pyramid(scene, max_bytes=PLENTY)
        grid = scene.grid
    assert put_together(pyramid.levels[-1], picture_of).shape == (*shape, 3)
    labels = np.full(shape, 2, np.uint8)
    path = write_class_map(tmp_path / "map.tif", labels, grid=grid, legend=legend)
    levels = class_map_pyramid(path, max_bytes=PLENTY).levels
    assert np.array_equal(put_together(levels[-1], labels_of), labels)


def test_a_class_map_that_is_none(tmp_path):
    (tmp_path / "map.tif").write_text("no map")
    with pytest.raises(OutputError, match="class map cannot be read"):
        class_map_pyramid(tmp_path / "map.tif", max_bytes=PLENTY)
