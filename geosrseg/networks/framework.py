"""The framework: a super-resolution part and a segmentation part, joined.

Section 3.3 and Figure 1 of the paper. The protocols:

    end-to-end   both parts, trained together by the joint loss
    two-stage    both parts, each trained alone: first SR by L1, then the segmentation on
                 the native image (Pereira and dos Santos 2019)
    lr           bicubic upsampling, the segmentation alone is trained
    hr           the native image, upscale factor 1, then the same

One network for both (`networks`, ``--joint``) takes the place of the pair under all but
two-stage.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import Tensor, nn

from geosrseg.networks.joint import JointNetwork
from geosrseg.networks.networks import build_joint, build_seg, build_sr
from geosrseg.networks.part import Part
from geosrseg.networks.reach import Reach
from geosrseg.networks.super_resolution.bicubic import BicubicUpsample

PROTOCOLS = ("end-to-end", "two-stage", "lr", "hr")


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """What is needed to build a network again.

    Attributes:
        protocol: one of `PROTOCOLS`.
        bands: input bands.
        classes: output classes.
        upscale_factor: target pixels per source pixel along each axis; 1 for ``hr``.
        sr: name of the SR network, see `networks`; of no meaning for ``lr`` and ``hr``.
        sr_options: its keyword arguments, where not their defaults.
        seg: name of the segmentation network.
        seg_options: its keyword arguments, where not their defaults.
        residual: the SR network adds to the bicubic image, beginning with nothing to add.
        joint: name of one network that gives both images, in place of `sr` and `seg`.
        joint_options: its keyword arguments, where not their defaults.
    """

    protocol: str
    bands: int
    classes: int
    upscale_factor: int
    sr: str = "dbpn"
    sr_options: dict[str, Any] = field(default_factory=dict)
    seg: str = "segnet"
    seg_options: dict[str, Any] = field(default_factory=dict)
    residual: bool = False
    joint: str | None = None
    joint_options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise ValueError(f"the protocol is one of {', '.join(PROTOCOLS)}, got {self.protocol}")
        if (self.protocol == "hr") != (self.upscale_factor == 1):
            raise ValueError(f"protocol {self.protocol} with upscale factor {self.upscale_factor}")
        if self.joint is not None and self.two_stage:
            raise ValueError(f"protocol two-stage trains two networks, {self.joint} is one")

    @property
    def trains_sr(self) -> bool:
        """The protocol has an SR network."""
        return self.protocol in ("end-to-end", "two-stage")

    @property
    def two_stage(self) -> bool:
        """The parts are trained one after the other."""
        return self.protocol == "two-stage"

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        return asdict(self)


class Residual(Part):
    """An SR network that adds to the bicubic image.

    Its last convolution begins at zero, so training begins at the LR baseline's input.
    """

    def __init__(self, network: Part, bicubic: BicubicUpsample) -> None:
        super().__init__()
        self.network = network
        self.bicubic = bicubic
        self.bands = network.bands
        self.multiple = network.multiple
        nn.init.zeros_(network.last_conv.weight)
        if network.last_conv.bias is not None:
            nn.init.zeros_(network.last_conv.bias)

    def forward(self, lr: Tensor) -> Tensor:
        return self.bicubic(lr) + self.network(lr)

    def before(self, outputs: Reach) -> Reach | None:
        reach = self.network.before(outputs)
        return None if reach is None else reach.joined(self.bicubic.before(outputs))


class EndToEnd(JointNetwork):
    """The paper's network: two parts in a row, the second sees the first one's image alone.

    Args:
        sr: (N, bands, H, W) -> (N, bands, s·H, s·W).
        seg: (N, bands, s·H, s·W) -> (N, classes, s·H, s·W).
        upscale_factor: s.
    """

    def __init__(self, sr: Part, seg: Part, *, upscale_factor: int) -> None:
        super().__init__()
        self.sr = sr
        self.seg = seg
        self.bands = sr.bands
        self.upscale_factor = upscale_factor

    def forward(self, lr: Tensor) -> tuple[Tensor, Tensor]:
        sr = self.sr(lr)
        return sr, self.seg(sr)

    def super_resolve(self, lr: Tensor) -> Tensor:
        sr: Tensor = self.sr(lr)
        return sr

    def segment(self, hr: Tensor) -> Tensor:
        logits: Tensor = self.seg(hr)
        return logits

    @property
    def multiple(self) -> int:
        of_seg = self.seg.multiple // math.gcd(self.seg.multiple, self.upscale_factor)
        return math.lcm(self.sr.multiple, of_seg)

    @property
    def chain(self) -> Sequence[tuple[Part, int]]:
        return [(self.seg, 1), (self.sr, self.upscale_factor)]

    def parts(self) -> Mapping[str, nn.Module | None]:
        sr = None if isinstance(self.sr, BicubicUpsample) else self.sr
        return {"sr": sr, "seg": self.seg, "encoder": getattr(self.seg, "encoder", None)}

    @property
    def last_conv(self) -> nn.Conv2d:
        return self.seg.last_conv

    @property
    def sr_parameters(self) -> list[nn.Parameter]:
        return list(self.sr.parameters())


def build_network(config: NetworkConfig) -> JointNetwork:
    """The network that a configuration describes, freshly initialized.

    Raises:
        RunError: it names a network that there is not, or options that it does not take.
    """
    factor = config.upscale_factor
    if config.joint is not None:
        return build_joint(
            config.joint,
            config.bands,
            config.classes,
            upscale_factor=factor,
            trains_sr=config.trains_sr,
            options=config.joint_options,
        )
    # First, so that with one seed it begins alike in every protocol.
    seg = build_seg(config.seg, config.bands, config.classes, options=config.seg_options)
    bicubic = BicubicUpsample(config.bands, upscale_factor=factor)
    sr: Part = bicubic
    if config.trains_sr:
        sr = build_sr(config.sr, config.bands, upscale_factor=factor, options=config.sr_options)
        if config.residual:
            sr = Residual(sr, bicubic)
    return EndToEnd(sr, seg, upscale_factor=factor)
