"""Sample: pixels from all over a scene, by which its numbers are judged."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.tiling.windows import Window
from geosrseg.raster.storage.gdal import GDAL_ERRORS

Pixels = tuple[NDArray[np.generic], NDArray[np.bool_]]
"""(bands, rows, cols) digital numbers, and valid (rows, cols)."""

WHOLE_PIXELS = 2**18
"""Size up to which a scene is sampled as a whole."""

_PER_AXIS = 8
_SIDE = 32
_OVERVIEW = 512
_ENOUGH = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One window of a sample.

    Attributes:
        window: its position in the scene.
        numbers: (bands, rows, cols) digital numbers; averages, if the window has more rows and
            columns.
        valid: (rows, cols).
    """

    window: Window
    numbers: NDArray[np.generic]
    valid: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Windows of a scene.

    Attributes:
        nothing: empty (bands, 0) array of the digital numbers' type.
    """

    parts: tuple[Part, ...]
    nothing: NDArray[np.generic]

    @property
    def values(self) -> NDArray[np.generic]:
        """(bands, pixels) digital numbers of the valid pixels."""
        found = [part.numbers[:, part.valid] for part in self.parts]
        return np.concatenate([self.nothing, *found], axis=1)

    @property
    def is_averaged(self) -> bool:
        """Whether it is an overview, whose numbers are means of several pixels."""
        return any(part.valid.shape[0] < part.window.height for part in self.parts)

    @property
    def usable(self) -> float:
        """The share of valid pixels; 1 where none was read."""
        pixels = sum(part.valid.size for part in self.parts)
        return sum(int(part.valid.sum()) for part in self.parts) / pixels if pixels else 1.0

    def where(self, keep: Callable[[Part], NDArray[np.bool_]]) -> "Sample":
        """The same windows, in which only pixels that `keep` marks stay valid."""
        parts = (replace(part, valid=part.valid & keep(part)) for part in self.parts)
        return Sample(tuple(parts), self.nothing)


def take_sample(
    read: Callable[..., Pixels],
    height: int,
    width: int,
    nothing: NDArray[np.generic],
    *,
    has_overviews: bool = False,
    skip_bad_blocks: bool = False,
) -> Sample:
    """Read a small scene as a whole; of a larger one an overview, or windows from all over it.

    A scene whose valid part lies between these windows is searched in full, because nothing can
    be inferred from an empty sample.

    Args:
        read: returns the pixels of a window, averaged to its argument `shape` if that is given.
        nothing: see `Sample`.
        has_overviews: a reduced copy is cheap to read.
        skip_bad_blocks: leave out windows that cannot be decoded.
    """
    if height * width <= WHOLE_PIXELS:
        windows = list(_all_windows(height, width))
        parts = tuple(_parts(read, iter(windows), skip_bad_blocks))
        if len(parts) == len(windows):
            return Sample(parts, nothing)
    if has_overviews:
        longest = max(height, width)
        shape = max(height * _OVERVIEW // longest, 1), max(width * _OVERVIEW // longest, 1)
        whole = Window(0, 0, height, width)
        parts = tuple(_parts(partial(read, shape=shape), iter([whole]), skip_bad_blocks))
        if any(part.valid.any() for part in parts):
            return Sample(parts, nothing)
    parts = tuple(_parts(read, _scattered_windows(height, width), skip_bad_blocks))
    if any(part.valid.any() for part in parts):
        return Sample(parts, nothing)
    found: list[Part] = []
    for part in _parts(read, _all_windows(height, width), skip_bad_blocks):
        if part.valid.any():
            found.append(part)
        if sum(int(each.valid.sum()) for each in found) >= _ENOUGH:
            break
    return Sample(tuple(found) or parts, nothing)


def _parts(
    read: Callable[[Window], Pixels], windows: Iterator[Window], skip_bad_blocks: bool
) -> Iterator[Part]:
    for window in windows:
        try:
            numbers, valid = read(window)
        except GDAL_ERRORS:
            if not skip_bad_blocks:
                raise
            continue
        yield Part(window, numbers, valid)


def _scattered_windows(height: int, width: int) -> Iterator[Window]:
    rows, cols = (
        np.unique(np.linspace(0, max(length - _SIDE, 0), _PER_AXIS, dtype=int)).tolist()
        for length in (height, width)
    )
    for row, col in product(rows, cols):
        yield Window(row, col, min(_SIDE, height), min(_SIDE, width))


def _all_windows(height: int, width: int) -> Iterator[Window]:
    for row, col in product(range(0, height, 512), range(0, width, 512)):
        yield Window(row, col, 512, 512).clipped(height, width)
