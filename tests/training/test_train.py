"""Training, export and evaluation in one go, on a dataset that a slim network can learn."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import rasterio
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback

from geosrseg.datasets.card.card import read_card
from geosrseg.errors import DatasetWarning, ModelError, RunError, RunWarning
from geosrseg.evaluation.evaluate import evaluate
from geosrseg.networks.framework import NetworkConfig, build_network
from geosrseg.networks.recipe import Recipe
from geosrseg.networks.segmentation.segnet import SegNet
from geosrseg.runtime.session import open_session
from geosrseg.training.finishing.export import export
from geosrseg.training.run_folder.run import Run
from geosrseg.training.starting.initial_network import initial_network
from geosrseg.training.starting.start import Start
from geosrseg.training.surroundings import Surroundings
from geosrseg.training.train import train
from tests.tiny_datasets import HEIGHT, WIDTH, write_dataset

# Lightning's own dependencies, and advice for larger machines
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

NETWORK = NetworkConfig(
    protocol="end-to-end",
    bands=2,
    classes=2,
    upscale_factor=4,
    sr_options={"base": 4, "feat": 8, "stages": 2},
    residual=True,
    seg_options={"width": 1 / 8},
)
RECIPE = Recipe(
    alpha=1,
    beta=1,
    sr_rate=1e-3,
    seg_rate=3e-3,
    schedule="cosine",
    epochs=3,
    chips_per_epoch=120,
    batch_size=4,
    chip_size=64,
    class_power=0,
    averaging=0.5,
    precision="fp32",
)


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dataset")
    return read_card(write_dataset(folder), data=folder)


@pytest.fixture(scope="module")
def run(card, tmp_path_factory):
    return train(card, tmp_path_factory.mktemp("runs") / "run", network=NETWORK, recipe=RECIPE)


def best_epoch(run: Run) -> dict[str, str]:
    with (run.path / "metrics.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["val/mean_iou"]]
    assert len(rows) == RECIPE.epochs
    return max(rows, key=lambda row: float(row["val/mean_iou"]))


def test_the_network_learns(run):
    assert float(best_epoch(run)["val/mean_iou"]) > 0.6


def test_the_run_says_what_decided_it(run):
    config = run.config()
    assert (config.network, config.recipe) == (NETWORK, RECIPE)
    assert config.legend.names == ("dark", "bright")
    assert json.loads(run.config_file.read_text())["recipe"]["seed"] == 0


def test_the_best_epoch_is_what_is_exported_and_evaluated(card, run, tmp_path):
    """Through PyTorch while training or through the model file: the same counts."""
    model = tmp_path / "squares.onnx"
    report = export(run.path, model, name="squares", precisions=["bf16"])
    assert report.label_agreement >= 0.999
    best = float(best_epoch(run)["val/mean_iou"])
    assert run.validation().metrics["mean_iou"] == pytest.approx(best, abs=1e-4)
    with open_session(model, device="cpu") as session:
        assert session.spec.metrics == run.validation().metrics
        assert session.spec.temperature == run.validation().temperature
        assert session.spec.confusion == run.validation().confusion
        assert session.spec.config_hash == run.config().sha256
        assert session.spec.precisions == ("fp32", "bf16")
    (evaluated,) = evaluate([model], card, split="validation", device="cpu").models
    assert evaluated.confusion.mean_iou == pytest.approx(best, abs=1e-4)
    assert evaluated.psnr == pytest.approx(float(best_epoch(run)["val/psnr"]), abs=0.01)


def test_the_same_seed_gives_the_same_run(card, run, tmp_path):
    again = train(card, tmp_path / "again", network=NETWORK, recipe=RECIPE)
    assert best_epoch(again) == best_epoch(run)


@pytest.mark.parametrize(("protocol", "factor"), [("two-stage", 4), ("lr", 4), ("hr", 1)])
def test_the_other_protocols_run_too(card, tmp_path, protocol, factor):
    network = replace(NETWORK, protocol=protocol, upscale_factor=factor)
    recipe = replace(RECIPE, epochs=1, chips_per_epoch=8)
    run = train(card, tmp_path / "run", network=network, recipe=recipe)
    (report,) = evaluate([run.path], card, split="validation", device="cpu").models
    assert report.upscale_factor == factor
    assert report.model == "run"
    assert np.isnan(report.psnr) == (protocol == "hr")


class Watch(Callback):
    """Which part every epoch moved, and the learning rates at its end."""

    def __init__(self):
        self.moved, self.rates = [], []

    def on_train_start(self, trainer, module):
        self.before = self.parts(module)

    def on_train_epoch_end(self, trainer, module):
        parts = self.parts(module)
        self.moved.append([not torch.equal(a, b) for a, b in zip(self.before, parts, strict=True)])
        self.rates.append([group["lr"] for group in trainer.optimizers[0].param_groups])
        self.before = parts

    def parts(self, module):
        return [
            torch.cat([p.detach().flatten() for p in part.parameters()])
            for part in (module.network.sr, module.network.seg)
        ]


def measured(run, name):
    with (run.path / "metrics.csv").open(newline="") as file:
        return [row[name] for row in csv.DictReader(file) if row["val/psnr"]]


def test_two_stages_train_one_part_after_the_other(card, tmp_path):
    """The first ends with the SR part; the second leaves it alone and begins its own schedule."""
    network, watch = replace(NETWORK, protocol="two-stage"), Watch()
    recipe = replace(RECIPE, epochs=2, chips_per_epoch=8, schedule="step")
    run = train(card, tmp_path / "run", network=network, recipe=recipe, callbacks=[watch])
    assert watch.moved == [[True, False], [True, False], [False, True], [False, True]]
    assert watch.rates[0][0] == pytest.approx(recipe.sr_rate / 10)
    assert watch.rates[1][1] == pytest.approx(recipe.seg_rate)
    assert [value != "nan" for value in measured(run, "val/mean_iou")] == [False, False, True, True]


def test_a_warm_up_trains_the_sr_part_alone_first(card, tmp_path):
    """It takes its epochs from those of the run, whose one schedule goes on."""
    watch = Watch()
    recipe = replace(RECIPE, epochs=4, chips_per_epoch=8, schedule="step", sr_warm_up=1)
    run = train(card, tmp_path / "run", network=NETWORK, recipe=recipe, callbacks=[watch])
    assert watch.moved == [[True, False], [True, True], [True, True], [True, True]]
    full, tenth = [recipe.sr_rate, recipe.seg_rate], [recipe.sr_rate / 10, recipe.seg_rate / 10]
    assert watch.rates == [pytest.approx(rates) for rates in (full, tenth, tenth, tenth)]
    assert [value != "nan" for value in measured(run, "val/mean_iou")] == [False, True, True, True]


def test_other_networks_train_export_and_predict_too(card, tmp_path):
    network = replace(NETWORK, sr="espcn", sr_options={}, seg="unet", seg_options={"width": 1 / 16})
    recipe = replace(RECIPE, epochs=1, chips_per_epoch=8, class_offsets=True)
    run = train(card, tmp_path / "run", network=network, recipe=recipe)
    assert export(run.path, tmp_path / "model.onnx").label_agreement >= 0.999
    (report,) = evaluate([tmp_path / "model.onnx"], card, split="validation", device="cpu").models
    assert report.confusion.mean_iou == pytest.approx(
        run.validation().metrics["mean_iou"],
        abs=1e-3,  # ties of a briefly trained network
    )


def test_a_run_is_not_overwritten_by_accident(card, run):
    with pytest.raises(RunError, match="--overwrite"):
        train(card, run.path, network=NETWORK, recipe=RECIPE)
    assert run.weights_file.is_file()


def test_a_folder_of_other_things_is_never_a_run(card, tmp_path):
    (tmp_path / "letter.txt").write_text("keep me")
    with pytest.raises(RunError, match="which no run writes"):
        train(card, tmp_path, network=NETWORK, recipe=RECIPE, overwrite=True)
    assert (tmp_path / "letter.txt").read_text() == "keep me"


@pytest.mark.parametrize("text", ["name", "version", "limits"])
def test_a_model_is_described_in_plain_text(run, tmp_path, text):
    with pytest.raises(ModelError, match=rf"was not written: {text} is plain text, .* U\+000B"):
        export(run.path, tmp_path / "model.onnx", **{text: "two\vlines"})
    assert not list(tmp_path.iterdir())


def test_an_unfinished_run_is_not_exported(tmp_path, run):
    copy = Run(tmp_path / "copy")
    copy.create(run.config())
    with pytest.raises(RunError, match="finish"):
        export(copy.path, tmp_path / "model.onnx")
    with pytest.raises(RunError, match="is not a run"):
        Run(tmp_path / "nothing").config()


def test_published_weights_begin_a_plain_dbpn_only(card, tmp_path):
    with pytest.raises(RunError, match="no residual form"):
        train(card, tmp_path / "run", network=NETWORK, recipe=RECIPE, start=Start(init_sr="x.pth"))
    assert not (tmp_path / "run").exists()


def test_a_run_begins_with_the_weights_it_is_given(card, tmp_path):
    plain = replace(NETWORK, residual=False)
    published = build_network(plain).sr.state_dict()
    file = tmp_path / "dbpn.pth"
    torch.save({f"module.{name}": torch.full_like(w, 0.01) for name, w in published.items()}, file)
    recipe = replace(RECIPE, epochs=1, chips_per_epoch=4, sr_rate=0, averaging=0)
    run = train(card, tmp_path / "run", network=plain, recipe=recipe, start=Start(init_sr=file))
    weights = run.network().sr.state_dict().values()
    assert all(torch.allclose(w, torch.full_like(w, 0.01)) for w in weights)


def test_the_confidence_is_calibrated_on_the_validation_data(run):
    metrics = run.validation().metrics
    assert 0 <= metrics["calibration_error"] <= metrics["calibration_error_before"] + 0.02
    assert run.validation().temperature != 1


def test_class_offsets_do_not_make_the_best_epoch_worse(card, tmp_path):
    recipe = replace(RECIPE, epochs=1, chips_per_epoch=16, class_offsets=True)
    run = train(card, tmp_path / "run", network=NETWORK, recipe=recipe)
    (row,) = csv.DictReader(
        line for k, line in enumerate((run.path / "metrics.csv").open()) if k < 2
    )
    scores = [
        float(values[f"{prefix}mean_iou"]) + float(values[f"{prefix}kappa"])
        for values, prefix in ((row, "val/"), (run.validation().metrics, ""))
    ]
    assert scores[1] >= scores[0] - 1e-3


def test_without_a_last_bias_a_run_finishes_without_class_offsets(card, tmp_path):
    network = replace(NETWORK, seg_options={"width": 1 / 16, "logits_block": True})
    recipe = replace(RECIPE, epochs=1, chips_per_epoch=4, class_offsets=True)
    with pytest.warns(RunWarning, match=r"no class offsets were added \(the logits of a logits"):
        run = train(card, tmp_path / "run", network=network, recipe=recipe)
    assert run.finished
    best, result = run.best_network().state_dict(), run.network().state_dict()
    assert all(torch.equal(best[name], value) for name, value in result.items())


def test_ctrl_c_is_left_to_the_caller(card, tmp_path):
    class Interrupt(Callback):
        def on_train_batch_end(self, *_):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(card, tmp_path / "run", network=NETWORK, recipe=RECIPE, callbacks=[Interrupt()])


def test_overwrite_removes_a_runs_own_files_only(card, run, tmp_path):
    copy = Run(tmp_path / "copy")
    copy.create(run.config())
    (copy.path / "notes.txt").write_text("keep me")
    with pytest.raises(RunError, match=r"notes\.txt, which no run writes"):
        copy.create(run.config(), overwrite=True)
    assert copy.config() == run.config()
    (copy.path / "notes.txt").unlink()
    copy.create(run.config(), overwrite=True)


def test_without_validation_the_last_epoch_is_kept(card, tmp_path):
    """As in the paper, whose datasets have training and test areas only."""
    only_train = replace(card, scenes=tuple(replace(s, split="train") for s in card.scenes))
    recipe = replace(RECIPE, epochs=2, chips_per_epoch=8, class_offsets=True, averaging=0)
    with pytest.warns(DatasetWarning, match="the last one is kept"):
        run = train(only_train, tmp_path / "run", network=NETWORK, recipe=recipe)
    last = torch.load(run.last_checkpoint, weights_only=True)["state_dict"]
    weights = run.network().state_dict()
    assert all(torch.equal(last[f"network.{name}"], value) for name, value in weights.items())
    assert run.validation().metrics == {}
    assert export(run.path, tmp_path / "model.onnx").label_agreement > 0.99


def test_pictures_of_validation_windows_on_request(card, tmp_path):
    recipe = replace(RECIPE, epochs=2, chips_per_epoch=8)
    run = train(
        card, tmp_path / "run", network=NETWORK, recipe=recipe, surroundings=Surroundings(images=3)
    )
    names = sorted(path.name for path in run.panels.iterdir())
    assert names == ["epoch-0000-window-0.png", "epoch-0001-window-0.png"]
    with rasterio.open(run.panels / names[0]) as file:
        pixels = file.read()
    assert pixels.shape == (3, HEIGHT, 4 * WIDTH)
    right = {tuple(colour) for colour in pixels[:, :, 3 * WIDTH :].reshape(3, -1).T}
    assert right == {(0, 0, 0), (0x22,) * 3, (0xEE,) * 3}
    assert list((run.path / "tensorboard").iterdir())


def test_a_chip_that_the_networks_cannot_take_is_refused(card, tmp_path, monkeypatch):
    monkeypatch.setattr(SegNet, "multiple", 64)
    recipe = replace(RECIPE, chip_size=96)
    with pytest.raises(RunError, match="--crop 96: expected a multiple of the networks' 64 HR"):
        train(card, tmp_path / "run", network=NETWORK, recipe=recipe)
    assert not (tmp_path / "run").exists()


def test_devices_that_are_not_there_are_one_line(card, tmp_path, monkeypatch):
    def refuse(**_):
        raise MisconfigurationException("You requested gpu: [0, 1]\n But your machine has [0]")

    monkeypatch.setattr("lightning.Trainer", refuse)
    message = "--devices 2 with --precision fp32 is not available here: You requested gpu: "
    with pytest.raises(RunError, match=message) as error:
        train(card, tmp_path / "run", network=NETWORK, recipe=replace(RECIPE, devices=2))
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


def test_torchvisions_weights_by_name(card, tmp_path, monkeypatch):
    """From the folder in which torch keeps what it has downloaded."""
    folder = tmp_path / "hub/checkpoints"
    folder.mkdir(parents=True)
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(folder.parent))
    monkeypatch.setattr(
        "torch.hub.download_url_to_file", lambda *_, **__: (_ for _ in ()).throw(OSError("offline"))
    )
    start = Start(init_seg="vgg16")
    with pytest.raises(RunError, match=r"cannot be downloaded \(offline\): .* --init-seg FILE"):
        initial_network(NETWORK, card, start)
    (folder / "vgg16_bn-6c64b313.pth").write_bytes(b"")
    with pytest.raises(RunError, match=r"vgg16_bn-6c64b313.pth cannot be read as weights"):
        initial_network(NETWORK, card, start)
