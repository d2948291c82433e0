"""Fold: the round of a cross-validation that a run belongs to.

The command line makes its options from this module, so it must not load PyTorch.
"""

from dataclasses import dataclass

from geosrseg.core.option import check_options, option
from geosrseg.errors import DatasetError


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """One round of a cross-validation; none where both values are None."""

    folds: int | None = option(
        "Cross-validation: number of parts to split the training and validation images into.",
        kind="whole",
        least=2,
    )
    fold: int | None = option(
        "The part that validates, from 1 to --folds; the others train.", kind="whole", least=1
    )

    def __post_init__(self) -> None:
        check_options(self, DatasetError)
        if self.fold is not None and self.folds is None:
            raise DatasetError(f"`fold` {self.fold}: give the number of folds too, `folds`")
        if self.folds is not None and not 1 <= (self.fold or 0) <= self.folds:
            given = "none" if self.fold is None else self.fold
            raise DatasetError(
                f"`fold` {given}: expected 1 to {self.folds} of `folds`, the part that validates"
            )


NO_FOLD = Fold()
"""The dataset's own split."""
