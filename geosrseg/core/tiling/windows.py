"""Windows: the rectangles on which the model runs to cover a scene.

All lengths are LR pixels of the source grid. A network that pools gives the same
answer for the same ground only if every window starts and stops on a multiple of its
pooling step, counted from the scene's origin. `plan_windows` therefore pads the scene up to
that multiple, and no window reaches beyond the padding.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Window:
    """An integer pixel rectangle with at least one row and one column."""

    row_off: int
    col_off: int
    height: int
    width: int

    def __post_init__(self) -> None:
        if self.height < 1 or self.width < 1:
            raise ValueError(f"a window has at least one pixel, got {self}")
        if self.row_off < 0 or self.col_off < 0:
            raise ValueError(f"a window starts inside the scene, got {self}")

    @property
    def row_stop(self) -> int:
        return self.row_off + self.height

    @property
    def col_stop(self) -> int:
        return self.col_off + self.width

    @property
    def rows(self) -> slice:
        return slice(self.row_off, self.row_stop)

    @property
    def cols(self) -> slice:
        return slice(self.col_off, self.col_stop)

    def scaled(self, factor: int) -> "Window":
        """Return the same ground on a grid that is `factor` times finer."""
        return Window(
            self.row_off * factor, self.col_off * factor, self.height * factor, self.width * factor
        )

    def grown(self, margin: int, *, height: int, width: int) -> "Window":
        """Return the window with a margin around it, clipped to a grid of `height` by `width`."""
        row_off, col_off = max(self.row_off - margin, 0), max(self.col_off - margin, 0)
        return Window(
            row_off,
            col_off,
            min(self.row_stop + margin, height) - row_off,
            min(self.col_stop + margin, width) - col_off,
        )

    def inside(self, outer: "Window") -> "Window":
        """Return the same ground relative to the origin of `outer`, which contains it."""
        row_off, col_off = self.row_off - outer.row_off, self.col_off - outer.col_off
        return replace(self, row_off=row_off, col_off=col_off)

    def outside(self, outer: "Window") -> "Window":
        """Return a window relative to `outer` in the coordinates of `outer`; undoes `inside`."""
        row_off, col_off = self.row_off + outer.row_off, self.col_off + outer.col_off
        return replace(self, row_off=row_off, col_off=col_off)

    def overlap(self, other: "Window") -> "Window | None":
        """Return the intersection, or None if it is empty."""
        row_off, col_off = max(self.row_off, other.row_off), max(self.col_off, other.col_off)
        height = min(self.row_stop, other.row_stop) - row_off
        width = min(self.col_stop, other.col_stop) - col_off
        return Window(row_off, col_off, height, width) if height > 0 and width > 0 else None

    def clipped(self, height: int, width: int) -> "Window":
        """Return the part inside a grid of `height` by `width` pixels, which it must touch."""
        return self.grown(0, height=height, width=width)


@dataclass(frozen=True, slots=True)
class Span:
    """The windows along one axis, all of one length; the last one stops at the edge.

    Attributes:
        length: pixels of the axis, padded up to the model's multiple.
        window_size: pixels of each window.
        starts: first pixel of each window, rising; the first is 0.
        halo: pixels at an inner window border that are never used.
        ramp: pixels behind the halo over which one window is blended into the next.
    """

    length: int
    window_size: int
    starts: tuple[int, ...]
    halo: int
    ramp: int

    def __post_init__(self) -> None:
        if self.window_size < 1 or self.halo < 0 or self.ramp < 0 or not self.starts:
            raise ValueError(f"an axis has windows, and no negative lengths, got {self}")
        overlap = 2 * self.halo + self.ramp
        covered = self.starts[0] == 0 and self.starts[-1] + self.window_size == self.length
        if not covered or any(
            not a < b <= a + self.window_size - overlap for a, b in pairwise(self.starts)
        ):
            raise ValueError(f"the windows of an axis cover it with their overlap, got {self}")

    @property
    def finished(self) -> tuple[int, ...]:
        """For each window, the pixel from which on later windows contribute."""
        return (*(start + self.halo for start in self.starts[1:]), self.length)

    @property
    def supports(self) -> tuple[tuple[int, int], ...]:
        """For each window, the first and last + 1 pixel to which it contributes.

        Each starts where the window before is finished, and stops one ramp behind its own
        finished part.
        """
        stops = (*(stop + self.ramp for stop in self.finished[:-1]), self.length)
        return tuple(zip((0, *self.finished[:-1]), stops, strict=True))

    def first_before(self, index: int) -> int:
        """Return the first window that contributes to pixels in the support of window `index`.

        A run that resumes at window `index` starts there.
        """
        first = self.supports[index][0]
        return next(k for k, (_, stop) in enumerate(self.supports) if stop > first or k == index)

    def share(self, part: int, parts: int) -> range:
        """Return the windows of one of `parts` nearly equal parts, counted from 1."""
        count = len(self.starts)
        return range(count * (part - 1) // parts, count * part // parts)

    @property
    def cores(self) -> tuple[tuple[int, int], ...]:
        """For each window, the first and last + 1 pixel that it finishes.

        The cores of all windows cover the axis without overlap.
        """
        return tuple(zip((0, *self.finished[:-1]), self.finished, strict=True))

    def core_within(self, index: int, start: int, stop: int) -> range:
        """Return the pixels of a window's core (see `cores`) from `start` to `stop`."""
        first, last = self.cores[index]
        first = min(max(first, start), last)
        return range(first, max(min(last, stop), first))

    def part(self, start: int, stop: int) -> tuple[int, "Span"]:
        """Return the windows that contribute to the pixels from `start` to `stop`.

        No window moves, so these pixels are the same as with all windows.

        Returns:
            The first pixel of the first of these windows, and their span relative to it.
        """
        used = [k for k, (first, end) in enumerate(self.supports) if first < stop and end > start]
        origin, last = self.starts[used[0]], self.starts[used[-1]]
        starts = tuple(self.starts[k] - origin for k in used)
        length = last + self.window_size - origin
        return origin, Span(length, self.window_size, starts, self.halo, self.ramp)


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """The windows of a scene, as one `Span` for the rows and one for the columns."""

    rows: Span
    cols: Span

    def __len__(self) -> int:
        return len(self.rows.starts) * len(self.cols.starts)

    def strip(self, index: int) -> tuple[Window, ...]:
        """Return the windows of strip number `index`, from left to right."""
        row_off = self.rows.starts[index]
        return tuple(
            Window(row_off, col_off, self.rows.window_size, self.cols.window_size)
            for col_off in self.cols.starts
        )

    def windows_of(self, strips: Sequence[range]) -> int:
        """Count the windows run for strips, with those of earlier strips that reach into them."""
        rows = sum(own.stop - self.rows.first_before(own.start) for own in strips)
        return rows * len(self.cols.starts)

    def support(self, window: Window) -> Window:
        """Return the pixels to which a window of the plan contributes."""
        top, bottom = self.rows.supports[self.rows.starts.index(window.row_off)]
        left, right = self.cols.supports[self.cols.starts.index(window.col_off)]
        return Window(top, left, bottom - top, right - left)

    def part(self, wanted: Window) -> tuple[Window, "WindowPlan"]:
        """Return the windows that contribute to a part of the scene, see `Span.part`.

        Returns:
            The ground that they cover, padding included, and their plan relative to it.
        """
        row_off, rows = self.rows.part(wanted.row_off, wanted.row_stop)
        col_off, cols = self.cols.part(wanted.col_off, wanted.col_stop)
        return Window(row_off, col_off, rows.length, cols.length), WindowPlan(rows, cols)

    def cores(self) -> Iterator[tuple[Window, Window]]:
        """Yield every window with its core, the part of the scene that it finishes."""
        for row_off, (top, bottom) in zip(self.rows.starts, self.rows.cores, strict=True):
            for col_off, (left, right) in zip(self.cols.starts, self.cols.cores, strict=True):
                window = Window(row_off, col_off, self.rows.window_size, self.cols.window_size)
                yield window, Window(top, left, bottom - top, right - left)

    def __iter__(self) -> Iterator[Window]:
        for index in range(len(self.rows.starts)):
            yield from self.strip(index)


