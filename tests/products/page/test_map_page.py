"""The content of the page; test_map_page_live tests its behaviour in a browser."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.core.legend import Legend, LegendClass
from geosrseg.errors import OutputError
from geosrseg.products.areas import AreaCounter
from geosrseg.products.ground_area import pixel_areas
from geosrseg.products.page.map_page import write_page
from geosrseg.raster.scene import open_scene
from tests.raster.conftest import BANDS
from tests.tiny_maps import write_class_map


class Outline(HTMLParser):
    """Elements with their attributes, and text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words, self.inside = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.inside = tag

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def page(tmp_path, write_scene, legend):
    def write(*, name="scene.tif", shape=(37, 53), legend=legend, confusion=None, **options):
        rng = np.random.default_rng(1)
        numbers = rng.uniform(0.1, 0.5, (3, *shape)).astype(np.float32)
        path = tmp_path / "page.html"
        with open_scene(write_scene(numbers, name=name), model_bands=BANDS) as scene:
            grid = scene.grid.refined(4)
            values = np.array([*legend.ids[:2], 255], np.uint8)
            labels = rng.choice(values, (grid.height, grid.width))
            class_map = write_class_map(tmp_path / "map.tif", labels, grid=grid, legend=legend)
            counter = AreaCounter(legend, pixel_areas(grid))
            counter.add(labels, 0)
            write_page(
                path,
                scene=scene,
                class_map_path=class_map,
                legend=legend,
                areas=counter.areas(confusion),
                facts=[("Model", "tiny 1 & <co>"), ("Taken on", "")],
                **options,
            )
        return path.read_text(encoding="utf-8")

    return write


def data_of(text):
    return json.loads(re.search(r'<script id="data"[^>]*>(.*?)</script>', text, re.DOTALL)[1])


def test_it_needs_nothing_from_elsewhere(page):
    text = page()
    assert "default-src 'none'" in text
    for _, attributes in Outline(text).elements:
        assert not {"src", "href"} & attributes.keys()
    assert not re.findall(r"https?://|@import|url\(", text)


def test_every_class_has_a_checkbox_a_bar_and_its_area(page, legend):
    outline = Outline(page())
    boxes = [a for tag, a in outline.elements if tag == "input"]
    assert [(box["type"], box["value"]) for box in boxes] == [
        ("checkbox", str(item.id)) for item in legend.classes
    ]
    assert all("checked" in box for box in boxes)
    for item in legend.classes:
        assert item.name in outline.text
    assert re.search(r"cropland [45]\d\.\d.% [\d.]+.ha", outline.text)
    assert re.search(r"café 0\.0.% 0.ha", outline.text)
    assert "% of the map is nodata." in outline.text


def test_names_are_text_whatever_they_are(page):
    name = "</script><script>alert(1)</script>"
    legend = Legend((LegendClass(1, name, "#000000"), LegendClass(2, "b", "#ffffff")))
    text = page(legend=legend, name="a&<b>.tif")
    outline = Outline(text)
    assert name in outline.text
    assert "a&<b>.tif" in outline.text
    assert "tiny 1 & <co>" in outline.text
    assert len([tag for tag, _ in outline.elements if tag == "script"]) == 2


def test_facts_that_are_not_known_are_left_out(page):
    assert "Taken on" not in page()


def test_adjusted_areas_are_shown_with_their_margin(page):
    confusion = ConfusionMatrix(np.array([[90, 10, 0], [10, 90, 0], [0, 0, 9]]))
    assert re.search(r"; adjusted [\d,]+.±.[\d,.]+.ha", page(confusion=confusion))


def test_both_pictures_are_whole(page):
    data = data_of(page())
    assert (data["width"], data["height"]) == (212, 148)
    assert [(level["width"], level["height"]) for level in data["map"]] == [(212, 148)]
    assert [(level["width"], level["height"]) for level in data["scene"]] == [(53, 37)]
    assert data["metres"] == pytest.approx(7.5, rel=0.01)


def test_what_is_left_out_is_said(page):
    shape = (300, 301)
    assert "To keep this page small" not in page(shape=shape)
    text = Outline(page(shape=shape, max_bytes=100, overwrite=True)).text
    assert (
        "one pixel of the class map shown stands for 4 × 4; the files have full resolution" in text
    )


def test_an_existing_page_stays(page, tmp_path):
    page()
    with pytest.raises(OutputError, match="`overwrite=True`"):
        page()
    page(overwrite=True)
    assert not list(tmp_path.glob(".*"))
