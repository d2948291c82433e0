"""Source chips: training samples of several sources in one run.

Chip i draws a source by weight and then a place in it: half of the chips anywhere, half so that
they contain a class drawn by its pixel count to the power `class_power`. As in `chips`, it
depends on the seed and i alone.

The changes follow the path of the light: ground, band adjustment, atmosphere and sun, then the
sensor's blur and noise. The HR image gets all but the last two, so the network learns an SR
image with the radiometry of its LR image.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from geosrseg.core.legend import NODATA
from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.augment.augmentation import cut_out, turn
from geosrseg.datasets.augment.degradation import degrade
from geosrseg.datasets.augment.illumination import Illumination
from geosrseg.datasets.augment.landsat_view import reduce_image
from geosrseg.datasets.augment.variation import (
    draw_side,
    resize_image,
    resize_labels,
    resize_mask,
    vary_all,
    vary_input,
)
from geosrseg.datasets.chips import ChipConfig, draw_pose, place_window
from geosrseg.datasets.source_scene import SourceScene
from geosrseg.errors import DatasetError

BY_CLASS = 0.5
"""Share of the chips that are drawn by class."""

RAREST = 500
"""Fewest pixels of a class that a source draws: with fewer, the same ones would recur often."""


class TrainingChip(NamedTuple):
    """A training sample; parts that its source lacks are zero, False or NODATA.

    Attributes:
        lr: (bands, H, W) network input.
        hr: (bands, s·H, s·W) native image.
        target: (s·H, s·W) int64 class indices; NODATA where there are none.
        trained: (s·H, s·W) True where the network learns from the native image.
        weight: (s·H, s·W) confidence in the target, 0 to 1.
        coarse: (H, W) int64 class indices of LR pixels; NODATA where there are none.
        coarse_weight: (H, W) confidence in `coarse`, 0 to 1.
    """

    lr: Tensor
    hr: Tensor
    target: Tensor
    trained: Tensor
    weight: Tensor
    coarse: Tensor
    coarse_weight: Tensor


class _Pool:
    """The training scenes of one source, with the probabilities of drawing from each."""

    def __init__(self, scenes: Sequence[SourceScene], *, classes: int, config: ChipConfig) -> None:
        self.source = scenes[0].source
        self._scenes = scenes
        self._counts = np.array(
            [np.bincount(_labels(scene).ravel(), minlength=256)[:classes] for scene in scenes]
        )
        pixels = np.array([scene.grid.height * scene.grid.width for scene in scenes], np.float64)
        self._scene_share = pixels / pixels.sum()
        counts = self._counts.sum(axis=0)
        self.class_parts = counts / max(int(counts.sum()), 1)
        drawn = counts >= min(RAREST, counts.max())
        weights = np.where(drawn, np.maximum(counts, 1.0) ** config.class_power, 0)
        self._class_share = weights / weights.sum()

    def draw(self, generator: np.random.Generator) -> tuple[SourceScene, int, int]:
        """Draw a scene and a pixel in it, row and column."""
        if generator.random() < BY_CLASS:
            label = generator.choice(len(self._class_share), p=self._class_share)
            of_class = self._counts[:, label]
            scene = self._scenes[generator.choice(len(self._scenes), p=of_class / of_class.sum())]
            held = np.flatnonzero(_labels(scene) == label)
            row, col = divmod(int(held[generator.integers(len(held))]), scene.grid.width)
            return scene, row, col
        scene = self._scenes[generator.choice(len(self._scenes), p=self._scene_share)]
        grid = scene.grid
        return scene, int(generator.integers(grid.height)), int(generator.integers(grid.width))


def _labels(scene: SourceScene) -> NDArray[np.uint8]:
    return scene.read_target(Window(0, 0, scene.grid.height, scene.grid.width), "train")


class SourceChips(Dataset[TrainingChip]):
    """Chips by a number that counts over all epochs.

    Args:
        scenes: all scenes of the dataset; chips come from those that train.
        classes: number of classes in the legend.
        config: how chips are drawn.
    """

    def __init__(self, scenes: Sequence[SourceScene], *, classes: int, config: ChipConfig) -> None:
        self._config = config
        by_source: dict[str, list[SourceScene]] = {}
        for scene in scenes:
            if scene.split.may_hold("train") and scene.source.weight > 0:
                by_source.setdefault(scene.source_name, []).append(scene)
        if not by_source:
            raise DatasetError("no source with a weight has an image in the training split")
        self._pools = [_Pool(own, classes=classes, config=config) for own in by_source.values()]
        weights = np.array([pool.source.weight for pool in self._pools])
        self._share = weights / weights.sum()

    @property
    def class_counts(self) -> list[int]:
        """Pixels of each class per million, with sources mixed by weight."""
        parts = self._share @ np.array([pool.class_parts for pool in self._pools])
        # a class that occurs keeps a count, or it would lose its weight in the loss
        return [max(round(1e6 * value), 1) if value else 0 for value in parts.tolist()]

    def __getitem__(self, number: int) -> TrainingChip:
        generator = np.random.default_rng((self._config.seed, number))
        pool = self._pools[generator.choice(len(self._pools), p=self._share)]
        factor = self._config.upscale_factor
        pixels = self._config.size // factor if pool.source.is_lr else self._config.size
        step = 1 if pool.source.is_lr else factor
        scene, row, col = pool.draw(generator)
        side = draw_side(
            pixels,
            multiple=1,
            length=min(scene.grid.height, scene.grid.width),
            strengths=self._config.augment,
            generator=generator,
        )
        window = place_window((row, col), scene.grid, size=side, factor=step, generator=generator)
        return self._finish(scene, window, pixels, generator)

    def _finish(
        self, scene: SourceScene, window: Window, size: int, generator: np.random.Generator
    ) -> TrainingChip:
        config = self._config
        chip = _read(scene, window)
        pose = draw_pose(generator, quarter_turns=config.quarter_turns)
        labels, weight = (
            turn(resize_labels(torch.from_numpy(part), size), pose=pose).contiguous()
            for part in chip[1:3]
        )
        trained = turn(resize_mask(torch.from_numpy(chip[3]), size), pose=pose).contiguous()
        image = turn(resize_image(torch.from_numpy(chip[0]), size), pose=pose).numpy()
        noise = 0.0
        if config.jitter:
            light = Illumination.draw(
                scene.bands,
                reflectance=scene.source.reflectance,
                strength=config.jitter,
                generator=generator,
            )
            image, noise = light.apply(image), light.noise
        hr = torch.from_numpy(scene.normalized(image))
        inputs = self._look(scene, image, hr, noise, generator)
        strengths = config.augment
        hr, inputs = vary_all(
            hr, inputs, bands=scene.bands, strengths=strengths, generator=generator
        )
        fill = scene.normalization.fill
        inputs = vary_input(inputs, fill=fill, strengths=strengths, generator=generator)
        if config.cutout:
            inputs = cut_out(inputs, share=config.cutout, generator=generator)
        empty = self._empty_chip(inputs.contiguous())
        if scene.source.is_lr:
            return empty._replace(coarse=labels.long(), coarse_weight=weight)
        target = labels.long()
        return empty._replace(hr=hr.contiguous(), target=target, trained=trained, weight=weight)

    def _look(
        self,
        scene: SourceScene,
        image: NDArray[np.float32],
        hr: Tensor,
        noise: float,
        generator: np.random.Generator,
    ) -> Tensor:
        """Return the (bands, H, W) network input made from an image in reflectance."""
        factor = 1 if scene.source.is_lr else self._config.upscale_factor
        if factor > 1 and not scene.source.sensor:
            return degrade(hr, factor=factor)
        lr = np.ascontiguousarray(image)
        if factor > 1:
            lr = reduce_image(torch.from_numpy(lr), factor=factor).numpy()
        if noise:
            lr = lr + np.float32(noise) * generator.standard_normal(lr.shape, np.float32)
        return torch.from_numpy(scene.normalized(lr))

    def _empty_chip(self, lr: Tensor) -> TrainingChip:
        """Make a chip with only a network input."""
        size, factor = self._config.size, self._config.upscale_factor
        fine, coarse = (size, size), (size // factor,) * 2
        return TrainingChip(
            lr=lr,
            hr=torch.zeros(len(lr), *fine),
            target=torch.full(fine, NODATA),
            trained=torch.zeros(fine, dtype=torch.bool),
            weight=torch.zeros(fine),
            coarse=torch.full(coarse, NODATA),
            coarse_weight=torch.zeros(coarse),
        )


def _read(
    scene: SourceScene, window: Window
) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.float32], NDArray[np.bool_]]:
    """Return reflectance, class indices, their weight, and True where the network learns.

    Beyond its edges the image is mirrored, and nothing is learned there.
    """
    inside = window.clipped(scene.grid.height, scene.grid.width)
    image, valid = scene.read_reflectance(inside)
    target = scene.read_target(inside, "train")
    weight = scene.reference.read_weight(inside)
    beyond = ((0, window.height - inside.height), (0, window.width - inside.width))
    if beyond != ((0, 0), (0, 0)):
        image = np.pad(image, ((0, 0), *beyond), mode="reflect")
        target = np.pad(target, beyond, constant_values=NODATA)
        weight, valid = np.pad(weight, beyond), np.pad(valid, beyond)
    return image, target, weight, valid
