"""Agreement: checks that a model file computes the same as the network it was written from.

Two runtimes round differently. Where two classes are equal except for rounding, the label is
arbitrary. A difference in the last bit can also move the position of a pooled maximum, which
changes dozens of labels. To find these pixels, copies of the network whose weights differ in
the last bits show how far rounding can change the logits of each pixel.
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
"""Not 1, as a few labels can change at ties that no copy resolves differently."""

MAX_SR_ERROR = 1e-4
MAX_PROBABILITY_ERROR = 1e-4
"""Largest median error; the only check on probabilities and labels if no label is certain."""

COPIES = 4
LAST_BITS = 2.0**-22
"""Relative difference of a copy's weights, comparable to the rounding of a layer's sums."""

MARGIN = 4.0
"""A label is certain if its logit leads by more than MARGIN times the spread of the copies."""

CHECK_SIZES = ((6, 4), (5, 8))  # rows and columns, in multiples of the window


@dataclass(frozen=True, slots=True)
class Agreement:
    """Differences between a model file and its network.

    Attributes:
        labels: share of the compared pixels with the same label.
        compared: share of pixels compared: those whose label is certain.
        probability_error: median difference of the probabilities over all pixels.
        sr_error: largest difference of the SR images, relative to their largest value.
    """

    labels: float
    compared: float
    probability_error: float
    sr_error: float

    @property
    def sufficient(self) -> bool:
        """Whether the differences are due to rounding alone."""
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
    """Run network and model file on the same random images, which are not square."""
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
    """Yield (1, bands, H, W) images of noise in [0, 1], the same ones every time.

    In a smooth image the four pixels of a pooling window can be equal except for rounding, in
    which runtimes differ.
    """
    random = torch.Generator().manual_seed(0)
    for rows, cols in CHECK_SIZES:
        size = (rows * spec.multiple, cols * spec.multiple)
        yield torch.rand(1, len(spec.bands), *size, generator=random)
