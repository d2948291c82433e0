"""PyTorch in the place of a model file counts the same."""

import pytest
import torch

from geosrseg.datasets.scenes import measure_normalization
from geosrseg.errors import DeviceMemoryError
from geosrseg.evaluation.evaluate import evaluate
from geosrseg.evaluation.torch_session import TorchSession
from geosrseg.networks.framework import NetworkConfig, build_network
from geosrseg.networks.recipe import Recipe
from geosrseg.runtime.session import open_session
from geosrseg.training.finishing.export import export
from geosrseg.training.run_folder.run import Run
from geosrseg.training.run_folder.run_config import RunConfig
from geosrseg.training.run_folder.validation import Validation

NETWORK = NetworkConfig(
    protocol="end-to-end",
    bands=2,
    classes=2,
    upscale_factor=4,
    sr_options={"base": 3, "feat": 4, "stages": 2},
    seg_options={"width": 1 / 16},
    residual=True,
)


@pytest.fixture
def run(card, tmp_path):
    torch.manual_seed(0)
    network = build_network(NETWORK).eval()
    run = Run(tmp_path / "run")
    normalization = measure_normalization(card)
    run.create(RunConfig.of(card, normalization=normalization, network=NETWORK, recipe=Recipe()))
    run.finish(network, Validation())
    return run


def test_it_counts_what_the_model_file_counts(card, run, tmp_path):
    model = export(run.path, tmp_path / "model.onnx").path
    of_file, of_network = (
        evaluate([model], card, split="validation", device="cpu", networks=networks).models[0]
        for networks in ([], [run.network()])
    )
    assert (of_network.confusion.counts == of_file.confusion.counts).all()
    assert of_network.psnr == pytest.approx(of_file.psnr, abs=1e-4)
    assert (of_network.sha256, of_network.device) == (of_file.sha256, "torch cpu")


def test_memory_that_runs_out_is_told_so_that_smaller_windows_are_tried(run, tmp_path, monkeypatch):
    model = export(run.path, tmp_path / "model.onnx").path
    with open_session(model, device="cpu") as session:
        ours = TorchSession(session, run.network(), place="cpu")

    def fail(*_):
        raise torch.OutOfMemoryError("no more")

    monkeypatch.setattr(ours._network, "forward", fail)
    lr = torch.rand(1, 2, 8, 8).numpy()
    with pytest.raises(DeviceMemoryError, match="model on torch cpu: no more"):
        ours.run(lr)
