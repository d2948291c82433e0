"""The initial network of a training: random, or with given weights."""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from geosrseg.datasets.card.card import DatasetCard
from geosrseg.errors import RunError, RunWarning
from geosrseg.networks.framework import EndToEnd, NetworkConfig, build_network
from geosrseg.networks.joint import JointNetwork
from geosrseg.networks.segmentation.segnet import SegNet
from geosrseg.networks.segmentation.smp import LibrarySegmentation
from geosrseg.networks.super_resolution.dbpn import DBPN
from geosrseg.regular_file import hash_file
from geosrseg.training.starting.pretrained import Pretrained, read_pretrained
from geosrseg.training.starting.reference_weights import load_dbpn, load_encoder, load_vgg16
from geosrseg.training.starting.start import Start
from geosrseg.training.starting.statistics import measure_statistics
from geosrseg.training.starting.transfer import transfer

VGG16 = "vgg16"
"""Stands for torchvision's published weights, with batch normalization."""

VGG16_URL = "https://download.pytorch.org/models/vgg16_bn-6c64b313.pth"
VGG16_HASH = "6c64b313"
"""How the SHA-256 of the file begins, as its name says."""


@dataclass(frozen=True, eq=False, kw_only=True)
class InitialNetwork:
    """The start of a training.

    Attributes:
        network: with its weights.
        card: the dataset, its bands normalized as the weights know them.
        files: SHA-256 of each file that weights come from, in hexadecimal.
        folded: batch normalizations have yet to be measured, see `settle`.
    """

    network: JointNetwork
    card: DatasetCard
    files: tuple[str, ...] = field(default=())
    folded: bool = False

    def settle(self, images: Iterable[Tensor]) -> None:
        """Measure on LR images what the weights' file did not hold."""
        if self.folded:
            measure_statistics(self.network, images)


def initial_network(config: NetworkConfig, card: DatasetCard, start: Start) -> InitialNetwork:
    """Build a network and load its initial weights.

    Args:
        card: what it is trained on.
        start: its initial weights.

    Warns:
        RunWarning: some layers do not fit and start at random; or bands are normalized otherwise
            than the card says.

    Raises:
        ModelError: there is no such model.
        RunError: a file cannot be read, or is of another network.
    """
    network = build_network(config)
    pretrained = None
    if start.init is not None:
        with torch.random.fork_rng(devices=[]):  # random layers do not depend on the file
            pretrained = read_pretrained(start.init, config)
            anew = transfer(
                pretrained, network, config, bands=card.bands, classes=card.legend.names
            )
        if anew:
            warnings.warn(
                f"{pretrained.name} does not have all of this network; these start at random: "
                f"{', '.join(anew)}",
                RunWarning,
                stacklevel=3,
            )
        card = _in_ranges_of(pretrained, card, native=config.upscale_factor == 1)
    published = _load_published(network, config, start)
    return InitialNetwork(
        network=network,
        card=card,
        files=(*([pretrained.sha256] if pretrained else []), *map(hash_file, published)),
        folded=pretrained is not None and pretrained.folded,
    )


def _load_published(network: JointNetwork, config: NetworkConfig, start: Start) -> list[Path]:
    """Load the weights of others into the parts; the files are returned."""
    if not isinstance(network, EndToEnd):
        if given := start.init_sr or start.init_seg:
            raise RunError(f"{given} begins a part of a pair of networks, {config.joint} is one")
        return []
    files = []
    if start.init_sr is not None:
        if not isinstance(network.sr, DBPN):
            raise RunError(
                f"{start.init_sr} cannot begin a network whose SR part is no plain D-DBPN: its "
                "last convolution gives the image, use --sr dbpn and no residual form"
            )
        files.append(Path(start.init_sr))
        load_dbpn(network.sr, files[-1], adapt_bands=True)
    if start.init_seg is not None:
        files.append(_load_encoder(network, start.init_seg))
    return files


def _load_encoder(network: EndToEnd, init_seg: str | Path) -> Path:
    if isinstance(network.seg, SegNet):
        path = _download_vgg16() if str(init_seg) == VGG16 else Path(init_seg)
        load_vgg16(network.seg, path, adapt_bands=True)
    elif isinstance(network.seg, LibrarySegmentation):
        path = Path(init_seg)
        load_encoder(network.seg.encoder, path, bands=network.seg.bands)
    else:
        raise RunError(
            f"{init_seg} can begin SegNet's encoder or one of the library only: use --seg segnet "
            "or --seg smp:ARCHITECTURE/ENCODER"
        )
    return path


def _in_ranges_of(pretrained: Pretrained, card: DatasetCard, *, native: bool) -> DatasetCard:
    """A card whose bands become network input as those did that the weights learned from."""
    real = card.lr if not native else None
    low, high = (real.low, real.high) if real else (card.low, card.high)
    known = pretrained.ranges(card.bands, list(zip(low, high, strict=True)))
    new_low, new_high = zip(*known, strict=True)
    if changed := [
        f"{band} = [{known[number][0]:g}, {known[number][1]:g}]"
        for number, band in enumerate(card.bands)
        if known[number] != (low[number], high[number])
    ]:
        warnings.warn(
            f"as in {pretrained.name}, the reflectance that becomes 0 and 1 is {', '.join(changed)}"
            ", and not what the card's bands say",
            RunWarning,
            stacklevel=4,
        )
    if real:
        return replace(card, lr=replace(real, low=new_low, high=new_high))
    return replace(card, low=new_low, high=new_high)


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
