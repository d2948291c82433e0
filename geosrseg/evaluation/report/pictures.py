"""Draws the views of a report side by side, as in Figure 3 of the paper."""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.composite import choose_composite
from geosrseg.core.legend import Legend
from geosrseg.core.tiling.windows import Window
from geosrseg.evaluation.report.report import Report, ReportView
from geosrseg.products.png import encode_png

EMPTY = (225, 225, 225)
"""Colour of pixels without a class."""

SAME_IMAGE = 1e-3
"""Images that differ by less, in normalized reflectance, are shown once."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture and the zoom into it, as data URIs.

    Attributes:
        text: alternative text.
    """

    whole: str
    zoom: str
    text: str


@dataclass(frozen=True, slots=True)
class Column:
    """An image above its map.

    Attributes:
        map: None for an image without a map.
    """

    title: str
    image: Picture
    map: Picture | None


@dataclass(frozen=True, slots=True)
class Figure:
    """All columns of one view.

    Attributes:
        caption: scene, rows and columns.
        box: left, top, width and height of the zoom in percent of the view.
        columns: the native image and the reference first.
    """

    caption: str
    box: tuple[float, float, float, float]
    columns: tuple[Column, ...]


def draw_figures(report: Report) -> Iterator[Figure]:
    """Yield the figure of every view."""
    for view in report.views:
        window, zoom = view.window, view.zoom
        yield Figure(
            caption=(
                f"{view.scene}, rows {window.row_off} to {window.row_stop - 1}, columns "
                f"{window.col_off} to {window.col_stop - 1}"
            ),
            box=(
                100 * zoom.col_off / window.width,
                100 * zoom.row_off / window.height,
                100 * zoom.width / window.width,
                100 * zoom.height / window.height,
            ),
            columns=tuple(_columns(report, view)),
        )


def shown_models(report: Report) -> list[int]:
    """Return the indices of the shown models; of a grid only the best of each degradation."""
    mean_iou = [model.estimates["mean_iou"].value for model in report.models]
    best: dict[int, int] = {}
    for number, experiment in enumerate(report.experiments):
        if experiment.in_grid:
            rival = best.setdefault(experiment.upscale_factor, number)
            if mean_iou[number] > mean_iou[rival]:
                best[experiment.upscale_factor] = number
    in_grid = {n for n, experiment in enumerate(report.experiments) if experiment.in_grid}
    return [n for n in range(len(report.models)) if n not in in_grid or n in best.values()]


def _columns(report: Report, view: ReportView) -> Iterator[Column]:
    display = _Display(view.native, report.bands)
    native = _picture(display.paint(view.native), view.zoom, "native image")
    reference = _picture(_colour(view.reference, report.legend), view.zoom, "reference")
    yield Column("Native · reference", native, reference)
    for factor, bicubic in sorted(view.bicubic.items(), reverse=True):
        if not _is_shown(bicubic, view):
            picture = _picture(display.paint(bicubic), view.zoom, f"bicubic image, {factor}x")
            yield Column(f"Bicubic {factor}×", picture, None)
    for number in shown_models(report):
        model, own = report.models[number], view.models[number]
        name = f"{model.model}, {model.upscale_factor}×"
        image = native
        if own.sr is not None:
            image = _picture(display.paint(own.sr), view.zoom, f"image as {name} sees it")
        shown = _picture(_colour(own.labels, report.legend), view.zoom, f"map of {name}")
        yield Column(name, image, shown)


def _is_shown(bicubic: NDArray[np.float32], view: ReportView) -> bool:
    """Whether a model that upsamples by bicubic interpolation shows the same image."""
    return any(
        model.sr is not None and float(np.abs(model.sr - bicubic).max()) < SAME_IMAGE
        for model in view.models
    )


class _Display:
    """Stretches three bands of every image to the range of the native image."""

    def __init__(self, native: NDArray[np.float32], bands: tuple[str, ...]) -> None:
        self._shown = [bands.index(name) for name in choose_composite(bands)]
        low, high = np.percentile(native[self._shown], (1, 99), axis=(1, 2))
        self._low = low[:, None, None]
        self._range = np.where(high > low, high - low, 1)[:, None, None]

    def paint(self, image: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return (rows, cols, 3) RGB."""
        spread = (image[self._shown] - self._low) / self._range
        return np.rint(np.clip(spread, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)


def _colour(labels: NDArray[np.uint8], legend: Legend) -> NDArray[np.uint8]:
    palette = np.full((256, 3), EMPTY, np.uint8)
    palette[: len(legend)] = [item.rgb for item in legend.classes]
    return palette[labels]


def _picture(pixels: NDArray[np.uint8], zoom: Window, text: str) -> Picture:
    return Picture(_uri(pixels), _uri(pixels[zoom.rows, zoom.cols]), text)


def _uri(pixels: NDArray[np.uint8]) -> str:
    return "data:image/png;base64," + b64encode(encode_png(pixels)).decode()
