"""CrossValidation: the runs of its folds, and their mean IoU together."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from geosrseg.training.run_folder.run_list import ListedRun


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """Runs that differ only in their fold.

    Attributes:
        runs: one run per fold, in the order of folds; folds without a run are left out.
    """

    runs: tuple[ListedRun, ...]

    @property
    def folds(self) -> int:
        """Number of folds, with or without a run."""
        return self.runs[0].fold[1]

    @property
    def figures(self) -> list[float]:
        """The best mean IoU of each fold that has one."""
        return [run.best for run in self.runs if run.best is not None]

    def __str__(self) -> str:
        first, figures = self.runs[0], self.figures
        what = f"{first.dataset}, {first.protocol} {first.upscale_factor}x, {first.network}"
        finished = sum(run.state == "finished" for run in self.runs)
        text = f"{self.folds} folds of {what}: {finished} finished"
        if not figures:
            return text
        text += f", best mean IoU {statistics.fmean(figures):.3f}"
        if len(figures) == 1:
            return f"{text} in the only one with a validation"
        spread = f"standard deviation {statistics.stdev(figures):.3f}"
        return f"{text} ({min(figures):.3f} to {max(figures):.3f}, {spread})"


def summaries(runs: Sequence[ListedRun]) -> list[CrossValidation]:
    """Group runs into cross-validations; the latest run of a fold counts."""
    found: dict[str, dict[int, ListedRun]] = {}
    for run in sorted(runs, key=lambda run: run.changed):
        if run.fold:
            found.setdefault(run.series, {})[run.fold[0]] = run
    return [
        CrossValidation(tuple(folds[number] for number in sorted(folds)))
        for folds in found.values()
    ]
