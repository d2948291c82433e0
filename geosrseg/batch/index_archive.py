"""Indexes an archive: all its maps as one GIS layer and as one STAC collection.

The index is built from the maps' STAC items, so no map is read, even in an object store. Several
runs may index one archive in parallel: each replaces whole files, and writes again if new items
appeared meanwhile, so that the last one has seen all.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rasterio.crs import CRS

from geosrseg.batch.archive import Archive, archive_folder, is_draft
from geosrseg.batch.open_archive import open_archive
from geosrseg.core.legend import Legend, common_legend
from geosrseg.core.text.json_text import parse_json
from geosrseg.errors import OutputError
from geosrseg.extras import extra
from geosrseg.products.catalog.catalogued_map import CataloguedMap, has_one_crs, read_map
from geosrseg.products.catalog.vrt_mosaic import vrt_mosaic
from geosrseg.raster.maps.qml import OURS, class_qml

COLLECTION = "collection.json"

INDEX = "index.gti.gpkg"

ROUNDS = 3
"""Most times one call writes while others add maps; those index again when they are done."""

READERS = 8
"""Items read in parallel."""


@dataclass(frozen=True, slots=True)
class ArchiveIndex:
    """The index of an archive.

    Attributes:
        folder: the archive, absolute or with its scheme.
        maps: number of maps.
        files: names of the index files in the archive, styles excluded.
        left_out: one text per map missing from a file, with the reason.
    """

    folder: str
    maps: int
    files: tuple[str, ...]
    left_out: tuple[str, ...] = ()


def index_archive(folder: str | Path) -> ArchiveIndex:
    """Write the collection and the index of the maps in a folder or a prefix of an object store.

    ``collection.json`` is a static STAC collection. ``index.gti.gpkg`` opens all maps as one raster
    with GDAL 3.9 or later; ``index-EPSG-….vrt`` opens those of one CRS with any GDAL. Where maps
    overlap, the latest one with a class is on top. Indexing twice gives the same files.

    Args:
        folder: folder of the maps and their STAC items, as written by `run_work`.

    Raises:
        OutputError: no class map has an item, the classes of two maps differ, a foreign file
            has one of the names, or the archive cannot be read or written.
        MissingExtraError: the extra ``gis`` is not installed.
    """
    base = archive_folder(folder)
    archive = open_archive(f"{base}/{COLLECTION}")
    names = archive.names(base)
    for _ in range(ROUNDS):
        _check_ours(archive, base, names)
        found = _index(archive, base, names)
        before, names = _items(names), archive.names(base)
        if _items(names) == before:
            break
    return found


def _items(names: Sequence[str]) -> list[str]:
    """Return the names that may be items; a draft may outlive the run that it was made in."""
    ends = (name for name in names if name.endswith(".json") and name != COLLECTION)
    return [name for name in ends if not is_draft(name)]


def _check_ours(archive: Archive, base: str, names: Sequence[str]) -> None:
    """Refuse foreign files. Our collection is written first; without it an index is foreign too."""
    from geosrseg.products.catalog.collection import MADE_BY  # noqa: PLC0415

    if COLLECTION in names:
        try:
            values = parse_json(archive.read(f"{base}/{COLLECTION}") or b"")
            is_ours = isinstance(values, dict) and MADE_BY in values
        except ValueError:
            is_ours = False
        foreign = None if is_ours else COLLECTION
    else:
        foreign = next((name for name in names if name == INDEX or _is_vrt(name)), None)
    if foreign:
        raise OutputError(
            f"{base}/{foreign}: was not written by geosrseg index, which needs the name: move it"
        )


def _is_vrt(name: str) -> bool:
    return name.startswith("index-") and name.endswith(".vrt")


def _index(archive: Archive, base: str, names: Sequence[str]) -> ArchiveIndex:
    maps, left_out = _read_maps(archive, base, names)
    if not maps:
        why = f" ({left_out[0]})" if left_out else ""
        raise OutputError(
            f"{base}: holds no class map with a STAC item{why}: geosrseg run writes one beside "
            "every map, predict with `stac`"
        )
    legend = common_legend({item.file: item.legend for item in maps})
    with archive.drafts(base) as folder:
        files = list(_write(folder, base, maps, legend))
        kept = [file for file in files if not _is_foreign_style(archive, base, file, names)]
        written = {file.name for file in files}
        stale = [name for name in names if _is_vrt(name) and name not in written]
        archive.put(base, kept, stale)
    left_out += [f"{item.item}: {_NO_GRID}" for item in maps if item.grid is None]
    left_out += [f"{item.item}: {_AT_180}" for item in maps if _is_at_180(item, maps)]
    layers = tuple(name for name in sorted(written) if not name.endswith(".qml"))
    return ArchiveIndex(base, len(maps), layers, tuple(left_out))


_NO_GRID = "its map has no CRS of the Earth or is not north-up, and is in the collection only"

_AT_180 = f"its map crosses 180° and the CRSs differ: {INDEX} leaves it out, its VRT has it"


def _is_at_180(item: CataloguedMap, maps: Sequence[CataloguedMap]) -> bool:
    """Whether GDAL would tear the map apart when it transforms it to longitude and latitude."""
    return item.grid is not None and item.crosses_180 and not has_one_crs(maps)


def _read_maps(
    archive: Archive, base: str, names: Sequence[str]
) -> tuple[list[CataloguedMap], list[str]]:
    """Return the maps, latest last, and why others were left out."""
    found, left_out, known = [], [], set(names)

    def read(name: str) -> CataloguedMap | str | None:
        text = archive.read(f"{base}/{name}")
        try:
            item = None if text is None else read_map(name, text)
        except ValueError as error:
            return f"{name}: {error}"
        if item is not None and item.file not in known:
            return f"{name}: its map {item.file} is not there"
        return item

    with ThreadPoolExecutor(READERS) as pool:
        for item in pool.map(read, _items(names)):
            if isinstance(item, str):
                left_out.append(item)
            elif item is not None:
                found.append(item)
    return sorted(found, key=lambda item: (item.taken, item.file)), left_out


def _write(
    folder: Path, base: str, maps: Sequence[CataloguedMap], legend: Legend
) -> Iterator[Path]:
    """Write the drafts and yield their paths, the collection first."""
    with extra("gis"):
        from geosrseg.products.catalog.collection import collection  # noqa: PLC0415
        from geosrseg.products.catalog.tile_index import write_tile_index  # noqa: PLC0415
    by_crs: dict[CRS, list[CataloguedMap]] = {}
    for item in maps:
        if item.grid is not None and item.grid.crs is not None:
            by_crs.setdefault(item.grid.crs, []).append(item)
    placed = [item for item in maps if item.grid is not None and not _is_at_180(item, maps)]
    vrts = {f"index-{_crs_name(crs)}.vrt": members for crs, members in by_crs.items()}
    assets = {INDEX: _INDEX_ASSET} if placed else {}
    assets |= {name: _VRT_ASSET for name in vrts}
    described = {
        name.partition(".")[0]: {"href": f"./{name}", **said} for name, said in assets.items()
    }
    document = collection(base.rpartition("/")[2], maps, legend, described)
    yield _text(folder / COLLECTION, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    if placed:
        write_tile_index(folder / INDEX, placed)
        yield folder / INDEX
    for name, members in vrts.items():
        yield _text(folder / name, vrt_mosaic(members, legend))
    for name in assets:
        yield _text((folder / name).with_suffix(".qml"), class_qml(legend))


_INDEX_ASSET = {
    "title": "All maps as one raster, for GDAL 3.9 and later",
    "type": "application/geopackage+sqlite3",
    "roles": ["metadata"],
}

_VRT_ASSET = {
    "title": "The maps of one CRS as one raster",
    "type": "application/xml",
    "roles": ["metadata"],
}


def _text(path: Path, text: str) -> Path:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from error
    return path


def _crs_name(crs: CRS) -> str:
    """Return a name for the CRS that fits into a file name: its code, or a hash."""
    authority = crs.to_authority()
    if authority:
        return "-".join(authority)
    return hashlib.sha256(crs.to_wkt().encode()).hexdigest()[:8]


def _is_foreign_style(archive: Archive, base: str, file: Path, names: Sequence[str]) -> bool:
    """Whether the existing style was made or changed by a user."""
    if file.suffix != ".qml" or file.name not in names:
        return False
    return OURS.encode() not in (archive.read(f"{base}/{file.name}") or b"")
