"""The network that a training begins with: random, or with published weights."""

from pathlib import Path

import torch

from geosrseg.errors import RunError
from geosrseg.networks.framework import EndToEnd, NetworkConfig, build_network
from geosrseg.networks.joint import JointNetwork
from geosrseg.networks.reference_weights import load_dbpn, load_vgg16
from geosrseg.networks.segmentation.segnet import SegNet
from geosrseg.networks.super_resolution.dbpn import DBPN

VGG16 = "vgg16"
"""Stands for torchvision's published weights, with batch normalization."""

VGG16_URL = "https://download.pytorch.org/models/vgg16_bn-6c64b313.pth"
VGG16_HASH = "6c64b313"
"""How the SHA-256 of the file begins, as its name says."""


def initial_network(
    config: NetworkConfig, *, init_sr: Path | None, init_seg: str | Path | None
) -> JointNetwork:
    """Build a network and load what it begins with.

    Args:
        config: the network.
        init_sr: a D-DBPN file, see `reference_weights`.
        init_seg: a VGG16 file, see there; or ``vgg16`` for torchvision's, which is
            downloaded once.

    Raises:
        RunError: a file cannot be read, or is of another network.
    """
    network = build_network(config)
    if not isinstance(network, EndToEnd):
        if given := init_sr or init_seg:
            raise RunError(f"{given} begins a part of a pair of networks, {config.joint} is one")
        return network
    if init_sr is not None:
        if not isinstance(network.sr, DBPN):
            raise RunError(
                f"{init_sr} cannot begin a network whose SR part is no plain D-DBPN: its last "
                "convolution gives the image, use --sr dbpn and no residual form"
            )
        load_dbpn(network.sr, init_sr, adapt_bands=True)
    if init_seg is not None:
        if not isinstance(network.seg, SegNet):
            raise RunError(f"{init_seg} can begin SegNet's encoder only: use --seg segnet")
        path = _download_vgg16() if str(init_seg) == VGG16 else Path(init_seg)
        load_vgg16(network.seg, path, adapt_bands=True)
    return network


def _download_vgg16() -> Path:
    """The file of torchvision, where torchvision keeps it."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / VGG16_URL.rpartition("/")[2]
    if not path.exists():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(VGG16_URL, str(path), VGG16_HASH, progress=False)
        except (OSError, RuntimeError) as error:
            raise RunError(
                f"{VGG16_URL} cannot be downloaded ({error}): get it another way and give the "
                "file, --init-seg FILE"
            ) from error
    return path
