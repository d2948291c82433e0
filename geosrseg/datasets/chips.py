"""Chips: training samples drawn by class.

With uniform drawing, rare classes are never learned. So a chip is drawn in three steps: a
class, a pixel of that class, and a position at which the chip covers the pixel. Chip i of
epoch e depends on the seed, e and i alone: the order of work, the number of workers and
restarts change nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from geosrseg.core.legend import NODATA
from geosrseg.core.tiling.padding import pad_to_window
from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.augment.augmentation import cut_out, jitter, turn
from geosrseg.datasets.augment.degradation import degrade
from geosrseg.datasets.augment.variation import (
    draw_side,
    resize_image,
    resize_labels,
    resize_mask,
    vary_all,
    vary_input,
)
from geosrseg.datasets.labelled_scene import Chip, LabelledScene
from geosrseg.errors import DatasetError
from geosrseg.raster.files.grid import Grid

POSITIONS_PER_CLASS = 200_000
"""Pixels remembered per class: enough to stand for all of them."""

MOST_OF_NUMPY = 10**9
"""Pixels from which on numpy refuses to draw from a hypergeometric distribution."""

HELD_BYTES = 2**30
"""Most bytes of training scenes kept in memory: reading a chip from a file takes as long as the
rest of its preparation, and would starve a GPU."""


@dataclass(frozen=True, slots=True)
class ClassPositions:
    """Pixels of a class, each (scene, row, col), and how many there are in all."""

    pixels: NDArray[np.int32]
    count: int


def find_class_positions(
    scenes: Sequence[LabelledScene], *, classes: int, seed: int
) -> list[ClassPositions]:
    """Read every training reference once and remember the pixels of each class.

    Raises:
        DatasetError: the training split has no pixel of any class.
    """
    generator = np.random.default_rng(seed)
    found = [ClassPositions(np.empty((0, 3), np.int32), 0) for _ in range(classes)]
    for number, scene in enumerate(scenes):
        for strip in scene.strips():
            target = scene.read_target(strip, "train")
            for label in range(classes):
                rows, cols = np.nonzero(target == label)
                pixels = np.stack([np.full_like(rows, number), rows + strip.row_off, cols], axis=1)
                found[label] = _merge(found[label], pixels.astype(np.int32), generator)
    if not any(position.count for position in found):
        raise DatasetError("no pixel of the training split has a class of the legend")
    return found


def _merge(
    known: ClassPositions, more: NDArray[np.int32], generator: np.random.Generator
) -> ClassPositions:
    """Add pixels; above the limit, every pixel seen so far is kept with equal probability."""
    count = known.count + len(more)
    if count <= POSITIONS_PER_CLASS:
        return ClassPositions(np.concatenate([known.pixels, more]), count)
    if known.count < MOST_OF_NUMPY:
        of_more = int(generator.hypergeometric(len(more), known.count, POSITIONS_PER_CLASS))
    else:  # of so many, drawing with replacement makes no difference
        drawn = generator.binomial(POSITIONS_PER_CLASS, len(more) / count)
        of_more = min(int(drawn), len(more))
    of_known = POSITIONS_PER_CLASS - of_more
    kept = [
        pixels[generator.choice(len(pixels), number, replace=False, shuffle=False)]
        for pixels, number in ((known.pixels, of_known), (more, of_more))
    ]
    return ClassPositions(np.concatenate(kept), count)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipConfig:
    """How chips are drawn.

    Attributes:
        size: HR pixels along each side; a multiple of 32 and of the upscale factor.
        upscale_factor: HR pixels per LR pixel along each axis; 1 for native HR.
        quarter_turns: also turn chips by 90°, besides flips and turns by 180°.
        class_power: a class is drawn in proportion to its pixel count to this power: 0 makes
            classes equally likely, 1 pixels.
        jitter: strength of the radiometric augmentation; 0 turns it off.
        cutout: probability of each of two squares hidden from the network; 0 turns it off.
        augment: strength of each further variation by name, see `variation`.
        bands: names of the bands, where known.
    """

    size: int
    upscale_factor: int
    quarter_turns: bool
    class_power: float
    jitter: float
    cutout: float
    seed: int
    augment: Mapping[str, float] = field(default_factory=dict)
    bands: tuple[str, ...] = ()


class Chips(Dataset[tuple[Tensor, Tensor, Tensor, Tensor]]):
    """Chips by a number that counts over all epochs.

    A chip is the LR image, the HR image, the target and `trained`, (rows, cols) bool: True
    where the network may learn from the HR image. A chip may reach into validation and test
    areas, and an image smaller than the chip is padded. There `trained` is False and the
    target is ignored.
    """

    def __init__(
        self, scenes: Sequence[LabelledScene], *, classes: int, config: ChipConfig
    ) -> None:
        self._scenes = scenes
        self._held = hold_scenes(scenes, limit=HELD_BYTES)
        self._config = config
        for scene in scenes:
            scene.size(config.upscale_factor)  # raises if the images have another factor
        self._positions = find_class_positions(scenes, classes=classes, seed=config.seed)
        counts = np.array([position.count for position in self._positions], np.float64)
        weights = np.where(counts > 0, counts**config.class_power, 0)
        self._class_share = weights / weights.sum()

    @property
    def class_counts(self) -> list[int]:
        """Pixels of each class in the training split."""
        return [position.count for position in self._positions]

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        config = self._config
        generator = np.random.default_rng((config.seed, number))
        index, window = self._draw(generator)
        scene = self._scenes[index]
        inside, held = window.clipped(*scene.size(1)), self._held.get(index)
        chip = _padded(held.cut(inside) if held else scene.read_chip(inside, "train"), window)
        pose = draw_pose(generator, quarter_turns=config.quarter_turns)
        size, factor = config.size, config.upscale_factor
        hr = resize_image(torch.from_numpy(chip.hr), size)
        images: tuple[Tensor, ...] = (turn(hr, pose=pose).contiguous(),)
        if scene.lr and factor > 1:
            lr = resize_image(self._read_lr(scene, window), size // factor)
            images = (*images, turn(lr, pose=pose))
        target = turn(resize_labels(torch.from_numpy(chip.target), size), pose=pose)
        trained = turn(resize_mask(torch.from_numpy(chip.in_split), size), pose=pose)
        target = target.masked_fill(~trained, NODATA)
        if config.jitter:
            images = jitter(*images, strength=config.jitter, generator=generator)
        strengths = config.augment
        images = vary_all(*images, bands=config.bands, strengths=strengths, generator=generator)
        hr = images[0]
        lr = images[1] if len(images) > 1 else degrade(hr, factor=factor)
        fill = scene.normalization.fill
        lr = vary_input(lr, fill=fill, strengths=strengths, generator=generator)
        if config.cutout:
            lr = cut_out(lr, share=config.cutout, generator=generator)
        return lr.contiguous(), hr, target.long(), trained.contiguous()

    def _read_lr(self, scene: LabelledScene, window: Window) -> Tensor:
        """Return a chip's real LR image; beyond its edges the last row and column repeat."""
        factor = self._config.upscale_factor
        lr = Window(*(value // factor for value in astuple(window)))
        inside = lr.clipped(*scene.size(factor))
        return torch.from_numpy(pad_to_window(scene.read_inputs(inside, factor=factor), lr))

    def _draw(self, generator: np.random.Generator) -> tuple[int, Window]:
        """Draw a scene's index and the chip's window, which may reach beyond the scene.

        A real LR image fixes the grid of its pixels. A degraded one may start at any HR pixel:
        each of factor² offsets gives other LR pixels of the same ground.
        """
        label = generator.choice(len(self._positions), p=self._class_share)
        pixels = self._positions[label].pixels
        number, row, col = pixels[generator.integers(len(pixels))]
        scene = self._scenes[number]
        grid = scene.grid
        factor = self._config.upscale_factor if scene.lr else 1
        size = draw_side(
            self._config.size,
            multiple=factor,
            length=min(grid.height, grid.width),
            strengths=self._config.augment,
            generator=generator,
        )
        pixel = (int(row), int(col))
        return int(number), place_window(pixel, grid, size=size, factor=factor, generator=generator)


def hold_scenes(scenes: Sequence[LabelledScene], *, limit: int) -> dict[int, Chip]:
    """Read whole training scenes, keyed by index, as many as fit into `limit` bytes."""
    held: dict[int, Chip] = {}
    for index, scene in enumerate(scenes):
        height, width = scene.size(1)
        size = height * width * (4 * len(scene.normalization.low) + 2)
        if scene.split.may_hold("train") and size <= limit:
            held[index] = scene.read_chip(Window(0, 0, height, width), "train")
            limit -= size
    return held


def _padded(chip: Chip, window: Window) -> Chip:
    """Extend a chip to the size of a window; the image's last row and column repeat."""
    if chip.target.shape == (window.height, window.width):
        return chip
    beyond = ((0, window.height - chip.target.shape[0]), (0, window.width - chip.target.shape[1]))
    return Chip(
        pad_to_window(chip.hr, window),
        np.pad(chip.target, beyond, constant_values=NODATA),
        np.pad(chip.in_split, beyond, constant_values=False),
    )


def draw_pose(generator: np.random.Generator, *, quarter_turns: bool) -> int:
    """Draw a pose of `turn`; even poses are the flips and the turn by 180°."""
    return int(generator.integers(8)) if quarter_turns else 2 * int(generator.integers(4))


def place_chip(
    position: int, length: int, *, size: int, factor: int, generator: np.random.Generator
) -> int:
    """Draw a chip's start along one axis: a multiple of `factor`, inside, covering a pixel.

    No start covers a pixel in the rows or columns left over at the far edge; the last one is
    used instead. A chip longer than the image starts with it.
    """
    if length <= size:
        return 0
    first = -(-max(position - size + 1, 0) // factor)
    last = min(position, length - size) // factor
    return int(generator.integers(min(first, last), last + 1)) * factor


def place_window(
    pixel: tuple[int, int], grid: Grid, *, size: int, factor: int, generator: np.random.Generator
) -> Window:
    """Draw the window of a chip that covers the pixel (row, col), see `place_chip`."""
    row_off, col_off = (
        place_chip(position, length, size=size, factor=factor, generator=generator)
        for position, length in zip(pixel, (grid.height, grid.width), strict=True)
    )
    return Window(row_off, col_off, size, size)


class EpochSampler(Sampler[int]):
    """Chip numbers epoch * length to (epoch + 1) * length, so that no chip repeats.

    Several processes take turns. If their number does not divide the length, the last ones
    reuse the epoch's first chips, so that all make the same number of steps.

    Args:
        length: chips in an epoch, over all processes.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._rank, self._processes = 0, 1
        self._epoch = 0
        self._first = 0

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch; Lightning calls this before each one, also when it resumes."""
        self._epoch = epoch

    def share(self, *, rank: int, processes: int) -> None:
        """Restrict the sampler to the chips of process `rank` out of `processes`."""
        self._rank, self._processes = rank, processes

    def skip(self, chips: int) -> None:
        """Skip this many of the process's chips once: a run resumes within an epoch."""
        self._first = chips

    def __len__(self) -> int:
        return -(-self._length // self._processes)

    def __iter__(self) -> Iterator[int]:
        first, self._first = self._first, 0
        for index in range(first, len(self)):
            number = index * self._processes + self._rank
            yield self._epoch * self._length + number % self._length
