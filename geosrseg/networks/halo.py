"""Halo: the distance from a window's border within which the border affects the result.

There are three ways to find it; the model file contains the results:

- **structure**: follow the longest chain of layers back from the target pixels at a border, as
  an interval of pixels along one axis (`Part.before`). This is a bound, which some images reach.
- **probing**, for a part without `before`: pixels beyond a border are NaN; outputs that are not
  NaN do not depend on them. A part that looks at the whole window, by global pooling or
  attention, has no exact halo.
- **measuring**: how far from a border the labels of a trained network actually change.
"""

import copy
import math

import torch
from torch import Tensor

from geosrseg.core.tiling.windows import round_up
from geosrseg.networks.joint import JointNetwork
from geosrseg.networks.part import Part
from geosrseg.networks.reach import Reach

DEFAULT_HALO = 24
"""LR pixels; fewer than one label in ten thousand then differs from one large window."""

PROBES = (256, 512, 1024, 2048)
"""Lengths of the images for probing, in input pixels, tried in this order."""

STRIP = 32
"""Width of the images for probing and measuring, in input pixels."""

IMAGES = 2
"""Number of random images for measuring the halo of a trained network."""


def exact_halo(network: JointNetwork) -> int | None:
    """Find the LR pixels beyond which a border has no effect, a multiple of `network.multiple`.

    None if a part looks at the whole window.
    """
    distances = []
    # The first target pixel after a border at 0, and the last one before it.
    for pixel, side in ((0, -1), (-1, 1)):
        reach: Reach | None = Reach(pixel, pixel)
        for part, growth in network.chain:
            reach = None if reach is None else _before(part, reach, growth=growth)
        if reach is None:
            return None
        distances.append(-reach.first if side < 0 else reach.last + 1)
    return round_up(max(distances), network.multiple)


def widest_halo(network: JointNetwork) -> int:
    """Return the exact halo, or the default halo if there is none, for evaluation."""
    halo = exact_halo(network)
    return round_up(DEFAULT_HALO, network.multiple) if halo is None else halo


def measured_halo(network: JointNetwork) -> int | None:
    """Measure the LR pixels beyond which no label changes, a multiple of `network.multiple`.

    The pixels of random images are replaced beyond a border, left, right, above and below. In
    experience real images change no label at a larger distance, but this is not a proof. None if
    labels change up to the end of the images.
    """
    multiple = network.multiple
    bound = exact_halo(network)
    if bound == 0:
        return 0
    side = round_up(max(PROBES[0], multiple) if bound is None else bound, multiple)
    network = copy.deepcopy(network).cpu().float().eval()
    farthest = 0
    for image in range(IMAGES):
        generator = torch.Generator().manual_seed(image)
        shape = (2, network.bands, round_up(STRIP, multiple), 2 * side)
        here, beyond = torch.rand(shape, generator=generator)
        for flipped in (False, True):
            for upright in (False, True):
                pixels = _labels_changed(network, here, beyond, flipped=flipped, upright=upright)
                farthest = max(farthest, math.ceil(pixels / network.upscale_factor))
    found = round_up(farthest, multiple)
    return None if bound is None and found >= side else found


def _labels_changed(
    network: JointNetwork, here: Tensor, beyond: Tensor, *, flipped: bool, upright: bool
) -> int:
    """HR pixels from the middle to the farthest label that the pixels beyond it change."""
    other = here.clone()
    middle = here.shape[-1] // 2
    other[..., :middle] = beyond[..., :middle]
    both = torch.stack((here, other))
    if flipped:
        both = both.flip(-1)
    with torch.inference_mode():
        _, logits = network(both.mT.contiguous() if upright else both)
    labels = logits.argmax(1)
    labels = labels.mT if upright else labels
    labels = labels.flip(-1) if flipped else labels
    changed = (labels[0] != labels[1]).any(0)[middle * network.upscale_factor :]
    return int(changed.nonzero().max()) + 1 if changed.any() else 0


def _before(part: JointNetwork | Part, outputs: Reach, *, growth: int) -> Reach | None:
    """Return `part.before`, or the result of probing if it is unknown."""
    reach = part.before(outputs)
    if reach is not None:
        return reach
    distance = _probe(part, growth=growth)
    if distance is None:
        return None
    inputs, multiple = outputs.before_growth(growth), part.multiple
    return Reach(
        (inputs.first - distance) // multiple * multiple,
        round_up(inputs.last + 1 + distance, multiple) - 1,
    )


def _probe(part: JointNetwork | Part, *, growth: int) -> int | None:
    """Largest distance, in input pixels, over which NaN spreads from beyond a border."""
    part = copy.deepcopy(part).cpu().float().eval()
    for size in PROBES:
        length = round_up(size, 2 * part.multiple)
        strip = torch.rand(1, part.bands, round_up(STRIP, part.multiple), length)
        depths = [_depth(part, image) // growth for image in (strip, strip.mT.contiguous())]
        if max(depths) < length // 2:
            return max(depths) + 1
    return None


def _depth(part: JointNetwork | Part, image: Tensor) -> int:
    """Output pixels along the longer axis over which a NaN half spreads into the other half."""
    axis = 2 + image.shape[2:].index(max(image.shape[2:]))
    half = image.shape[axis] // 2
    deepest = 0
    for first in (0, half):
        probed = image.clone()
        probed.narrow(axis, first, half).fill_(torch.nan)
        with torch.inference_mode():
            given = part(probed)  # one image from a part, two from a joint network
            images = torch.cat(given, 1) if isinstance(given, tuple) else given
        bad = images.isnan().any(1).any(4 - axis)[0]
        other = bad[bad.shape[0] // 2 :] if first == 0 else bad[: bad.shape[0] // 2].flip(0)
        deepest = max(deepest, int(other.nonzero().max()) + 1 if other.any() else 0)
    return deepest
