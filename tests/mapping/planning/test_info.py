import numpy as np
import pytest

from geosrseg.core.normalize import Radiometry
from geosrseg.errors import SceneError
from geosrseg.mapping.planning.info import info
from tests.tiny_datasets import TRANSFORM, write_raster
from tests.tiny_products import CLEAR, HEIGHT, LEVEL_2, WIDTH, write_product

NAMES = ("band 1", "band 2", "band 3")


def test_a_scene_that_the_model_can_map(tmp_path, tiny_model):
    values = np.random.default_rng(0).integers(500, 9000, (4, 20, 30)).astype(np.int16)
    write_raster(tmp_path / "scene.tif", values, names=(*NAMES, "more"))
    found = info(tmp_path / "scene.tif", model=tiny_model())
    assert (found.model, found.upscale_factor, found.obstacle) == ("tiny 1", 4, "")
    survey = found.survey
    assert (survey.kind, survey.dtype, survey.valid_share) == ("GeoTIFF", "int16", 1.0)
    assert [(band.index, band.name) for band in survey.bands] == [
        *enumerate((*NAMES, "more"), start=1)
    ]
    assert survey.radiometry == Radiometry.uniform(4, scale=1e-4)
    assert survey.grid.transform == TRANSFORM


def test_a_product_with_the_files_that_there_are(tmp_path, tiny_model):
    folder = write_product(tmp_path / "p", qa_pixel=np.full((HEIGHT, WIDTH), CLEAR))
    (folder / f"{LEVEL_2}_SR_B3.TIF").unlink()
    found = info(folder, model=tiny_model())
    assert found.survey.kind == "Landsat 8 OLI, Collection 2 Level 2"
    assert [band.index for band in found.survey.bands] == [1, 2, 4, 5, 6, 7]
    assert found.survey.valid_share == pytest.approx(1 - 2 / WIDTH)
    assert "the model needs band 1, band 2, band 3" in found.obstacle


@pytest.mark.parametrize(("count", "reason"), [(3, "states no scale"), (5, "`bands` band 1=N")])
def test_why_the_model_cannot_map_it(tmp_path, tiny_model, count, reason):
    values = np.arange(count * 20 * 30).reshape(count, 20, 30) % 255
    write_raster(tmp_path / "s.tif", values.astype(np.uint8))
    found = info(tmp_path / "s.tif", model=tiny_model())
    assert reason in found.obstacle
    assert found.survey.radiometry is None
    assert "uint8 values from 0 to 254" in found.survey.no_radiometry


def test_a_large_scene_is_looked_at_in_a_small_copy(tmp_path, tiny_model):
    values = np.full((3, 700, 20), 1000, np.int16)
    write_raster(tmp_path / "scene.tif", values, names=NAMES)
    assert info(tmp_path / "scene.tif", model=tiny_model()).survey.valid_share == 1.0


def test_what_no_model_can_read(tmp_path, tiny_model):
    (tmp_path / "text.tif").write_text("no image")
    with pytest.raises(SceneError, match="cannot be opened as a GeoTIFF"):
        info(tmp_path / "text.tif", model=tiny_model())
