"""The style inside a GeoPackage: QGIS's table ``layer_styles``.

QGIS draws a layer with the row that names it and is marked as the default. The table must be
registered as an attribute table, because GDAL lists it to QGIS only then.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

TABLE = "layer_styles"

_SCHEMA = f"""
CREATE TABLE {TABLE} (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    f_table_catalog TEXT(256),
    f_table_schema TEXT(256),
    f_table_name TEXT(256),
    f_geometry_column TEXT(256),
    styleName TEXT(30),
    styleQML TEXT,
    styleSLD TEXT,
    useAsDefault BOOLEAN,
    description TEXT,
    owner TEXT(30),
    ui TEXT(30),
    update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
)
"""

_LISTED = (
    "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, srs_id) "
    "VALUES (?, 'attributes', ?, '', 0)"
)

_STYLE = (
    f"INSERT INTO {TABLE} (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, "
    "styleName, styleQML, styleSLD, useAsDefault, description, owner) "
    "VALUES ('', '', ?, ?, 'classes', ?, '', 1, 'Classes by name and colour', '')"
)


_COLUMN = "SELECT column_name FROM gpkg_geometry_columns WHERE table_name = ?"


def add_style(path: Path, *, layer: str, qml: str) -> None:
    """Add a default style to a layer of a GeoPackage without styles.

    Raises:
        sqlite3.Error: the style cannot be written.
    """
    with closing(sqlite3.connect(path)) as database, database:
        (column,) = database.execute(_COLUMN, (layer,)).fetchone()
        database.execute(_SCHEMA)
        database.execute(_LISTED, (TABLE, TABLE))
        database.execute(_STYLE, (layer, column, qml))
