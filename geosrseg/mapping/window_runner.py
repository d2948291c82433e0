"""WindowRunner: runs windows on a session, in smaller pieces if memory runs out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.tiling.blending import WindowBlender
from geosrseg.core.tiling.window_sizes import smallest_window
from geosrseg.core.tiling.windows import Span, WindowPlan, plan_windows
from geosrseg.errors import DeviceMemoryError
from geosrseg.runtime.session import Session


@dataclass(frozen=True, slots=True, eq=False)
class WindowResult:
    """The model's output for one window.

    Attributes:
        probabilities: (classes, s·H, s·W).
        sr: (bands, s·H, s·W) super-resolved image; None if not requested.
    """

    probabilities: NDArray[np.float32]
    sr: NDArray[np.float32] | None


class WindowRunner:
    """Runs the windows of a plan.

    If memory runs out it halves the batch, then the window: the window is run in parts that
    overlap and are blended like the windows themselves. Later windows use the reduced size too.

    Args:
        span: the windows along one axis; the parts have the same halo and ramp.
        batch: windows per run.
        with_sr: compute the super-resolved image too.
        may_halve: windows may be halved, which changes a few labels; otherwise lack of memory
            is an error.
    """

    def __init__(
        self,
        session: Session,
        span: Span,
        *,
        batch: int = 1,
        with_sr: bool,
        may_halve: bool = True,
    ) -> None:
        self._session = session
        self._halo, self._ramp = span.halo, span.ramp
        self._batch = batch
        self._with_sr = with_sr
        self._may_halve = may_halve
        self._longest: int | None = None

    @property
    def batch(self) -> int:
        """Windows per run, after any reduction."""
        return self._batch

    def run(self, windows: Sequence[NDArray[np.float32]]) -> Iterator[WindowResult]:
        """Run windows of the same size, in batches as the results are read.

        Args:
            windows: model inputs of shape (bands, H, W).

        Raises:
            DeviceMemoryError: not even the smallest window fits.
        """
        done = 0
        while done < len(windows):
            group = windows[done : done + self._batch]
            try:
                results = self._run_at_once(group)
            except DeviceMemoryError as error:
                self._make_do(group[0].shape, error)
                continue
            done += len(group)
            yield from results
            del results  # frees the memory before the next run

    def _run_at_once(self, group: Sequence[NDArray[np.float32]]) -> list[WindowResult]:
        height, width = group[0].shape[1:]
        if self._longest is not None and max(height, width) > self._longest:
            return [self._run_in_parts(lr, self._longest) for lr in group]
        lr = np.stack(group)
        if self._with_sr:
            return [
                WindowResult(*pair) for pair in zip(*self._session.run_with_sr(lr), strict=True)
            ]
        return [WindowResult(probabilities, None) for probabilities in self._session.run(lr)]

    def _run_in_parts(self, lr: NDArray[np.float32], longest: int) -> WindowResult:
        spec, (height, width) = self._session.spec, lr.shape[1:]
        plan = plan_windows(
            height,
            width,
            window_size=longest,
            halo=self._halo,
            ramp=self._ramp,
            multiple=spec.multiple,
        )
        factor = spec.upscale_factor
        probabilities = _Stitcher(plan, factor=factor, channels=len(spec.legend))
        sr = _Stitcher(plan, factor=factor, channels=len(spec.bands)) if self._with_sr else None
        for window in plan:
            (part,) = self._run_at_once([lr[:, window.rows, window.cols]])
            probabilities.add(part.probabilities)
            if sr is not None and part.sr is not None:
                sr.add(part.sr)
        return WindowResult(probabilities.whole, sr.whole if sr is not None else None)

    def _make_do(self, shape: tuple[int, ...], error: DeviceMemoryError) -> None:
        """Halve the batch, or the longest side if the batch is 1; raise if neither is possible."""
        if self._batch > 1:
            self._batch //= 2
            return
        if not self._may_halve:
            raise DeviceMemoryError(
                f"{error}: windows of {max(shape[1:])} pixels do not fit, and smaller ones would "
                "change labels: run it on a machine with more memory"
            ) from error
        multiple = self._session.spec.multiple
        longest = max(shape[1:]) if self._longest is None else self._longest
        smallest = smallest_window(self._session.spec, halo=self._halo, ramp=self._ramp)
        if longest <= smallest:
            raise DeviceMemoryError(
                f"{error}: windows of {longest} pixels do not fit, and smaller ones do not "
                "advance with their overlap: provide more memory, or use a smaller `overlap`"
            ) from error
        self._longest = max(longest // 2 // multiple * multiple, smallest)


class _Stitcher:
    """Blends the parts of one window into a whole."""

    def __init__(self, plan: WindowPlan, *, factor: int, channels: int) -> None:
        self._blender = WindowBlender(plan, factor=factor, channels=channels)
        self._cores = (core.scaled(factor) for _, core in plan.cores())
        size = (plan.rows.length * factor, plan.cols.length * factor)
        self.whole = np.empty((channels, *size), np.float32)

    def add(self, part: NDArray[np.float32]) -> None:
        finished, core = self._blender.add(part), next(self._cores)
        self.whole[:, core.rows, core.cols] = finished
