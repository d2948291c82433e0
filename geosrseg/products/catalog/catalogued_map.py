"""CataloguedMap: a finished map as described by its STAC item, without opening the map."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

from affine import Affine

from geosrseg.core.legend import NODATA, Legend, LegendClass
from geosrseg.core.text.json_text import parse_json
from geosrseg.core.text.record import Record
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.storage.crs_text import read_crs

ASSET = "classes"
"""The key of the class map among the item's assets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CataloguedMap:
    """A map of an archive.

    Attributes:
        item: file name of the STAC item.
        file: file name of the map, in the same folder.
        taken: time of the scene, or of the map's creation.
        grid: None if the map has no CRS of the Earth or is not north-up.
        bbox: west, south, east, north; west exceeds east if the map crosses 180°. None if it has
            no CRS.
    """

    item: str
    file: str
    taken: datetime
    grid: Grid | None
    bbox: tuple[float, float, float, float] | None
    legend: Legend
    licence: str

    @property
    def crosses_180(self) -> bool:
        """Whether the map crosses the antimeridian."""
        return self.bbox is not None and self.bbox[0] > self.bbox[2]


def read_map(item: str, text: bytes) -> CataloguedMap | None:
    """Read the map of an item; None for a file that is not the item of a class map.

    Args:
        item: file name of the item.
        text: contents of the file.

    Raises:
        ValueError: the item of a class map is malformed.
    """
    values = parse_json(text)
    if not isinstance(values, dict) or values.get("type") != "Feature":
        return None
    assets = values.get("assets")
    if not isinstance(assets, dict) or ASSET not in assets:
        return None
    record, asset = Record(values), Record(Record(assets).mapping(ASSET))
    properties = Record(record.mapping("properties"))
    return CataloguedMap(
        item=item,
        file=_file(asset.text("href")),
        taken=_time(properties.text("datetime")),
        grid=_grid(properties),
        bbox=_bbox(record),
        legend=_legend(asset),
        licence=str(properties.values.get("license", "other")),
    )


def _file(href: str) -> str:
    name = unquote(href).removeprefix("./")
    if not name or set(name) & set("/\\:"):
        raise ValueError(f"its map {href!r} is not beside it")
    return name


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"its time {text!r} has no zone")
    return found


def _grid(properties: Record) -> Grid | None:
    if "proj:transform" not in properties.values:
        return None
    code = properties.values.get("proj:code")
    crs = read_crs(code if isinstance(code, str) else properties.text("proj:wkt2"))
    a, b, c, d, e, f = properties.numbers("proj:transform")[:6]
    height, width = map(int, properties.numbers("proj:shape"))
    north_up = a > 0 > e and b == d == 0
    if not north_up or not (crs.is_projected or crs.is_geographic):  # such as that of a mine
        return None
    return Grid(crs, Affine(a, b, c, d, e, f), height, width)


def _bbox(record: Record) -> tuple[float, float, float, float] | None:
    if "bbox" not in record.values:
        return None
    west, south, east, north = record.numbers("bbox")
    return west, south, east, north


def _legend(asset: Record) -> Legend:
    (band,) = asset.mappings("bands")
    if (band.get("data_type"), band.get("nodata")) != ("uint8", NODATA):
        raise ValueError(f"its map is not uint8 with nodata {NODATA}")
    entries = map(Record, asset.mappings("classification:classes"))
    return Legend(
        tuple(
            LegendClass(
                entry.integer("value"), entry.text("title"), f"#{entry.text('color_hint').lower()}"
            )
            for entry in entries
            if not entry.values.get("nodata")
        )
    )


def has_one_crs(maps: Sequence[CataloguedMap]) -> bool:
    """Whether all maps with a grid have the same CRS."""
    return len({item.grid.crs for item in maps if item.grid is not None}) <= 1
