"""Averaged: a network that returns the mean over flips and turns of its input.

Seen from above, ground has no preferred direction. A network's results for different poses
differ only by its uncertainty, which the mean reduces. In a model file the poses are part of
the graph, so the software that runs it need not support them.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor

from geosrseg.networks.joint import JointNetwork
from geosrseg.networks.onnx.joint import SR, emit_joint
from geosrseg.networks.onnx.writer import GraphWriter
from geosrseg.networks.part import Part

Poses = Literal["flips", "turns"]
POSES: Mapping[str, tuple[bool, ...]] = MappingProxyType(
    {"flips": (False,), "turns": (False, True)}
)
"""Batches of four flips for each name; True swaps rows and columns of a batch."""

FLIPS: Sequence[tuple[int, ...]] = ((), (3,), (2,), (2, 3))
"""Axes of each flip."""

LEAST = 1e-30
"""Smallest probability, which keeps the logarithm finite."""

_ALL_BACKWARDS = -(2**63)


class Averaged(JointNetwork):
    """Wraps a network, at four or eight times its cost.

    Its logits are the logarithms of the mean probabilities.

    Args:
        poses: ``flips``, or ``turns`` to add the quarter turns.
    """

    def __init__(self, network: JointNetwork, poses: Poses) -> None:
        super().__init__()
        self.network = network
        self.sides = POSES[poses]
        self.bands = network.bands
        self.upscale_factor = network.upscale_factor

    @property
    def multiple(self) -> int:
        return self.network.multiple

    @property
    def chain(self) -> Sequence[tuple[JointNetwork | Part, int]]:
        return self.network.chain

    def forward(self, lr: Tensor) -> tuple[Tensor, Tensor]:
        images, probabilities = [], []
        for on_side in self.sides:
            for axes in FLIPS:
                sr, logits = self.network(_swapped(lr, on_side).flip(axes).contiguous())
                images.append(_swapped(sr.flip(axes), on_side))
                probabilities.append(_swapped(logits.softmax(1).flip(axes), on_side))
        mean = torch.stack(probabilities).mean(0)
        return torch.stack(images).mean(0), mean.clamp_min(LEAST).log()


def _swapped(images: Tensor, on_side: bool) -> Tensor:
    return images.mT if on_side else images


@emit_joint.register
def _averaged(network: Averaged, graph: GraphWriter, x: str) -> str:
    """Run the four flips as one batch: the graph then has the weights only once or twice."""
    images: list[str] = []
    probabilities: list[str] = []
    for number, on_side in enumerate(network.sides):
        upright = _swap(graph, x) if on_side else x
        batch = graph.node("Concat", *(_flip(graph, upright, axes) for axes in FLIPS), axis=0)
        logits = emit_joint(network.network, graph, batch)
        sr = graph.rename(SR, f"{SR}_{number}")
        softmax = graph.node("Softmax", logits, axis=1)
        for values, kept in ((sr, images), (softmax, probabilities)):
            parts = graph.split(values, len(FLIPS), axis=0)
            for part, axes in zip(parts, FLIPS, strict=True):
                back = _flip(graph, part, axes)
                kept.append(_swap(graph, back) if on_side else back)
    graph.node("Mean", *images, name=SR)
    mean = graph.node("Mean", *probabilities)
    return graph.node("Log", graph.node("Max", mean, graph.constant(LEAST)))


def _flip(graph: GraphWriter, x: str, axes: Sequence[int]) -> str:
    if not axes:
        return x
    backwards = [-1] * len(axes)
    ends = [_ALL_BACKWARDS] * len(axes)
    bounds = (graph.constant(values) for values in (backwards, ends, [*axes], backwards))
    return graph.node("Slice", x, *bounds)


def _swap(graph: GraphWriter, x: str) -> str:
    return graph.node("Transpose", x, perm=[0, 1, 3, 2])
