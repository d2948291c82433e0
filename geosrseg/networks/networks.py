"""Builds networks by name: ours, the library's and those of other packages.

A package adds a network by an entry point in its pyproject.toml, which names a `Part` (a
`JointNetwork` in the third group) or a function that returns one::

    [project.entry-points."geosrseg.sr"]
    mine = "mypackage:MySR"       # MySR(bands, upscale_factor=4, **options)

    [project.entry-points."geosrseg.seg"]
    mine = "mypackage:MySeg"      # MySeg(bands, classes, **options)

    [project.entry-points."geosrseg.joint"]
    # MyNet(bands, classes, upscale_factor=4, trains_sr=True, **options)
    mine = "mypackage:MyNet"
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from geosrseg.errors import RunError
from geosrseg.networks.network_options import check_names, declared_options, read_value
from geosrseg.registry import Offer, Registry

Builder = Callable[..., Any]

_ROOM = "geosrseg.networks"


def _registry(part: str, noun: str, **ours: str) -> Registry[Builder]:
    offers = {name: Offer(target=f"{_ROOM}.{place}", extra="train") for name, place in ours.items()}
    return Registry(f"geosrseg.{part}", noun, offers)


NETWORKS: Mapping[str, Registry[Builder]] = {
    "sr": _registry(
        "sr", "SR network", dbpn="super_resolution.dbpn:DBPN", espcn="super_resolution.espcn:ESPCN"
    ),
    "seg": _registry(
        "seg",
        "segmentation network",
        segnet="segmentation.segnet:SegNet",
        unet="segmentation.unet:UNet",
    ),
    "joint": _registry("joint", "network for both images", compact="compact:Compact"),
}
"""Networks for each part; ``joint`` serves as both."""

LIBRARY = "smp:"
"""Name prefix of segmentation_models.pytorch's networks."""

GIVEN = ("upscale_factor", "trains_sr", "name")
"""Keyword arguments that follow from the run and are not options."""


def network_names(part: str) -> tuple[str, ...]:
    """List the names of networks for a part, for help and errors."""
    more = (f"{LIBRARY}ARCHITECTURE/ENCODER",) if part == "seg" else ()
    return (*NETWORKS[part].names, *more)


def read_options(part: str, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Convert options given as text to the types that the network declares.

    Args:
        part: ``sr``, ``seg`` or ``joint``.
        values: values by option; those that are not text are kept.

    Raises:
        RunError: there is no such network, option or value.
    """
    known = declared_options(_find(part, name), given=GIVEN)
    check_names(part, name, values, known)
    return {
        key: read_value(part, value, known[key]) if isinstance(value, str) else value
        for key, value in values.items()
    }


def build(part: str, name: str, *sizes: int, options: Mapping[str, Any], **given: int) -> Any:
    """Build a network with random weights.

    Args:
        part: ``sr``, ``seg`` or ``joint``.
        sizes: input bands, and output classes except for ``sr``.
        options: keyword arguments that the network declares.
        given: the other keyword arguments: ``upscale_factor`` for ``sr`` and ``joint``, and
            ``trains_sr`` for ``joint``: whether it learns an SR image or returns the bicubic one.

    Returns:
        A `Part`, or a `JointNetwork` for ``joint``.

    Raises:
        RunError: there is no such network, or it does not accept the options.
    """
    builder = _find(part, name)
    check_names(part, name, options, declared_options(builder, given=GIVEN))
    try:
        network = builder(*sizes, **given, **options)
    except ValueError as error:
        raise RunError(f"`{part}={name}`: {error}") from error
    network.bands = sizes[0]
    if part == "joint":
        network.upscale_factor = given["upscale_factor"]
    return network


def _find(part: str, name: str) -> Builder:
    if part == "seg" and name.startswith(LIBRARY):
        from geosrseg.networks.segmentation.smp import LibrarySegmentation  # noqa: PLC0415

        return partial(LibrarySegmentation, name=name.removeprefix(LIBRARY))
    registry = NETWORKS[part]
    if name not in registry.names:
        raise RunError(
            f"`{part}={name}`: there is no such network, expected one of "
            f"{', '.join(network_names(part))}"
        )
    return registry.load(name)
