"""The shipped models on real scenes."""

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window as RasterioWindow
from rio_cogeo import cog_validate

from geosrseg.datasets.card.card import read_card
from geosrseg.evaluation.evaluate import evaluate
from geosrseg.mapping.predict import predict
from geosrseg.runtime.session import open_session
from geosrseg.runtime.shipped_models import DEFAULT_MODEL, list_models, verify_models
from tests.shared_data import shared
from tests.test_docs import DOCS

SCENE = DOCS / "demo" / "liverpool.tif"
LARGEST = 10_000_000  # bytes of a model in the repository


def test_every_model_is_intact_and_small():
    assert DEFAULT_MODEL in {model.name for model in verify_models()}
    assert all(model.path.stat().st_size < LARGEST for model in list_models())


def test_the_demo_map_is_what_a_gis_wants(tmp_path):
    out = tmp_path / "out.tif"
    predict(SCENE, out)
    valid, errors, warnings = cog_validate(out, strict=True, quiet=True)
    assert (valid, errors, warnings) == (True, [], [])
    with open_session(DEFAULT_MODEL, device="cpu") as session:
        legend = session.spec.legend
    with rasterio.open(SCENE) as scene, rasterio.open(out) as file:
        assert file.crs == scene.crs
        assert np.allclose(file.bounds, scene.bounds)
        assert file.nodata == 255
        shares = np.bincount(file.read(1).ravel(), minlength=256) / file.read(1).size
        assert {file.colormap(1)[i][:3] for i in legend.ids} == {c.rgb for c in legend.classes}
    # A coast with a town, fields and woods; the west is sea.
    water, trees, _, cropland, built = shares[1:6]
    assert 0.5 < water < 0.7
    assert built > 0.1
    assert min(trees, cropland) > 0.02


def test_the_sea_is_water_and_the_town_is_built(tmp_path):
    predict(SCENE, tmp_path / "out.tif", device="cpu", precision="fp32")
    with rasterio.open(tmp_path / "out.tif") as file:
        labels = file.read(1)
    assert (labels[:, :300] == 1).mean() > 0.99  # three pixels of the map are one of the scene
    assert (labels[400:, 700:] == 5).mean() > 0.6


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:its pixels are 30 m")  # it learned from 120 m
def test_seams_are_within_a_ten_thousandth_and_exact_seams_are_rounding(tmp_path):
    """512 x 512 LR pixels against one window over all of them."""
    scene = tmp_path / "scene.tif"
    with rasterio.open(shared("gewata") / "landsat7_sr_30m.tif") as source:
        area = RasterioWindow(400, 300, 512, 512)
        profile = source.profile | {
            "width": 512,
            "height": 512,
            "transform": source.window_transform(area),
        }
        with rasterio.open(scene, "w", **profile) as crop:
            crop.write(source.read(window=area))
            crop.scales, crop.descriptions = source.scales, source.descriptions

    def labels(name, **options):
        # In bf16 a runtime rounds a window of another shape differently: on some CPUs as many
        # labels change by it as by seams.
        predict(scene, tmp_path / name, model="gewata-4x", precision="fp32", **options)
        with rasterio.open(tmp_path / name) as file:
            return file.read(1)

    whole = labels("whole.tif", window_size=512)
    assert (labels("blend.tif", window_size=256) != whole).mean() <= 1e-4
    # Sums in another order change a few labels of 4 million.
    assert (labels("exact.tif", seams="exact", window_size=256) != whole).mean() <= 1e-5


@pytest.mark.slow
def test_the_card_says_what_the_model_does(tmp_path):
    """The validation metrics in the model file are measured again."""
    folder = shared("gewata")
    card = read_card(DOCS / "datasets" / "gewata.toml", data=folder)
    (report,) = evaluate(["gewata-4x"], card, split="validation", device="cpu").models
    with open_session("gewata-4x", device="cpu") as session:
        stored = session.spec.metrics
    # trained in bfloat16, run in float32
    assert report.confusion.mean_iou == pytest.approx(stored["mean_iou"], abs=0.01)
    assert report.confusion.kappa == pytest.approx(stored["kappa"], abs=0.01)
    assert (report.confusion.iou > 0).all()  # every class is found
    assert report.confusion.kappa > 0.75
    assert report.confusion.mean_iou > 0.5
