"""Measures one model, or the bicubic image, on one evaluation area."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from geosrseg.core.legend import NODATA
from geosrseg.core.tiling.windows import Window
from geosrseg.datasets.labelled_scene import LabelledScene
from geosrseg.evaluation.evaluation_area import Blocks, EvaluationArea
from geosrseg.evaluation.scene_map import map_parts
from geosrseg.evaluation.score_counter import ScoreCounter
from geosrseg.evaluation.scoring.scores import Scores
from geosrseg.evaluation.scoring.squared_error import SquaredError
from geosrseg.evaluation.view import View
from geosrseg.mapping.windowing import Seams
from geosrseg.networks.super_resolution.bicubic import RADIUS, BicubicUpsample
from geosrseg.runtime.session import Session
from geosrseg.training.validating.calibration import CalibrationCounts

BICUBIC_ROWS = 1024
"""HR rows of the bicubic image made at a time."""


class ReconstructedImage:
    """Collects the error and the views of an image that arrives in parts.

    Attributes:
        error: squared error against the native image, over the counted pixels.
        shown: (bands, rows, cols) for each view.
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

    def add(self, pixels: NDArray[np.float32], window: Window) -> None:
        """Add a part.

        Args:
            pixels: (bands, height, width) normalized reflectance, not clipped.
            window: its place in the area.
        """
        counted = self._area.target[window.rows, window.cols] != NODATA
        if counted.any():
            self.error.add(pixels, self._scene.read_hr(window), counted=counted)
        for view, shown in zip(self._views, self.shown, strict=True):
            _paste(pixels, window, onto=shown, of=view.window)


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """The measurement of one model on one area.

    Attributes:
        image: SR image; its error is empty without a native image.
        labels: (rows, cols) class indices for each view.
        calibration: counts of confidence against correctness.
    """

    scores: Scores
    image: ReconstructedImage
    labels: list[NDArray[np.uint8]]
    calibration: CalibrationCounts


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
    """Run a model on an area; `scene` is the area's scene with the model's normalization."""
    counter, image = ScoreCounter(area, blocks), ReconstructedImage(area, scene, views)
    labels = [np.full((v.window.height, v.window.width), NODATA, np.uint8) for v in views]
    calibration = CalibrationCounts()
    parts = map_parts(scene, session, seams=seams, wanted=_wanted(area, views))
    for part in parts:
        on_window()
        own = part.window.overlap(area.window)
        if own is None:
            continue  # left over by another model's factor
        place = (..., slice(own.height), slice(own.width))
        counter.add(part.labels[place], own)
        calibration += _count_calibration(area, own, part.labels[place], part.confidence[place])
        if not scene.is_lr:
            image.add(part.sr[place], own)
        for view, shown in zip(views, labels, strict=True):
            _paste(part.labels[place], own, onto=shown, of=view.window)
    return Measurement(counter.scores(), image, labels, calibration)


def _count_calibration(
    area: EvaluationArea,
    window: Window,
    labels: NDArray[np.uint8],
    confidence: NDArray[np.float32],
) -> CalibrationCounts:
    target = np.asarray(area.target[window.rows, window.cols])
    counted = target != NODATA
    return CalibrationCounts.of(confidence[counted], labels[counted] == target[counted])


def measure_bicubic(
    area: EvaluationArea, scene: LabelledScene, *, factor: int, views: Sequence[View]
) -> ReconstructedImage:
    """Measure bicubic upsampling of the scene degraded by `factor`.

    Nothing is counted without a native image. `scene` has the models' normalization.
    """
    image = ReconstructedImage(area, scene, views)
    if scene.is_lr:
        return image
    upsample = BicubicUpsample(len(scene.normalization.low), upscale_factor=factor)
    height, width = scene.size(factor)
    step = max(BICUBIC_ROWS // factor, 1)
    for top in range(0, height, step):
        strip = Window(top, 0, min(step, height - top), width)
        own = strip.scaled(factor).overlap(area.window)
        if own is None:
            break
        wide = strip.grown(RADIUS, height=height, width=width)
        lr = torch.from_numpy(scene.read_inputs(wide, factor=factor))
        part = own.inside(wide.scaled(factor))
        image.add(upsample(lr[None])[0, :, part.rows, part.cols].numpy(), own)
    return image


def _wanted(area: EvaluationArea, views: Sequence[View]) -> Callable[[Window], bool]:
    """Return a test of whether a window has a counted or shown pixel."""

    def wanted(window: Window) -> bool:
        counted = area.target[window.rows, window.cols] != NODATA
        return bool(counted.any()) or any(view.window.overlap(window) for view in views)

    return wanted


def _paste(
    pixels: NDArray[np.generic], window: Window, *, onto: NDArray[np.generic], of: Window
) -> None:
    """Copy the overlap of both windows into the array of the second; arrays (..., rows, cols)."""
    common = window.overlap(of)
    if common is not None:
        source, target = common.inside(window), common.inside(of)
        onto[..., target.rows, target.cols] = pixels[..., source.rows, source.cols]
