"""The static STAC collection of the maps in a folder."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from typing import Any
from urllib.parse import quote

from pystac.extensions.classification import ClassificationExtension

from geosrseg.core.legend import NODATA, Legend
from geosrseg.products.catalog.catalogued_map import ASSET, CataloguedMap
from geosrseg.products.stac import terms
from geosrseg.version import __version__

MADE_BY = "geosrseg:made_by"
"""Key that marks a collection as ours, so that it may be replaced."""

VERSION = "1.1.0"
"""Version of STAC."""

WORLD = (-180.0, -90.0, 180.0, 90.0)


def collection(
    name: str, maps: Sequence[CataloguedMap], legend: Legend, assets: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    """The collection as a plain dictionary.

    Args:
        name: name of the folder.
        maps: at least one map.
        legend: the common legend of all maps.
        assets: files that cover all maps.
    """
    times = [item.taken.astimezone(UTC).isoformat().replace("+00:00", "Z") for item in maps]
    licences = {item.licence for item in maps}
    codes = {code for item in maps if item.grid and (code := _code(item))}
    classes = [item.to_dict() for item in terms.classes(legend)]
    return {
        "type": "Collection",
        "stac_version": VERSION,
        "stac_extensions": [ClassificationExtension.get_schema_uri()],
        "id": name,
        "title": f"Class maps: {name}",
        "description": f"{len(maps)} class maps, each with its item.",
        "license": licences.pop() if len(licences) == 1 else "other",
        "extent": {
            "spatial": {"bbox": [list(common_bbox([item.bbox for item in maps if item.bbox]))]},
            "temporal": {"interval": [[min(times), max(times)]]},
        },
        "summaries": {"proj:code": sorted(codes)} if codes else {},
        "item_assets": {
            ASSET: {
                "title": "Class map",
                "type": "image/tiff; application=geotiff; profile=cloud-optimized",
                "roles": ["data"],
                "bands": [{"name": "class", "data_type": "uint8", "nodata": NODATA}],
                "classification:classes": [*classes, terms.nodata_class(NODATA).to_dict()],
            }
        },
        "assets": dict(assets),
        "links": [
            {"rel": "item", "href": f"./{quote(item.item)}", "type": "application/geo+json"}
            for item in maps
        ],
        MADE_BY: f"geosrseg {__version__}",
    }


def _code(item: CataloguedMap) -> str:
    code = item.grid.crs.to_epsg() if item.grid and item.grid.crs else None
    return f"EPSG:{code}" if code else ""


def common_bbox(boxes: Iterable[Sequence[float]]) -> tuple[float, float, float, float]:
    """The smallest box that contains all boxes; west exceeds east if it crosses 180°."""
    known = list(boxes)
    if not known:
        return WORLD
    west, east = _longitudes([(box[0], box[2]) for box in known])
    return west, min(box[1] for box in known), east, max(box[3] for box in known)


def _longitudes(spans: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The shortest arc that contains all arcs, each from west to east: all but the widest gap."""
    parts = sorted(part for span in spans for part in _cut(*span))
    gaps, reach = [], parts[0][1]
    for west, east in parts[1:]:
        gaps.append((west - reach, reach, west))
        reach = max(reach, east)
    gaps.append((parts[0][0] + 360 - reach, reach, parts[0][0]))
    width, end, start = max(gaps)
    return (start, end) if width > 0 else (-180.0, 180.0)


def _cut(west: float, east: float) -> list[tuple[float, float]]:
    """The parts of an arc between -180° and 180°."""
    return [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
