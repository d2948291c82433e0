"""Turned: test-time augmentation, the mean over all flips and turns of an input."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geosrseg.runtime.devices.device import Backend

POSES = 8
"""Four turns of the image, and four of the mirrored image."""


class Turned:
    """A backend that runs another one in eight poses.

    Seen from above, ground has no preferred direction: outputs for different poses differ only
    by the network's uncertainty, which averaging reduces.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def run(self, outputs: Sequence[str], lr: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        sums: list[NDArray[np.float32]] = []
        for pose in range(POSES):
            answers = self._backend.run(outputs, np.ascontiguousarray(_turn(lr, pose)))
            upright = [_turn_back(answer, pose) for answer in answers]
            if not sums:
                sums = [answer.copy() for answer in upright]
                continue
            for total, answer in zip(sums, upright, strict=True):
                total += answer
        return [total / np.float32(POSES) for total in sums]

    def cancel(self) -> None:
        self._backend.cancel()


def _turn(images: NDArray[np.float32], pose: int) -> NDArray[np.float32]:
    """Turn images (N, C, H, W) into one of eight poses; poses 4 to 7 are mirrored first."""
    mirrored = images[..., ::-1] if pose >= 4 else images
    return np.rot90(mirrored, pose % 4, (-2, -1))


def _turn_back(images: NDArray[np.float32], pose: int) -> NDArray[np.float32]:
    upright = np.rot90(images, -(pose % 4), (-2, -1))
    return upright[..., ::-1] if pose >= 4 else upright
