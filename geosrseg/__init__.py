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

if TYPE_CHECKING:
    from geosrseg.pipelines.benchmark import benchmark
    from geosrseg.pipelines.evaluate import evaluate
    from geosrseg.pipelines.export import export
    from geosrseg.pipelines.info import info
    from geosrseg.pipelines.predict import predict
    from geosrseg.pipelines.reproduce import reproduce
    from geosrseg.pipelines.seam_report import seam_report
    from geosrseg.pipelines.train import train

__version__ = "0.1.0"

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
    "benchmark",
    "evaluate",
    "export",
    "info",
    "predict",
    "reproduce",
    "seam_report",
    "train",
]

_PIPELINES = (
    "benchmark",
    "evaluate",
    "export",
    "info",
    "predict",
    "reproduce",
    "seam_report",
    "train",
)
"""Functions of ``geosrseg.pipelines``, each in the module of its name."""


def __getattr__(name: str) -> object:
    if name not in _PIPELINES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with extra("train"):
        return getattr(import_module(f"geosrseg.pipelines.{name}"), name)


def __dir__() -> list[str]:
    return __all__
