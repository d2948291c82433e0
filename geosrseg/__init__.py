"""High-resolution class maps from low-resolution satellite images.

Everything the command line does, one function here does too:

    import geosrseg

    geosrseg.predict("scene.tif", output="classes.tif")

The functions are loaded when they are first used, so that ``import geosrseg`` costs nothing
and only training needs PyTorch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from geosrseg.errors import (
    DatasetError,
    DatasetWarning,
    DeviceError,
    DeviceMemoryError,
    GeosrsegError,
    MissingExtraError,
    ModelError,
    OutputError,
    RunError,
    SceneError,
    SceneWarning,
)
from geosrseg.extras import extra
from geosrseg.version import __version__

if TYPE_CHECKING:
    from geosrseg.analysis.assess import assess
    from geosrseg.analysis.change import change
    from geosrseg.analysis.mosaic import mosaic
    from geosrseg.analysis.relabel import relabel
    from geosrseg.analysis.sample import sample
    from geosrseg.analysis.vectorize import vectorize
    from geosrseg.analysis.zonal_areas import zonal_areas
    from geosrseg.bench.benchmark import benchmark
    from geosrseg.bench.seam_report import seam_report
    from geosrseg.evaluation.evaluate import evaluate
    from geosrseg.evaluation.reproduce import reproduce
    from geosrseg.mapping.info import info
    from geosrseg.mapping.predict import predict
    from geosrseg.training.export import export
    from geosrseg.training.train import train

__all__ = [
    "DatasetError",
    "DatasetWarning",
    "DeviceError",
    "DeviceMemoryError",
    "GeosrsegError",
    "MissingExtraError",
    "ModelError",
    "OutputError",
    "RunError",
    "SceneError",
    "SceneWarning",
    "__version__",
    "assess",
    "benchmark",
    "change",
    "evaluate",
    "export",
    "info",
    "mosaic",
    "predict",
    "relabel",
    "reproduce",
    "sample",
    "seam_report",
    "train",
    "vectorize",
    "zonal_areas",
]

_MODULES = {
    "assess": "analysis.assess",
    "benchmark": "bench.benchmark",
    "change": "analysis.change",
    "evaluate": "evaluation.evaluate",
    "export": "training.export",
    "info": "mapping.info",
    "mosaic": "analysis.mosaic",
    "predict": "mapping.predict",
    "relabel": "analysis.relabel",
    "reproduce": "evaluation.reproduce",
    "sample": "analysis.sample",
    "seam_report": "bench.seam_report",
    "train": "training.train",
    "vectorize": "analysis.vectorize",
    "zonal_areas": "analysis.zonal_areas",
}
"""The module of each function, below ``geosrseg``."""


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with extra("train"):
        return getattr(import_module(f"geosrseg.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
