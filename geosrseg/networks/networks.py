"""The networks by name: ours, the library's, and those that other packages bring.

    --sr   dbpn, espcn
    --seg  segnet, unet, smp:ARCHITECTURE/ENCODER
    --joint  compact: one network in place of both

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

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import entry_points
from typing import Any

from geosrseg.errors import RunError
from geosrseg.networks.compact import Compact
from geosrseg.networks.joint import JointNetwork
from geosrseg.networks.part import Part
from geosrseg.networks.segmentation.segnet import SegNet
from geosrseg.networks.segmentation.smp import LibrarySegmentation
from geosrseg.networks.segmentation.unet import UNet
from geosrseg.networks.super_resolution.dbpn import DBPN
from geosrseg.networks.super_resolution.espcn import ESPCN

Builder = Callable[..., Any]

SR_NETWORKS: Mapping[str, Builder] = {"dbpn": DBPN, "espcn": ESPCN}
SEG_NETWORKS: Mapping[str, Builder] = {"segnet": SegNet, "unet": UNet}
JOINT_NETWORKS: Mapping[str, Builder] = {"compact": Compact}
LIBRARY = "smp:"
"""What the name of a network of segmentation_models.pytorch begins with."""


def build_sr(name: str, bands: int, *, upscale_factor: int, options: Mapping[str, Any]) -> Part:
    """A super-resolution network, freshly initialized.

    Raises:
        RunError: there is no such network, or it does not take these options.
    """
    builder = _find("sr", name, SR_NETWORKS)
    part: Part = _call("sr", name, builder, (bands,), {"upscale_factor": upscale_factor}, options)
    return part


def build_seg(name: str, bands: int, classes: int, *, options: Mapping[str, Any]) -> Part:
    """A segmentation network, freshly initialized.

    Raises:
        RunError: there is no such network, or it does not take these options.
    """
    if name.startswith(LIBRARY):
        builder: Builder = partial(LibrarySegmentation, name=name.removeprefix(LIBRARY))
    else:
        builder = _find("seg", name, SEG_NETWORKS)
    part: Part = _call("seg", name, builder, (bands, classes), {}, options)
    return part


def build_joint(
    name: str,
    bands: int,
    classes: int,
    *,
    upscale_factor: int,
    trains_sr: bool,
    options: Mapping[str, Any],
) -> JointNetwork:
    """A network for both images, freshly initialized.

    Args:
        name: of the network.
        bands: input bands.
        classes: output classes.
        upscale_factor: target pixels per source pixel along each axis.
        trains_sr: it learns an SR image; else it gives the bicubic one.
        options: its keyword arguments.

    Raises:
        RunError: there is no such network, or it does not take these options.
    """
    builder = _find("joint", name, JOINT_NETWORKS)
    given = {"upscale_factor": upscale_factor, "trains_sr": trains_sr}
    network: JointNetwork = _call("joint", name, builder, (bands, classes), given, options)
    network.upscale_factor = upscale_factor
    return network


def _find(kind: str, name: str, ours: Mapping[str, Builder]) -> Builder:
    if name in ours:
        return ours[name]
    others = entry_points(group=f"geosrseg.{kind}")
    if name in others.names:
        builder: Builder = others[name].load()
        return builder
    more = [f"{LIBRARY}ARCHITECTURE/ENCODER"] if kind == "seg" else []
    known = ", ".join([*ours, *more, *sorted(others.names)])
    raise RunError(f"--{kind} {name}: there is no such network, expected one of {known}")


def _call(
    kind: str,
    name: str,
    builder: Builder,
    sizes: tuple[int, ...],
    given: Mapping[str, int],
    options: Mapping[str, Any],
) -> Any:
    known = [
        key
        for key, parameter in inspect.signature(builder).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and key not in (*given, "name")
    ]
    if unknown := [key for key in options if key not in known]:
        raise RunError(
            f"--{kind} {name} has no option {unknown[0]}, expected "
            f"{', '.join(known) or 'none at all'}"
        )
    try:
        network = builder(*sizes, **given, **options)
    except ValueError as error:
        raise RunError(f"--{kind} {name}: {error}") from error
    network.bands = sizes[0]
    return network
