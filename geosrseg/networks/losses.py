"""The losses: equation 1 of the paper, alternatives to its cross-entropy, and a third term.

Losses of the segmentation are functions of logits, reference and weights:

    logits     (N, classes, H, W)
    reference  (N, H, W) int64 class indices, NODATA where unknown; or soft labels,
               (N, classes, H, W) probabilities, all zero where unknown
    weights    (N, H, W) weight of each pixel, 0 or more; None for equal weights

A pixel without a reference does not count, and if no pixel counts the loss is zero.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from geosrseg.core.legend import NODATA

FOCUS = 2.0
"""γ of the focal loss; its authors' best value."""

NEAR = 2
"""Pixels across which `boundary` looks for another class."""


def reconstruction_loss(sr: Tensor, hr: Tensor, trained: Tensor) -> Tensor:
    """L1, the mean absolute difference over all bands and the training pixels.

    Args:
        sr: (N, bands, H, W) super-resolved image.
        hr: (N, bands, H, W) native image.
        trained: (N, H, W) bool, False for pixels that must not be learned from: validation and
            test areas, padding, invalid pixels. The loss is zero if all are False.
    """
    difference = (sr.float() - hr.float()).abs() * trained[:, None]
    return difference.sum() / (trained.sum() * hr.shape[1]).clamp(min=1)


def cross_entropy(
    logits: Tensor,
    reference: Tensor,
    weights: Tensor | None = None,
    *,
    class_weights: Tensor | None = None,
    smoothing: float = 0.0,
    focus: float = 0.0,
) -> Tensor:
    """CE, the weighted mean over the pixels that have a reference.

    Args:
        class_weights: (classes,) factor on the pixels of each class.
        smoothing: share of a label that is spread over all classes.
        focus: γ of the focal loss, see `focal`; 0 for the plain cross-entropy.
    """
    each = F.cross_entropy(
        logits.float(),
        reference if reference.ndim == 3 else reference.float(),
        weight=class_weights,
        ignore_index=NODATA if reference.ndim == 3 else -100,
        reduction="none",
        label_smoothing=smoothing,
    )
    if focus:
        right = (logits.float().softmax(1) * _one_hot(logits, reference)).sum(1)
        each = each * (1 - right) ** focus
    trust = _trust(reference, weights)
    whole = trust
    if class_weights is not None:  # `each` already includes them
        # no matrix product: under autocast it would round to the lower precision
        whole = trust * (_one_hot(logits, reference) * class_weights[:, None, None]).sum(1)
    return _divided((each * trust).sum(), whole.sum())


def focal(
    logits: Tensor, reference: Tensor, weights: Tensor | None = None, **options: Any
) -> Tensor:
    """The cross-entropy with a factor (1 - p)^γ, where p is the probability of the reference.

    Lin et al., ICCV 2017: confident correct pixels count little. `options` are those of
    `cross_entropy`.
    """
    return cross_entropy(logits, reference, weights, focus=FOCUS, **options)


def boundary(
    logits: Tensor, reference: Tensor, weights: Tensor | None = None, **options: Any
) -> Tensor:
    """The cross-entropy of the pixels with another class at most `NEAR` rows and columns away.

    Beside ``ce`` it raises the weight of boundaries. A soft label counts as its most probable
    class, to find them. `options` are those of `cross_entropy`.
    """
    trust = _trust(reference, weights)
    labels = reference if reference.ndim == 3 else reference.argmax(1)
    known = _one_hot(logits, torch.where(trust > 0, labels, NODATA))
    around = F.max_pool2d(known, 2 * NEAR + 1, stride=1, padding=NEAR)
    return cross_entropy(logits, reference, trust * (around.sum(1) > 1), **options)


def dice(logits: Tensor, reference: Tensor, weights: Tensor | None = None) -> Tensor:
    """1 - 2·|P∩Q| / (|P| + |Q|) over the batch, mean over the classes in the batch."""
    wanted = _one_hot(logits, reference)
    trust = _trust(reference, weights)[:, None]
    given = logits.float().softmax(1)
    common, both, own = (
        (trust * values).sum((0, 2, 3)) for values in (given * wanted, given + wanted, wanted)
    )
    present = own > 0
    missing = (1 - _divided(2 * common, both)) * present
    return missing.sum() / present.sum().clamp(min=1)


def lovasz(logits: Tensor, reference: Tensor, weights: Tensor | None = None) -> Tensor:
    """Lovász-softmax, the convex extension of 1 - IoU, mean over the classes in the batch.

    Berman, Triki, Blaschko, CVPR 2018, algorithm 1. Weights apply to the pixels of intersection
    and union. A soft label counts as its most probable class.
    """
    trust = _trust(reference, weights)
    counted = trust > 0
    labels = (reference if reference.ndim == 3 else reference.argmax(1))[counted]
    given = logits.float().softmax(1).movedim(1, -1)[counted]  # (pixels, classes)
    if not len(labels):
        return logits.sum() * 0
    losses = [
        _lovasz_of(given[:, label], labels == label, trust[counted])
        for label in torch.unique(labels)
    ]
    return torch.stack(losses).mean()


def _lovasz_of(given: Tensor, own: Tensor, trust: Tensor) -> Tensor:
    """Sum the errors of one class, largest first, times what each one adds to 1 - IoU."""
    errors, order = (own.float() - given).abs().sort(descending=True)
    of_class = (trust * own)[order]
    missed, false = of_class.cumsum(0), (trust[order] - of_class).cumsum(0)
    total = of_class.sum()
    jaccard = 1 - (total - missed) / (total + false)
    steps = torch.cat((jaccard[:1], jaccard.diff()))
    return (errors * steps).sum()  # no matrix product: autocast would round it


