"""Reads GeoJSON from unknown sources: its features, and the CRS that it names.

Every object of a GeoJSON may name a CRS, even by a URL, which GDAL would request. So only the
features are passed on, and the document's own CRS is read as text.
"""

from typing import Any

from geosrseg.core.text.numerals import shown


def plain_geojson(document: Any) -> dict[str, Any]:
    """Return the features of a GeoJSON with only their geometries and properties.

    Raises:
        ValueError: the document is not GeoJSON.
    """
    match document:
        case {"type": "FeatureCollection", "features": list(features)}:
            pass
        case {"type": "Feature"}:
            features = [document]
        case {"type": str()}:
            features = [{"geometry": document}]
        case _:
            raise ValueError("is not GeoJSON")
    return {"type": "FeatureCollection", "features": [_feature(item) for item in features]}


def stated_crs(document: Any) -> str | None:
    """Return the name of the document's CRS; None for WGS 84, the standard's (RFC 7946).

    Raises:
        ValueError: the CRS is of an older kind without a name.
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
