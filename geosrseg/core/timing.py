"""Timing: the durations of repeated runs of the same work."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations of several runs of the same work.

    A shared machine is slow at times: the median says what to expect, and the range how far
    to trust it.

    Attributes:
        seconds: duration of each run, in the order of the runs.
    """

    seconds: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.seconds or min(self.seconds) <= 0:
            raise ValueError(f"a timing has runs that took a while, got {self.seconds}")

    @property
    def median(self) -> float:
        return median(self.seconds)

    def rates(self, amount: float) -> Mapping[str, float]:
        """Return the rate per second (median, min, max) if each run did this amount of work."""
        return {
            "median": amount / self.median,
            "min": amount / max(self.seconds),
            "max": amount / min(self.seconds),
        }
