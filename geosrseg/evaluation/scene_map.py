"""Scene map: the class map of a degraded scene, in the windows and blending of `predict`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.blending import WindowBlender
from geosrseg.core.labels import best_class
from geosrseg.core.padding import pad_to_window
from geosrseg.core.windows import Window
from geosrseg.datasets.labelled_scene import LabelledScene
from geosrseg.mapping.scene_plan import plan_map
from geosrseg.mapping.window_runner import WindowRunner
from geosrseg.mapping.windowing import Seams
from geosrseg.runtime.session import Session


@dataclass(frozen=True, slots=True, eq=False)
class MapPart:
    """A part of a map that is finished.

    Attributes:
        window: in HR pixels of the scene.
        labels: (height, width) class indices.
        sr: (bands, height, width) SR image in normalized reflectance, not clipped.
    """

    window: Window
    labels: NDArray[np.uint8]
    sr: NDArray[np.float32]


def map_parts(
    scene: LabelledScene,
    session: Session,
    *,
    seams: Seams,
    wanted: Callable[[Window], bool],
) -> Iterator[MapPart]:
    """The map of a scene, window after window.

    Args:
        scene: the scene, degraded by the model's factor as it is read.
        session: the model.
        seams: how windows are joined.
        wanted: whether a window, in HR pixels, has to be run.

    Yields:
        What each window finishes; it is to be used before the next one is asked for.
    """
    factor, spec = session.spec.upscale_factor, session.spec
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
            if wanted(plan.support(window).clipped(height, width).scaled(factor))
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
                own = cores[window].clipped(height, width).scaled(factor)
                inside = (..., slice(own.height), slice(own.width))
                yield MapPart(own, best_class(probabilities)[0][inside], sr[inside])


def _read(scene: LabelledScene, window: Window, factor: int) -> NDArray[np.float32]:
    """(bands, height, width) of a window in LR pixels, padded beyond the scene."""
    inside = window.clipped(*scene.size(factor))
    return pad_to_window(scene.read_inputs(inside, factor=factor), window)
