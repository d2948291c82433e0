"""Scene map: the class map of a degraded scene, in the windows and blending of `predict`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.blending import RowBlender
from geosrseg.core.padding import pad_to_window
from geosrseg.core.spec import ModelSpec
from geosrseg.core.windows import Window, WindowPlan, plan_windows, round_up
from geosrseg.data.labelled_scene import LabelledScene
from geosrseg.pipelines.predict import EXACT_STRIDE, Seams
from geosrseg.runtime.session import Session


@dataclass(frozen=True, slots=True, eq=False)
class ImagePart:
    """A part of an image.

    Attributes:
        window: in HR pixels.
        pixels: (bands, height, width) normalized reflectance, not clipped.
    """

    window: Window
    pixels: NDArray[np.float32]


def plan_map(scene: LabelledScene, spec: ModelSpec, *, seams: Seams) -> WindowPlan:
    """The windows in which `predict` would run the degraded scene.

    Exact seams are for models with an exact halo.
    """
    height, width = scene.size(spec.upscale_factor)
    exact = seams == "exact"
    halo, ramp = (spec.widest_halo, 0) if exact else (spec.halo, spec.multiple)
    smallest = round_up(EXACT_STRIDE * halo, spec.multiple) if exact else 0
    return plan_windows(
        height,
        width,
        window_size=max(spec.window_size, smallest),
        halo=halo,
        ramp=ramp,
        multiple=spec.multiple,
    )


def map_rows(
    scene: LabelledScene,
    session: Session,
    plan: WindowPlan,
    *,
    wanted: Callable[[Window], bool],
    on_sr: Callable[[ImagePart], None],
) -> Iterator[NDArray[np.uint8]]:
    """The rows of the map from top to bottom, as they are finished.

    Args:
        scene: the scene, degraded by the model's factor as it is read.
        session: the model.
        plan: the windows.
        wanted: whether a window, in HR pixels, has to be run; the others have no class.
        on_sr: called with the part of the SR image that is a window's own.

    Yields:
        (rows, width) class indices on the HR grid.
    """
    factor, spec = session.spec.upscale_factor, session.spec
    height, width = scene.size(factor)
    blender = RowBlender(plan, factor=factor, classes=len(spec.legend))
    cores = dict(plan.cores())
    for index, (top, bottom) in enumerate(plan.rows.cores):
        windows = [w for w in plan.band(index) if wanted(w.clipped(height, width).scaled(factor))]
        if windows:
            wide = Window(windows[0].row_off, 0, windows[0].height, plan.cols.length)
            lr = pad_to_window(scene.read_inputs(wide.clipped(height, width), factor=factor), wide)
        for window in windows:
            inputs = np.ascontiguousarray(lr[None, :, :, window.cols])
            probabilities, sr = session.run_with_sr(inputs)
            blender.add(window, probabilities[0])
            core = cores[window].clipped(height, width)
            own = core.inside(window).scaled(factor)
            on_sr(ImagePart(core.scaled(factor), sr[0][:, own.rows, own.cols]))
        rows = (min(bottom, height) - top) * factor
        yield blender.finish(index)[:rows, : width * factor]
