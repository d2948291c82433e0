import csv

import numpy as np
import pytest

from geosrseg.errors import OutputError
from geosrseg.products.area_table import write_areas
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
    assert [row["class_name"] for row in rows] == ["cropland", "bamboo & <reed>", "café"]
    assert [row["pixels"] for row in rows] == ["1", "2", "0"]
    assert [float(row["hectares"]) for row in rows] == [0.09, 0.18, 0]
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
