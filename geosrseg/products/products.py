"""Products: the files that can be made from a finished class map, by name.

A plugin adds one by an entry point of the group ``geosrseg.products`` for a subclass of
`ProductFile`. The option and the STAC asset have the name of the entry point.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geosrseg.errors import OutputError
from geosrseg.registry import Offer, Registry

if TYPE_CHECKING:
    from geosrseg.products.product_file import ProductFile

_ROOM = "geosrseg.products"

NAME = "{name}"
"""Placeholder for the scene's name in the path of a product file."""

PRODUCTS: "Registry[type[ProductFile]]" = Registry(
    "geosrseg.products",
    "product",
    {
        "quicklook": Offer(
            target=f"{_ROOM}.quicklook:Quicklook",
            help="a PNG of the scene and the map.",
            metavar="FILE.png",
        ),
        "areas": Offer(
            target=f"{_ROOM}.area_table:AreaTable",
            help="the area of each class.",
            metavar="FILE.csv",
        ),
        "report": Offer(
            target=f"{_ROOM}.page.map_page:MapPage",
            help="an HTML page with swipe, zoom, legend and areas.",
            metavar="FILE.html",
        ),
        "stac": Offer(
            target=f"{_ROOM}.stac.map_item:MapItem",
            help="a STAC item of the map and all its files.",
            metavar="FILE.json",
            extra="gis",
        ),
        "vector": Offer(
            target=f"{_ROOM}.polygons.vector:Polygons",
            help="the map's polygons: .gpkg, .fgb, .geojson or .parquet.",
            extra="gis",
            options=f"{_ROOM}.polygons.polygon_options:PolygonOptions",
        ),
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Products:
    """The product files to write, besides the layers.

    Attributes:
        files: path of each product, by its name.
        options: the own options of products, by name; missing ones have their defaults.
        count_areas: count the areas even if no product needs them.
        title: title of the page and the picture; the scene's name by default.
    """

    files: Mapping[str, Path] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    count_areas: bool = False
    title: str = ""

    def __post_init__(self) -> None:
        for name in self.files:
            if name not in PRODUCTS.names:
                raise OutputError(
                    f"no product {name!r}: expected some of {', '.join(PRODUCTS.names)}"
                )
        files = {name: Path(self.files[name]) for name in PRODUCTS.names if name in self.files}
        object.__setattr__(self, "files", files)
        if self.title and not {"report", "quicklook"} & files.keys():
            raise OutputError("`title` needs `report` or `quicklook`: give one, or leave it out")
        for name, options in self.options.items():
            if name not in files and options != type(options)():
                raise OutputError(
                    f"`{_changed(options)}` needs `{name}`: give its file, or leave it out"
                )

    def named(self, scene: str) -> "Products":
        """The products for a scene, whose name replaces `NAME` in paths and title."""
        files = {name: Path(str(path).replace(NAME, scene)) for name, path in self.files.items()}
        return replace(self, files=files, title=self.title.replace(NAME, scene))

    def options_of(self, name: str) -> Any:
        """The own options of a product; None if it has none."""
        group = PRODUCTS.options(name)
        return group and self.options.get(name, group())


def _changed(options: Any) -> str:
    """The first field that differs from its default."""
    plain = type(options)()
    return next(
        name
        for name in type(options).__dataclass_fields__
        if getattr(options, name) != getattr(plain, name)
    )
