"""Windowing: the options for cutting a scene into windows."""

from dataclasses import dataclass
from typing import Literal, get_args

from geosrseg.core.option import check_options, option

Seams = Literal["blend", "exact"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Windowing:
    """The options for cutting a scene into windows."""

    seams: Seams = option(
        "Blend overlapping windows, or reproduce exactly the labels of one large window.",
        "blend",
        choices=get_args(Seams),
    )
    overlap: int | None = option(
        "LR pixels shared by adjacent windows.", kind="whole", least=0, shown="from the model"
    )
    window_size: int | None = option(
        "Side of the largest window, in LR pixels.",
        name="window",
        kind="whole",
        least=1,
        shown="what memory allows",
    )
    batch: int = option("Windows to run at once.", 1, kind="whole", least=1)
    max_memory: int | None = option(
        "Memory that the network may use, such as 800M or 4G.",
        kind="size",
        metavar="SIZE",
        least=1,
        shown="half of the free memory",
    )

    def __post_init__(self) -> None:
        check_options(self)

    @property
    def sets_size(self) -> bool:
        """Whether an option decides the size of the largest window."""
        return self.window_size is not None or self.max_memory is not None
