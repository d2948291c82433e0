"""Models whose maps are known exactly, on a dataset of two brightnesses."""

from dataclasses import replace

import numpy as np
import pytest
import rasterio
import torch
from scipy import ndimage
from sklearn import metrics as sklearn

from geosrseg.core.legend import NODATA
from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.scenes import open_labelled_scenes
from geosrseg.errors import DatasetError, GeosrsegError, ModelError
from geosrseg.evaluation import view
from geosrseg.evaluation.evaluate import evaluate
from geosrseg.evaluation.evaluation_sizes import EvaluationSizes
from geosrseg.mapping.predict import predict
from geosrseg.networks.super_resolution.bicubic import BicubicUpsample
from geosrseg.runtime.session import open_session
from tests.evaluation.conftest import LEGEND, NORMALIZATION
from tests.tiny_datasets import BANDS, HEIGHT, WIDTH, write_raster

WHOLE = Window(0, 0, HEIGHT, WIDTH)


@pytest.fixture
def scene(card):
    with open_labelled_scenes(card, normalization=NORMALIZATION) as scenes:
        yield scenes[0]


def run(models, card, **options):
    return evaluate(models, card, split="validation", device="cpu", **options)


def naive_map(scene, factor):
    """(rows, cols) class indices of the whole scene, without windows."""
    height, width = scene.size(factor)
    lr = scene.read_inputs(Window(0, 0, height, width), factor=factor)
    return np.kron((lr[0] > 0.5).astype(np.uint8), np.ones((factor, factor), np.uint8))


def test_the_figures_are_those_of_scikit_learn_on_the_whole_map(card, model, scene):
    (report,) = run([model()], card).models
    target = scene.read_target(WHOLE, "validation")
    counted = target != NODATA
    reference, labels = target[counted], naive_map(scene, 4)[counted]
    figures = {name: estimate.value for name, estimate in report.estimates.items()}
    assert report.confusion.total == counted.sum()
    assert 0.6 < figures["overall_accuracy"] < 0.99  # blurred by the degradation
    expected = {
        "overall_accuracy": sklearn.accuracy_score(reference, labels),
        "normalized_accuracy": sklearn.balanced_accuracy_score(reference, labels),
        "mean_iou": sklearn.jaccard_score(reference, labels, average="macro"),
        "kappa": sklearn.cohen_kappa_score(reference, labels),
        "iou/bright": sklearn.jaccard_score(reference, labels),
        "producers_accuracy/bright": sklearn.recall_score(reference, labels),
        "users_accuracy/bright": sklearn.precision_score(reference, labels),
    }
    assert {name: figures[name] for name in expected} == pytest.approx(expected)


def test_the_boundary_is_measured_on_the_pixels_near_it(card, model, scene):
    (report,) = run([model()], card, sizes=EvaluationSizes(boundary=3)).models
    target = scene.read_target(WHOLE, "validation")
    reference = scene.read_reference(WHOLE)
    edges = np.zeros(target.shape, np.bool_)
    for axis in (0, 1):
        edge = np.diff((reference == 1).astype(int), axis=axis) != 0
        edge &= np.delete(reference, 0, axis) != NODATA
        edge &= np.delete(reference, -1, axis) != NODATA
        edges |= np.pad(edge, [(0, 1 - axis), (0, axis)])
        edges |= np.pad(edge, [(1 - axis, 0), (axis, 0)])
    near = ndimage.binary_dilation(edges, np.ones((5, 5))) & (target != NODATA)
    labels = naive_map(scene, 4)
    expected = sklearn.jaccard_score(target[near], labels[near], average="macro")
    assert report.estimates["boundary_mean_iou"].value == pytest.approx(expected)
    assert report.boundary_confusion.total == near.sum()


