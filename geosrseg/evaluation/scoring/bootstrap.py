"""Bootstrap: how sure a figure is, from drawing the blocks of the test area again and again.

Efron and Tibshirani: An introduction to the bootstrap, 1993, chapter 13 (percentile
intervals). All models are counted on the same draws, so the difference of two models has an
interval of its own: it is much narrower than those of the two suggest, because the blocks
that are difficult for one are difficult for the other.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95

Figures = Mapping[str, float]
"""Figures by name; NaN where one is not defined."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval.

    Attributes:
        value: of all blocks, each once.
        low: lower end of the interval; NaN where there is none.
        high: upper end.
    """

    value: float
    low: float
    high: float

    @property
    def defined(self) -> bool:
        """There is a value."""
        return math.isfinite(self.value)

    @property
    def bounded(self) -> bool:
        """There is an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def beyond_zero(self) -> bool:
        """The whole interval is on one side of zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Draws:
    """Blocks drawn with replacement, as many as there are; the same ones every time.

    Iterating gives for each draw (blocks,) how often each block is in it.

    Attributes:
        resamples: how often they are drawn.
        seed: of the random numbers.
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
    """The figures of one model, and what they were on every draw.

    Attributes:
        figures: of all blocks, each once.
        draws: for each figure (resamples,) values.
    """

    figures: Figures
    draws: Mapping[str, NDArray[np.float64]]

    def estimates(self) -> dict[str, Estimate]:
        """Every figure with its interval."""
        return {name: estimate(value, self.draws[name]) for name, value in self.figures.items()}

    def differences(self, baseline: "Resampled") -> dict[str, Estimate]:
        """What this model has more than another on the same draws."""
        return {
            name: estimate(value - baseline.figures[name], self.draws[name] - baseline.draws[name])
            for name, value in self.figures.items()
        }


def resample(figures: Callable[[NDArray[np.int64]], Figures], draws: Draws) -> Resampled:
    """The figures of all blocks and of every draw.

    Args:
        figures: of blocks that each count as often as an array (blocks,) says.
        draws: what is drawn.
    """
    whole = figures(np.ones(draws.blocks, np.int64))
    rows = [figures(draw) for draw in draws]
    return Resampled(whole, {name: np.array([row[name] for row in rows]) for name in whole})


def estimate(value: float, draws: NDArray[np.float64]) -> Estimate:
    """A figure with its interval.

    Percentiles of the draws; none where a figure is undefined in a tenth of them.
    """
    defined = draws[np.isfinite(draws)]
    if not math.isfinite(value) or defined.size < 0.9 * draws.size or not np.ptp(defined):
        return Estimate(value, math.nan, math.nan)
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(low), float(high))
