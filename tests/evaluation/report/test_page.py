"""The page is whole, says what was measured, and needs nothing else."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from rasterio.io import MemoryFile

from geosrseg.evaluation.evaluate import evaluate
from geosrseg.evaluation.evaluation_sizes import EvaluationSizes
from geosrseg.evaluation.experiment import ExperimentPlan
from geosrseg.evaluation.report.page import _plot, interval, number, report_html
from geosrseg.evaluation.report.paper_results import PAPER_RESULTS
from geosrseg.evaluation.report.pictures import draw_figures, shown_models
from geosrseg.evaluation.scoring.bootstrap import Estimate
from geosrseg.products.png import encode_png

VOID = {"meta", "img", "br", "link"}


class Page(HTMLParser):
    """Counts what a reader, or a screen reader, meets; refuses tags that do not match."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.attributes = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def report(card, model):
    models = [model(upscale_factor=5), model(), model(upscale_factor=1)]
    done = evaluate(models, card, split="validation", device="cpu", sizes=EvaluationSizes(block=32))
    return replace(done, command="geosrseg evaluate <a> & b")


def test_it_is_one_file_without_links(report):
    text = report_html(report)
    page = Page(text)
    for tag, attributes in page.attributes:
        assert tag not in {"script", "link", "iframe"}
        assert attributes.get("src", "data:image/png;base64,").startswith("data:image/png;base64,")
        assert "href" not in attributes
    assert not re.search(r"url\(|@import|https?://", text)


def test_every_picture_has_a_text_and_every_table_a_caption_and_headers(report):
    page = Page(report_html(report))
    pictures = [attributes for tag, attributes in page.attributes if tag == "img"]
    # native, reference, two bicubic images, and image and map of three models; with zooms
    assert len(pictures) == 2 * (2 + 2 + 3 * 2)
    assert all(attributes["alt"] for attributes in pictures)
    assert page.tags.count("caption") == page.tags.count("table")
    headers = [a for tag, a in page.attributes if tag == "th" and "scope" in a]
    assert len(headers) > 30


def test_it_shows_the_figures_with_their_intervals(report):
    text = report_html(report)
    for model in report.models:
        iou = model.estimates["mean_iou"]
        assert f"{iou.value:.3f}" in text
        if iou.bounded:
            assert f"{iou.low:.3f}–{iou.high:.3f}" in text
        assert model.sha256 in text
    gain = report.models[1].differences["kappa"]
    assert f"{gain.value:+.3f}".replace("-", "−") in text


def test_a_negative_figure_has_a_minus_and_an_interval_without_dash():
    low = Estimate(-0.0114, -0.0271, 0.0041)
    assert number(low.value) == "−0.011"
    assert interval(low) == "−0.027 to 0.004"
    assert interval(Estimate(0.5, 0.4, 0.6)) == "0.400–0.600"
    assert interval(Estimate(0.5, float("nan"), float("nan"))) == ""


def test_what_users_named_is_escaped(report):
    text = report_html(replace(report, dataset="<b>x</b>"))
    assert "geosrseg evaluate &lt;a&gt; &amp; b" in text
    assert "<b>x</b>" not in text


def test_one_model_is_compared_with_nothing(card, model):
    report = evaluate([model()], card, split="validation", device="cpu")
    assert "Differences" not in report_html(report)


class TestPaper:
    """The paper's figures stand in one table with ours only if the means are over as many."""

    def test_no_other_dataset_is_compared(self, report):
        assert "arXiv" not in report_html(report)

    def test_as_many_classes_share_a_table(self, report):
        text = report_html(replace(report, dataset="coffee"))
        assert "0.5653" in text
        assert text.count("(this report)") == 3
        assert "not comparable" not in text

    def test_another_number_of_classes_does_not(self, report):
        text = report_html(replace(report, dataset="vaihingen"))
        assert "0.7738" in text
        assert "(this report)" not in text
        assert "means are over 2 classes" in text

    def test_the_figures_are_those_printed(self):
        """A few of them, from the text of Tables 1 and 2."""
        rows = {
            (name, row.protocol, row.upscale_factor): row
            for name, dataset in PAPER_RESULTS.items()
            for row in dataset.results
        }
        assert len(rows) == 15
        assert rows["vaihingen", "end-to-end", 8].normalized_accuracy == 0.6625
        assert rows["thetford", "lr", 4].psnr == 26.8292
        assert rows["coffee", "hr", 1].overall_accuracy == 0.8330
        assert rows["thetford", "end-to-end", 4].mean_iou == 0.7117
        assert rows["coffee", "lr", 8].overall_accuracy is None


class TestPlot:
    def test_places_lie_on_the_axis(self, report):
        for model in report.models[1:]:
            plot = _plot(model)
            assert 0 <= plot.zero <= 100
            for bar in plot.bars:
                assert 0 <= bar.dot <= 100
                if bar.left is not None:
                    assert 0 <= bar.left <= bar.dot <= bar.left + bar.width <= 100 + 1e-9
            assert [text for place, text in plot.ticks if place == plot.zero] == ["0"]
            assert 3 <= len(plot.ticks) <= 7

    def test_models_that_do_not_differ_have_an_axis_too(self, card, model):
        file = model()
        report = evaluate([file, file], card, split="validation", device="cpu")
        plot = _plot(report.models[1])
        assert all(bar.dot == plot.zero for bar in plot.bars)


class TestPanels:
    def test_columns_are_native_bicubic_and_the_models(self, report):
        (figure,) = draw_figures(report)
        titles = [column.title for column in figure.columns]
        assert titles == [
            "Native · reference",
            "Bicubic 5×",
            "Bicubic 4×",
            "tiny, 5×",
            "tiny (2), 4×",
            "tiny (3), 1×",
        ]
        assert [column.map is None for column in figure.columns] == [
            False,
            True,
            True,
            *[False] * 3,
        ]

    def test_a_model_that_upsamples_so_shows_the_bicubic_image_itself(self, report):
        view = report.views[0]
        models = (replace(view.models[0], sr=view.bicubic[5]), *view.models[1:])
        (figure,) = draw_figures(replace(report, views=(replace(view, models=models),)))
        assert "Bicubic 5×" not in [column.title for column in figure.columns]

    def test_of_a_grid_only_the_best_model_is_shown(self, report):
        plan = ExperimentPlan(
            protocols=("lr", "end-to-end"), upscale_factors=(4,), alphas=(1.0,), betas=(1.0, 2.0)
        )
        gridded = replace(report, experiments=plan.experiments())
        ious = [model.confusion.mean_iou for model in report.models]
        assert ious[2] > ious[1]
        assert shown_models(gridded) == [0, 2]
        assert shown_models(report) == [0, 1, 2]

    def test_the_box_is_where_the_zoom_is(self, report):
        (figure,) = draw_figures(report)
        view = report.views[0]
        left, top, width, height = (value / 100 for value in figure.box)
        assert left * view.window.width == pytest.approx(view.zoom.col_off)
        assert top * view.window.height == pytest.approx(view.zoom.row_off)
        assert width * view.window.width == pytest.approx(view.zoom.width)
        assert height * view.window.height == pytest.approx(view.zoom.height)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_png_holds_the_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (7, 9, 3), np.uint8)
    with MemoryFile(encode_png(pixels)) as memory, memory.open() as dataset:
        assert dataset.driver == "PNG"
        np.testing.assert_array_equal(dataset.read().transpose(1, 2, 0), pixels)
