from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.torch_version import TorchVersion

from geosrseg.errors import RunError
from geosrseg.networks.reference_weights import load_dbpn, load_vgg16
from geosrseg.networks.segmentation.segnet import BLOCKS, SegNet
from geosrseg.networks.super_resolution.dbpn import DBPN


def dbpn(bands=3, **changes):
    return DBPN(bands, **{"upscale_factor": 4, "base": 2, "feat": 3, "stages": 3, **changes})


def published_dbpn(base=64, feat=256, stages=7, kernel=8):
    """Key -> shape of the authors' file for 4x, written down from their network."""
    shapes = {}

    def layer(name, kind, outputs, inputs, size, act=True):
        shape = (inputs, outputs) if kind == "deconv" else (outputs, inputs)
        shapes[f"{name}.{kind}.weight"] = (*shape, size, size)
        shapes[f"{name}.{kind}.bias"] = (outputs,)
        if act:
            shapes[f"{name}.act.weight"] = (1,)

    layer("feat0", "conv", feat, 3, 3)
    layer("feat1", "conv", base, feat, 1)
    for k in range(1, stages + 1):
        if k > 2:
            layer(f"up{k}.conv", "conv", base, base * (k - 1), 1)
        for step, kind in enumerate(("deconv", "conv", "deconv"), 1):
            layer(f"up{k}.up_conv{step}", kind, base, base, kernel)
    for k in range(1, stages):
        if k > 1:
            layer(f"down{k}.conv", "conv", base, base * k, 1)
        for step, kind in enumerate(("conv", "deconv", "conv"), 1):
            layer(f"down{k}.down_conv{step}", kind, base, base, kernel)
    layer("output_conv", "conv", 3, base * stages, 3, act=False)
    return shapes


def vgg16_features(*, normalized, bands=3, width=1.0):
    """The ``features`` of torchvision's VGG16, built as torchvision builds them."""
    layers, inputs = [], bands
    for size, count in BLOCKS:
        outputs = round(size * width)
        for _ in range(count):
            norm = [nn.BatchNorm2d(outputs)] if normalized else []
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), *norm, nn.ReLU()]
            inputs = outputs
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers).eval()


def with_prefix(prefix, module):
    return {f"{prefix}{key}": value for key, value in module.state_dict().items()}


def test_our_keys_are_those_of_the_published_network():
    network = DBPN(3, upscale_factor=4)
    ours = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    assert ours == published_dbpn()


@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_dbpn_checkpoint_loads_with_and_without_prefix(tmp_path, prefix, suffix):
    source, target = dbpn(), dbpn()
    path = tmp_path / f"weights{suffix}"
    weights = with_prefix(prefix, source)
    save_file(weights, path) if suffix == ".safetensors" else torch.save(weights, path)
    load_dbpn(target, path)
    lr = torch.rand(1, 3, 5, 6)
    with torch.inference_mode():
        assert torch.equal(source(lr), target(lr))


