"""Timing: how long something took, several times over."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Timing:
    """What several runs of the same work took.

    A shared machine is slow at times: the median says what to expect, and the range how much
    to trust it.

    Attributes:
        seconds: of each run, in the order in which they were made.
    """

    seconds: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.seconds or min(self.seconds) <= 0:
            raise ValueError(f"a timing has runs that took a while, got {self.seconds}")

    @property
    def median(self) -> float:
        """Seconds of the middle run."""
        return median(self.seconds)

    def rates(self, amount: float) -> Mapping[str, float]:
        """How much of `amount`, which each run did, is done in a second: median, min, max."""
        return {
            "median": amount / self.median,
            "min": amount / max(self.seconds),
            "max": amount / min(self.seconds),
        }