def _divided(values: Tensor, total: Tensor) -> Tensor:
    """Divide, with 0 for a total of 0; dividing by zero would make the gradient NaN."""
    return values / torch.where(total > 0, total, 1)


def _trust(reference: Tensor, weights: Tensor | None) -> Tensor:
    """(N, H, W): the pixel's weight, 0 without a reference."""
    known = (reference != NODATA) if reference.ndim == 3 else reference.sum(1) > 0
    return known.float() if weights is None else known * weights.float()


def _one_hot(logits: Tensor, reference: Tensor) -> Tensor:
    """(N, classes, H, W), all zero without a reference."""
    if reference.ndim == 4:
        return reference.float()
    known = reference != NODATA
    labels = torch.where(known, reference, 0)
    return F.one_hot(labels, logits.shape[1]).movedim(-1, 1) * known[:, None].float()


TERMS: Mapping[str, Callable[..., Tensor]] = {
    "ce": cross_entropy,
    "dice": dice,
    "lovasz": lovasz,
    "focal": focal,
    "boundary": boundary,
}
"""Losses by their names in ``--loss``."""

PIXELWISE = ("ce", "focal", "boundary")
"""Losses with class weights and smoothing; the others weigh all classes equally."""


class SegmentationLoss(nn.Module):
    """A weighted sum of losses.

    Args:
        terms: weights by name in `TERMS`.
        class_weights: weight of each class; empty for equal weights.
        smoothing: share of a label that is spread over all classes.
    """

    class_weights: Tensor | None

    def __init__(
        self,
        terms: Mapping[str, float],
        *,
        class_weights: Sequence[float] = (),
        smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self._terms = dict(terms)
        self._smoothing = smoothing
        weights = torch.tensor(class_weights, dtype=torch.float32) if class_weights else None
        self.register_buffer("class_weights", weights, persistent=False)

    def forward(
        self, logits: Tensor, reference: Tensor, weights: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Compute each term by name, without its weight."""
        by_pixel = {"class_weights": self.class_weights, "smoothing": self._smoothing}
        return {
            name: TERMS[name](logits, reference, weights, **by_pixel if name in PIXELWISE else {})
            for name in self._terms
        }

    def total(self, values: Mapping[str, Tensor]) -> Tensor:
        """Compute the weighted sum of the result of `forward`."""
        return torch.stack([weight * values[name] for name, weight in self._terms.items()]).sum()


class CoarseReference(NamedTuple):
    """Labels on the LR grid, for LR images without a native image.

    Attributes:
        target: (N, H, W) int64 class indices of LR pixels, NODATA where unknown.
        weights: (N, H, W) weights of the pixels.
    """

    target: Tensor
    weights: Tensor


def average_logits(logits: Tensor, *, factor: int) -> Tensor:
    """Compute logits of LR pixels, the logarithm of the mean probabilities.

    Args:
        logits: (N, classes, factor * H, factor * W).
        factor: pixels averaged along each axis.

    Returns:
        (N, classes, H, W); their softmax equals the mean.
    """
    mean = F.avg_pool2d(logits.float().softmax(1), factor)
    return mean.clamp(min=torch.finfo(mean.dtype).tiny).log()


class JointLoss(nn.Module):
    """ξ = α·L1(HR, SR) + β·CE(reference, logits) + γ·CE(coarse reference, mean probabilities).

    The first two terms are the paper's. The third is for labels on the LR grid, and zero without
    them. `segmentation` replaces CE, the default, by other losses.
    """

    def __init__(
        self,
        *,
        alpha: float,
        beta: float,
        gamma: float = 0.0,
        segmentation: SegmentationLoss | None = None,
    ) -> None:
        super().__init__()
        self.alpha = alpha
        self.beta = beta
        self.gamma = gamma
        self.segmentation = segmentation or SegmentationLoss({"ce": 1.0})

    def forward(
        self,
        sr: Tensor,
        logits: Tensor,
        *,
        hr: Tensor,
        target: Tensor,
        trained: Tensor,
        weights: Tensor | None = None,
        coarse: CoarseReference | None = None,
    ) -> dict[str, Tensor]:
        """Compute the loss and its parts, each a scalar.

        Args:
            sr: (N, bands, H, W) super-resolved image.
            logits: (N, classes, H, W).
            hr: (N, bands, H, W) native image.
            target: the reference, hard or soft; see the module.
            trained: (N, H, W) bool, pixels of the native image to learn from.

        Returns:
            ``loss``, which is ξ; ``l1``; each term of the segmentation loss by name; and with
            coarse labels, each of these terms with the prefix ``coarse_``.
        """
        parts = {"l1": reconstruction_loss(sr, hr, trained)}
        parts |= self.segmentation(logits, target, weights)
        loss = self.alpha * parts["l1"] + self.beta * self.segmentation.total(parts)
        if coarse is not None:
            averaged = average_logits(logits, factor=logits.shape[-1] // coarse.target.shape[-1])
            on_lr = self.segmentation(averaged, coarse.target, coarse.weights)
            loss = loss + self.gamma * self.segmentation.total(on_lr)
            parts |= {f"coarse_{name}": value for name, value in on_lr.items()}
        return {"loss": loss, **parts}


def class_weights_from_counts(counts: Sequence[int], *, power: float) -> tuple[float, ...]:
    """Compute (1/share)^power of each class, scaled to a mean weight of 1 per pixel.

    Args:
        counts: pixels of each class; a class without pixels gets the weight 0.
        power: 0 weighs all pixels equally, 1 all classes.
    """
    total = sum(counts)
    bare = [(total / count) ** power if count else 0.0 for count in counts]
    mean = sum(weight * count for weight, count in zip(bare, counts, strict=True)) / total
    return tuple(weight / mean for weight in bare)
