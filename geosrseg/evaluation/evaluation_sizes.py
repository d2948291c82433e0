"""Evaluation sizes: what is near a boundary, a small object, and a block of the bootstrap."""

from dataclasses import dataclass

from geosrseg.core.option import check_options, option
from geosrseg.errors import GeosrsegError

SMALL_SIDE = 4
"""A small object has fewer pixels than a square of so many LR pixels along each side."""

BLOCK_MULTIPLE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSizes:
    """Lengths and areas in HR pixels; with None they follow from the models and the dataset."""

    boundary: int | None = option(
        "Largest distance to a boundary, in HR pixels, that counts as near.",
        kind="whole",
        least=1,
        shown="one LR pixel",
    )
    small: int | None = option(
        "Area in HR pixels below which an object is small.",
        kind="whole",
        least=1,
        shown="4 x 4 LR pixels",
    )
    block: int | None = option(
        "Side of a bootstrap block in HR pixels, a multiple of 16.",
        kind="whole",
        least=BLOCK_MULTIPLE,
        shown="the largest that gives enough blocks",
    )

    def __post_init__(self) -> None:
        check_options(self)
        if self.block is not None and self.block % BLOCK_MULTIPLE:
            raise GeosrsegError(f"`block` {self.block}: expected a multiple of {BLOCK_MULTIPLE}")

    def boundary_for(self, factor: int) -> int:
        """HR pixels up to which a pixel is near a boundary, for models of up to this factor."""
        return factor if self.boundary is None else self.boundary

    def small_for(self, factor: int) -> int:
        """HR pixels below which an object is small, for models of up to this factor."""
        return (SMALL_SIDE * factor) ** 2 if self.small is None else self.small


USUAL = EvaluationSizes()
