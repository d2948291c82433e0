"""The initial network of a training, with random or given weights."""

import warnings
from collections.abc import Iterable, Iterator
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
from geosrseg.training.starting.transfer import Misfit, transfer

VGG16 = "vgg16"
"""Name of torchvision's published weights, with batch normalization."""

VGG16_URL = "https://download.pytorch.org/models/vgg16_bn-6c64b313.pth"
VGG16_HASH = "6c64b313"
"""First digits of the file's SHA-256."""


@dataclass(frozen=True, eq=False, kw_only=True)
class InitialNetwork:
    """A network with its initial weights.

    Attributes:
        card: the dataset card, with the reflectance ranges that the weights were trained on.
        files: SHA-256 of each file of weights, in hexadecimal.
        folded: the statistics of batch normalizations must be measured, see `settle`.
    """

    network: JointNetwork
    card: DatasetCard
    files: tuple[str, ...] = field(default=())
    folded: bool = False

    def settle(self, images: Iterable[Tensor]) -> None:
        """Measure on LR images the statistics that the weights' file lacks."""
        if self.folded:
            measure_statistics(self.network, images)


def initial_network(config: NetworkConfig, card: DatasetCard, start: Start) -> InitialNetwork:
    """Build a network and load its initial weights.

    Warns:
        RunWarning: some layers or bands do not fit; or the weights require other reflectance
            ranges than the card's.

    Raises:
        ModelError: there is no such model.
        RunError: a file cannot be read, or belongs to another network.
    """
    network = build_network(config)
    pretrained = None
    if start.init is not None:
        with torch.random.fork_rng(devices=[]):  # the file must not change the random layers
            pretrained = read_pretrained(start.init, config)
            misfit = transfer(
                pretrained, network, config, bands=card.bands, classes=card.legend.names
            )
        for text in _differences(misfit, pretrained):
            warnings.warn(text, RunWarning, stacklevel=3)
        card = _in_ranges_of(pretrained, card, native=config.upscale_factor == 1)
    published = _load_published(network, config, start)
    return InitialNetwork(
        network=network,
        card=card,
        files=(*([pretrained.sha256] if pretrained else []), *map(hash_file, published)),
        folded=pretrained is not None and pretrained.folded,
    )


def _differences(misfit: Misfit, pretrained: Pretrained) -> Iterator[str]:
    """Say what does not fit, one sentence a kind."""
    name = pretrained.name
    if misfit.random:
        yield (
            f"{name} lacks parts of this network, which start at random: {', '.join(misfit.random)}"
        )
    if misfit.zero:
        yield f"{name} lacks bands, whose weights start at zero: {', '.join(misfit.zero)}"
    if misfit.lost:
        yield (
            f"this network lacks inputs that {name} has learned from: {', '.join(misfit.lost)}: "
            f"a card with the bands {', '.join(pretrained.bands)}, in this order, keeps them"
        )


def _load_published(network: JointNetwork, config: NetworkConfig, start: Start) -> list[Path]:
    """Load published weights into the parts; return their files."""
    if not isinstance(network, EndToEnd):
        if given := start.init_sr or start.init_seg:
            raise RunError(
                f"{given} holds weights for an SR or segmentation part, and {config.joint} is a "
                "single network: use `init`"
            )
        return []
    files = []
    if start.init_sr is not None:
        if not isinstance(network.sr, DBPN):
            raise RunError(
                f"{start.init_sr} fits a plain D-DBPN only, as its last convolution gives the "
                "image: use --sr dbpn and no residual form"
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
            f"{init_seg} fits the encoder of SegNet or of a library network only: use --seg "
            "segnet or --seg smp:ARCHITECTURE/ENCODER"
        )
    return path


def _in_ranges_of(pretrained: Pretrained, card: DatasetCard, *, native: bool) -> DatasetCard:
    """Replace a card's reflectance ranges by those that the weights were trained on."""
    real = card.lr if not native else None
    limits = zip(*((real.low, real.high) if real else (card.low, card.high)), strict=True)
    own = dict(zip(card.bands, limits, strict=True))
    theirs = {band.casefold(): pair for band, pair in pretrained.ranges.items()}
    known = {band: theirs.get(band.casefold(), pair) for band, pair in own.items()}
    new_low, new_high = zip(*known.values(), strict=True)
    if changed := [
        f"{band} = [{low:g}, {high:g}]"
        for band, (low, high) in known.items()
        if (low, high) != own[band]
    ]:
        warnings.warn(
            f"the reflectance that becomes 0 and 1 is {', '.join(changed)}, as in "
            f"{pretrained.name}, and not as in the card",
            RunWarning,
            stacklevel=4,
        )
    if real:
        return replace(card, lr=replace(real, low=new_low, high=new_high))
    return replace(card, low=new_low, high=new_high)


def _download_vgg16() -> Path:
    """Return torchvision's file in torchvision's cache, downloading it if necessary."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / VGG16_URL.rpartition("/")[2]
    if not path.exists():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(VGG16_URL, str(path), VGG16_HASH, progress=False)
        except (OSError, RuntimeError) as error:
            raise RunError(
                f"{VGG16_URL} cannot be downloaded ({error}): fetch it by other means and use "
                "--init-seg FILE"
            ) from error
    return path
