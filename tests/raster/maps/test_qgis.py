"""QGIS opens what is written, with the right colours, names and place (Debian: python3-qgis)."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from geosrseg.analysis.map_products import stac
from geosrseg.analysis.mosaic import mosaic
from geosrseg.batch.index_archive import index_archive
from geosrseg.products.polygons.vector import write_polygons
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.maps.qml import Ramp
from geosrseg.raster.maps.style import write_ramp_style, write_styles
from geosrseg.raster.storage.gdal import unreferenced_allowed
from tests.raster.conftest import NORTH_UP, UTM
from tests.raster.maps.test_class_map import write_raster
from tests.tiny_maps import write_class_map

PYTHON = "/usr/bin/python3"
SCRIPT = Path(__file__).parents[2] / "qgis_render.py"
BACKGROUND = (1, 2, 3)


def has_qgis() -> bool:
    if not Path(PYTHON).exists():
        return False
    found = subprocess.run([PYTHON, "-c", "import qgis.core"], capture_output=True, check=False)
    return found.returncode == 0


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not has_qgis(), reason=f"{PYTHON} has no QGIS"),
]


@pytest.fixture
def render(tmp_path):
    def render(shape, *layers):
        """Return the picture that QGIS draws, and its report."""
        picture = tmp_path / "qgis.png"
        words = [PYTHON, SCRIPT, picture, *shape, *layers]
        environment = {**os.environ, "PYTHONPATH": "", "XDG_RUNTIME_DIR": str(tmp_path)}
        done = subprocess.run(
            list(map(str, words)), env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        with unreferenced_allowed(), rasterio.open(picture) as dataset:
            return dataset.read()[:3].transpose(1, 2, 0), json.loads(done.stdout)

    return render


@pytest.fixture
def coarse(legend):
    """Labels in squares of 16 pixels."""
    values = np.array([*legend.ids, 255], np.uint8)
    small = np.random.default_rng(6).choice(values, (21, 30))
    return small.repeat(16, axis=0).repeat(16, axis=1)


@pytest.fixture
def class_map(tmp_path, legend, coarse):
    grid = Grid(UTM, NORTH_UP, *coarse.shape)
    path = write_class_map(tmp_path / "map.tif", coarse, grid=grid, legend=legend)
    write_styles(path, legend)
    return path


def painted(labels, legend):
    palette = legend.palette()
    palette[255] = BACKGROUND
    return palette[labels]


def test_the_class_map_has_its_colours_and_names(render, class_map, coarse, legend):
    picture, (said,) = render(coarse.shape, class_map)
    assert (said["renderer"], said["crs"]) == ("paletted", "EPSG:32636")
    assert said["classes"] == [[c.id, c.name, c.colour] for c in legend.classes]
    assert np.array_equal(picture, painted(coarse, legend))


def test_measured_layers_have_their_ramp(render, tmp_path):
    values = np.tile(np.arange(101, dtype=np.uint8), (20, 1))
    doubt = np.zeros_like(values)  # the second band, which is not shown
    path = write_raster(tmp_path / "map.confidence.tif", np.stack([values, doubt]))
    write_ramp_style(path, Ramp(0, 100, "%"))
    picture, (said,) = render(values.shape, path)
    assert said["renderer"] == "singlebandpseudocolor"
    assert said["ramp"][0] == [0, "0 %", "#440154"]
    assert said["ramp"][-1] == [100, "100 %", "#fde725"]
    assert tuple(picture[5, 1]) != tuple(picture[5, 99])


@pytest.mark.parametrize("suffix", ["gpkg", "fgb", "geojson"])
@pytest.mark.parametrize("name", ["map", "elsewhere/polygons"])
def test_polygons_have_the_colours_and_names_of_their_classes(
    render, class_map, legend, tmp_path, suffix, name
):
    (tmp_path / "elsewhere").mkdir()
    vector = tmp_path / f"{name}.{suffix}"
    write_polygons(class_map, vector, legend=legend)
    _, (raster, said) = render((10, 10), class_map, vector)
    assert said["renderer"] == "categorizedSymbol"
    assert (
        said["classes"] == raster["classes"] == [[c.id, c.name, c.colour] for c in legend.classes]
    )


@pytest.mark.parametrize("suffix", ["gpkg", "fgb", "geojson"])
def test_polygons_lie_on_the_class_map(render, class_map, coarse, legend, tmp_path, suffix):
    vector = tmp_path / f"map.{suffix}"
    write_polygons(class_map, vector, legend=legend)
    picture, (_, said) = render(coarse.shape, class_map, vector)
    assert said["valid"]
    assert said["features"] > 100
    assert {"class_id", "class_name", "area_m2"} <= set(said["fields"])
    # Outlines are drawn on the borders of the squares and nowhere else.
    inside = np.zeros(16, np.bool_)
    inside[2:14] = True
    inner = np.tile(inside, coarse.shape[0] // 16)[:, None] & np.tile(inside, coarse.shape[1] // 16)
    expected = painted(coarse, legend)
    assert np.array_equal(picture[inner], expected[inner])
    borders = (coarse[:, 1:] != coarse[:, :-1]) & np.tile(inside, coarse.shape[0] // 16)[:, None]
    black = (picture == 0).all(axis=-1)
    drawn = black[:, 1:] | black[:, :-1]
    assert drawn[borders].mean() > 0.95


@pytest.mark.parametrize("layer", ["index-EPSG-32636.vrt", "mosaic.tif"])
def test_neighbouring_maps_are_one_layer_without_a_seam(layer, render, tmp_path, legend, coarse):
    """Of two overlapping neighbours, one further north, the second is drawn over the first."""
    height, width = coarse.shape
    expected, paths = np.full((height + 64, 2 * width - 48), 255, np.uint8), []
    for k, (row, col) in enumerate([(64, 0), (0, width - 48)]):
        transform = NORTH_UP @ Affine.translation(col, row - 64)
        path = write_class_map(
            tmp_path / f"m_2021010{k + 1}.tif", coarse, grid=Grid(UTM, transform, height, width),
            legend=legend,
        )  # fmt: skip
        stac(path, path.with_suffix(".json"))
        paths.append(path)
        part = expected[row : row + height, col : col + width]
        part[coarse != 255] = coarse[coarse != 255]
    index_archive(tmp_path)
    mosaic(paths, tmp_path / "mosaic.tif", rule="date")
    picture, (said,) = render(expected.shape, tmp_path / layer)
    assert (said["renderer"], said["crs"]) == ("paletted", "EPSG:32636")
    assert said["classes"] == [[c.id, c.name, c.colour] for c in legend.classes]
    assert np.array_equal(picture, painted(expected, legend))
