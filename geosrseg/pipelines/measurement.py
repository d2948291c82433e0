"""Measurement: one model, or the bicubic image, on one evaluation area."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from geosrseg.core.legend import NODATA
from geosrseg.core.scores import Scores
from geosrseg.core.squared_error import SquaredError
from geosrseg.core.windows import Window
from geosrseg.data.evaluation_area import Blocks, EvaluationArea
from geosrseg.data.labelled_scene import LabelledScene
from geosrseg.data.score_counter import ScoreCounter
from geosrseg.data.view import View
from geosrseg.models.bicubic import RADIUS, BicubicUpsample
from geosrseg.pipelines.predict import Seams
from geosrseg.pipelines.scene_map import ImagePart, map_rows, plan_map
from geosrseg.runtime.session import Session

BICUBIC_ROWS = 1024
"""HR rows of the bicubic image that are made at once."""


class ReconstructedImage:
    """An image that comes in parts: its error, and what the views show of it.

    Attributes:
        error: to the native image, over the pixels that count.
        shown: for each view, (bands, rows, cols).
    """

    def __init__(self, area: EvaluationArea, scene: LabelledScene, views: Sequence[View]) -> None:
        self._area = area
        self._scene = scene
        self._views = views
        bands = len(scene.normalization.low)
        self.error = SquaredError()
        self.shown = [
            np.zeros((bands, view.window.height, view.window.width), np.float32) for view in views
        ]

    def add(self, part: ImagePart) -> None:
        """Take a part, as far as it lies in the area."""
        own = part.window.overlap(Window(0, 0, *self._area.size))
        if own is None:
            return
        pixels = part.pixels[:, : own.height, : own.width]
        counted = self._area.target[own.rows, own.cols] != NODATA
        if counted.any():
            self.error.add(pixels, self._scene.read_hr(own), counted=counted)
        for view, shown in zip(self._views, self.shown, strict=True):
            _paste(pixels, own, onto=shown, of=view.window)


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """What one model did on one area.

    Attributes:
        scores: all that was counted.
        image: its SR image.
        labels: for each view, (rows, cols) class indices.
    """

    scores: Scores
    image: ReconstructedImage
    labels: list[NDArray[np.uint8]]


def measure(
    session: Session,
    area: EvaluationArea,
    scene: LabelledScene,
    *,
    blocks: Blocks,
    views: Sequence[View],
    seams: Seams,
    on_window: Callable[[], None],
) -> Measurement:
    """Run a model on an area.

    Args:
        session: the model.
        area: what is measured.
        scene: that of the area, normalized as the model wants it.
        blocks: of the area.
        views: of the area.
        seams: how windows are joined.
        on_window: called after each window.
    """
    counter, image = ScoreCounter(area, blocks), ReconstructedImage(area, scene, views)
    labels = [np.full((v.window.height, v.window.width), NODATA, np.uint8) for v in views]
    (height, width), top = area.size, 0

    def take(part: ImagePart) -> None:
        image.add(part)
        on_window()

    plan = plan_map(scene, session.spec, seams=seams)
    for rows in map_rows(scene, session, plan, wanted=_wanted(area, views), on_sr=take):
        band = rows[: height - top, :width]
        if not len(band):
            break  # what is left over for another model's factor
        counter.add(band)
        for view, shown in zip(views, labels, strict=True):
            _paste(band, Window(top, 0, *band.shape), onto=shown, of=view.window)
        top += len(band)
    return Measurement(counter.scores(), image, labels)


def measure_bicubic(
    area: EvaluationArea, scene: LabelledScene, *, factor: int, views: Sequence[View]
) -> ReconstructedImage:
    """The image that bicubic upsampling makes of the degraded scene.

    Args:
        area: what is measured.
        scene: that of the area, normalized as the models want it.
        factor: of the degradation.
        views: of the area.
    """
    image = ReconstructedImage(area, scene, views)
    upsample = BicubicUpsample(len(scene.normalization.low), upscale_factor=factor)
    height, width = scene.size(factor)
    step = max(BICUBIC_ROWS // factor, 1)
    for top in range(0, height, step):
        strip = Window(top, 0, min(step, height - top), width)
        wide = strip.grown(RADIUS, height=height, width=width)
        lr = torch.from_numpy(scene.read_inputs(wide, factor=factor))
        own = strip.inside(wide).scaled(factor)
        pixels = upsample(lr[None])[0, :, own.rows, own.cols].numpy()
        image.add(ImagePart(strip.scaled(factor), pixels))
    return image


def _wanted(area: EvaluationArea, views: Sequence[View]) -> Callable[[Window], bool]:
    """Whether a window has a pixel that counts or is shown."""

    def wanted(window: Window) -> bool:
        counted = area.target[window.rows, window.cols] != NODATA
        return bool(counted.any()) or any(view.window.overlap(window) for view in views)

    return wanted


def _paste(
    pixels: NDArray[np.generic], window: Window, *, onto: NDArray[np.generic], of: Window
) -> None:
    """Copy what lies in both windows into the array of the second one; (..., rows, cols)."""
    common = window.overlap(of)
    if common is not None:
        source, target = common.inside(window), common.inside(of)
        onto[..., target.rows, target.cols] = pixels[..., source.rows, source.cols]
