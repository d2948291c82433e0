"""One network for both images, from the dataset to the model file, under each protocol."""

import pytest
import torch

from geosrseg.datasets.card.card import read_card
from geosrseg.networks.framework import NetworkConfig
from geosrseg.networks.recipe import Recipe
from geosrseg.training.finishing.export import export
from geosrseg.training.train import train
from tests.tiny_datasets import write_dataset

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

RECIPE = Recipe(
    alpha=1,
    beta=1,
    sr_rate=1e-2,
    seg_rate=1e-2,
    schedule="cosine",
    decoupled=True,
    epochs=2,
    chips_per_epoch=100,
    batch_size=4,
    chip_size=96,
    class_power=0,
    averaging=0.9,
    loss={"ce": 1.0, "dice": 0.5, "lovasz": 0.1, "focal": 0.1, "boundary": 0.1},
    label_smoothing=0.05,
    class_weights=(0.5,),
    class_offsets=True,
)


@pytest.mark.parametrize(("protocol", "factor"), [("end-to-end", 3), ("lr", 3)])
def test_it_learns_and_becomes_a_model_file(tmp_path, protocol, factor):
    card = read_card(write_dataset(tmp_path), data=tmp_path)
    network = NetworkConfig(
        protocol=protocol,
        bands=2,
        classes=2,
        upscale_factor=factor,
        joint="compact",
        joint_options={"width": 1 / 4},
    )
    run = train(card, tmp_path / "run", network=network, recipe=RECIPE)
    assert run.validation().metrics["mean_iou"] > 0.6
    head = run.metrics_table.read_text().partition("\n")[0].split(",")
    losses = {f"train/{name}" for name in ("loss", "ce", "dice", "lovasz", "focal", "boundary")}
    assert losses < set(head)
    weights = run.network().state_dict()
    assert torch.allclose(weights["features.span"].flatten(), torch.tensor([0.5, 1.0]))
    report = export(run.path, tmp_path / "squares.onnx")
    assert report.label_agreement > 0.999
