"""Part: what a super-resolution or a segmentation network has to provide.

A network of your own is a `Part`. Only `forward` is needed; each of the rest makes
something better or possible. docs/extending.md shows one from the class to the class map.
"""

from torch import nn

from geosrseg.networks.reach import Reach


class Part(nn.Module):
    """One half of the framework.

    A super-resolution part maps (N, bands, H, W) to (N, bands, s·H, s·W), a segmentation
    part (N, bands, H, W) to (N, classes, H, W) logits. Images are normalized reflectance,
    mostly in [0, 1].

    Its ONNX form is the function registered for its class in `networks.onnx.layers`, or without one
    what PyTorch's exporter makes of it (`networks.onnx.tracing`).

    A segmentation part whose attribute `encoder` is a module can start with published
    weights, and keep them.

    Attributes:
        bands: input bands; set by the registry that built it.
        multiple: input pixels on whose multiples windows begin and end, for the same ground
            to give the same answer: the product of all strides on the way down.
    """

    bands: int
    multiple: int = 1

    def before(self, outputs: Reach) -> Reach | None:
        """The input pixels on which output pixels can depend.

        None where that is not known: `halo.exact_halo` then finds out by running the
        part, which is right for everything but pooling with indices.
        """
        return None

    @property
    def last_conv(self) -> nn.Conv2d:
        """The convolution whose outputs are the image or the logits.

        The residual form begins with its weights at zero, and class offsets are added to
        its bias.

        Raises:
            TypeError: the part has none.
        """
        raise TypeError(f"{type(self).__name__} does not say which of its layers is the last")


def check_width(width: float, dropout: float) -> None:
    """Refuse what makes no network.

    Raises:
        ValueError: a width of 0 or less, or a dropout that leaves nothing.
    """
    if not width > 0 or not 0 <= dropout < 1:
        raise ValueError(f"a width above 0 and a dropout below 1, got {width} and {dropout}")
