from datetime import date

import pytest

from geosrseg.raster.acquisition import acquisition_date
from geosrseg.raster.scene import open_scene
from tests.raster.conftest import BANDS


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("LC08_L2SP_204023_20200927_20201006_02_T1.tif", date(2020, 9, 27)),
        ("subset_of_lt05_l1tp_224063_19880814_20200917_02_T1.tif", date(1988, 8, 14)),
        ("LC08_L2SP_204023_20201327_20201006_02_T1.tif", None),
        ("scene_20200927.tif", None),
        ("HLS.L30.T36NYN.2020366T074512.v2.0_stack.tif", date(2020, 12, 31)),
        ("HLS.L30.T36NYN.2019366T074512.v2.0_stack.tif", None),
    ],
)
def test_a_products_name_says_its_day(write_scene, reflectance, name, day):
    path = write_scene(reflectance, name=name)
    with open_scene(path, model_bands=BANDS, scale=1, offset=0) as scene:
        assert acquisition_date(scene) == day
