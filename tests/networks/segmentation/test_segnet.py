import torch

from geosrseg.networks.segmentation.segnet import BLOCKS, SegNet


def test_the_published_network_has_its_number_of_parameters():
    network = SegNet(3, 5)
    parameters = sum(p.numel() for p in network.parameters())
    assert round(parameters / 1e6, 2) == 29.45


def test_the_encoder_is_that_of_vgg16():
    network = SegNet(3, 5)
    convolutions = [m for m in network.encoder.modules() if isinstance(m, torch.nn.Conv2d)]
    assert [c.out_channels for c in convolutions] == [
        c for c, count in BLOCKS for _ in range(count)
    ]
    assert sum(p.numel() for c in convolutions for p in c.parameters()) == 14_714_688


def test_bands_classes_and_size_are_free():
    network = SegNet(2, 3, width=1 / 64).eval()
    with torch.inference_mode():
        logits = network(torch.rand(2, 2, 64, 96))
    assert logits.shape == (2, 3, 64, 96)


def test_a_logits_block_has_no_negative_logits():
    network = SegNet(2, 3, width=1 / 64, logits_block=True).eval()
    with torch.inference_mode():
        assert network(torch.randn(1, 2, 32, 32)).min() >= 0
