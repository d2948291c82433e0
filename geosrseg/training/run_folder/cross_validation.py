"""CrossValidation: the runs that are the folds of one, and what they say together."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from geosrseg.training.run_folder.run_list import ListedRun


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """Runs that differ in their fold alone.

    Attributes:
        runs: one a fold, by the number of the fold; those that are missing are left out.
    """

    runs: tuple[ListedRun, ...]

    @property
    def folds(self) -> int:
        """Their number, with the missing ones."""
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
            return f"{text} in the one that has any"
        spread = f"standard deviation {statistics.stdev(figures):.3f}"
        return f"{text} ({min(figures):.3f} to {max(figures):.3f}, {spread})"


def summaries(runs: Sequence[ListedRun]) -> list[CrossValidation]:
    """The cross-validations among some runs; of two runs of one fold the latest counts."""
    found: dict[str, dict[int, ListedRun]] = {}
    for run in sorted(runs, key=lambda run: run.changed):
        if run.fold:
            found.setdefault(run.series, {})[run.fold[0]] = run
    return [
        CrossValidation(tuple(folds[number] for number in sorted(folds)))
        for folds in found.values()
    ]