def test_the_recall_is_of_the_objects_half_found(tmp_path, card, model):
    """Islands of 3 x 3 to 11 x 11 bright pixels in a dark image; blurred, small ones vanish."""
    reference = np.ones((HEIGHT, WIDTH), np.uint8)
    sides = (3, 5, 7, 9, 11)
    for number, side in enumerate(sides):
        place = slice(20 + 25 * number, 20 + 25 * number + side)
        reference[place, 130 : 130 + side] = 4
    bright = (reference == 4)[None]
    values = np.where(bright, [[[4000]], [[4000]]], 500).astype(np.int16)
    write_raster(tmp_path / "image.tif", values, names=BANDS)
    write_raster(tmp_path / "reference.tif", reference[None])
    report = run([model()], card, sizes=EvaluationSizes(small=10**2))
    with open_labelled_scenes(card, normalization=NORMALIZATION) as (scene,):
        labels = naive_map(scene, 4)
    parts, count = ndimage.label(reference == 4)
    assert count == len(sides)
    found = [labels[parts == k].mean() >= 0.5 for k in range(1, count + 1)]
    assert 0 < sum(found[:4]) < 4
    recall = report.models[0].estimates["small_object_recall/bright"].value
    assert recall == sum(found[:4]) / 4  # 11 x 11 pixels are not small
    assert report.small_objects == (0, 4)
    assert np.isnan(report.models[0].estimates["small_object_recall/dark"].value)


