"""What ``import geosrseg`` offers."""

import ast
import inspect
import tomllib
import typing
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import geosrseg
from geosrseg import errors
from geosrseg.extras import PACKAGES

PUBLIC = """
ArchiveIndex Areas ArrayMap Assessment Asset Backend Benchmark Budget Change CogProfile DataCheck
Dataset DatasetCard DatasetError DatasetWarning Device DeviceError DeviceMemoryError
EvaluationSizes ExperimentPlan ExportResult FinishedMap FinishedStrip FinishedWindow GeosrsegError
Grid JointNetwork Layer Legend LegendClass Limits Location MapFrame MapOptions Marks
MissingExtraError Model ModelError ModelFile ModelSpec NetworkConfig Outcome OutputBusyError
OutputError Part PlannedScene PluginError PolygonOptions Prediction PredictionPlan ProductFile
Products Progress
Ramp Reach Reading Recipe Report Run RunError RunWarning SceneError SceneInfo SceneWarning
SeamChoice SeamComparison Sensor SensorBand SensorFlags SensorInput SensorProduct Start Step
Surroundings Survey Task TaskResult Windowing WorkError WorkPlan ZoneAreas __version__ assess
benchmark change compare_seams configure evaluate export index_archive info mosaic open_model
option plan_work predict quicklook read_dataset read_work relabel report reproduce run_on_dask
run_work sample stac train vectorize zonal_areas
"""
ERRORS = {name: value for name, value in vars(errors).items() if isinstance(value, type)}
FUNCTIONS = [name for name in geosrseg.__all__ if name.islower() and name != "__version__"]


@pytest.mark.parametrize("name", geosrseg.__all__)
def test_every_public_name_resolves_and_is_documented(name):
    assert getattr(geosrseg, name).__doc__


def test_the_public_names_are_these():
    """A name that is added or goes is a change of the interface: say so in CHANGELOG.md."""
    assert set(geosrseg.__all__) == set(PUBLIC.split())


def types_of(annotation):
    """The classes that an annotation names, those inside its brackets too."""
    if isinstance(annotation, type):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from types_of(inner)


SIGNATURES = {name: getattr(geosrseg, name) for name in FUNCTIONS} | {
    f"Model.{name}": method
    for name, method in inspect.getmembers(geosrseg.Model, inspect.isfunction)
    if not name.startswith("_")
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_every_type_that_a_function_takes_or_gives_is_public(name):
    spaces = {"Pixels": object, "Crs": object, "ArrayMap": geosrseg.ArrayMap}
    hints = typing.get_type_hints(SIGNATURES[name], localns=spaces)
    ours = {
        item.__name__
        for hint in hints.values()
        for item in types_of(hint)
        if item.__module__.startswith("geosrseg.")
    }
    assert ours <= set(geosrseg.__all__)


def parameters_of(function):
    taken = function.args
    every = [*taken.posonlyargs, *taken.args, *taken.kwonlyargs, taken.vararg, taken.kwarg]
    return [each.arg for each in every if each is not None and each.arg not in ("self", "cls")]


def test_no_function_has_more_parameters_than_one_can_survey():
    """At most twelve, in the whole package: options that belong together are a dataclass."""
    found = {
        f"{file}:{node.name}": len(parameters_of(node))
        for file in Path(geosrseg.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    assert {name: count for name, count in found.items() if count > 12} == {}


def test_dir_shows_what_is_public():
    assert dir(geosrseg) == sorted(geosrseg.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'geosrseg' has no attribute 'predcit'"):
        geosrseg.predcit  # noqa: B018


def test_every_error_is_public():
    assert ERRORS.keys() <= set(geosrseg.__all__)


@pytest.mark.parametrize("error", [e for e in ERRORS.values() if not issubclass(e, Warning)])
def test_every_error_has_the_one_root_and_is_drawn_in_the_tree(error):
    assert issubclass(error, geosrseg.GeosrsegError)
    assert error.__name__ in errors.__doc__


def missing(package):
    def import_module(_name):
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)

    return import_module


def test_a_missing_extra_is_named_with_the_remedy(monkeypatch):
    monkeypatch.setattr(geosrseg, "import_module", missing("torch"))
    with pytest.raises(errors.MissingExtraError, match=r"torch is not .*'geosrseg\[train\]'"):
        geosrseg.train  # noqa: B018


def test_any_other_missing_module_is_no_missing_extra(monkeypatch):
    monkeypatch.setattr(geosrseg, "import_module", missing("geosrseg.training.train"))
    with pytest.raises(ModuleNotFoundError, match=r"geosrseg\.training\.train"):
        geosrseg.train  # noqa: B018


def test_the_extras_are_those_of_pyproject():
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    extras = tomllib.loads(text)["project"]["optional-dependencies"]
    for name, packages in PACKAGES.items():
        assert sorted(packages) == sorted(Requirement(line).name for line in extras[name])
