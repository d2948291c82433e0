import pytest
import torch
import torch.nn.functional as F

from geosrseg.core.legend import NODATA
from geosrseg.networks.losses import JointLoss


@pytest.fixture
def batch():
    """SR image, logits, HR image and target of a batch with ignored pixels."""
    random = torch.Generator().manual_seed(0)
    sr, hr = torch.rand(2, 2, 3, 6, 8, generator=random)
    logits = torch.randn(2, 4, 6, 8, generator=random, requires_grad=True)
    target = torch.randint(0, 4, (2, 6, 8), generator=random)
    target[0, :3] = NODATA
    return sr, logits, hr, target


def test_the_parts_are_weighted_by_alpha_and_beta(batch):
    sr, logits, hr, target = batch
    loss, l1, ce = JointLoss(alpha=0.1, beta=1000)(
        sr, logits, hr=hr, target=target, trained=torch.ones(2, 6, 8, dtype=torch.bool)
    )
    assert torch.isclose(l1, (sr - hr).abs().mean())
    assert torch.isclose(loss, 0.1 * l1 + 1000 * ce)


def test_ignored_pixels_count_for_nothing(batch):
    sr, logits, hr, target = batch
    _, _, ce = JointLoss(alpha=1, beta=1)(
        sr, logits, hr=hr, target=target, trained=torch.ones(2, 6, 8, dtype=torch.bool)
    )
    counted = target != NODATA
    assert torch.isclose(ce, F.cross_entropy(logits.movedim(1, -1)[counted], target[counted]))
    ce.backward()
    assert not logits.grad.movedim(1, -1)[~counted].any()


def test_a_batch_without_any_reference_has_no_segmentation_loss(batch):
    sr, logits, hr, target = batch
    target = torch.full_like(target, NODATA)
    loss, l1, ce = JointLoss(alpha=1, beta=1)(
        sr, logits, hr=hr, target=target, trained=torch.ones(2, 6, 8, dtype=torch.bool)
    )
    assert ce == 0
    assert loss == l1
    loss.backward()
    assert not logits.grad.any()


def test_the_native_image_counts_only_where_it_is_trained(batch):
    sr, logits, hr, target = batch
    sr.requires_grad_()
    trained = torch.zeros(2, 6, 8, dtype=torch.bool)
    trained[0, :, 5:] = True
    _, l1, _ = JointLoss(alpha=1, beta=0)(sr, logits, hr=hr, target=target, trained=trained)
    assert torch.isclose(l1, (sr - hr)[0, :, :, 5:].abs().mean())
    l1.backward()
    assert (sr.grad.movedim(1, -1)[trained] != 0).all()
    assert not sr.grad.movedim(1, -1)[~trained].any()
    none = torch.zeros_like(trained)
    assert JointLoss(alpha=1, beta=0)(sr, logits, hr=hr, target=target, trained=none)[1] == 0
