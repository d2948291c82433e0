"""Experiments: the trainings of a reproduction, and how they are planned."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from geosrseg.errors import RunError
from geosrseg.evaluation.lever import check_levers, of_lr
from geosrseg.networks.framework import PROTOCOLS

ORDER = ("lr", "two-stage", "end-to-end", "hr")
"""Protocols in the order of training and display, the baseline first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """One training.

    Attributes:
        protocol: see `NetworkConfig`.
        upscale_factor: 1 for ``hr``.
        alpha: weight of the reconstruction loss; None for that of the preset.
        beta: the same for the segmentation loss.
        in_grid: whether it is one of several pairs of weights.
        levers: additions to the plain joint loss, see `lever`.
        seed: added to the seed of the budget; None if there is only one.
    """

    protocol: str
    upscale_factor: int
    alpha: float | None = None
    beta: float | None = None
    in_grid: bool = False
    levers: tuple[str, ...] = ()
    seed: int | None = None

    @property
    def arm(self) -> str:
        """Name shared by all its seeds: ``end-to-end-8x-teacher``.

        In a grid it ends with the weights of the losses: ``-a0.1-b1000``.
        """
        if self.protocol == "hr":
            return "hr"
        weights = f"-a{self.alpha:g}-b{self.beta:g}" if self.in_grid else ""
        levers = "".join(f"-{name}" for name in self.levers)
        return f"{self.protocol}-{self.upscale_factor}x{levers}{weights}"

    @property
    def name(self) -> str:
        """Name of its run and model: the arm, with the seed if there are several."""
        return self.arm if self.seed is None else f"{self.arm}-s{self.seed}"

    @property
    def taught(self) -> bool:
        """Whether it learns from the native-image network of the same seed."""
        return "teacher" in self.levers or "task" in self.levers


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentPlan:
    """The experiments of a reproduction.

    Attributes:
        protocols: from `networks.framework.PROTOCOLS`.
        upscale_factors: factors for every protocol except ``hr``.
        alphas: weights of the reconstruction loss; empty for that of the preset.
        betas: the same for the segmentation loss. With several alphas or betas, every pair is
            an end-to-end training.
        seeds: number of seeds per experiment; experiments with the same seed are paired.
        levers: each adds experiments to the plain ones; ``+`` joins levers of one experiment.
    """

    protocols: tuple[str, ...]
    upscale_factors: tuple[int, ...]
    alphas: tuple[float, ...] = ()
    betas: tuple[float, ...] = ()
    seeds: int = 1
    levers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        unknown = [name for name in self.protocols if name not in PROTOCOLS]
        if unknown or not self.protocols:
            raise RunError(
                f"protocol {unknown[0] if unknown else 'none'}: expected some of "
                f"{', '.join(PROTOCOLS)}"
            )
        if not self.upscale_factors:
            raise RunError("no upscale factor: expected some of 2, 3, 4, 8")
        if self.in_grid and not (self.alphas and self.betas):
            raise RunError("a grid needs alphas and betas: give both --alpha and --beta")
        if self.seeds < 1:
            raise RunError(f"{self.seeds} seeds: expected 1 or more")
        check_levers(self.levers, protocols=self.protocols, in_grid=self.in_grid)
        lists = (self.protocols, self.upscale_factors, self.alphas, self.betas, self.levers)
        for values in lists:
            if len(set(values)) != len(values):
                raise RunError(f"expected distinct values, got {', '.join(map(str, values))}")

    @property
    def in_grid(self) -> bool:
        """Whether there are several pairs of weights."""
        return len(self.alphas) > 1 or len(self.betas) > 1

    def experiments(self) -> tuple[Experiment, ...]:
        """Return all experiments, the coarsest first, and within a factor the baseline first."""
        planned: list[Experiment] = []
        for factor in sorted(self.upscale_factors, reverse=True):
            for protocol in ORDER[:-1]:
                if protocol in self.protocols:
                    planned += self._of(protocol, factor)
        if "hr" in self.protocols:
            planned.append(
                Experiment(protocol="hr", upscale_factor=1, beta=self._single(self.betas))
            )
        if self.seeds == 1:
            return tuple(planned)
        return tuple(replace(each, seed=seed) for each in planned for seed in range(self.seeds))

    def _of(self, protocol: str, factor: int) -> list[Experiment]:
        if protocol == "end-to-end" and self.in_grid:
            return [
                Experiment(
                    protocol=protocol, upscale_factor=factor, alpha=alpha, beta=beta, in_grid=True
                )
                for alpha, beta in product(self.alphas, self.betas)
            ]
        plain = Experiment(
            protocol=protocol,
            upscale_factor=factor,
            alpha=self._single(self.alphas),
            beta=self._single(self.betas),
        )
        joined: list[tuple[str, ...]] = [(), *(tuple(each.split("+")) for each in self.levers)]
        if protocol == "lr":
            joined = list(dict.fromkeys(of_lr(levers) for levers in joined))
        elif protocol == "two-stage":
            joined = [()]
        return [replace(plain, levers=levers) for levers in joined]

    @staticmethod
    def _single(values: Sequence[float]) -> float | None:
        return values[0] if len(values) == 1 else None


def find_baselines(experiments: Sequence[Experiment]) -> list[int | None]:
    """Return for each experiment the index of its baseline, or None.

    The baseline is ``lr`` of the same factor, seed and levers, which end-to-end training claims
    to beat. Experiments without one, such as ``lr`` and ``hr``, have None.
    """
    baselines = {
        (each.upscale_factor, each.seed, each.levers): number
        for number, each in enumerate(experiments)
        if each.protocol == "lr"
    }
    return [
        None
        if each.protocol == "lr"
        else baselines.get((each.upscale_factor, each.seed, of_lr(each.levers)))
        for each in experiments
    ]
