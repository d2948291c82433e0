import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from geosrseg.core.legend import Legend
from geosrseg.errors import OutputError
from geosrseg.products.lettering import LINE_HEIGHT, draw_text, fit_text, text_width
from geosrseg.products.quicklook import FRAME, INK, MARGIN, _entries, write_quicklook
from geosrseg.raster.composite import EMPTY
from geosrseg.raster.scene import open_scene
from geosrseg.raster.storage.gdal import unreferenced_allowed
from tests.raster.conftest import BANDS
from tests.tiny_maps import write_class_map


def read_png(path) -> np.ndarray:
    with unreferenced_allowed(), rasterio.open(path, driver="PNG") as dataset:
        return dataset.read().transpose(1, 2, 0)


def has(picture: np.ndarray, colour) -> bool:
    return bool((picture == np.array(colour)).all(axis=-1).any())


@pytest.fixture
def draw(write_scene, legend, tmp_path):
    """Draw a random map of a scene; returns the picture and its path."""

    def draw(numbers: np.ndarray, **options):
        path, output = tmp_path / "map.tif", tmp_path / "look.png"
        values = np.array([1, 2, 255], np.uint8)
        with open_scene(write_scene(numbers), model_bands=BANDS, scale=1) as scene:
            grid = scene.grid.refined(4)
            labels = np.random.default_rng(5).choice(values, (grid.height, grid.width))
            write_class_map(path, labels, grid=grid, legend=legend)
            write_quicklook(output, scene=scene, class_map_path=path, legend=legend, **options)
        return read_png(output), output

    return draw


def test_scene_and_map_stand_side_by_side(draw, reflectance, legend):
    picture, path = draw(reflectance)
    assert picture.shape[1] <= 1400
    left, right = np.array_split(picture[: picture.shape[0] * 3 // 4], 2, axis=1)
    for item in legend.classes[:2]:
        assert has(right, item.rgb)
        assert not has(left, item.rgb)
    assert has(right, EMPTY)
    assert has(picture, legend.classes[2].rgb)  # in the legend only
    assert has(picture, INK)
    assert (picture[:20] == 255).all()
    assert sorted(p.suffix for p in path.parent.iterdir()) == [".png", ".tif", ".tif", ".xml"]


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (700, 650)])
@pytest.mark.parametrize("max_side", [300, 1200])
def test_any_size(draw, shape, max_side):
    numbers = np.random.default_rng(0).uniform(0, 1, (3, *shape)).astype(np.float32)
    picture, _ = draw(numbers, max_side=max_side)
    assert picture.shape[1] <= max(max_side, 640)
    assert picture.shape[0] <= max_side + 300
    assert has(picture, FRAME)


def test_a_scene_without_a_valid_pixel(draw):
    picture, _ = draw(np.full((3, 5, 5), np.nan, np.float32))
    assert (picture[MARGIN + 100, MARGIN + 100] == EMPTY).all()


def test_an_existing_picture_stays(draw, reflectance):
    _, path = draw(reflectance)
    before = path.read_bytes()
    with pytest.raises(OutputError, match="`overwrite=True`"):
        draw(reflectance)
    assert path.read_bytes() == before
    draw(reflectance[:, ::-1], overwrite=True)
    assert path.read_bytes() != before


def test_a_class_map_that_is_none(write_scene, reflectance, legend, tmp_path):
    other = tmp_path / "map.tif"
    other.write_text("no map")
    with (
        open_scene(write_scene(reflectance), model_bands=BANDS) as scene,
        pytest.raises(OutputError, match="cannot be read"),
    ):
        write_quicklook(tmp_path / "x.png", scene=scene, class_map_path=other, legend=legend)
    assert not (tmp_path / "x.png").exists()


def test_a_class_whose_script_cannot_be_drawn_has_its_id():
    legend = Legend.from_json(
        [
            {"id": 1, "name": "ደን", "colour": "#006400"},
            {"id": 4, "name": "Wiese", "colour": "#ffff4c"},
        ]
    )
    entries = _entries(legend, np.bincount([1, 4, 4, 4], minlength=256))
    assert [(entry.name, entry.share) for entry in entries] == [
        ("class 1", "25.0 %"),
        ("Wiese", "75.0 %"),
    ]


class TestLettering:
    def test_text_is_as_wide_as_it_says(self):
        picture = np.zeros((LINE_HEIGHT, 400, 3), np.uint8)
        draw_text(picture, "Kafa, Äthiopien", row=0, col=5, colour=(200, 100, 50))
        columns = np.flatnonzero(picture.any(axis=(0, 2)))
        assert columns[0] >= 5
        assert columns[-1] < 5 + text_width("Kafa, Äthiopien")
        assert columns[-1] > text_width("Kafa, Äthiopien") - 5
        assert picture.max(axis=(0, 1)).tolist() == [200, 100, 50]

    def test_unknown_characters_become_question_marks(self):
        pictures = np.zeros((2, LINE_HEIGHT, 60, 3), np.uint8)
        for picture, text in zip(pictures, ("咖", "?"), strict=True):
            draw_text(picture, text, row=0, col=0, colour=INK)
        assert np.array_equal(*pictures)
        assert pictures.any()

    def test_text_beyond_the_picture_is_cut_off(self):
        picture = np.zeros((10, 30, 3), np.uint8)
        draw_text(picture, "a long line of text", row=4, col=20, colour=INK)
        draw_text(picture, "below", row=40, col=0, colour=INK)

    @given(st.text(max_size=40), st.integers(60, 300), st.booleans())
    def test_long_text_is_cut_short(self, text, width, bold):
        fitted = fit_text(text, width, bold=bold)
        assert text_width(fitted, bold=bold) <= width
        assert fitted == text or fitted.endswith("...")
