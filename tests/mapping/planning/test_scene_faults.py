import numpy as np
import pytest

from geosrseg.errors import SceneError
from geosrseg.mapping.planning.info import info
from geosrseg.mapping.planning.scene_faults import with_all_faults
from geosrseg.mapping.predict import predict
from tests.tiny_datasets import write_raster
from tests.tiny_models import make_spec


@pytest.fixture
def photograph(tmp_path):
    """Make a scene of three 8-bit bands, as from a camera."""
    values = np.random.default_rng(0).integers(1, 255, (3, 40, 40)).astype(np.uint8)
    write_raster(tmp_path / "photo.tif", values)
    return tmp_path / "photo.tif"


def refusal(scene, tmp_path, **options):
    with pytest.raises(SceneError) as error:
        predict(scene, tmp_path / "out.tif", device="cpu", **options)
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


def test_bands_and_scale_are_said_together_with_the_models_that_fit(photograph, tmp_path):
    text = refusal(photograph, tmp_path)
    assert text.startswith(f"{photograph}: the scene has 3 bands")
    assert "the model needs blue, green, red, nir, swir1, swir2" in text
    assert "scale" in text.partition("; besides, ")[2]
    assert text.endswith(
        "; its bands fit the shipped models dubai-4x, dubai-8x, massroads-8x (`model`)"
    )
    assert text.count(str(photograph)) == 1


def test_what_is_right_is_not_said(photograph, tmp_path):
    text = refusal(photograph, tmp_path, scale=1 / 255)
    assert "besides" not in text


def test_where_the_bands_fit_nothing_is_added(photograph):
    error = SceneError("its numbers are not reflectance")
    spec = make_spec(bands=3)
    assert with_all_faults(error, photograph, spec=spec) is error


def test_a_file_that_cannot_be_read_has_one_fault(tmp_path):
    (tmp_path / "broken.tif").write_bytes(b"no TIFF")
    text = refusal(tmp_path / "broken.tif", tmp_path)
    assert "besides" not in text
    assert "shipped models" not in text


def test_info_says_the_same(photograph, tmp_path):
    obstacle = info(photograph).obstacle
    assert f"{photograph}: {obstacle}" == refusal(photograph, tmp_path)
