import pytest
import torch

from geosrseg.networks.segmentation.unet import UNet


def test_the_published_network_has_23_convolutional_layers():
    kinds = (torch.nn.Conv2d, torch.nn.ConvTranspose2d)
    layers = [module for module in UNet(1, 2, width=1 / 64).modules() if isinstance(module, kinds)]
    assert len(layers) == 23


def test_every_pixel_gets_its_logits():
    with torch.inference_mode():
        assert UNet(2, 3, width=1 / 64)(torch.rand(2, 2, 16, 48)).shape == (2, 3, 16, 48)


@pytest.mark.parametrize("options", [{"width": 0}, {"dropout": 1}])
def test_what_makes_no_network_is_refused(options):
    with pytest.raises(ValueError, match="a width above 0 and a dropout below 1"):
        UNet(2, 3, **options)


def test_dropout_is_at_the_end_of_the_encoder():
    network = UNet(1, 2, width=1 / 64, dropout=0.5)
    assert [type(block[-1]).__name__ for block in network.encoder][2:] == [
        "ReLU",
        "Dropout2d",
        "Dropout2d",
    ]
