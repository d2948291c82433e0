"""What ``import geosrseg`` offers."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import geosrseg
from geosrseg import errors
from geosrseg.extras import PACKAGES

ERRORS = {name: value for name, value in vars(errors).items() if isinstance(value, type)}
FUNCTIONS = [name for name in geosrseg.__all__ if name.islower() and not name.startswith("_")]


@pytest.mark.parametrize("name", geosrseg.__all__)
def test_every_public_name_resolves_and_is_documented(name):
    assert getattr(geosrseg, name).__doc__


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_in_the_module_of_its_name(name):
    assert getattr(geosrseg, name).__module__.endswith(f".{name}")


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
    with pytest.raises(geosrseg.MissingExtraError, match=r"torch is not .*'geosrseg\[train\]'"):
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
