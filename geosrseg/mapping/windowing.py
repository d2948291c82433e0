"""Windowing: the options for cutting a scene into windows."""

from dataclasses import dataclass
from typing import Literal, get_args

from geosrseg.core.option import check_options, option

Seams = Literal["blend", "exact"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Windowing:
    """The options for cutting a scene into windows."""

    seams: Seams = option(
        "Taper overlapping windows, or give exactly the labels of one large window.",
        "blend",
        choices=get_args(Seams),
    )
    overlap: int | None = option(
        "LR pixels that windows share.", kind="whole", least=0, shown="from the model"
    )
    window_size: int | None = option(
        "LR pixels of the largest window.",
        name="window",
        kind="whole",
        least=1,
        shown="what memory allows",
    )
    batch: int = option("Windows run at once.", 1, kind="whole", least=1)
    max_memory: int | None = option(
        "Memory limit of the network, such as 800M or 4G.",
        kind="size",
        metavar="SIZE",
        least=1,
        shown="half of the free memory",
    )

    def __post_init__(self) -> None:
        check_options(self)
