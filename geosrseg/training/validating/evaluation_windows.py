"""Evaluation windows: cuts labelled scenes into windows without changing the result.

Every window includes the exact halo, and only its core is counted. For every window size the
scores are therefore those of the whole scene run at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Dataset

from geosrseg.core.legend import NODATA
from geosrseg.core.tiling.padding import pad_to_window
from geosrseg.core.tiling.windows import Window, plan_windows
from geosrseg.datasets.labelled_scene import LabelledScene

HELD_BYTES = 2**30
"""Most bytes of windows kept in memory, to read and degrade them once and not in every epoch."""

LARGEST = 2048
"""HR pixels along each side of a window; the layers of a slim network then fit into memory."""


@dataclass(frozen=True, slots=True)
class EvaluationWindow:
    """One window, ready for a network.

    Attributes:
        lr: (bands, H, W) degraded image, with its halo and padding.
        hr: (bands, h, w) native image of the core.
        target: (h, w) uint8 class indices of the core; NODATA where ignored. For labels on the LR
            grid, `hr` and `target` are on the LR grid.
        core: the core in the network's output, in HR pixels.
        source: name of the scene's source; empty if the dataset has no sources.
        label_pixels: HR pixels along each side of a label's pixel.
    """

    lr: Tensor
    hr: Tensor
    target: Tensor
    core: Window
    source: str = ""
    label_pixels: int = 1

    @property
    def size(self) -> int:
        """Size in bytes."""
        return sum(each.nbytes for each in (self.lr, self.hr, self.target))


class EvaluationWindows(Dataset[EvaluationWindow]):
    """All windows whose core has a labelled pixel of a split.

    Args:
        split: name of the split to count.
        upscale_factor: HR pixels per LR pixel along each axis.
        multiple: alignment of windows, in LR pixels.
        exact_halo: LR pixels beyond which a window's border has no effect.
    """

    def __init__(
        self,
        scenes: Sequence[LabelledScene],
        *,
        split: str,
        upscale_factor: int,
        multiple: int,
        exact_halo: int,
    ) -> None:
        self._factor = upscale_factor
        self._split = split
        self._items: list[tuple[LabelledScene, Window, Window]] = []
        for scene in scenes:
            height, width = scene.size(upscale_factor)
            window_size = max(LARGEST // upscale_factor, 4 * exact_halo)
            plan = plan_windows(
                height, width, window_size=window_size, halo=exact_halo, ramp=0, multiple=multiple
            )
            cores = [(window, core.clipped(height, width)) for window, core in plan.cores()]
            self._items += [
                (scene, window, core) for window, core in cores if self._has_reference(scene, core)
            ]
        self._held: dict[int, EvaluationWindow] = {}
        self._left = HELD_BYTES

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> EvaluationWindow:
        if index in self._held:
            return self._held[index]
        window = self._read(index)
        if window.size <= self._left:
            self._held[index] = window
            self._left -= window.size
        return window

    def _read(self, index: int) -> EvaluationWindow:
        scene, window, core = self._items[index]
        inside = window.clipped(*scene.size(self._factor))
        lr = pad_to_window(scene.read_inputs(inside, factor=self._factor), window)
        chip = scene.read_chip(self._labelled(scene, core), self._split)
        return EvaluationWindow(
            torch.from_numpy(lr),
            torch.from_numpy(chip.hr),
            torch.from_numpy(chip.target),
            core.inside(window).scaled(self._factor),
            scene.source_name,
            scene.label_pixels(self._factor),
        )

    def _labelled(self, scene: LabelledScene, core: Window) -> Window:
        """Convert a window in LR pixels to the grid of the labels."""
        return core.scaled(self._factor // scene.label_pixels(self._factor))

    def _has_reference(self, scene: LabelledScene, core: Window) -> bool:
        target = scene.read_target(self._labelled(scene, core), self._split)
        return bool((target != NODATA).any())
