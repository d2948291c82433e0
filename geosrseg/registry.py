"""Registries: layers, products, devices and so on by name, both built-in and from plugins.

A built-in object is registered by its module, a plugin's object by an entry point, so that neither
is imported before it is used::

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
    """A built-in object, described without importing it.

    Attributes:
        target: ``module:name`` of the object.
        help: description for ``--help``.
        metavar: placeholder for the value of its option.
        extra: name of the extra that its module needs.
        options: ``module:name`` of the dataclass of its own options.
    """

    target: str
    help: str = ""
    metavar: str = "FILE"
    extra: str = ""
    options: str = ""


class Registry(Generic[T]):
    """The objects of one kind.

    Args:
        group: entry point group of plugins.
        noun: name of the kind in messages.
        ours: the built-in objects; a plugin cannot replace them.
    """

    def __init__(self, group: str, noun: str, ours: Mapping[str, Offer]) -> None:
        self.group = group
        self._noun = noun
        self._ours = ours

    @property
    def names(self) -> tuple[str, ...]:
        """The built-in names in their order, then those of plugins, sorted."""
        return (*self._ours, *self._brought())

    def load(self, name: str) -> T:
        """Import the object of this name.

        Raises:
            GeosrsegError: nothing has this name.
            PluginError: the plugin cannot be imported.
            MissingExtraError: a built-in object needs packages that are not installed.
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
        except Exception as error:  # a plugin may raise anything
            raise PluginError(
                f"the {self._noun} {name} of {_package(point)} cannot be loaded "
                f"({type(error).__name__}: {error}): update or uninstall that package"
            ) from error
        return thing

    def help(self, name: str) -> str:
        """The description of a name for ``--help``."""
        return self._ours[name].help if name in self._ours else self._said(name, "help", "")

    def metavar(self, name: str) -> str:
        """The placeholder for the value of a name's option."""
        if name in self._ours:
            return self._ours[name].metavar
        return self._said(name, "metavar", "FILE")

    def options(self, name: str) -> type | None:
        """The dataclass of a name's own options; None if it has none."""
        if name not in self._ours:
            return self._said(name, "options", None)
        offer = self._ours[name]
        return self._import(offer, offer.options) if offer.options else None

    def origin(self, name: str) -> str:
        """Package and version of a plugin; empty for a built-in name."""
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
    """All entry points of all packages; cached because finding them is slow."""
    return entry_points()


@cache
def _read_entry_points(
    group: str, noun: str, ours: tuple[str, ...], path: tuple[str, ...]
) -> Mapping[str, EntryPoint]:
    """The entry points of plugins by name, read once per state of the import path.

    Raises:
        PluginError: a name is built in, cannot name an option, or occurs twice.
    """
    found: dict[str, EntryPoint] = {}
    for point in sorted(_installed(path).select(group=group), key=lambda point: point.name):
        if point.name in ours or not _is_name(point.name):
            raise PluginError(
                f"{_package(point)} provides a {noun} {point.name!r}, expected a name of "
                f"lower-case letters, digits and _ other than {', '.join(ours)}: update or "
                "uninstall that package"
            )
        if point.name in found and found[point.name].value != point.value:
            raise PluginError(
                f"{_package(found[point.name])} and {_package(point)} both provide a {noun} "
                f"{point.name!r}: uninstall one of them"
            )
        found[point.name] = point
    return found


def _is_name(name: str) -> bool:
    return name.isidentifier() and name.isascii() and name == name.lower()


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value
