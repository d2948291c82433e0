"""What stands under the name of a raster and is none, told by how it begins."""

import difflib
from pathlib import Path
from typing import Literal

WHOLE = "it was not downloaded whole, get it again"

_PAGE = (
    "is a web page, as servers give for a login or an error: get it again, by the address of the "
    "file itself"
)
_TEXTS = {
    b"version https://git-lfs": "is a pointer of Git LFS, not the file itself: get that with git "
    "lfs pull",
    b"<!doctype html": _PAGE,
    b"<html": _PAGE,
    b"<?xml": "is XML, as servers give for an error: get it again, with the rights to it",
    b"<error": "is a server's error: get it again, with the rights to it",
    b'{"': "is JSON, expected a raster: get it again, or call it .json if it is a STAC item",
}
_ALWAYS = (b"version https://git-lfs", b"<!doctype html", b"<html", b"<error")
_PICTURES = {b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"BM": "BMP"}
_TIFF = (".tif", ".tiff")

_GDAL_PREFIXES = (
    *("netcdf:", "hdf5:", "hdf4:", "hdf4_sds:", "hdf4_eos:", "zarr:", "gtiff_dir:", "gpkg:"),
    *("sentinel2_l1c:", "sentinel2_l2a:", "vrt:", "cog:", "dted:", "wms:"),
)


def why_no_raster(path: Path, begin: bytes) -> str:
    """What a file is that begins like this, and what to do; empty where it may be a raster."""
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
            return f"is a picture ({kind}), expected a GeoTIFF: make one of it, with {command}"
    directory = _directory(begin)
    if directory >= size:
        return f"ends at byte {size}, and its directory is at {directory}: {WHOLE}"
    return ""


def translate_command(path: Path, *, name: str) -> str:
    """The command that makes a GeoTIFF of a file, which `name` calls as its user did."""
    ending = "_geotiff.tif" if path.suffix.lower() in _TIFF else ".tif"
    return f"gdal_translate {name} {path.with_suffix('')}{ending}"


def why_missing(text: str) -> str:
    """What a name means that no file has, where that can be told; else empty."""
    if text == "-":
        return "standard input is not read: give a file"
    if text.lower().startswith(_GDAL_PREFIXES):
        return (
            f"names of GDAL's own are not taken: make a GeoTIFF of it, with gdal_translate {text} "
            "scene.tif"
        )
    if text.startswith("~"):
        return "no such file: ~ means your home folder only outside of quotes"
    if "$" in text:
        return "no such file: variables are filled in only outside of single quotes"
    if any(sign in text for sign in "*?"):
        return "no file has a name of this pattern"
    return _with_near_name(Path(text))


def _with_near_name(path: Path) -> str:
    """That it is missing, and the name in its folder that is most like it."""
    if not path.parent.is_dir():
        return f"no such file, and no folder {path.parent}"
    try:
        names = {entry.name.casefold(): entry.name for entry in path.parent.iterdir()}
    except OSError:
        return ""
    near = difflib.get_close_matches(path.name.casefold(), list(names)[:5000], n=1, cutoff=0.85)
    return f"no such file: is it {path.parent / names[near[0]]}?" if near else ""


def _directory(begin: bytes) -> int:
    """Where a TIFF says that its first directory is; 0 for anything else."""
    if begin[:2] not in (b"II", b"MM"):
        return 0
    order: Literal["little", "big"] = "little" if begin[:2] == b"II" else "big"
    kind = int.from_bytes(begin[2:4], order)
    where = {42: begin[4:8], 43: begin[8:16]}.get(kind, b"")
    return int.from_bytes(where, order)
