import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosrseg.core.text.csv_text import as_csv, plain_cell


@pytest.mark.parametrize(
    "text", ['=HYPERLINK("http://x","y")', "@SUM(1+1)", "+1+cmd|", "-2+3", " =1", "\t=1"]
)
def test_a_spreadsheet_runs_nothing(text):
    assert plain_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    "value", ["-0.25", "+1e-9", "forest", "a=b", "", 3, -2.5, None, "nan", "-inf"]
)
def test_names_and_numbers_stay_as_they_are(value):
    assert plain_cell(value) is value


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")), min_size=1)
)
def test_no_cell_begins_a_formula(row):
    file = io.StringIO(as_csv([row]), newline="")
    (found,) = csv.reader(file) if any(row) or len(row) > 1 else [row]
    for cell in found:
        try:
            float(cell)
        except ValueError:
            assert not cell.lstrip(" ").startswith(("=", "+", "-", "@"))
