"""The framework: joins a super-resolution part and a segmentation part.

Section 3.3 and Figure 1 of the paper. The protocols:

    end-to-end   both parts, trained together by the joint loss
    two-stage    both parts, trained separately: first SR by L1, then the segmentation on
                 the native image (Pereira and dos Santos 2019)
    lr           bicubic upsampling; trains the segmentation alone
    hr           the native image, upscale factor 1; trains the segmentation alone

One network for both (`networks`, ``--joint``) can replace the pair, except for two-stage.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import Tensor, nn

from geosrseg.errors import RunError
from geosrseg.networks.joint import JointNetwork
from geosrseg.networks.networks import build
from geosrseg.networks.part import Part
from geosrseg.networks.reach import Reach
from geosrseg.networks.super_resolution.bicubic import BicubicUpsample

PROTOCOLS = ("end-to-end", "two-stage", "lr", "hr")


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """Everything needed to build a network.

    Attributes:
        protocol: one of `PROTOCOLS`.
        upscale_factor: target pixels per source pixel along each axis; 1 for ``hr``.
        sr: name of the SR network, see `networks`; ignored for ``lr`` and ``hr``.
        sr_options: keyword arguments of the SR network; the defaults for others.
        residual: the SR network adds its output to the bicubic image, starting with zero.
        joint: name of one network for both images, which replaces `sr` and `seg`.
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
        """Whether the protocol has an SR network."""
        return self.protocol in ("end-to-end", "two-stage")

    @property
    def two_stage(self) -> bool:
        return self.protocol == "two-stage"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Residual(Part):
    """An SR network whose output is added to the bicubic image.

    Its last convolution is initially zero, so training starts at the input of protocol ``lr``.
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
    """The paper's network: two parts in sequence; the second only sees the first one's image.

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
    """Build the network of a configuration, with random weights.

    Raises:
        RunError: there is no such network, or it does not accept the options or has no residual
            form.
    """
    factor, sizes = config.upscale_factor, (config.bands, config.classes)
    if config.joint is not None:
        joint: JointNetwork = build(
            "joint",
            config.joint,
            *sizes,
            upscale_factor=factor,
            trains_sr=config.trains_sr,
            options=config.joint_options,
        )
        return joint
    # First, so that its weights for a seed are the same under every protocol.
    seg: Part = build("seg", config.seg, *sizes, options=config.seg_options)
    bicubic = BicubicUpsample(config.bands, upscale_factor=factor)
    sr: Part = bicubic
    if config.trains_sr:
        sr = build("sr", config.sr, config.bands, upscale_factor=factor, options=config.sr_options)
        if config.residual:
            try:
                sr = Residual(sr, bicubic)
            except TypeError as error:
                raise RunError(
                    f"`residual`: {error}: define `last_conv` of {config.sr}, or use "
                    "`residual=False`"
                ) from error
    return EndToEnd(sr, seg, upscale_factor=factor)
