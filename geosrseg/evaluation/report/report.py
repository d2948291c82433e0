"""The report of several models on the same pixels of one dataset."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.core.legend import Legend
from geosrseg.core.tiling.windows import Window
from geosrseg.evaluation.experiment import Experiment
from geosrseg.evaluation.scoring.bootstrap import LEVEL, Estimate, Resampled
from geosrseg.evaluation.scoring.scores import BY_CLASS, OVERALL
from geosrseg.evaluation.source_figures import SourceFigures, finite
from geosrseg.mapping.windowing import Seams
from geosrseg.version import __version__


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of an evaluation; lengths in HR pixels.

    Attributes:
        seams: how windows are joined, see `predict`.
        block: side of a bootstrap block.
        blocks: number of blocks.
        resamples: draws of the bootstrap.
        boundary: distance up to which a pixel is near a boundary.
        small: HR pixels below which an object is small.
    """

    split: str
    seams: Seams
    block: int
    blocks: int
    resamples: int
    boundary: int
    small: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelView:
    """The output of one model in a view.

    Attributes:
        labels: (rows, cols) class indices; NODATA where the model gives no class.
        sr: (bands, rows, cols) SR image; None for a model of native images.
    """

    labels: NDArray[np.uint8]
    sr: NDArray[np.float32] | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReportView:
    """A part of the test area to show.

    Attributes:
        scene: name of the scene's file.
        window: in HR pixels of the scene.
        zoom: in HR pixels of the view.
        native: (bands, rows, cols) normalized reflectance.
        reference: (rows, cols) class indices; NODATA where no pixel counts.
        bicubic: bicubic image for each upscale factor above 1.
    """

    scene: str
    window: Window
    zoom: Window
    native: NDArray[np.float32]
    reference: NDArray[np.uint8]
    bicubic: Mapping[int, NDArray[np.float32]]
    models: tuple[ModelView, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelReport:
    """The results of one model.

    Attributes:
        model: name, distinct within the report.
        file: the model as named by the user.
        sha256: SHA-256 of the model file, in hexadecimal.
        upscale_factor: also the factor by which the images were degraded.
        confusion: rows reference, columns prediction.
        boundary_confusion: the same for pixels near a boundary.
        estimates: figures with intervals, see `Scores.figures`.
        by_source: figures by source, see `measure_sources`; empty without sources.
        baseline: name of the model that this one is compared with; empty for none.
        differences: differences to the baseline on the same draws; empty without one.
        psnr: mean PSNR of the SR image over the scenes, in dB; NaN for native input.
        psnr_bicubic: the same for the bicubic image.
        resampled: every figure for every draw.
    """

    model: str
    file: str
    sha256: str
    upscale_factor: int
    device: str
    confusion: ConfusionMatrix
    boundary_confusion: ConfusionMatrix
    estimates: Mapping[str, Estimate]
    by_source: Mapping[str, SourceFigures]
    baseline: str
    differences: Mapping[str, Estimate]
    psnr: float
    psnr_bicubic: float
    resampled: Resampled

    def by_class(self, figure: str) -> dict[str, float]:
        """Return a figure of `BY_CLASS` by class name."""
        start = f"{figure}/"
        return {
            name.removeprefix(start): estimate.value
            for name, estimate in self.estimates.items()
            if name.startswith(start)
        }

    def to_json(self) -> dict[str, Any]:
        """Return a dictionary of plain values; NaN and infinity become None."""
        return {
            "model": self.model,
            "file": self.file,
            "sha256": self.sha256,
            "upscale_factor": self.upscale_factor,
            "device": self.device,
            **{name: finite(self.estimates[name].value) for name in OVERALL},
            "psnr": finite(self.psnr),
            "psnr_bicubic": finite(self.psnr_bicubic),
            **{
                figure: {name: finite(value) for name, value in self.by_class(figure).items()}
                for figure in BY_CLASS
            },
            "by_source": {name: own.to_json() for name, own in self.by_source.items()},
            "intervals": {name: _bounds(estimate) for name, estimate in self.estimates.items()},
            "compared_with": self.baseline or None,
            "differences": {
                name: {"value": finite(estimate.value), "interval": _bounds(estimate)}
                for name, estimate in self.differences.items()
            },
            "confusion": {
                "rows": "reference",
                "columns": "prediction",
                "counts": self.confusion.counts.tolist(),
                "counts_near_boundary": self.boundary_confusion.counts.tolist(),
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Report:
    """The results of several models on the same pixels.

    Attributes:
        dataset: name of the dataset.
        source: origin of the data.
        licence: licence of the data.
        bands: names, in the order of the images.
        scenes: file names of the scenes with counted pixels.
        reference_pixels: counted pixels by class.
        small_objects: number of small objects by class.
        models: in the order requested.
        command: command line; empty when called from Python.
        experiments: the experiment of each model in a reproduction; else empty.
    """

    dataset: str
    source: str
    licence: str
    legend: Legend
    bands: tuple[str, ...]
    settings: Settings
    scenes: tuple[str, ...]
    reference_pixels: tuple[int, ...]
    small_objects: tuple[int, ...]
    models: tuple[ModelReport, ...]
    views: tuple[ReportView, ...]
    command: str = ""
    experiments: tuple[Experiment, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return a dictionary of plain values, without the views."""
        names = self.legend.names
        return {
            "geosrseg": __version__,
            "command": self.command,
            "dataset": self.dataset,
            "source": self.source,
            "licence": self.licence,
            "classes": list(names),
            "scenes": list(self.scenes),
            "settings": {**asdict(self.settings), "level": LEVEL},
            "reference_pixels": dict(zip(names, self.reference_pixels, strict=True)),
            "small_objects": dict(zip(names, self.small_objects, strict=True)),
            "experiments": [asdict(each) for each in self.experiments],
            "reports": [model.to_json() for model in self.models],
        }


def _bounds(estimate: Estimate) -> list[float] | None:
    return [estimate.low, estimate.high] if estimate.bounded else None