def round_up(value: int, multiple: int) -> int:
    """Return the smallest multiple of `multiple` that is at least `value`."""
    return -(-value // multiple) * multiple


def plan_span(length: int, *, window_size: int, halo: int, ramp: int, multiple: int) -> Span:
    """Cover one axis with the fewest windows, then with the smallest ones that still do.

    Args:
        length: pixels of the scene along the axis.
        window_size: the largest window allowed; rounded down to `multiple`.
        halo: pixels at an inner border that are not trusted.
        ramp: pixels over which neighbours are blended.
        multiple: divisor of every start and of the window size.

    Raises:
        ValueError: a length is not positive, or the windows are too small to advance.
    """
    if length < 1 or multiple < 1 or halo < 0 or ramp < 0:
        raise ValueError(f"expected positive lengths, got {length=} {multiple=} {halo=} {ramp=}")
    padded = round_up(length, multiple)
    overlap = round_up(2 * halo + ramp, multiple)
    asked, window_size = window_size, window_size // multiple * multiple
    if padded <= window_size:
        return Span(padded, padded, (0,), halo, ramp)
    if window_size - overlap < multiple:
        raise ValueError(
            f"windows of {asked} pixels do not advance with an overlap of {overlap}: "
            f"use at least {overlap + multiple}"
        )
    count = -(-(padded - overlap) // (window_size - overlap))
    balanced = round_up(-(-(padded - overlap) // count) + overlap, multiple)
    stride, last = balanced - overlap, padded - balanced
    starts = (*range(0, last, stride), last)
    return Span(padded, balanced, starts, halo, ramp)


def plan_windows(
    height: int, width: int, *, window_size: int, halo: int, ramp: int, multiple: int
) -> WindowPlan:
    """Cover a scene of `height` by `width` pixels; see `plan_span` for the arguments."""
    rows, cols = (
        plan_span(length, window_size=window_size, halo=halo, ramp=ramp, multiple=multiple)
        for length in (height, width)
    )
    return WindowPlan(rows, cols)
