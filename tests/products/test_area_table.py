import csv

import numpy as np
import pytest

from geosrseg.errors import OutputError
from geosrseg.products.area_table import area_rows, write_areas
from geosrseg.products.areas import AreaCounter
from geosrseg.products.pixel_areas import PixelAreas


@pytest.fixture
def counter(legend):
    counter = AreaCounter(legend, PixelAreas.uniform(900.0, width=4))
    counter.add(np.array([[1, 2, 2, 255]], np.uint8), 0)
    return counter


def test_one_line_a_class(tmp_path, counter):
    write_areas(tmp_path / "areas.csv", counter.areas())
    with (tmp_path / "areas.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["class_name"] for row in rows] == [
        "cropland", "bamboo & <reed>", "café", "not mapped", "total mapped",
    ]  # fmt: skip
    assert [row["pixels"] for row in rows] == ["1", "2", "0", "1", "3"]
    assert [float(row["hectares"]) for row in rows] == [0.09, 0.18, 0, 0.09, 0.27]
    assert [row["percent"] for row in rows] == ["33.33", "66.67", "0.0", "", "100.0"]
    assert [row["class_id"] for row in rows][-2:] == ["", ""]
    assert rows[0]["adjusted_hectares"] == ""


def test_an_existing_table_stays(tmp_path, counter):
    path = tmp_path / "areas.csv"
    path.write_text("mine")
    with pytest.raises(OutputError, match="`overwrite=True`"):
        write_areas(path, counter.areas())
    assert path.read_text() == "mine"
    write_areas(path, counter.areas(), overwrite=True)
    assert [item.name for item in tmp_path.iterdir()] == ["areas.csv"]


def test_a_table_is_a_csv(tmp_path, counter):
    with pytest.raises(OutputError, match=r"\.csv"):
        write_areas(tmp_path / "areas.xlsx", counter.areas())


@pytest.mark.parametrize(
    ("square_metres", "hectares"),
    [(100.37, "0.1"), (899.6, "0.9"), (90_123.0, "90"), (4.2, "0.004")],
)
def test_hectares_have_the_digits_that_a_pixel_justifies(legend, square_metres, hectares):
    counter = AreaCounter(legend, PixelAreas.uniform(square_metres, width=10))
    counter.add(np.ones((1, 10), np.uint8), 0)
    first, *_ = area_rows(counter.areas())
    assert first["hectares"] == pytest.approx(float(hectares), abs=square_metres / 1e4)
    assert len(str(first["hectares"]).partition(".")[2]) <= 4


def test_a_map_of_nodata_alone_has_no_total(legend):
    counter = AreaCounter(legend, PixelAreas.uniform(900.0, width=4))
    counter.add(np.full((1, 4), 255, np.uint8), 0)
    *_, missing, total = area_rows(counter.areas())
    assert (missing["pixels"], missing["hectares"]) == (4, 0.36)
    assert (total["pixels"], total["hectares"], total["percent"]) == (0, 0, None)