def test_other_bands_are_refused_unless_adapted(tmp_path):
    source, target = dbpn(), dbpn(bands=6)
    path = tmp_path / "weights.pth"
    torch.save(source.state_dict(), path)
    with pytest.raises(RunError, match=r"feat0.conv.weight of .* another number of bands needs"):
        load_dbpn(target, path)
    load_dbpn(target, path, adapt_bands=True)
    grey = torch.rand(1, 1, 5, 6)
    with torch.inference_mode():
        expected = source(grey.repeat(1, 3, 1, 1)).mean(1, keepdim=True)
        assert torch.allclose(target(grey.repeat(1, 6, 1, 1)), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stages": 4}, "missing down3.conv.conv.weight, .* and 21 more"),
        ({"stages": 2}, "unexpected down2.conv.conv.weight"),
        ({"upscale_factor": 2}, r"up1.up_conv1.deconv.weight of \(2, 2, 8, 8\) instead of"),
    ],
)
def test_a_checkpoint_of_another_network_is_refused_by_name(tmp_path, options, message):
    path = tmp_path / "weights.pth"
    torch.save(dbpn().state_dict(), path)
    with pytest.raises(RunError, match=message) as caught:
        load_dbpn(dbpn(**options), path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\3\4 not a zip"])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_what_holds_no_weights_is_refused(tmp_path, content, suffix):
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(content)
    with pytest.raises(RunError, match="cannot be read as weights"):
        load_dbpn(dbpn(), path)


def test_a_pickled_object_is_never_run(tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(dbpn(), path)
    with pytest.raises(RunError, match="cannot be read as weights"):
        load_dbpn(dbpn(), path)
    torch.save({"epoch": 3, **dbpn().state_dict()}, path)
    with pytest.raises(RunError, match="holds more than weights"):
        load_dbpn(dbpn(), path)


def test_a_checkpoint_has_its_weights_as_its_state_dict(tmp_path):
    path = tmp_path / "checkpoint.pth"
    theirs, ours = dbpn(), dbpn()
    torch.save({"epoch": 3, "state_dict": theirs.state_dict()}, path)
    load_dbpn(ours, path)
    for name, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], value), name


@pytest.mark.parametrize("version", ["2.5.1", "2.9.1+cu128"])
def test_a_torch_that_does_not_load_pickles_safely_loads_none(tmp_path, monkeypatch, version):
    pickle, safe = tmp_path / "weights.pth", tmp_path / "weights.safetensors"
    torch.save(dbpn().state_dict(), pickle)
    save_file(dbpn().state_dict(), safe)
    monkeypatch.setattr(torch, "__version__", TorchVersion(version))
    monkeypatch.setattr(torch, "load", None)
    with pytest.raises(RunError, match=r"install PyTorch 2\.10 or newer, or use a"):
        load_dbpn(dbpn(), pickle)
    load_dbpn(dbpn(), safe)


class Trap:
    """Runs code when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_pickle_that_runs_code_runs_none(tmp_path):
    torch.save({"feat0.conv.weight": Trap(tmp_path / "sprung")}, tmp_path / "weights.pth")
    with pytest.raises(RunError, match="cannot be read as weights"):
        load_dbpn(dbpn(), tmp_path / "weights.pth")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("normalized", [True, False])
def test_vgg16_becomes_the_encoder(tmp_path, normalized):
    """Features with the weights of one file, before the first pooling and after the last."""
    source = vgg16_features(normalized=normalized, width=1 / 32)
    network = SegNet(3, 2, width=1 / 32).eval()
    path = tmp_path / "vgg16.pth"
    classifier = {"classifier.0.weight": torch.zeros(3, 3)}
    torch.save(with_prefix("features.", source) | classifier, path)
    load_vgg16(network, path)
    x = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        expected = source(x)
        for block in network.encoder:
            x = nn.functional.max_pool2d(block(x), 2)
    assert torch.allclose(x, expected, rtol=1e-3, atol=1e-5)


def test_vgg16_with_other_bands(tmp_path):
    source = vgg16_features(normalized=True, width=1 / 32)
    network = SegNet(6, 2, width=1 / 32).eval()
    path = tmp_path / "vgg16.pth"
    torch.save(with_prefix("features.", source), path)
    with pytest.raises(RunError, match=r"0.0.0.weight of .* needs adapt_bands"):
        load_vgg16(network, path)
    load_vgg16(network, path, adapt_bands=True)
    grey = torch.rand(1, 1, 32, 32)
    with torch.inference_mode():
        first = network.encoder[0][0](grey.repeat(1, 6, 1, 1))
        expected = source[:3](grey.repeat(1, 3, 1, 1))
    assert torch.allclose(first, expected, rtol=1e-3, atol=1e-5)


def test_what_is_no_vgg16_is_refused(tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(dbpn().state_dict(), path)
    with pytest.raises(RunError, match=r"missing 0.0.0.weight, .*; unexpected feat0.conv.weight"):
        load_vgg16(SegNet(3, 2, width=1 / 32), path)
