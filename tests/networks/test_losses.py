import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from geosrseg.core.legend import NODATA
from geosrseg.networks.losses import (
    TERMS,
    CoarseReference,
    JointLoss,
    SegmentationLoss,
    boundary,
    class_weights_from_counts,
    cross_entropy,
    dice,
    focal,
    lovasz,
)


@pytest.fixture
def batch():
    """SR image, logits, HR image and target of a batch with ignored pixels."""
    random = torch.Generator().manual_seed(0)
    sr, hr = torch.rand(2, 2, 3, 6, 8, generator=random)
    logits = torch.randn(2, 4, 6, 8, generator=random, requires_grad=True)
    target = torch.randint(0, 4, (2, 6, 8), generator=random)
    target[0, :3] = NODATA
    return sr, logits, hr, target


def _parts(loss, batch, *, trained=None):
    """ξ, L1 and CE."""
    sr, logits, hr, target = batch
    if trained is None:
        trained = torch.ones(target.shape, dtype=torch.bool)
    done = loss(sr, logits, hr=hr, target=target, trained=trained)
    return done["loss"], done["l1"], done["ce"]


def test_the_parts_are_weighted_by_alpha_and_beta(batch):
    sr, _, hr, _ = batch
    loss, l1, ce = _parts(JointLoss(alpha=0.1, beta=1000), batch)
    assert torch.isclose(l1, (sr - hr).abs().mean())
    assert torch.isclose(loss, 0.1 * l1 + 1000 * ce)


def test_ignored_pixels_count_for_nothing(batch):
    _, logits, _, target = batch
    _, _, ce = _parts(JointLoss(alpha=1, beta=1), batch)
    counted = target != NODATA
    assert torch.isclose(ce, F.cross_entropy(logits.movedim(1, -1)[counted], target[counted]))
    ce.backward()
    assert not logits.grad.movedim(1, -1)[~counted].any()


def test_a_batch_without_any_reference_has_no_segmentation_loss(batch):
    sr, logits, hr, target = batch
    target = torch.full_like(target, NODATA)
    loss, l1, ce = _parts(JointLoss(alpha=1, beta=1), (sr, logits, hr, target))
    assert ce == 0
    assert loss == l1
    loss.backward()
    assert not logits.grad.any()


def test_the_native_image_counts_only_where_it_is_trained(batch):
    sr, _, hr, _ = batch
    sr.requires_grad_()
    trained = torch.zeros(2, 6, 8, dtype=torch.bool)
    trained[0, :, 5:] = True
    _, l1, _ = _parts(JointLoss(alpha=1, beta=0), batch, trained=trained)
    assert torch.isclose(l1, (sr - hr)[0, :, :, 5:].abs().mean())
    l1.backward()
    assert (sr.grad.movedim(1, -1)[trained] != 0).all()
    assert not sr.grad.movedim(1, -1)[~trained].any()
    none = torch.zeros_like(trained)
    assert _parts(JointLoss(alpha=1, beta=0), batch, trained=none)[1] == 0


class TestTerms:
    """Each loss of a segmentation against another implementation, or a plain loop."""

    @pytest.mark.parametrize("smoothing", [0.0, 0.1])
    @pytest.mark.parametrize("classes", [None, (1.0, 2.0, 0.5, 3.0)])
    def test_cross_entropy_is_pytorchs_mean(self, batch, smoothing, classes):
        _, logits, _, target = batch
        weights = None if classes is None else torch.tensor(classes)
        expected = F.cross_entropy(
            logits, target, weight=weights, ignore_index=NODATA, label_smoothing=smoothing
        )
        ours = cross_entropy(logits, target, class_weights=weights, smoothing=smoothing)
        assert torch.isclose(ours, expected)

    def test_dice_and_lovasz_are_those_of_the_library(self, batch):
        library = pytest.importorskip("segmentation_models_pytorch").losses
        _, logits, _, target = batch
        theirs = library.DiceLoss("multiclass", ignore_index=NODATA)
        assert torch.isclose(dice(logits, target), theirs(logits, target), atol=1e-5)
        theirs = library.LovaszLoss("multiclass", ignore_index=NODATA)
        assert torch.isclose(lovasz(logits, target), theirs(logits, target), atol=1e-5)

    def test_focal_and_dice_are_what_loops_give(self, batch):
        _, logits, _, target = batch
        target[target == 2] = NODATA  # a class that is not there
        given = logits.detach().softmax(1)
        places = [tuple(place) for place in (target != NODATA).nonzero().tolist()]
        right = [given[n, target[n, i, j], i, j].item() for n, i, j in places]
        expected = sum(-((1 - p) ** 2) * math.log(p) for p in right) / len(right)
        assert focal(logits, target).item() == pytest.approx(expected, rel=1e-5)
        missing = []
        for label in (0, 1, 3):
            common = both = 0.0
            for n, i, j in places:
                own = target[n, i, j].item() == label
                p = given[n, label, i, j].item()
                common, both = common + p * own, both + p + own
            missing.append(1 - 2 * common / both)
        assert dice(logits, target).item() == pytest.approx(sum(missing) / 3, rel=1e-5)

    def test_boundary_is_the_cross_entropy_of_two_pixels_on_either_side(self):
        logits = torch.randn(1, 2, 3, 9, generator=torch.Generator().manual_seed(0))
        target = torch.zeros(1, 3, 9, dtype=torch.int64)
        target[..., 4:] = 1
        target[..., 8] = NODATA  # no class, so it makes no boundary
        near = slice(2, 6)
        expected = F.cross_entropy(logits[..., near], target[..., near])
        assert torch.isclose(boundary(logits, target), expected)
        assert boundary(logits, torch.zeros_like(target)) == 0

    @pytest.mark.parametrize("name", TERMS)
    def test_a_pixel_of_weight_two_counts_like_two(self, batch, name):
        _, logits, _, target = batch
        weights = torch.ones(target.shape)
        weights[1] = 2
        once = TERMS[name](logits, target, weights)
        again = (torch.cat((values, values[1:])) for values in (logits, target))
        assert torch.isclose(once, TERMS[name](*again), rtol=1e-4)

    @pytest.mark.parametrize("name", TERMS)
    def test_a_pixel_of_weight_zero_counts_like_one_without_a_reference(self, batch, name):
        _, logits, _, target = batch
        weights = torch.ones(target.shape)
        weights[1, 2:] = 0
        hidden = target.clone()
        hidden[1, 2:] = NODATA
        assert torch.isclose(TERMS[name](logits, target, weights), TERMS[name](logits, hidden))

    @pytest.mark.parametrize("name", TERMS)
    def test_a_soft_label_of_one_class_is_a_hard_one(self, batch, name):
        _, logits, _, target = batch
        known = target != NODATA
        soft = F.one_hot(torch.where(known, target, 0), 4).movedim(-1, 1) * known[:, None].float()
        assert torch.isclose(TERMS[name](logits, soft), TERMS[name](logits, target))

    @pytest.mark.parametrize("name", TERMS)
    def test_without_any_reference_it_is_zero_and_so_is_its_gradient(self, batch, name):
        _, logits, _, target = batch
        loss = TERMS[name](logits, torch.full_like(target, NODATA))
        loss.backward()
        assert loss == 0
        assert not logits.grad.any()

    @pytest.mark.parametrize("name", TERMS)
    def test_it_falls_to_nothing_as_the_right_class_becomes_certain(self, batch, name):
        _, logits, _, target = batch
        certain = 30 * F.one_hot(target.clamp(max=3), 4).movedim(-1, 1).float()
        assert TERMS[name](certain, target) < 1e-5 < TERMS[name](logits, target)


