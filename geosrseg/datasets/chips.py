"""Chips: training samples drawn by class.

Drawn uniformly, rare classes are never learned. So a chip is drawn in three steps: a
class, a pixel of that class, and a place for the chip that holds the pixel. Chip number i
of epoch e depends on the seed, e and i alone: the order of work, the number of workers or
a restart change nothing.
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
    vary_all,
    vary_input,
)
from geosrseg.datasets.labelled_scene import Chip, LabelledScene
from geosrseg.errors import DatasetError

POSITIONS_PER_CLASS = 200_000
"""Pixels remembered per class: enough that drawing from them is drawing from all."""

HELD_BYTES = 2**30
"""Training scenes held in memory, at most: reading a chip of a file costs as much as all the
rest that is done with it, and a GPU is then starved."""


@dataclass(frozen=True, slots=True)
class ClassPositions:
    """Where a class lies: a pixel is (scene, row, col)."""

    pixels: NDArray[np.int32]
    count: int


def find_class_positions(
    scenes: Sequence[LabelledScene], *, classes: int, seed: int
) -> list[ClassPositions]:
    """Read every training reference once and remember where each class lies.

    Raises:
        DatasetError: no pixel of any class is in the training split.
    """
    generator = np.random.default_rng(seed)
    found = [ClassPositions(np.empty((0, 3), np.int32), 0) for _ in range(classes)]
    for number, scene in enumerate(scenes):
        for label, pixels in _scan(scene, classes):
            index = np.full((len(pixels), 1), number, np.int32)
            more = np.hstack([index, pixels.astype(np.int32)])
            found[label] = _merge(found[label], more, generator)
    if not any(position.count for position in found):
        raise DatasetError("no pixel of the training split has a class of the legend")
    return found


def _merge(
    known: ClassPositions, more: NDArray[np.int32], generator: np.random.Generator
) -> ClassPositions:
    """Add pixels; above the limit every pixel seen so far is kept with the same chance."""
    count = known.count + len(more)
    if count <= POSITIONS_PER_CLASS:
        return ClassPositions(np.concatenate([known.pixels, more]), count)
    of_more = int(generator.hypergeometric(len(more), known.count, POSITIONS_PER_CLASS))
    of_known = POSITIONS_PER_CLASS - of_more
    kept = [
        pixels[generator.choice(len(pixels), number, replace=False, shuffle=False)]
        for pixels, number in ((known.pixels, of_known), (more, of_more))
    ]
    return ClassPositions(np.concatenate(kept), count)


def _scan(scene: LabelledScene, classes: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Each class with its pixels (row, col), for one strip of rows after the other."""
    for strip in scene.strips():
        target = scene.read_target(strip, "train")
        for label in range(classes):
            yield label, np.argwhere(target == label) + np.array([strip.row_off, 0])


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipConfig:
    """How chips are drawn.

    Attributes:
        size: HR pixels along each side; a multiple of 32 and of the upscale factor.
        upscale_factor: HR pixels per LR pixel along each axis; 1 for native HR.
        quarter_turns: turn chips by 90° too, and not only flip and turn them by 180°.
        class_power: a class is drawn with its pixel count to this power: 0 draws all
            classes alike, 1 draws pixels alike.
        jitter: strength of the radiometric augmentation; 0 is none.
        cutout: probability of each of two squares hidden from the network; 0 is none.
        seed: of all random numbers.
        augment: strength of each further variation, by its name, see `variation`.
        bands: names of the bands, where they are known.
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
    """The chip number i, where i counts over all epochs.

    A chip is the LR image, the HR image, the target, and `trained`, (rows, cols) bool: True
    where the HR image may be learned from. A chip may reach over into validation and test
    areas; there and where an image smaller than the chip is padded, `trained` is False and
    the target ignored.
    """

    def __init__(
        self, scenes: Sequence[LabelledScene], *, classes: int, config: ChipConfig
    ) -> None:
        self._scenes = scenes
        self._held = hold_scenes(scenes, limit=HELD_BYTES)
        self._config = config
        for scene in scenes:
            scene.size(config.upscale_factor)  # refuses what the images do not have
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
        chip = _padded(self._read(index, window.clipped(*scene.size(1))), window)
        pose = draw_pose(generator, quarter_turns=config.quarter_turns)
        # The native image, and the real LR image where there is one.
        size, factor = config.size, config.upscale_factor
        hr = resize_image(torch.from_numpy(chip.hr), size)
        images = [turn(hr, pose=pose).contiguous()]
        if scene.lr and factor > 1:
            lr = resize_image(self._read_lr(scene, window), size // factor)
            images.append(turn(lr, pose=pose))
        target, trained = (
            turn(resize_labels(torch.from_numpy(part), size), pose=pose)
            for part in (chip.target, chip.in_split)
        )
        if config.jitter:
            images = [*jitter(*images, strength=config.jitter, generator=generator)]
        images = [*self._vary_all(images, generator)]
        hr = images[0]
        lr = images[1] if len(images) > 1 else degrade(hr, factor=factor)
        lr = vary_input(
            lr, fill=scene.normalization.fill, strengths=config.augment, generator=generator
        )
        if config.cutout:
            lr = cut_out(lr, share=config.cutout, generator=generator)
        return lr.contiguous(), hr, target.long(), trained.contiguous()

    def _vary_all(self, images: list[Tensor], generator: np.random.Generator) -> tuple[Tensor, ...]:
        config = self._config
        bands, strengths = config.bands, config.augment
        return vary_all(*images, bands=bands, strengths=strengths, generator=generator)

    def _read_lr(self, scene: LabelledScene, window: Window) -> Tensor:
        """The real LR image of a chip; beyond the image the last row and column repeat."""
        factor = self._config.upscale_factor
        lr = Window(*(value // factor for value in astuple(window)))
        inside = lr.clipped(*scene.size(factor))
        return torch.from_numpy(pad_to_window(scene.read_inputs(inside, factor=factor), lr))

    def _read(self, index: int, window: Window) -> Chip:
        """A window inside a scene, of the training split."""
        held = self._held.get(index)
        return held.cut(window) if held else self._scenes[index].read_chip(window, "train")

    def _draw(self, generator: np.random.Generator) -> tuple[int, Window]:
        """A scene's index, and the window of the chip's ground that may reach beyond it.

        A real LR image has its pixels where they are. A degraded one begins anywhere: each
        of factor² grids makes other LR pixels of one ground.
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
        row_off, col_off = (
            place_chip(position, length, size=size, factor=factor, generator=generator)
            for position, length in ((int(row), grid.height), (int(col), grid.width))
        )
        return int(number), Window(row_off, col_off, size, size)