@pytest.mark.parametrize(("seams", "reach"), [("blend", 3), ("exact", 3)])
def test_the_map_is_the_one_that_predict_writes(tmp_path, card, model, scene, seams, reach):
    spec = {"multiple": 4, "window_size": 16, "halo": 0, "exact_halo": 4}
    file = model(reach=reach, **spec)
    report = run([file], card, seams=seams)
    lr = scene.read_inputs(Window(0, 0, HEIGHT // 4, WIDTH // 4), factor=4)
    low, high = np.array(NORMALIZATION.low), np.array(NORMALIZATION.high)
    reflectance = lr * (high - low)[:, None, None].astype(np.float32)
    write_raster(tmp_path / "lr.tif", reflectance.astype(np.float32))
    predict(
        tmp_path / "lr.tif",
        tmp_path / "map.tif",
        model=file,
        device="cpu",
        seams=seams,
        window_size=16,  # what is evaluated does not depend on the memory there is
        bands="1,2",
        scale=1,
        offset=0,
    )
    with rasterio.open(tmp_path / "map.tif") as written:
        ids = written.read(1)
    labels = LEGEND.index_table()[ids]
    target = scene.read_target(WHOLE, "validation")
    counted = target != NODATA
    expected = sklearn.confusion_matrix(target[counted], labels[counted])
    np.testing.assert_array_equal(report.models[0].confusion.counts, expected)


def test_models_of_unlike_factors_are_counted_on_the_same_pixels(card, model):
    report = run([model(upscale_factor=5), model(), model(upscale_factor=1)], card)
    totals = {int(each.confusion.total) for each in report.models}
    assert len(totals) == 1
    assert [each.upscale_factor for each in report.models] == [5, 4, 1]
    ious = [each.confusion.mean_iou for each in report.models]
    assert ious[2] == 1 > max(ious[:2])


class TestPsnr:
    def test_is_that_of_a_loop(self, card, model, scene):
        (report,) = run([model()], card).models
        lr = scene.read_inputs(Window(0, 0, HEIGHT // 4, WIDTH // 4), factor=4)
        counted = scene.read_target(WHOLE, "validation") != NODATA
        hr = scene.read_hr(WHOLE)
        bicubic = BicubicUpsample(2, upscale_factor=4)(torch.from_numpy(lr[None]))[0].numpy()
        for image, psnr in (
            (np.kron(lr, np.ones((1, 4, 4))), report.psnr),
            (bicubic, report.psnr_bicubic),
        ):
            mse = np.mean((image - hr)[:, counted] ** 2)
            assert psnr == pytest.approx(10 * np.log10(1 / mse), abs=1e-3)

    def test_is_the_mean_over_the_scenes(self, card, model, tmp_path):
        write_raster(
            tmp_path / "second.tif",
            np.random.default_rng(0).integers(0, 5000, (2, HEIGHT, WIDTH), np.int16),
            names=BANDS,
        )
        second = replace(card.scenes[0], image=tmp_path / "second.tif")
        file = model()
        each = [run([file], replace(card, scenes=(s,))) for s in (card.scenes[0], second)]
        both = run([file], replace(card, scenes=(card.scenes[0], second)))
        expected = np.mean([report.models[0].psnr for report in each])
        assert both.models[0].psnr == pytest.approx(expected)
        assert len(both.scenes) == 2
        assert both.models[0].confusion.total == 2 * each[0].models[0].confusion.total

    def test_native_input_has_none(self, card, model):
        (report,) = run([model(upscale_factor=1)], card).models
        assert np.isnan([report.psnr, report.psnr_bicubic]).all()
        assert report.to_json()["psnr"] is None


class TestComparison:
    def test_is_with_the_first_model_and_on_the_same_blocks(self, card, model):
        report = run([model(upscale_factor=8), model()], card, sizes=EvaluationSizes(block=32))
        first, second = report.models
        assert report.settings.blocks == 15
        assert first.differences == {}
        gain = second.differences["mean_iou"]
        expected = second.confusion.mean_iou - first.confusion.mean_iou
        assert gain.value == pytest.approx(expected)
        assert 0 < gain.low < gain.value < gain.high
        for each in report.models:
            iou = each.estimates["mean_iou"]
            assert iou.low < iou.value < iou.high

    def test_versions_tell_models_of_one_name_apart(self, card, model):
        report = run([model(), model(version="2")], card)
        assert [each.model for each in report.models] == ["tiny 1", "tiny 2"]

    def test_is_with_whom_one_says(self, card, model):
        models = [model(upscale_factor=8), model(), model(upscale_factor=1)]
        report = run(models, card, baselines=[None, None, 1])
        assert [each.baseline for each in report.models] == ["", "", "tiny (2)"]
        assert report.models[1].differences == {}
        expected = report.models[2].confusion.kappa - report.models[1].confusion.kappa
        assert report.models[2].differences["kappa"].value == pytest.approx(expected)

    def test_a_model_that_comes_twice_is_told_apart(self, card, model):
        file = model()
        report = run([file, file], card)
        assert [each.model for each in report.models] == ["tiny", "tiny (2)"]
        assert report.models[1].differences["mean_iou"].value == 0


class TestViews:
    def test_show_what_was_measured(self, card, model, scene):
        (view,) = run([model(), model(upscale_factor=1)], card).views
        np.testing.assert_array_equal(view.native, scene.read_hr(WHOLE))
        np.testing.assert_array_equal(view.reference, scene.read_target(WHOLE, "validation"))
        counted = view.reference != NODATA
        labels = naive_map(scene, 4)
        np.testing.assert_array_equal(view.models[0].labels[counted], labels[counted])
        assert view.bicubic.keys() == {4}
        assert view.models[0].sr.shape == view.native.shape
        assert view.models[1].sr is None


class TestRefusals:
    def test_a_split_that_does_not_exist(self, card, model):
        with pytest.raises(DatasetError, match="split 'tests': expected one of train"):
            evaluate([model()], card, split="tests")

    def test_a_split_without_reference(self, card, model):
        with pytest.raises(DatasetError, match="no pixel of split 'test' in squares"):
            evaluate([model()], card, split="test", device="cpu")

    def test_a_model_of_other_bands(self, card, tiny_model):
        with pytest.raises(DatasetError, match="knows bands band 1"):
            run([tiny_model()], card)

    def test_no_model(self, card):
        with pytest.raises(GeosrsegError, match="no model"):
            run([], card)

    def test_a_model_that_is_none(self, card, tmp_path):
        with pytest.raises(ModelError, match=r"none\.onnx"):
            run([tmp_path / "none.onnx"], card)

    @pytest.mark.parametrize("block", [0, 24])
    def test_a_block_that_is_no_multiple(self, card, model, block):
        with pytest.raises(
            GeosrsegError,
            match=r"`block` \d+: expected a (whole number of at least|multiple of) 16",
        ):
            run([model()], card, sizes=EvaluationSizes(block=block))

    def test_exact_seams_of_a_model_that_has_none(self, card, model):
        with pytest.raises(
            GeosrsegError, match=r"tiny looks at its whole window.*use `seams=blend`"
        ):
            run([model(exact_halo=None)], card, seams="exact")

    def test_seams_that_do_not_exist(self, card, model):
        with pytest.raises(GeosrsegError, match="expected one of blend, exact"):
            run([model()], card, seams="hard")


def test_the_session_is_the_one_that_is_reported(card, model):
    file = model()
    with open_session(file, device="cpu") as session:
        (report,) = run([file], card).models
        assert (report.sha256, report.device) == (session.sha256, "cpu")


def test_windows_are_counted_for_a_progress_bar(card, model, monkeypatch):
    monkeypatch.setattr(view, "SIDE", 16)
    seen = []
    run([model(window_size=16, multiple=4)], card, on_window=seen.append)
    assert set(seen) == {"tiny"}
    assert 1 < len(seen) < 12  # those of the training half are never run
