"""The tables of a reproduction, arranged as in the paper."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from geosrseg.evaluation.experiment import Experiment
from geosrseg.evaluation.report.report import ModelReport, Report

PROTOCOL_NAMES = {
    "lr": "LR",
    "two-stage": "Two-stage",
    "end-to-end": "End-to-end",
    "hr": "HR",
}


@dataclass(frozen=True, slots=True)
class Trained:
    """An experiment with the results of its model."""

    experiment: Experiment
    model: ModelReport

    @property
    def protocol(self) -> str:
        """Display name of the protocol, with levers, and loss weights and seed if they vary."""
        own = self.experiment
        words = [PROTOCOL_NAMES[own.protocol], *own.levers]
        if own.in_grid:
            words += [f"α {own.alpha:g}", f"β {own.beta:g}"]
        if own.seed is not None:
            words.append(f"seed {own.seed}")
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class Factor:
    """All experiments of one degradation, a group of rows in Table 1 of the paper."""

    upscale_factor: int
    trained: tuple[Trained, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """One degradation in Table 2: end-to-end training against the LR baseline."""

    lr: Trained
    end_to_end: Trained


@dataclass(frozen=True, slots=True)
class Grid:
    """End-to-end trainings of one degradation and seed, in rows by alpha and columns by beta."""

    upscale_factor: int
    seed: int | None
    alphas: tuple[float, ...]
    betas: tuple[float, ...]
    cells: tuple[tuple[ModelReport, ...], ...]


def group_by_factor(report: Report) -> tuple[Factor, ...]:
    """Group the experiments by degradation, in the order of the report."""
    trained = [Trained(*pair) for pair in zip(report.experiments, report.models, strict=True)]
    groups = groupby(trained, key=lambda each: each.experiment.upscale_factor)
    return tuple(Factor(factor, tuple(group)) for factor, group in groups)


def list_claims(factors: tuple[Factor, ...]) -> Iterator[Claim]:
    """Yield every end-to-end training with the LR baseline that its differences are to."""
    for factor in factors:
        by_name = {each.model.model: each for each in factor.trained}
        for each in factor.trained:
            lr = by_name.get(each.model.baseline)
            if lr and each.experiment.protocol == "end-to-end":
                yield Claim(lr, each)


def list_grids(factors: tuple[Factor, ...]) -> Iterator[Grid]:
    """Yield the grids of each degradation that has some, one per seed."""
    for factor in factors:
        in_grid = [each for each in factor.trained if each.experiment.in_grid]
        for seed in dict.fromkeys(each.experiment.seed for each in in_grid):
            cells = {
                (own.alpha, own.beta): each.model
                for each in in_grid
                if (own := each.experiment).seed == seed
                and own.alpha is not None
                and own.beta is not None
            }
            alphas, betas = (tuple(dict.fromkeys(pair[axis] for pair in cells)) for axis in (0, 1))
            rows = tuple(tuple(cells[alpha, beta] for beta in betas) for alpha in alphas)
            yield Grid(factor.upscale_factor, seed, alphas, betas, rows)