@pytest.mark.parametrize("name", TERMS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_mixed_precision_does_not_round_a_loss(batch, name, dtype):
    """Products of matrices would be rounded, and a scaled fp16 loss beyond all numbers."""
    _, logits, _, target = batch
    loss = SegmentationLoss({name: 1.0}, class_weights=(0.301, 1.003, 1.003, 1.003))
    expected = loss(logits, target)[name]
    with torch.autocast("cpu", dtype=dtype):
        given = loss(logits, target)[name]
    assert given.dtype == torch.float32
    assert given.item() == pytest.approx(expected.item(), rel=1e-6)


def test_the_losses_of_a_segmentation_are_added_with_their_weights(batch):
    _, logits, _, target = batch
    loss = SegmentationLoss({"ce": 1.0, "dice": 0.5}, class_weights=(1, 2, 3, 4), smoothing=0.05)
    values = loss(logits, target)
    weights = torch.tensor((1.0, 2.0, 3.0, 4.0))
    ce = cross_entropy(logits, target, class_weights=weights, smoothing=0.05)
    assert torch.isclose(values["ce"], ce)
    assert torch.isclose(loss.total(values), ce + 0.5 * dice(logits, target))


def test_class_weights_from_counts_weigh_a_pixel_by_one_on_average():
    counts = (100, 400, 0)
    weights = class_weights_from_counts(counts, power=0.5)
    assert weights[0] / weights[1] == pytest.approx(2)
    assert weights[2] == 0
    assert sum(w * n for w, n in zip(weights, counts, strict=True)) == pytest.approx(500)
    assert class_weights_from_counts((3, 7), power=0) == (1, 1)


def test_labels_on_the_lr_grid_are_compared_with_the_mean_of_the_probabilities(batch):
    sr, logits, hr, target = batch
    nothing = torch.full_like(target, NODATA)
    trained = torch.zeros(target.shape, dtype=torch.bool)
    lr_target = torch.randint(0, logits.shape[1], (2, 3, 4))
    lr_target[0, 0, 1] = NODATA
    weights = torch.rand(2, 3, 4)
    parts = JointLoss(alpha=1, beta=1, gamma=2)(
        sr,
        logits,
        hr=hr,
        target=nothing,
        trained=trained,
        coarse=CoarseReference(lr_target, weights),
    )
    probabilities, total, whole = logits.detach().softmax(1), 0.0, 0.0
    for image, row, col in np.ndindex(2, 3, 4):
        label = int(lr_target[image, row, col])
        if label != NODATA:
            pixels = probabilities[image, label, 2 * row : 2 * row + 2, 2 * col : 2 * col + 2]
            total -= float(weights[image, row, col] * pixels.mean().log())
            whole += float(weights[image, row, col])
    assert parts["coarse_ce"].item() == pytest.approx(total / whole, rel=1e-5)
    assert parts["loss"].item() == pytest.approx(2 * total / whole, rel=1e-5)
    parts["loss"].backward()
    assert not logits.grad[0, :, :2, 2:4].any()  # the LR pixel without a label
    assert logits.grad[0, :, :2, :2].any()


def test_without_a_label_on_the_lr_grid_the_third_term_is_zero(batch):
    sr, logits, hr, target = batch
    arguments = {"hr": hr, "target": target, "trained": torch.ones(2, 6, 8, dtype=torch.bool)}
    loss = JointLoss(alpha=1, beta=1, gamma=1)
    none = CoarseReference(torch.full((2, 3, 4), NODATA), torch.zeros(2, 3, 4))
    with_none = loss(sr, logits, coarse=none, **arguments)
    assert with_none["coarse_ce"] == 0
    assert torch.isclose(with_none["loss"], loss(sr, logits, **arguments)["loss"])
