"""MapOptions: the options of a map, independent of scene and model."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from geosrseg.core.option import options_of, unknown_option
from geosrseg.errors import PluginError
from geosrseg.mapping.layers.layers import CLASSES, LAYERS, check_layers
from geosrseg.mapping.windowing import Windowing
from geosrseg.products.products import PRODUCTS, Products
from geosrseg.raster.reading import Reading

SINGLE = ("count_areas", "legend", "title")
"""Options that belong to no group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapOptions:
    """The options of a map.

    Attributes:
        reading: how to read the scene.
        windows: how to cut the scene into windows.
        layers: names of the layers; the class map is always added.
        products: the files to make from the finished map.
        legend: a file that merges or renames classes; None keeps the model's classes.
    """

    reading: Reading = field(default_factory=Reading)
    windows: Windowing = field(default_factory=Windowing)
    layers: Sequence[str] = ()
    products: Products = field(default_factory=Products)
    legend: str | Path | None = None

    def __post_init__(self) -> None:
        asked = [self.layers] if isinstance(self.layers, str) else self.layers
        object.__setattr__(self, "layers", check_layers(asked))

    def having(self, **named: Any) -> "MapOptions":
        """Return a copy with some options changed, named as on the command line.

        Args:
            named: fields of `Reading` and `Windowing`; True or False for a layer, a path for a
                product file, and the fields of a product's own options.

        Raises:
            GeosrsegError: an option does not exist, or its value is unusable.
        """
        if not named:
            return self
        parts = _sorted(named)
        layers = {**dict.fromkeys(self.layers, True), **parts.layers}
        files = {**self.products.files, **parts.files}
        own = dict(self.products.options)
        for name, values in parts.own.items():
            group: Any = PRODUCTS.options(name)
            own[name] = replace(own.get(name, group()), **values)
        return MapOptions(
            reading=replace(self.reading, **parts.reading),
            windows=replace(self.windows, **parts.windows),
            layers=[name for name, wanted in layers.items() if wanted],
            products=Products(
                files={name: path for name, path in files.items() if path is not None},
                options=own,
                count_areas=parts.single.get("count_areas", self.products.count_areas),
                title=parts.single.get("title", self.products.title),
            ),
            legend=parts.single.get("legend", self.legend),
        )


@dataclass(frozen=True, slots=True)
class _Parts:
    """Named options, sorted by the group that they belong to."""

    reading: dict[str, Any] = field(default_factory=dict)
    windows: dict[str, Any] = field(default_factory=dict)
    layers: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Any] = field(default_factory=dict)
    own: dict[str, dict[str, Any]] = field(default_factory=dict)
    single: dict[str, Any] = field(default_factory=dict)


def _sorted(named: Mapping[str, Any]) -> _Parts:
    parts = _Parts()
    places: dict[str, dict[str, Any]] = dict.fromkeys(SINGLE, parts.single)

    def add(names: Iterable[str], place: dict[str, Any]) -> None:
        for name in names:
            if name in places:
                raise PluginError(
                    f"two options of a map are called {name}: update or uninstall the package that "
                    "brings one of them"
                )
            places[name] = place

    add(options_of(Reading), parts.reading)
    add(options_of(Windowing), parts.windows)
    add((name for name in LAYERS.names if name != CLASSES), parts.layers)
    add(PRODUCTS.names, parts.files)
    for product in PRODUCTS.names:
        if (group := PRODUCTS.options(product)) is not None:
            add(options_of(group), parts.own.setdefault(product, {}))
    for name, value in named.items():
        if name not in places:
            raise unknown_option(name, tuple(places))
        places[name][name] = value
    return replace(parts, own={product: own for product, own in parts.own.items() if own})
