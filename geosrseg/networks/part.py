"""Part: the interface of a super-resolution or segmentation network.

Derive your own networks from `Part`. Only `forward` is required; the other members are optional.
docs/extending.md shows an example from the class to the class map.
"""

from torch import nn

from geosrseg.networks.reach import Reach


class Part(nn.Module):
    """One half of the framework.

    A super-resolution part maps (N, bands, H, W) to (N, bands, s·H, s·W), a segmentation
    part (N, bands, H, W) to (N, classes, H, W) logits. Images are normalized reflectance,
    mostly in [0, 1].

    The function registered for its class in `networks.onnx.layers` writes it as ONNX; without one,
    PyTorch's exporter does (`networks.onnx.tracing`).

    A segmentation part with a module `encoder` can start with published weights, and keep them.

    Attributes:
        bands: input bands; set by `networks.networks.build`.
        multiple: alignment of windows in input pixels, so that overlapping windows give the same
            result: the product of all strides of the encoder.
    """

    bands: int
    multiple: int = 1

    def before(self, outputs: Reach) -> Reach | None:
        """Return the input pixels on which output pixels can depend.

        None if unknown: `halo.exact_halo` then runs the part to find out, which works for
        everything except pooling with indices.
        """
        return None

    @property
    def last_conv(self) -> nn.Conv2d:
        """The convolution whose outputs are the image or the logits.

        The residual form sets its weights to zero initially; class offsets are added to its bias.

        Raises:
            TypeError: the part does not define it.
        """
        raise TypeError(f"{type(self).__name__} does not say which of its layers is the last")


def check_width(width: float, dropout: float) -> None:
    """Check a factor on channels and a share of dropout.

    Raises:
        ValueError: a width of 0 or less, or a dropout outside [0, 1).
    """
    if not width > 0 or not 0 <= dropout < 1:
        raise ValueError(
            f"expected a width above 0 and a dropout below 1, got {width} and {dropout}"
        )


def initialize(module: nn.Module) -> None:
    """Initialize a convolution with normal weights of deviation √(2/N) and a bias of zero."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
