"""Networks by name, and one that another package brings, from its class to its model file."""

from dataclasses import replace
from importlib.metadata import EntryPoint

import numpy as np
import pytest
import torch
from torch import nn

from geosrseg.errors import MissingExtraError, RunError
from geosrseg.networks.framework import build_network
from geosrseg.networks.halo import exact_halo
from geosrseg.networks.joint import JointNetwork
from geosrseg.networks.networks import build
from geosrseg.networks.onnx.graph import build_onnx
from geosrseg.networks.part import Part
from geosrseg.registry import Registry
from tests.networks.onnx.test_graph import noise, run
from tests.tiny_networks import spec_of, tiny_config, tiny_network

# torch's exporter says so of its own libraries
exported = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


class Nearest(Part):
    """The simplest SR network: a band's mean around a pixel, repeated."""

    def __init__(self, bands, *, upscale_factor, radius=1):
        super().__init__()
        self.conv = nn.Conv2d(bands, bands, 2 * radius + 1, padding=radius)
        self.grow = nn.Upsample(scale_factor=upscale_factor)

    def forward(self, lr):
        return self.grow(self.conv(lr))


class Halving(Part):
    """A segmentation network that looks at two scales."""

    multiple = 2

    def __init__(self, bands, classes):
        super().__init__()
        self.fine = nn.Conv2d(bands, classes, 3, padding=1)
        self.coarse = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(bands, classes, 1), nn.Upsample(2))
        self.coarse[-1] = nn.Upsample(scale_factor=2)

    def forward(self, x):
        return self.fine(x) + self.coarse(x)


class Shared(JointNetwork):
    """The simplest network for both images: one convolution, and nearest neighbours."""

    def __init__(self, bands, classes, *, upscale_factor, trains_sr, radius=1):
        super().__init__()
        self.conv = nn.Conv2d(bands, bands + classes, 2 * radius + 1, padding=radius)
        self.grow = nn.Upsample(scale_factor=upscale_factor)
        self.trains_sr = trains_sr

    def forward(self, lr):
        sr, logits = self.grow(self.conv(lr)).tensor_split([lr.shape[1]], 1)
        return (sr if self.trains_sr else self.grow(lr)), logits


@pytest.fixture
def _plugins(monkeypatch):
    def brought(registry):
        part = registry.group.removeprefix("geosrseg.")
        value = {"sr": "Nearest", "seg": "Halving", "joint": "Shared"}[part]
        return {"mine": EntryPoint("mine", f"{__name__}:{value}", registry.group)}

    monkeypatch.setattr(Registry, "_brought", brought)


@exported
@pytest.mark.usefixtures("_plugins")
def test_a_network_of_another_package_becomes_a_model_file():
    config = tiny_config(sr="mine", sr_options={"radius": 2}, seg="mine")
    network = tiny_network(config)
    assert network.multiple == 1
    assert 0 < exact_halo(network) < 10
    model = build_onnx(network, spec_of(config))
    assert {item.domain for item in model.opset_import} == {""}
    for shape in ((1, 2, 6, 8), (3, 2, 14, 10)):
        lr = noise(*shape)
        with torch.inference_mode():
            sr, logits = network(lr)
        probabilities, model_sr = run(model, lr)
        assert np.allclose(model_sr, sr.numpy(), atol=1e-5)
        assert np.allclose(probabilities, logits.softmax(1).numpy(), atol=1e-5)


@exported
@pytest.mark.usefixtures("_plugins")
@pytest.mark.parametrize("protocol", ["end-to-end", "lr"])
def test_one_network_for_both_images_of_another_package_becomes_a_model_file(protocol):
    config = tiny_config(protocol=protocol, joint="mine", upscale_factor=3)
    config = replace(config, joint_options={"radius": 2})
    network = tiny_network(config)
    assert (network.multiple, exact_halo(network)) == (1, 3)  # probed: one too much
    model = build_onnx(network, spec_of(config))
    lr = noise(2, 2, 7, 5)
    with torch.inference_mode():
        sr, logits = network(lr)
    probabilities, model_sr = run(model, lr)
    assert np.allclose(model_sr, sr.numpy(), atol=1e-5)
    assert np.allclose(probabilities, logits.softmax(1).numpy(), atol=1e-5)
    with pytest.raises(TypeError, match="Shared does not say which of its layers is the last"):
        network.shift_logits(torch.zeros(3))


