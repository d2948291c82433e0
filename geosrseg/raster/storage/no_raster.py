"""Recognises files that are not rasters although their name suggests one, by their first bytes."""

import difflib
from pathlib import Path
from typing import Literal

WHOLE = "the download is incomplete, get it again"

_PAGE = (
    "is a web page, as servers send for a login or an error: get it again, by the address of the "
    "file itself"
)
_TEXTS = {
    b"version https://git-lfs": "is a Git LFS pointer, not the file itself: run git lfs pull",
    b"<!doctype html": _PAGE,
    b"<html": _PAGE,
    b"<?xml": "is XML, as servers send for an error: get it again, with access rights",
    b"<error": "is a server's error message: get it again, with access rights",
    b'{"': "is JSON, expected a raster: get it again, or rename it to .json if it is a STAC item",
}
_ALWAYS = (b"version https://git-lfs", b"<!doctype html", b"<html", b"<error")
_PICTURES = {b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"BM": "BMP"}
_TIFF = (".tif", ".tiff")

_GDAL_PREFIXES = (
    *("netcdf:", "hdf5:", "hdf4:", "hdf4_sds:", "hdf4_eos:", "zarr:", "gtiff_dir:", "gpkg:"),
    *("sentinel2_l1c:", "sentinel2_l2a:", "vrt:", "cog:", "dted:", "wms:"),
)


def why_no_raster(path: Path, begin: bytes) -> str:
    """What the file is and what to do about it; empty where it may be a raster."""
    size = path.stat().st_size
    if not size:
        return f"is empty: {WHOLE}"
    start = begin.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    is_tiff = path.suffix.lower() in _TIFF
    for text, why in _TEXTS.items():
        if start.startswith(text) and (is_tiff or text in _ALWAYS):
            return why
    for signature, kind in _PICTURES.items():
        if begin.startswith(signature):
            command = translate_command(path, name=str(path))
            return f"is a picture ({kind}), expected a GeoTIFF: convert it with {command}"
    directory = _directory(begin)
    if directory >= size:
        return f"ends at byte {size}, and its directory is at {directory}: {WHOLE}"
    return ""


def translate_command(path: Path, *, name: str) -> str:
    """The command that converts a file to GeoTIFF; `name` is the file as the user typed it."""
    ending = "_geotiff.tif" if path.suffix.lower() in _TIFF else ".tif"
    return f"gdal_translate {name} {path.with_suffix('')}{ending}"


def why_missing(text: str) -> str:
    """Why a missing file's name cannot work, or what it may be a typo of; else empty."""
    if text == "-":
        return "standard input is not read: give a file"
    if text.lower().startswith(_GDAL_PREFIXES):
        return f"GDAL's own names are not accepted: convert it with gdal_translate {text} scene.tif"
    if text.startswith("~"):
        return "no such file: ~ means your home folder only outside quotes"
    if "$" in text:
        return "no such file: the shell replaces variables only outside single quotes"
    if any(sign in text for sign in "*?"):
        return "no file name matches this pattern"
    return _with_near_name(Path(text))


def _with_near_name(path: Path) -> str:
    """A message with the most similar name in the folder; empty where there is none."""
    if not path.parent.is_dir():
        return f"no such file, and no folder {path.parent}"
    try:
        names = {entry.name.casefold(): entry.name for entry in path.parent.iterdir()}
    except OSError:
        return ""
    near = difflib.get_close_matches(path.name.casefold(), list(names)[:5000], n=1, cutoff=0.85)
    return f"no such file: is it {path.parent / names[near[0]]}?" if near else ""


def _directory(begin: bytes) -> int:
    """Offset of a TIFF's first directory; 0 for any other file."""
    if begin[:2] not in (b"II", b"MM"):
        return 0
    order: Literal["little", "big"] = "little" if begin[:2] == b"II" else "big"
    kind = int.from_bytes(begin[2:4], order)
    where = {42: begin[4:8], 43: begin[8:16]}.get(kind, b"")
    return int.from_bytes(where, order)
