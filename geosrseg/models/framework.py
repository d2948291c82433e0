"""The framework: a super-resolution part and a segmentation part, joined.

Section 3.3 and Figure 1 of the paper. The protocols differ only in the SR part:

    end-to-end   D-DBPN, trained with the segmentation
    lr           bicubic upsampling, nothing to train
    hr           the identity on the native image, upscale factor 1
"""

from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor, nn

from geosrseg.models.bicubic import BicubicUpsample
from geosrseg.models.dbpn import DBPN
from geosrseg.models.segnet import SegNet

PROTOCOLS = ("end-to-end", "lr", "hr")


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """What is needed to build a network again.

    Attributes:
        protocol: one of `PROTOCOLS`.
        bands: input bands.
        classes: output classes.
        upscale_factor: target pixels per source pixel along each axis; 1 for ``hr``.
        sr_base: channels of D-DBPN's projection units.
        sr_feat: channels of D-DBPN's first convolution.
        sr_stages: D-DBPN's up-projections.
        residual: D-DBPN adds to the bicubic image, beginning with nothing to add.
        seg_width: factor on SegNet's channels.
        seg_dropout: see `SegNet`.
        logits_block: see `SegNet`.
    """

    protocol: str
    bands: int
    classes: int
    upscale_factor: int
    sr_base: int = 64
    sr_feat: int = 256
    sr_stages: int = 7
    residual: bool = False
    seg_width: float = 1.0
    seg_dropout: float = 0.0
    logits_block: bool = False

    def __post_init__(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise ValueError(f"the protocol is one of {', '.join(PROTOCOLS)}, got {self.protocol}")
        if not self.seg_width > 0 or not 0 <= self.seg_dropout < 1:
            raise ValueError(
                f"a width above 0 and a dropout below 1, got {self.seg_width} and "
                f"{self.seg_dropout}"
            )
        if (self.protocol == "hr") != (self.upscale_factor == 1):
            raise ValueError(f"protocol {self.protocol} with upscale factor {self.upscale_factor}")

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        return asdict(self)


class Residual(nn.Module):
    """An SR network that adds to the bicubic image.

    Its last convolution begins at zero, so training begins at the LR baseline's input.
    """

    def __init__(self, network: DBPN, bicubic: BicubicUpsample) -> None:
        super().__init__()
        self.network = network
        self.bicubic = bicubic
        nn.init.zeros_(network.output_conv.conv.weight)

    def forward(self, lr: Tensor) -> Tensor:
        return self.bicubic(lr) + self.network(lr)


class EndToEnd(nn.Module):
    """LR image in, SR image and logits out.

    Args:
        sr: (N, bands, H, W) -> (N, bands, s·H, s·W).
        seg: (N, bands, s·H, s·W) -> (N, classes, s·H, s·W).
    """

    def __init__(self, sr: nn.Module, seg: SegNet) -> None:
        super().__init__()
        self.sr = sr
        self.seg = seg

    def forward(self, lr: Tensor) -> tuple[Tensor, Tensor]:
        """The SR image, in normalized reflectance and not clipped, and the logits."""
        sr = self.sr(lr)
        return sr, self.seg(sr)


def build_network(config: NetworkConfig) -> EndToEnd:
    """The network that a configuration describes, freshly initialized."""
    factor = config.upscale_factor
    bicubic = BicubicUpsample(config.bands, upscale_factor=factor)
    sr: nn.Module = bicubic
    if config.protocol == "end-to-end":
        dbpn = DBPN(
            config.bands,
            upscale_factor=factor,
            base=config.sr_base,
            feat=config.sr_feat,
            stages=config.sr_stages,
        )
        sr = Residual(dbpn, bicubic) if config.residual else dbpn
    seg = SegNet(
        config.bands,
        config.classes,
        width=config.seg_width,
        dropout=config.seg_dropout,
        logits_block=config.logits_block,
    )
    return EndToEnd(sr, seg)
