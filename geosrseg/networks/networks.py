"""The networks by name: ours, the library's, and those that other packages bring.

A package adds a network by an entry point in its pyproject.toml, which names a `Part` (a
`JointNetwork` in the third group) or a function that returns one. It is called as ours are::

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
from typing import TYPE_CHECKING, Any

from geosrseg.errors import RunError
from geosrseg.networks.network_options import check_names, declared_options, read_value
from geosrseg.registry import Offer, Registry

if TYPE_CHECKING:
    from geosrseg.networks.joint import JointNetwork
    from geosrseg.networks.part import Part

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
"""By the part that they are; `JointNetwork` is both."""

LIBRARY = "smp:"
"""Prefix of the names of segmentation_models.pytorch's networks."""

GIVEN = ("upscale_factor", "trains_sr", "name")
"""Keyword arguments that are no options: they follow from the run."""


def network_names(part: str) -> tuple[str, ...]:
    """The names that a part may have, for help and errors."""
    more = (f"{LIBRARY}ARCHITECTURE/ENCODER",) if part == "seg" else ()
    return (*NETWORKS[part].names, *more)


def read_options(part: str, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a network, where text stands for a value of the declared type.

    Args:
        part: ``sr``, ``seg`` or ``joint``.
        name: of the network.
        values: by option; text is read, any other value is kept.

    Raises:
        RunError: there is no such network, option or value.
    """
    known = declared_options(_find(part, name), given=GIVEN)
    check_names(part, name, values, known)
    return {
        key: read_value(part, value, known[key]) if isinstance(value, str) else value
        for key, value in values.items()
    }


def build_sr(name: str, bands: int, *, upscale_factor: int, options: Mapping[str, Any]) -> "Part":
    """A super-resolution network, freshly initialized.

    Raises:
        RunError: there is no such network, or it does not take these options.
    """
    part: Part = _build("sr", name, (bands,), {"upscale_factor": upscale_factor}, options)
    return part


def build_seg(name: str, bands: int, classes: int, *, options: Mapping[str, Any]) -> "Part":
    """A segmentation network, freshly initialized.

    Raises:
        RunError: there is no such network, or it does not take these options.
    """
    part: Part = _build("seg", name, (bands, classes), {}, options)
    return part


def build_joint(
    name: str,
    bands: int,
    classes: int,
    *,
    upscale_factor: int,
    trains_sr: bool,
    options: Mapping[str, Any],
) -> "JointNetwork":
    """A network for both images, freshly initialized.

    Args:
        name: of the network.
        upscale_factor: target pixels per source pixel along each axis.
        trains_sr: it learns an SR image; else it gives the bicubic one.
        options: its keyword arguments.

    Raises:
        RunError: there is no such network, or it does not take these options.
    """
    given = {"upscale_factor": upscale_factor, "trains_sr": trains_sr}
    network: JointNetwork = _build("joint", name, (bands, classes), given, options)
    network.upscale_factor = upscale_factor
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


def _build(
    part: str,
    name: str,
    sizes: tuple[int, ...],
    given: Mapping[str, int],
    options: Mapping[str, Any],
) -> Any:
    builder = _find(part, name)
    check_names(part, name, options, declared_options(builder, given=GIVEN))
    try:
        network = builder(*sizes, **given, **options)
    except ValueError as error:
        raise RunError(f"`{part}={name}`: {error}") from error
    network.bands = sizes[0]
    return network
