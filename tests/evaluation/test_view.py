import numpy as np
import pytest

from geosrseg.core.legend import NODATA
from geosrseg.datasets.labelled_scene import measure_normalization, open_labelled_scenes
from geosrseg.evaluation import view as views_module
from geosrseg.evaluation.evaluation_area import AreaConfig, prepare_areas
from geosrseg.evaluation.view import choose_views


@pytest.fixture
def areas(card, tmp_path):
    (tmp_path / "areas").mkdir()
    config = AreaConfig(
        legend=card.legend, split="validation", upscale_factors=(4,), boundary=2, small=100
    )
    with open_labelled_scenes(card, normalization=measure_normalization(card)) as scenes:
        yield prepare_areas(scenes, config, folder=tmp_path / "areas")


def test_they_lie_in_the_area_and_do_not_overlap(areas, monkeypatch):
    monkeypatch.setattr(views_module, "SIDE", 48)
    views = choose_views(areas, count=3)
    assert len(views) == 3
    for number, view in enumerate(views):
        assert (view.window.height, view.window.width) == (48, 48)
        assert view.window.row_stop <= 160
        assert view.window.col_stop <= 192
        assert not any(view.window.overlap(other.window) for other in views[:number])


def test_they_show_what_counts(areas, monkeypatch):
    monkeypatch.setattr(views_module, "SIDE", 48)
    (view,) = choose_views(areas, count=1)
    assert (areas[0].target[view.window.rows, view.window.cols] != NODATA).all()


def test_the_zoom_is_a_part_of_the_view_with_a_boundary(areas, monkeypatch):
    monkeypatch.setattr(views_module, "SIDE", 48)
    (view,) = choose_views(areas, count=1)
    assert (view.zoom.height, view.zoom.width) == (12, 12)
    assert view.zoom.row_stop <= 48
    shown = areas[0].target[view.window.rows, view.window.cols]
    assert len(np.unique(shown[view.zoom.rows, view.zoom.cols])) == 2


def test_a_scene_smaller_than_a_view_is_shown_whole(areas):
    (view,) = choose_views(areas, count=3)
    assert (view.window.height, view.window.width) == areas[0].size
