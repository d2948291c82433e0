"""One network for both images."""

import pytest
import torch

from geosrseg.core.normalize import Normalization
from geosrseg.networks.compact import Compact, SubPixel, fold_pixels
from geosrseg.networks.framework import NetworkConfig, build_network
from geosrseg.networks.super_resolution.bicubic import BicubicUpsample
from tests.tiny_networks import tiny_config, tiny_network


@pytest.mark.parametrize("factor", [2, 3, 4, 8])
@pytest.mark.parametrize("protocol", ["end-to-end", "lr"])
def test_it_gives_both_images_on_the_target_grid(protocol, factor):
    network = tiny_network(tiny_config(protocol=protocol, joint="compact", upscale_factor=factor))
    sr, logits = network(torch.rand(2, 2, 16, 32))
    assert sr.shape == (2, 2, 16 * factor, 32 * factor)
    assert logits.shape == (2, 3, 16 * factor, 32 * factor)


def test_of_native_images_it_gives_the_image_as_it_is():
    network = tiny_network(tiny_config(protocol="hr", joint="compact", upscale_factor=1))
    hr = torch.rand(1, 2, 32, 64)
    sr, logits = network(hr)
    assert torch.equal(sr, hr)
    assert logits.shape == (1, 3, 32, 64)


def test_training_begins_at_the_bicubic_image():
    config = tiny_config(joint="compact", upscale_factor=3)
    lr = torch.rand(1, 2, 16, 16)
    sr, _ = build_network(config).eval()(lr)
    assert torch.equal(sr, BicubicUpsample(2, upscale_factor=3)(lr))


def test_the_baseline_is_the_same_network_without_an_image_of_its_own():
    ours, lr = (
        build_network(tiny_config(protocol=protocol, joint="compact", upscale_factor=3))
        for protocol in ("end-to-end", "lr")
    )
    own = {name for name in ours.state_dict() if name.startswith("image.")}
    assert own == {"image.weight", "image.bias"}
    assert lr.state_dict().keys() == ours.state_dict().keys() - own
    assert not lr.sr_parameters
    assert len(ours.sr_parameters) == 2
    lr.load_state_dict({k: v for k, v in ours.state_dict().items() if k not in own})
    image = torch.rand(1, 2, 16, 16)
    assert torch.equal(lr.eval()(image)[1], ours.eval()(image)[1])


def test_the_sub_pixel_convolution_begins_without_a_comb():
    raised = SubPixel(5, 3, factor=4)(torch.rand(1, 5, 6, 7))
    blocks = raised.unflatten(-1, (7, 4)).unflatten(2, (6, 4))
    assert torch.allclose(blocks, blocks[:, :, :, :1, :, :1].expand_as(blocks))


def test_native_pixels_are_folded_in_the_order_of_the_model_file():
    image = torch.arange(24.0).reshape(1, 2, 2, 6)
    folded = fold_pixels(image, 2)
    assert folded.shape == (1, 8, 1, 3)
    # place by place, and both bands of each: top left, top right, bottom left, bottom right
    assert folded[0, :, 0, 0].tolist() == [0, 12, 1, 13, 6, 18, 7, 19]


def test_the_full_network_is_small():
    network = Compact(6, 8, upscale_factor=3, trains_sr=True)
    assert 1.5e6 < sum(p.numel() for p in network.parameters()) < 2e6


def test_class_offsets_are_added_for_good():
    network = tiny_network(tiny_config(joint="compact"))
    lr = torch.rand(1, 2, 16, 16)
    _, before = network(lr)
    network.shift_logits(torch.tensor([1.0, 0.0, -2.0]))
    _, after = network(lr)
    assert torch.allclose(after - before, torch.tensor([1.0, 0.0, -2.0])[:, None, None], atol=1e-5)


def test_what_makes_no_network_is_refused():
    with pytest.raises(ValueError, match="fold"):
        Compact(2, 3, upscale_factor=1, trains_sr=False, fold=0)
    with pytest.raises(ValueError, match="width"):
        Compact(2, 3, upscale_factor=2, trains_sr=True, width=0)
    with pytest.raises(ValueError, match="two-stage trains two networks, compact is one"):
        NetworkConfig(protocol="two-stage", bands=2, classes=3, upscale_factor=4, joint="compact")


class TestSpectralFeatures:
    """What the trunk is shown of reflectance, whatever the normalization."""

    def test_of_six_bands_the_normalized_differences_are_those_of_reflectance(self):
        reflectance = torch.rand(1, 6, 4, 4) * 0.5 + 0.05
        network = Compact(6, 2, upscale_factor=3, trains_sr=False)
        low, high = (0.02,) * 6, (0.3, 0.3, 0.4, 0.6, 0.6, 0.6)
        network.calibrate(Normalization(low, high, (0.5,) * 6))
        seen = (reflectance - 0.02) / (torch.tensor(high)[:, None, None] - 0.02)
        features = network.features(seen)
        assert features.shape == (1, 17, 4, 4)
        above = reflectance + 0.01
        assert torch.allclose(features[:, 6:12], above.log() + 2, atol=1e-5)
        _, green, red, nir, swir1, swir2 = above.unbind(1)
        pairs = [(nir, red), (green, nir), (green, swir1), (nir, swir1), (nir, swir2)]
        differences = torch.stack([(a - b) / (a + b) for a, b in pairs], 1)
        assert torch.allclose(features[:, 12:], differences, atol=1e-5)

    def test_of_other_bands_there_are_logarithms_alone(self):
        network = Compact(3, 2, upscale_factor=3, trains_sr=False)
        assert network.features(torch.rand(1, 3, 4, 4)).shape == (1, 6, 4, 4)
        plain = Compact(3, 2, upscale_factor=3, trains_sr=False, spectral=False)
        assert plain.features(torch.rand(1, 3, 4, 4)).shape == (1, 3, 4, 4)

    def test_reflectance_below_zero_is_dark(self):
        network = Compact(6, 2, upscale_factor=3, trains_sr=False)
        network.calibrate(Normalization((-0.2,) * 6, (1.0,) * 6, (0.5,) * 6))
        assert network.features(torch.zeros(1, 6, 2, 2)).isfinite().all()

    def test_the_normalization_goes_with_the_weights(self):
        network = Compact(2, 2, upscale_factor=3, trains_sr=False)
        network.calibrate(Normalization((0.1, 0.2), (0.5, 0.7), (0.5, 0.5)))
        state = network.state_dict()
        assert state["features.low"].flatten().tolist() == pytest.approx([0.1, 0.2])
        assert state["features.span"].flatten().tolist() == pytest.approx([0.4, 0.5])
