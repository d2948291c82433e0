"""Crafted TIFFs, each in a process with limits: a map, or one line with the right reason."""

from pathlib import Path

import pytest

from tests.crafted_tiffs import MAPS, REFUSALS
from tests.guarded import Ending, run_guarded
from tests.test_edge_cases import reason


@pytest.fixture
def run(tmp_path, tiny_model):
    model = tiny_model(bands=1, upscale_factor=2)

    def run(content: bytes, *options: str) -> Ending:
        scene = Path(tmp_path, "scene.tif")
        scene.write_bytes(content)
        words = "predict --json -o OUT/map.tif --device cpu --threads 1 --bands 1"
        return run_guarded([*words.split(), *options, "-m", model, scene])

    return run


@pytest.mark.parametrize("what", MAPS)
def test_odd_and_mapped_all_the_same(run, what):
    ending = run(MAPS[what], "--scale", "0.01", "--quicklook", "OUT/look.png")
    assert not ending.fault
    assert ending.code == 0, ending.message


@pytest.mark.parametrize("what", REFUSALS)
def test_refused_with_the_reason(run, what):
    content, expected = REFUSALS[what]
    for options in (("--scale", "0.01"), ()):  # the radiometry is told from the pixels
        ending = run(content, *options)
        assert not ending.fault
        assert ending.code == 1
        assert expected in reason(ending), ending.message
