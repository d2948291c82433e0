"""Report protocols: the tables of a reproduction, as the paper has them."""

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
    """An experiment with what its model did."""

    experiment: Experiment
    model: ModelReport

    @property
    def protocol(self) -> str:
        """Its name for a reader, with the weights of the losses where they vary."""
        own = self.experiment
        name = PROTOCOL_NAMES[own.protocol]
        return f"{name}, α {own.alpha:g}, β {own.beta:g}" if own.in_grid else name


@dataclass(frozen=True, slots=True)
class Factor:
    """All experiments of one degradation: a group of rows in Table 1 of the paper."""

    upscale_factor: int
    trained: tuple[Trained, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """One degradation of Table 2: end-to-end training against the LR baseline."""

    lr: Trained
    end_to_end: Trained


@dataclass(frozen=True, slots=True)
class Grid:
    """End-to-end trainings of one degradation by the weights of their losses.

    Attributes:
        upscale_factor: the degradation.
        alphas: the rows.
        betas: the columns.
        cells: of each row and column.
    """

    upscale_factor: int
    alphas: tuple[float, ...]
    betas: tuple[float, ...]
    cells: tuple[tuple[ModelReport, ...], ...]


def group_by_factor(report: Report) -> tuple[Factor, ...]:
    """The experiments of each degradation, in the report's order."""
    trained = [Trained(*pair) for pair in zip(report.experiments, report.models, strict=True)]
    groups = groupby(trained, key=lambda each: each.experiment.upscale_factor)
    return tuple(Factor(factor, tuple(group)) for factor, group in groups)


def list_claims(factors: tuple[Factor, ...]) -> Iterator[Claim]:
    """Every end-to-end training beside the LR baseline of its degradation."""
    for factor in factors:
        lr = [each for each in factor.trained if each.experiment.protocol == "lr"]
        for each in factor.trained:
            if lr and each.experiment.protocol == "end-to-end":
                yield Claim(lr[0], each)


def list_grids(factors: tuple[Factor, ...]) -> Iterator[Grid]:
    """The grid of each degradation that has one."""
    for factor in factors:
        cells = {
            (own.alpha, own.beta): each.model
            for each in factor.trained
            if (own := each.experiment).in_grid and own.alpha is not None and own.beta is not None
        }
        if not cells:
            continue
        alphas, betas = (tuple(dict.fromkeys(pair[axis] for pair in cells)) for axis in (0, 1))
        rows = tuple(tuple(cells[alpha, beta] for beta in betas) for alpha in alphas)
        yield Grid(factor.upscale_factor, alphas, betas, rows)
