"""Registries: what other packages can bring, by name, beside what is built in.

A built-in thing is named here by its module, and a package's by an entry point, so that
neither is imported before it is used::

    [project.entry-points."geosrseg.layers"]
    vegetation = "mypackage:Vegetation"
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from typing import Any, Generic, TypeVar

from geosrseg.errors import GeosrsegError, PluginError
from geosrseg.extras import extra

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What the command line says of one thing.

    Attributes:
        target: ``module:name`` of the thing itself.
        help: what it is, for ``--help``.
        metavar: what its option takes.
        extra: the optional dependencies that its module imports.
        options: ``module:name`` of the dataclass of its own options.
    """

    target: str
    help: str = ""
    metavar: str = "FILE"
    extra: str = ""
    options: str = ""


class Registry(Generic[T]):
    """The things of one kind.

    Args:
        group: of the entry points that bring more of them.
        noun: what an error calls one of them.
        ours: the built-in ones; a package cannot replace them.
    """

    def __init__(self, group: str, noun: str, ours: Mapping[str, Offer]) -> None:
        self.group = group
        self._noun = noun
        self._ours = ours

    @property
    def names(self) -> tuple[str, ...]:
        """The built-in ones in their order, then those of other packages by name."""
        return (*self._ours, *self._brought())

    def load(self, name: str) -> T:
        """The thing of this name.

        Raises:
            GeosrsegError: there is none.
            PluginError: its package cannot be imported.
            MissingExtraError: it is built in, and needs packages that are not installed.
        """
        if name in self._ours:
            return self._import(self._ours[name], self._ours[name].target)
        point = self._brought().get(name)
        if point is None:
            raise GeosrsegError(
                f"no {self._noun} {name!r}: expected one of {', '.join(self.names)}"
            )
        try:
            thing: T = point.load()
        except Exception as error:  # code of others, which may raise anything
            raise PluginError(
                f"the {self._noun} {name} of {_package(point)} cannot be loaded "
                f"({type(error).__name__}: {error}): update or uninstall that package"
            ) from error
        return thing

    def help(self, name: str) -> str:
        """What the thing of this name is, for ``--help``."""
        return self._ours[name].help if name in self._ours else self._said(name, "help", "")

    def metavar(self, name: str) -> str:
        """What the option of this name takes."""
        if name in self._ours:
            return self._ours[name].metavar
        return self._said(name, "metavar", "FILE")

    def options(self, name: str) -> type | None:
        """The dataclass of the options that the thing of this name has."""
        if name not in self._ours:
            return self._said(name, "options", None)
        offer = self._ours[name]
        return self._import(offer, offer.options) if offer.options else None

    def origin(self, name: str) -> str:
        """The package that brings it, and its version; empty for what is built in."""
        point = self._brought().get(name)
        return "" if point is None else _package(point)

    def _said(self, name: str, attribute: str, default: Any) -> Any:
        return getattr(self.load(name), attribute, default)

    def _import(self, offer: Offer, target: str) -> Any:
        module, _, attribute = target.partition(":")
        if not offer.extra:
            return getattr(import_module(module), attribute)
        with extra(offer.extra):
            return getattr(import_module(module), attribute)

    def _brought(self) -> Mapping[str, EntryPoint]:
        return _read_entry_points(self.group, self._noun, tuple(self._ours), tuple(sys.path))


@cache
def _installed(_path: tuple[str, ...]) -> EntryPoints:
    """All entry points of all packages: finding them takes far longer than choosing some."""
    return entry_points()


@cache
def _read_entry_points(
    group: str, noun: str, ours: tuple[str, ...], path: tuple[str, ...]
) -> Mapping[str, EntryPoint]:
    """What packages bring; read once for each state of the import path.

    Raises:
        PluginError: a name is ours, no name of an option, or brought twice.
    """
    found: dict[str, EntryPoint] = {}
    for point in sorted(_installed(path).select(group=group), key=lambda point: point.name):
        if point.name in ours or not _is_name(point.name):
            raise PluginError(
                f"{_package(point)} brings a {noun} {point.name!r}, expected a name of small "
                f"letters, digits and _ other than {', '.join(ours)}: update or uninstall that "
                "package"
            )
        if point.name in found and found[point.name].value != point.value:
            raise PluginError(
                f"{_package(found[point.name])} and {_package(point)} both bring a {noun} "
                f"{point.name!r}: uninstall one of them"
            )
        found[point.name] = point
    return found


def _is_name(name: str) -> bool:
    return name.isidentifier() and name.isascii() and name == name.lower()


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value
