"""Agreement: whether a model file computes what the network does that it was made of.

Two runtimes round differently. Where two classes are equal but for rounding, the label is a
coin; and a difference in the last bit can move a maximum that is pooled to its neighbour,
which moves dozens of labels. Which pixels these are is measured: copies of the network whose
weights differ in the last bits show how far rounding can move its logits at each pixel.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from geosrseg.core.spec import ModelSpec
from geosrseg.networks.joint import JointNetwork
from geosrseg.runtime.session import Session

MIN_LABELS = 0.999
"""Not 1: a tie that no copy has resolved the other way can still move a few labels."""

MAX_SR_ERROR = 1e-4
MAX_PROBABILITY_ERROR = 1e-4
"""In the median. It alone is left where no label is certain."""

COPIES = 4
LAST_BITS = 2.0**-22
"""By which the weights of a copy differ: the rounding of a layer's sums, and no more."""

MARGIN = 4.0
"""A label is certain if its logit leads by more than this many times what the copies differ."""

CHECK_SIZES = ((6, 4), (5, 8))  # rows and columns, in multiples of the window


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far a model file is from the network that it was made of.

    Attributes:
        labels: share of the compared pixels with the same label.
        compared: share of the pixels whose label is certain, and so is compared.
        probability_error: median difference of the probabilities, over all pixels.
        sr_error: largest difference of the SR images, relative to their largest value.
    """

    labels: float
    compared: float
    probability_error: float
    sr_error: float

    @property
    def sufficient(self) -> bool:
        """No more than rounding differs."""
        return (
            self.labels >= MIN_LABELS
            and self.probability_error <= MAX_PROBABILITY_ERROR
            and self.sr_error <= MAX_SR_ERROR
        )

    def __str__(self) -> str:
        return (
            f"its labels agree with the network's on {self.labels:.4%} of the compared pixels "
            f"(expected {MIN_LABELS:.1%}), its probabilities differ by "
            f"{self.probability_error:.1e} (expected {MAX_PROBABILITY_ERROR:.0e}), its SR image by "
            f"{self.sr_error:.1e} (expected {MAX_SR_ERROR:.0e})"
        )


def compare(network: JointNetwork, session: Session) -> Agreement:
    """Run network and model file on the same random images, none of them square."""
    network = copy.deepcopy(network).cpu().float().eval()
    copies = [_rounded_differently(network, seed) for seed in range(COPIES)]
    same, certain, errors, sr_errors = [], [], [], []
    for lr in _images(session.spec):
        with torch.inference_mode():
            sr, logits = network(lr)
            certain.append(_certain(logits, [other(lr)[1] for other in copies]).ravel())
        probabilities, file_sr = session.run_with_sr(lr.numpy())
        same.append((probabilities.argmax(1) == logits.argmax(1).numpy()).ravel())
        errors.append(np.abs(probabilities - logits.softmax(1).numpy()).max(axis=1).ravel())
        sr_errors.append(float(np.abs(file_sr - sr.numpy()).max() / sr.abs().max()))
    compared = np.concatenate(certain)
    agreeing = np.concatenate(same)[compared]
    return Agreement(
        labels=float(agreeing.mean()) if agreeing.size else 1.0,
        compared=float(compared.mean()),
        probability_error=float(np.median(np.concatenate(errors))),
        sr_error=max(sr_errors),
    )


def _rounded_differently(network: JointNetwork, seed: int) -> JointNetwork:
    other, generator = copy.deepcopy(network), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weights in other.parameters():
            noise = 2 * torch.rand(weights.shape, generator=generator) - 1
            weights.mul_(1 + LAST_BITS * noise)
    return other


def _certain(logits: Tensor, others: list[Tensor]) -> NDArray[np.bool_]:
    """(N, H, W): True where rounding cannot change which logit is the largest."""
    spread = torch.stack([(other - logits).abs().amax(1) for other in others]).amax(0)
    rounding = spread.maximum(spread.median())
    first, second = logits.topk(2, dim=1).values.unbind(1)
    return (first - second > MARGIN * rounding).numpy()


def _images(spec: ModelSpec) -> Iterator[Tensor]:
    """(1, bands, H, W) images in [0, 1], always the same ones.

    They are noise, as an upsampled one is still smooth. In a smoother image the four pixels
    of a pooling window can be equal but for rounding, which no two runtimes do alike.
    """
    random = torch.Generator().manual_seed(0)
    for rows, cols in CHECK_SIZES:
        size = (rows * spec.multiple, cols * spec.multiple)
        yield torch.rand(1, len(spec.bands), *size, generator=random)
