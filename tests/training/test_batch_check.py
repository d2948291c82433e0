"""A batch that a network cannot normalize is refused before the first step."""

import pytest

from geosrseg.errors import RunError
from geosrseg.networks.framework import build_network
from geosrseg.networks.recipe import Recipe
from geosrseg.training.batch_check import check_batches
from tests.tiny_networks import tiny_config

POOLED = "smp:deeplabv3plus/resnet18"


def check(seg, **recipe):
    check_batches(build_network(tiny_config(sr="espcn", seg=seg)), Recipe(chip_size=64, **recipe))


def test_a_last_batch_of_one_is_refused_where_it_cannot_be_normalized():
    pytest.importorskip("segmentation_models_pytorch")
    with pytest.raises(RunError, match=r"--chips-per-epoch 5 .* last batch of 1.*-epoch 6 or an"):
        check(POOLED, chips_per_epoch=5, batch_size=2)
    with pytest.raises(RunError, match="--batch-size 1: the network normalizes single values"):
        check(POOLED, chips_per_epoch=5, batch_size=1)
    check(POOLED, chips_per_epoch=6, batch_size=2)
    check(POOLED, chips_per_epoch=5, batch_size=3)


def test_other_networks_take_any_batch():
    check("unet", chips_per_epoch=5, batch_size=2)
    check("segnet", chips_per_epoch=5, batch_size=1)
