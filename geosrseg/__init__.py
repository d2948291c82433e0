"""High-resolution class maps from low-resolution satellite images.

What the command line does, one function here does too, with the same options::

    import geosrseg

    geosrseg.predict("scene.tif", "classes.tif", confidence=True)

    with geosrseg.open_model("gewata-4x") as model:
        found = model.map_array(array, transform=transform, crs=crs)

The names are loaded when they are first used, so that ``import geosrseg`` costs nothing and
only training needs PyTorch. docs/python.md shows them at work, docs/extending.md how to add a
layer, a product file or a network.
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
    PluginError,
    RunError,
    SceneError,
    SceneWarning,
)
from geosrseg.extras import extra
from geosrseg.version import __version__

if TYPE_CHECKING:
    from geosrseg.bench.benchmark import benchmark as benchmark
    from geosrseg.bench.result import Benchmark as Benchmark
    from geosrseg.bench.seam_report import (
        SeamChoice as SeamChoice,
        SeamReport as SeamReport,
        seam_report as seam_report,
    )
    from geosrseg.core.legend import Legend as Legend, LegendClass as LegendClass
    from geosrseg.core.option import option as option
    from geosrseg.core.spec import ModelSpec as ModelSpec
    from geosrseg.datasets.card.card import DatasetCard as DatasetCard
    from geosrseg.datasets.datasets import read_dataset as read_dataset
    from geosrseg.evaluation.evaluate import evaluate as evaluate
    from geosrseg.evaluation.experiment import ExperimentPlan as ExperimentPlan
    from geosrseg.evaluation.report.report import Report as Report
    from geosrseg.evaluation.reproduce import Budget as Budget, Step as Step, reproduce as reproduce
    from geosrseg.mapping.array_map import ArrayMap as ArrayMap
    from geosrseg.mapping.info import SceneInfo as SceneInfo, info as info
    from geosrseg.mapping.layers.layer import (
        FinishedStrip as FinishedStrip,
        FinishedWindow as FinishedWindow,
        Layer as Layer,
        MapFrame as MapFrame,
    )
    from geosrseg.mapping.map_options import MapOptions as MapOptions
    from geosrseg.mapping.model import Model as Model, open_model as open_model
    from geosrseg.mapping.predict import predict as predict
    from geosrseg.mapping.prediction import (
        Outcome as Outcome,
        Prediction as Prediction,
        Progress as Progress,
    )
    from geosrseg.mapping.prediction_plan import PredictionPlan as PredictionPlan
    from geosrseg.mapping.windowing import Windowing as Windowing
    from geosrseg.networks.recipe import (
        NetworkConfig as NetworkConfig,
        Recipe as Recipe,
        configure as configure,
    )
    from geosrseg.products.areas import Areas as Areas
    from geosrseg.products.asset import Asset as Asset
    from geosrseg.products.polygons.polygon_options import PolygonOptions as PolygonOptions
    from geosrseg.products.product_file import (
        FinishedMap as FinishedMap,
        ProductFile as ProductFile,
    )
    from geosrseg.products.products import Products as Products
    from geosrseg.raster.files.grid import Grid as Grid
    from geosrseg.raster.maps.cog import CogProfile as CogProfile
    from geosrseg.raster.reading import Reading as Reading
    from geosrseg.raster.survey import Survey as Survey
    from geosrseg.training.export import ExportReport as ExportReport, export as export
    from geosrseg.training.run import Run as Run
    from geosrseg.training.train import train as train

_MODULES = {
    # map
    "predict": "mapping.predict",
    "open_model": "mapping.model",
    "info": "mapping.info",
    "Model": "mapping.model",
    "MapOptions": "mapping.map_options",
    "Reading": "raster.reading",
    "Windowing": "mapping.windowing",
    "Products": "products.products",
    "PolygonOptions": "products.polygons.polygon_options",
    "Prediction": "mapping.prediction",
    "Progress": "mapping.prediction",
    "Outcome": "mapping.prediction",
    "PredictionPlan": "mapping.prediction_plan",
    "ArrayMap": "mapping.array_map",
    "SceneInfo": "mapping.info",
    "Survey": "raster.survey",
    "Areas": "products.areas",
    "ModelSpec": "core.spec",
    "Legend": "core.legend",
    "LegendClass": "core.legend",
    "Grid": "raster.files.grid",
    # extend
    "Layer": "mapping.layers.layer",
    "MapFrame": "mapping.layers.layer",
    "FinishedWindow": "mapping.layers.layer",
    "FinishedStrip": "mapping.layers.layer",
    "CogProfile": "raster.maps.cog",
    "ProductFile": "products.product_file",
    "FinishedMap": "products.product_file",
    "Asset": "products.asset",
    "option": "core.option",
    # train and measure
    "train": "training.train",
    "export": "training.export",
    "evaluate": "evaluation.evaluate",
    "reproduce": "evaluation.reproduce",
    "benchmark": "bench.benchmark",
    "seam_report": "bench.seam_report",
    "read_dataset": "datasets.datasets",
    "DatasetCard": "datasets.card.card",
    "NetworkConfig": "networks.recipe",
    "Recipe": "networks.recipe",
    "configure": "networks.recipe",
    "Run": "training.run",
    "ExportReport": "training.export",
    "ExperimentPlan": "evaluation.experiment",
    "Budget": "evaluation.reproduce",
    "Step": "evaluation.reproduce",
    "Report": "evaluation.report.report",
    "Benchmark": "bench.result",
    "SeamReport": "bench.seam_report",
    "SeamChoice": "bench.seam_report",
}
"""The module of each name, below ``geosrseg``."""

_ERRORS = [name for name in globals() if name.endswith(("Error", "Warning"))]

__all__ = sorted(["__version__", *_ERRORS, *_MODULES])  # noqa: PLE0605


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with extra("train"):
        return getattr(import_module(f"geosrseg.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
