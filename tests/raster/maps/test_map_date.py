"""Dates in names."""

from datetime import date

import pytest

from geosrseg.raster.maps.map_date import date_in


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("LC08_L2SP_204023_20200927_20201006_02_T1", date(2020, 9, 27)),
        ("HLS.L30.T36NYF.2021190T074521.v2.0", date(2021, 7, 9)),
        ("kafa_2001-02-05_classes.tif", date(2001, 2, 5)),
        ("S2A_MSIL2A_20190314T100021_N0500_R122_T33UUP", date(2019, 3, 14)),
        ("scene_20209999.tif", None),
        ("tile_120200927.tif", None),
        ("a_2021190_20220101.tif", date(2021, 7, 9)),  # whatever its form
        ("a_2021366.tif", None),  # no leap year
        ("a_2020366.tif", date(2020, 12, 31)),
        ("kafa.tif", None),
    ],
)
def test_the_first_date_of_a_name(name, expected):
    assert date_in(name) == expected