@pytest.mark.usefixtures("_plugins")
@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: build("sr", "vdsr", 3, upscale_factor=4, options={}),
            "`sr=vdsr`: there is no such network, expected one of dbpn, espcn, mine",
        ),
        (
            lambda: build("seg", "fcn", 3, 2, options={}),
            "expected one of segnet, unet, mine, smp:ARCHITECTURE/ENCODER",
        ),
        (
            lambda: build("sr", "espcn", 3, upscale_factor=4, options={"stages": 3}),
            "`sr=espcn` has no option stages, expected none at all",
        ),
        (
            lambda: build("seg", "segnet", 3, 2, options={"depth": 3}),
            "`seg=segnet` has no option depth, expected width, dropout, logits_block",
        ),
        (
            lambda: build("joint", "both", 3, 2, upscale_factor=4, trains_sr=True, options={}),
            "`joint=both`: there is no such network, expected one of compact, mine",
        ),
        (
            lambda: build(
                "joint", "compact", 3, 2, upscale_factor=4, trains_sr=True, options={"depth": 3}
            ),
            "`joint=compact` has no option depth, expected width, dropout, fold, spectral",
        ),
        (
            lambda: build("sr", "dbpn", 3, upscale_factor=4, options={"stages": 1}),
            "`sr=dbpn`: D-DBPN has at least 2 stages, got 1",
        ),
    ],
)
def test_a_network_that_cannot_be_built_is_one_line(build, message):
    with pytest.raises(RunError, match=message):
        build()


def test_without_the_library_its_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "segmentation_models_pytorch", None)
    with pytest.raises(MissingExtraError, match=r"geosrseg\[smp\]"):
        build("seg", "smp:unet/resnet18", 3, 2, options={})


class TestLibrary:
    """Networks of segmentation_models.pytorch."""

    @pytest.fixture(autouse=True)
    def _installed(self):
        pytest.importorskip("segmentation_models_pytorch")

    @pytest.mark.slow
    @exported
    def test_one_becomes_a_model_file(self):
        config = tiny_config(protocol="lr", seg="smp:unet/resnet18")
        network = tiny_network(config)
        assert network.multiple == 8
        lr = noise(2, 2, 16, 24)
        with torch.inference_mode():
            # Random weights make logits of 80, whose rounding would be seen in probabilities.
            network.seg.last_conv.weight /= network(lr)[1].std()
            _, logits = network(lr)
        model = build_onnx(network, spec_of(config))
        assert np.allclose(run(model, lr)[0], logits.softmax(1).numpy(), atol=1e-4)

    def test_an_unknown_one_is_one_line(self):
        for name in ("smp:nothing/resnet18", "smp:unet/nothing", "smp:unet"):
            with pytest.raises(RunError, match="expected ARCHITECTURE/ENCODER") as error:
                build_network(tiny_config(protocol="lr", seg=name))
            assert "\n" not in str(error.value)

    def test_the_convolution_that_gives_the_logits_is_found(self):
        part = build("seg", "smp:deeplabv3plus/resnet18", 3, 7, options={})
        assert part.last_conv.out_channels == 7
        assert part.multiple == 16


@pytest.mark.parametrize(
    "name",
    ["unet/tu-hf_hub:nobody/model", "unet/hf-hub:a/b", "unet/tu-local-dir:/x", "unet", "../x/y"],
)
def test_a_name_of_a_hub_is_no_network(name):
    with pytest.raises(RunError, match="there is no such network"):
        build("seg", f"smp:{name}", 3, 2, options={})
