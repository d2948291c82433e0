"""GeoJSON that somebody else wrote: its features, and the CRS that it names.

Every object of a GeoJSON may name a CRS, by an address too, which GDAL would ask. So features are
taken out of it, and its own CRS is read as text.
"""

from typing import Any

from geosrseg.core.text.numerals import shown


def plain_geojson(document: Any) -> dict[str, Any]:
    """The features of a GeoJSON with geometries and properties, and nothing else.

    Raises:
        ValueError: it is none.
    """
    match document:
        case {"type": "FeatureCollection", "features": list(features)}:
            pass
        case {"type": "Feature"}:
            features = [document]
        case {"type": str()}:
            features = [{"geometry": document}]
        case _:
            raise ValueError("is no GeoJSON")
    return {"type": "FeatureCollection", "features": [_feature(item) for item in features]}


def stated_crs(document: Any) -> str | None:
    """The name of its CRS; None for WGS 84, as the standard (RFC 7946) has it.

    Raises:
        ValueError: it has a CRS of an older kind that is no name.
    """
    match document:
        case {"crs": {"properties": {"name": str(name)}}}:
            return name
        case {"crs": dict() as other}:
            raise ValueError(f"its crs has no name: {shown(other)}")
    return None


def _feature(feature: Any) -> dict[str, Any]:
    if not isinstance(feature, dict):
        raise ValueError(f"a feature is an object, got {shown(feature)}")
    properties = feature.get("properties")
    return {
        "type": "Feature",
        "properties": properties if isinstance(properties, dict) else {},
        "geometry": _geometry(feature.get("geometry")),
    }


def _geometry(geometry: Any) -> Any:
    match geometry:
        case {"type": str(kind), "geometries": list(inner)}:
            return {"type": kind, "geometries": [_geometry(item) for item in inner]}
        case {"type": str(kind), "coordinates": coordinates}:
            return {"type": kind, "coordinates": coordinates}
    return None
