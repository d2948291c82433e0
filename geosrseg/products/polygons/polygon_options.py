"""PolygonOptions: options of the polygons of a map."""

from dataclasses import dataclass

from geosrseg.core.option import check_options, option
from geosrseg.errors import OutputError


@dataclass(frozen=True, slots=True, kw_only=True)
class PolygonOptions:
    """How to generalise the polygons of a map."""

    min_area: float | None = option(
        "Merge smaller polygons into their largest neighbour.",
        kind="number",
        metavar="M2",
        above=0,
    )
    simplify: float | None = option(
        "Tolerance for simplifying borders, in units of the CRS.", kind="number", above=0
    )

    def __post_init__(self) -> None:
        check_options(self, OutputError)
