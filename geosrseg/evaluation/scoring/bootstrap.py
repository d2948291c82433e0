"""Bootstrap intervals of figures, from repeated draws of the blocks of the test area.

Efron and Tibshirani: An introduction to the bootstrap, 1993, chapter 13 (percentile
intervals). All models share the same draws. The interval of the difference of two models is then
much narrower than their own intervals suggest, because both find the same blocks difficult.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95

Figures = Mapping[str, float]
"""Figures by name; NaN if undefined."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval.

    Attributes:
        value: figure over all blocks, each once.
        low: lower end of the interval; NaN without one.
        high: upper end; NaN without an interval.
    """

    value: float
    low: float
    high: float

    @property
    def defined(self) -> bool:
        """Whether there is a value."""
        return math.isfinite(self.value)

    @property
    def bounded(self) -> bool:
        """Whether there is an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def beyond_zero(self) -> bool:
        """Whether the whole interval is on one side of zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Draws:
    """Repeated draws of `blocks` blocks with replacement, the same at every iteration.

    Iteration yields (blocks,) counts of each block, for each of the `resamples` draws.
    """

    blocks: int
    resamples: int
    seed: int = 0

    def __post_init__(self) -> None:
        if self.blocks < 1 or self.resamples < 1:
            raise ValueError(f"at least one block and one draw, got {self}")

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        generator = np.random.default_rng(self.seed)
        chances = np.full(self.blocks, 1 / self.blocks)
        for _ in range(self.resamples):
            yield generator.multinomial(self.blocks, chances)


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """The figures of one model, in total and for every draw.

    Attributes:
        figures: figures over all blocks, each once.
        draws: (resamples,) values for each figure.
    """

    figures: Figures
    draws: Mapping[str, NDArray[np.float64]]

    def estimates(self) -> dict[str, Estimate]:
        """Return every figure with its interval."""
        return {name: estimate(value, self.draws[name]) for name, value in self.figures.items()}

    def differences(self, baseline: "Resampled") -> dict[str, Estimate]:
        """Return the differences to another model on the same draws."""
        return {
            name: estimate(value - baseline.figures[name], self.draws[name] - baseline.draws[name])
            for name, value in self.figures.items()
        }


def resample(figures: Callable[[NDArray[np.int64]], Figures], draws: Draws) -> Resampled:
    """Compute the figures over all blocks and for every draw.

    Args:
        figures: computes figures from (blocks,) counts of each block.
    """
    whole = figures(np.ones(draws.blocks, np.int64))
    rows = [figures(draw) for draw in draws]
    return Resampled(whole, {name: np.array([row[name] for row in rows]) for name in whole})


def estimate(value: float, draws: NDArray[np.float64]) -> Estimate:
    """Return a figure with the percentile interval of its draws.

    There is no interval if the figure is undefined in more than a tenth of the draws.
    """
    defined = draws[np.isfinite(draws)]
    if not math.isfinite(value) or defined.size < 0.9 * draws.size or not np.ptp(defined):
        return Estimate(value, math.nan, math.nan)
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(low), float(high))
