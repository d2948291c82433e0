"""Reach: an interval of pixels along one axis, followed from a layer's outputs to its inputs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reach:
    """The pixels `first` to `last` along one axis.

    If these are outputs of a layer, the methods `before_...` return the input pixels on which
    they depend.
    """

    first: int
    last: int

    def before_conv(self, kernel: int, stride: int, padding: int) -> "Reach":
        return Reach(self.first * stride - padding, self.last * stride - padding + kernel - 1)

    def before_deconv(self, kernel: int, stride: int, padding: int) -> "Reach":
        return Reach(
            -(-(self.first + padding - kernel + 1) // stride), (self.last + padding) // stride
        )

    def before_pool(self) -> "Reach":
        """For 2x2 pooling."""
        return Reach(2 * self.first, 2 * self.last + 1)

    def before_growth(self, factor: int) -> "Reach":
        """For layers that turn one input pixel into `factor` output pixels."""
        return Reach(self.first // factor, self.last // factor)

    def joined(self, other: "Reach") -> "Reach":
        """Return the smallest interval that contains both."""
        return Reach(min(self.first, other.first), max(self.last, other.last))
