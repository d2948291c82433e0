"""Flags that mark a pixel."""

import numpy as np
import pytest

from geosrseg.raster.header.quality import Marks

FLAGS = np.array([0, 1, 2, 3, 4, 9], np.uint8)


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        (Marks(bits=1 << 1), [2, 3]),
        (Marks(bits=1 << 1 | 1 << 2), [2, 3, 4]),
        (Marks(values=(0, 9)), [0, 9]),
        (Marks(bits=1 << 1) | Marks(values=(9,)), [2, 3, 9]),
        (Marks(), []),
    ],
)
def test_bits_and_values(marks, expected):
    assert FLAGS[marks.found_in(FLAGS)].tolist() == expected


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"bits": (1, 2)}, r"one number, such as 1 << 3, got \(1, 2\)"),
        ({"values": ("cloud",)}, r"whole numbers, got \('cloud',\)"),
    ],
)
def test_marks_of_another_type(wrong, message):
    with pytest.raises(ValueError, match=message):
        Marks(**wrong)
