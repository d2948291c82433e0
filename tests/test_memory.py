"""Memory grows with the width of a scene, not with its height."""

import subprocess
import sys

import numpy as np
import pytest

from tests.tiny_datasets import write_raster

CODE = """
import resource, sys
from geosrseg.mapping.predict import predict
predict(sys.argv[1], sys.argv[2], model=sys.argv[3], threads=1)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_a_scene_four_times_as_high_needs_no_more_memory(tmp_path, tiny_model):
    model = tiny_model(window_size=64)

    def peak(height: int, width: int) -> int:
        scene = tmp_path / f"{height}.tif"
        numbers = np.random.default_rng(0).integers(500, 5000, (3, height, width))
        write_raster(scene, numbers.astype(np.int16), names=("band 1", "band 2", "band 3"))
        words = [sys.executable, "-c", CODE, scene, tmp_path / f"{height}.out.tif", model]
        done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=True)
        return int(done.stdout)

    low, high = peak(1000, 400), peak(4000, 400)
    # The map grew by 19 MB of labels and 100 MB of probabilities.
    assert high < low * 1.15
