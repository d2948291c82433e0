"""Maps a degraded scene with the windows and blending of `predict`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.labels import best_class
from geosrseg.core.tiling.blending import WindowBlender
from geosrseg.core.tiling.padding import pad_to_window
from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.labelled_scene import LabelledScene
from geosrseg.mapping.planning.scene_plan import plan_map
from geosrseg.mapping.window_runner import WindowRunner
from geosrseg.mapping.windowing import Seams
from geosrseg.runtime.session import Session


@dataclass(frozen=True, slots=True, eq=False)
class MapPart:
    """A finished part of a map.

    Attributes:
        window: on the grid of the scene's labels, in HR or LR pixels.
        labels: (height, width) class indices; for LR pixels by their mean probabilities.
        confidence: (height, width) calibrated probability of the label.
        sr: (bands, rows, cols) SR image, always in HR pixels, in normalized reflectance, not
            clipped.
    """

    window: Window
    labels: NDArray[np.uint8]
    confidence: NDArray[np.float32]
    sr: NDArray[np.float32]


def map_parts(
    scene: LabelledScene,
    session: Session,
    *,
    seams: Seams,
    wanted: Callable[[Window], bool],
) -> Iterator[MapPart]:
    """Map a scene, degraded by the model's factor, window by window.

    Args:
        seams: how windows are joined.
        wanted: whether to run a window, given on the grid of the labels.

    Yields:
        The part that each window finishes. Its arrays are reused for the next part.
    """
    factor, spec = session.spec.upscale_factor, session.spec
    averaged = scene.label_pixels(factor)
    height, width = scene.size(factor)
    plan = plan_map(height, width, spec, seams=seams)
    runner = WindowRunner(session, plan.rows, with_sr=True)
    labels = WindowBlender(plan, factor=factor, channels=len(spec.legend))
    image = WindowBlender(plan, factor=factor, channels=len(spec.bands))
    cores = dict(plan.cores())
    for index in range(len(plan.rows.starts)):
        windows = plan.strip(index)
        wide = Window(windows[0].row_off, 0, windows[0].height, plan.cols.length)
        run = [
            window
            for window in windows
            if wanted(plan.support(window).clipped(height, width).scaled(factor // averaged))
        ]
        lr = _read(scene, wide, factor) if run else None
        for window in windows:
            if lr is None or window not in run:
                labels.add(None)
                image.add(None)
                continue
            (result,) = runner.run([lr[:, :, window.cols]])
            probabilities, sr = labels.add(result.probabilities), image.add(result.sr)
            if probabilities is not None and sr is not None:
                core = cores[window].clipped(height, width)
                own = core.scaled(factor)
                inside = (..., slice(own.height), slice(own.width))
                mean = _calibrated(probabilities[inside], spec.temperature)
                mean = _averaged(mean, averaged)
                yield MapPart(core.scaled(factor // averaged), *best_class(mean), sr[inside])


def _read(scene: LabelledScene, window: Window, factor: int) -> NDArray[np.float32]:
    """Read (bands, height, width) of a window in LR pixels, padded beyond the scene."""
    inside = window.clipped(*scene.size(factor))
    return pad_to_window(scene.read_inputs(inside, factor=factor), window)


def _calibrated(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Return the probabilities that logits divided by the temperature would give."""
    if temperature == 1:
        return probabilities
    sharpened = probabilities ** np.float32(1 / temperature)
    return sharpened / sharpened.sum(axis=0)


def _averaged(probabilities: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Return (classes, rows / size, cols / size) means over squares of `size` pixels."""
    if size == 1:
        return probabilities
    classes, rows, cols = probabilities.shape
    squares = probabilities.reshape(classes, rows // size, size, cols // size, size)
    return squares.mean(axis=(2, 4))
