"""The layers by name: the built-in ones, and those that other packages bring.

A package adds a layer by an entry point of the group ``geosrseg.layers`` that names a subclass
of `Layer`. Its name is that of the option, of the file and of the STAC asset.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from geosrseg.errors import GeosrsegError
from geosrseg.registry import Offer, Registry

if TYPE_CHECKING:
    from geosrseg.mapping.layers.layer import Layer

CLASSES, CONFIDENCE, PROBABILITIES = "classes", "confidence", "probabilities"
"""The layer that every map has."""

_ROOM = "geosrseg.mapping.layers"

LAYERS: "Registry[type[Layer]]" = Registry(
    "geosrseg.layers",
    "layer",
    {
        CLASSES: Offer(target=f"{_ROOM}.classes:Classes", help="the class of each pixel."),
        "confidence": Offer(
            target=f"{_ROOM}.confidence:Confidence",
            help="confidence of each label, and its doubt: how near unknown ground is.",
        ),
        PROBABILITIES: Offer(
            target=f"{_ROOM}.probabilities:Probabilities",
            help="the probability of each class, for mosaics.",
        ),
        "sr": Offer(target=f"{_ROOM}.sr:SuperResolved", help="the super-resolved image."),
        "fractions": Offer(
            target=f"{_ROOM}.fractions:Fractions",
            help="the share of each class in each pixel of the scene.",
        ),
    },
)


def check_layers(wanted: Sequence[str]) -> tuple[str, ...]:
    """The class map and the layers of these names, each once, in the registry's order.

    Raises:
        GeosrsegError: there is no layer of a name.
    """
    names = LAYERS.names
    for name in wanted:
        if name not in names:
            raise GeosrsegError(f"no layer {name!r}: expected some of {', '.join(names)}")
    return tuple(name for name in names if name == CLASSES or name in wanted)


def layer_path(output: Path, layer: str) -> Path:
    """``map.tif`` for the class map, ``map.LAYER.tif`` beside it for every other layer."""
    if layer == CLASSES:
        return output
    return output.with_name(f"{output.stem}.{layer}{output.suffix}")


def identities(layers: Sequence[str]) -> str:
    """The layers as text that differs where another package, or version, brings one."""
    origins = ((name, LAYERS.origin(name)) for name in layers)
    return ", ".join(f"{name} ({origin})" if origin else name for name, origin in origins)
