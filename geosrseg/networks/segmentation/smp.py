"""Segmentation networks of the library segmentation_models.pytorch."""

import re

from torch import Tensor, nn

from geosrseg.core.text.numerals import shown
from geosrseg.errors import RunError
from geosrseg.extras import extra
from geosrseg.networks.part import Part


class LibrarySegmentation(Part):
    """A network of segmentation_models.pytorch with random weights; nothing is downloaded.

    Args:
        name: the library's ``ARCHITECTURE/ENCODER``, such as ``deeplabv3plus/resnet34``.

    Raises:
        RunError: the library has no such network.
        MissingExtraError: the library is not installed.
    """

    def __init__(self, bands: int, classes: int, *, name: str) -> None:
        super().__init__()
        with extra("smp"):
            import segmentation_models_pytorch as smp  # noqa: PLC0415
        # The library and timm also accept names of hubs and folders, which could run code.
        if not re.fullmatch(r"[\w.+-]+/[\w.+-]+", name, re.ASCII):
            raise RunError(
                f"there is no such network {shown(name)}: expected ARCHITECTURE/ENCODER such as "
                "deeplabv3plus/resnet34"
            )
        architecture, _, encoder = name.partition("/")
        try:
            self.network = smp.create_model(
                architecture, encoder, encoder_weights=None, in_channels=bands, classes=classes
            )
        except (KeyError, ValueError, RuntimeError) as error:
            detail = str(error).partition("\n")[0].strip("'\"")
            raise RunError(
                f"segmentation_models.pytorch has no network {name!r}: expected "
                f"ARCHITECTURE/ENCODER such as deeplabv3plus/resnet34 ({detail})"
            ) from error
        self.multiple = int(self.network.encoder.output_stride)

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)

    @property
    def encoder(self) -> nn.Module:
        encoder: nn.Module = self.network.encoder
        return encoder

    @property
    def last_conv(self) -> nn.Conv2d:
        convolutions = [m for m in self.network.segmentation_head.modules() if type(m) is nn.Conv2d]
        return convolutions[-1]