def hold_scenes(scenes: Sequence[LabelledScene], *, limit: int) -> dict[int, Chip]:
    """Read training scenes whole, by their index, as many as `limit` bytes can hold."""
    held: dict[int, Chip] = {}
    for index, scene in enumerate(scenes):
        height, width = scene.size(1)
        size = height * width * (4 * len(scene.normalization.low) + 2)
        if scene.split.may_hold("train") and size <= limit:
            held[index] = scene.read_chip(Window(0, 0, height, width), "train")
            limit -= size
    return held


def _padded(chip: Chip, window: Window) -> Chip:
    """A chip of a window's size; beyond the image the last row and column repeat."""
    if chip.target.shape == (window.height, window.width):
        return chip
    beyond = ((0, window.height - chip.target.shape[0]), (0, window.width - chip.target.shape[1]))
    return Chip(
        pad_to_window(chip.hr, window),
        np.pad(chip.target, beyond, constant_values=NODATA),
        np.pad(chip.in_split, beyond, constant_values=False),
    )


def draw_pose(generator: np.random.Generator, *, quarter_turns: bool) -> int:
    """One of the poses of `turn`; the even ones are flips and the turn by 180°."""
    return int(generator.integers(8)) if quarter_turns else 2 * int(generator.integers(4))


def place_chip(
    position: int, length: int, *, size: int, factor: int, generator: np.random.Generator
) -> int:
    """Where a chip begins: a multiple of `factor`, so that it lies inside and holds a pixel.

    A pixel in the rows or columns left over at the far edge is held by none; its chip is
    the last one. A chip longer than the image begins with it.
    """
    if length <= size:
        return 0
    first = -(-max(position - size + 1, 0) // factor)
    last = min(position, length - size) // factor
    return int(generator.integers(min(first, last), last + 1)) * factor


class EpochSampler(Sampler[int]):
    """Chip numbers epoch * length to (epoch + 1) * length: no chip comes twice.

    Several processes take turns. Where the length is no multiple of their number the last
    ones take the epoch's first chips again, so that all make as many steps.

    Args:
        length: chips in an epoch, of all processes together.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._rank, self._processes = 0, 1
        self._epoch = 0
        self._first = 0

    def set_epoch(self, epoch: int) -> None:
        """Lightning calls this before every epoch, also when it resumes."""
        self._epoch = epoch

    def share(self, *, rank: int, processes: int) -> None:
        """Take the turns of the process `rank` of so many."""
        self._rank, self._processes = rank, processes

    def skip(self, chips: int) -> None:
        """Leave out so many of this process's chips, once: a run goes on within an epoch."""
        self._first = chips

    def __len__(self) -> int:
        return -(-self._length // self._processes)

    def __iter__(self) -> Iterator[int]:
        first, self._first = self._first, 0
        for index in range(first, len(self)):
            number = index * self._processes + self._rank
            yield self._epoch * self._length + number % self._length
