"""What windows change in a map."""

import json

import numpy as np
import pytest
import rasterio

from geosrseg.bench.seam_comparison import SeamChoice, compare_seams, default_choices
from geosrseg.errors import DeviceMemoryError, GeosrsegError
from tests.tiny_datasets import write_raster
from tests.tiny_models import make_spec

BANDS = ("band 1", "band 2", "band 3")


def report(model, *choices, size=(64, 96), **options):
    options = {"device": "cpu", "repeats": 1, **options}
    return compare_seams(model, size=size, choices=choices, **options)


def test_a_halo_of_the_models_reach_leaves_no_seam(tiny_model):
    found = report(tiny_model(reach=3), SeamChoice(32, 3, 0), SeamChoice(32, 3, 8))
    assert [result.counts.share_changed for result in found.results] == [0, 0]


def test_without_a_halo_labels_change_as_far_as_the_model_reaches(tiny_model):
    found = report(tiny_model(reach=3, classes=6), SeamChoice(32, 0, 0))
    (result,) = found.results
    assert 0 < result.counts.share_changed < 0.5
    assert result.counts.changed[0] > 0
    assert not result.counts.changed[1:].any()  # 8 LR pixels and more from a border


def test_a_smaller_halo_changes_more(tiny_model):
    halos = [SeamChoice(32, halo, 0) for halo in range(4)]
    found = report(tiny_model(reach=3, classes=6), *halos)
    shares = [result.counts.share_changed for result in found.results]
    assert shares == sorted(shares, reverse=True)
    assert len(set(shares)) == 4


def test_work_is_that_of_a_whole_landsat_scene(tiny_model):
    without, with_halo = report(
        tiny_model(), SeamChoice(64, 0, 0), SeamChoice(64, 8, 0), size=(16, 16)
    ).results
    assert 1 <= without.work < 1.02  # 7700 is not a multiple of 64
    assert with_halo.work == pytest.approx((64 / 48) ** 2, rel=0.01)


def test_the_middle_of_a_scene_is_compared_and_nodata_is_not(tmp_path, tiny_model):
    numbers = np.full((3, 60, 60), 5000, np.int16)
    numbers[:, 10:26, 10:26] = np.iinfo(np.int16).min  # of the 20 to 40 that are read, 6 x 6
    write_raster(tmp_path / "scene.tif", numbers, names=BANDS)
    with rasterio.open(tmp_path / "scene.tif", "r+") as file:
        file.nodata = np.iinfo(np.int16).min
    found = report(tiny_model(), SeamChoice(16, 0, 0), scene=tmp_path / "scene.tif", size=(20, 20))
    assert (found.scene, found.size) == ("scene.tif", (20, 20))
    assert found.hr_pixels == 20 * 20 * 16
    assert found.results[0].counts.confusion.total == (20 * 20 - 6 * 6) * 16


def test_a_scene_that_is_smaller_is_taken_whole(tmp_path, tiny_model):
    write_raster(tmp_path / "scene.tif", np.full((3, 10, 12), 5000, np.int16), names=BANDS)
    found = report(tiny_model(), SeamChoice(16, 0, 0), scene=tmp_path / "scene.tif")
    assert found.size == (10, 12)


def test_windows_that_do_not_advance_are_refused(tiny_model):
    with pytest.raises(GeosrsegError, match=r"window_size=16, halo=8.* do not advance"):
        report(tiny_model(), SeamChoice(16, 8, 0))


def test_a_window_over_everything_has_to_fit_into_memory(monkeypatch, tiny_model):
    monkeypatch.setattr("geosrseg.bench.seam_comparison.available_memory", lambda: 10**6)
    with pytest.raises(DeviceMemoryError, match=r"64 x 96 LR pixels may take .* by --size"):
        report(tiny_model(), SeamChoice(32, 0, 0))


def test_json_holds_every_figure(tiny_model):
    found = report(tiny_model(reach=3), SeamChoice(32, 0, 0), repeats=2)
    figures = json.loads(json.dumps(found.to_json(), allow_nan=False))
    (result,) = figures["results"]
    assert (result["window_size"], result["halo"], result["ramp"]) == (32, 0, 0)
    assert sum(result["pixels_by_distance"]) == found.results[0].counts.confusion.total
    assert result["share_changed"] == found.results[0].counts.share_changed
    assert figures["size"] == [64, 96]
    assert len(found.whole.seconds) == 2


def test_the_default_choices_advance_and_none_is_there_twice():
    for spec in (
        make_spec(window_size=256, halo=24, exact_halo=56),
        make_spec(window_size=64, halo=8, exact_halo=8),
        make_spec(window_size=256, halo=24, exact_halo=None),
        make_spec(window_size=16, halo=0, exact_halo=0),
    ):
        choices = default_choices(spec)
        assert choices
        assert len(set(choices)) == len(choices)
        for choice in choices:
            choice.plan(2000, 2000, spec.multiple)
