"""Reach: an interval of pixels along one axis, followed from a layer's outputs to its inputs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reach:
    """The pixels `first` to `last` along one axis."""

    first: int
    last: int

    def before_conv(self, kernel: int, stride: int, padding: int) -> "Reach":
        """Return the input pixels on which these outputs of a convolution depend."""
        return Reach(self.first * stride - padding, self.last * stride - padding + kernel - 1)

    def before_deconv(self, kernel: int, stride: int, padding: int) -> "Reach":
        """Return the input pixels on which these outputs of a transposed convolution depend."""
        return Reach(
            -(-(self.first + padding - kernel + 1) // stride), (self.last + padding) // stride
        )

    def before_pool(self) -> "Reach":
        """Return the input pixels on which these outputs of 2x2 pooling depend."""
        return Reach(2 * self.first, 2 * self.last + 1)

    def before_growth(self, factor: int) -> "Reach":
        """Return the input pixels of these outputs, if each input pixel gives `factor` outputs."""
        return Reach(self.first // factor, self.last // factor)

    def joined(self, other: "Reach") -> "Reach":
        """Return the smallest interval that contains both."""
        return Reach(min(self.first, other.first), max(self.last, other.last))
