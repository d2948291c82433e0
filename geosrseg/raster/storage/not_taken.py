"""Refuses addresses and files that cannot be read as a scene, and says what to give instead."""

import re
from pathlib import Path

from geosrseg.errors import SceneError
from geosrseg.raster.storage.encoding import check_encoding
from geosrseg.raster.storage.location import REMOTE, Location, without_secrets
from geosrseg.raster.storage.no_raster import translate_command, why_no_raster

_GOOGLE = "https://storage.googleapis.com/{bucket}/{key}"
_AZURE = "https://{account}.blob.core.windows.net/{bucket}/{key}"
_CLOUDS = {
    **dict.fromkeys(("gs", "gcs"), _GOOGLE),
    **dict.fromkeys(("az", "azure", "abfs", "abfss", "adl", "wasb", "wasbs"), _AZURE),
    **dict.fromkeys(("s3a", "s3n"), "s3://{bucket}/{key}"),
}
"""Scheme that is not read -> address of the same file that is."""

_HERE = {
    "file": "a local file has three slashes, file:///folder/scene.tif, or give the path",
    **dict.fromkeys(("zip", "zip+file", "tar"), "unpack it and give the file inside"),
    "vrt": "give the file itself",
}
"""Scheme of a local file -> what to give instead."""

_VIRTUAL = re.compile(r"/vsi[a-z0-9_]+/", re.IGNORECASE)
_VIRTUAL_ADVICE = {
    "vsis3": "give s3://REST",
    "vsigs": "give https://storage.googleapis.com/REST",
    **dict.fromkeys(("vsiaz", "vsiadls"), "give https://ACCOUNT.blob.core.windows.net/REST"),
    "vsitar": "give the .tar of a Landsat product, or the unpacked file",
    "vsimem": "give a file, or in Python the array itself (map_array)",
}
_INNER_URL = re.compile(r"https?://\S+", re.IGNORECASE)

_ARCHIVES = {
    b"\x1f\x8b": "compressed with gzip",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
    b"7z\xbc\xaf": "a 7z archive",
    b"(\xb5/\xfd": "compressed with zstd",
}
"""First bytes of a packed file."""

_VRT = b"<VRT"
_JPEG_2000 = (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")
_CONTAINERS = {b"\x89HDF": "HDF5 or NetCDF", b"CDF": "NetCDF", b"\x0e\x03\x13\x01": "HDF4"}

_ZARR = (".zgroup", ".zarray", "zarr.json", ".zmetadata")


def check_taken(location: Location) -> None:
    """Refuse an address, file or folder that cannot be a scene.

    Raises:
        SceneError: says what it is, and what to give instead.
    """
    if location.in_memory:
        return
    address = location.address
    if not address:
        raise SceneError("the scene has an empty name: give a file, a folder or an address")
    if not location.is_remote:
        _check_scheme(location)
        _check_virtual(location)
        try:
            check_encoding(location.path)
        except UnicodeError as error:
            raise SceneError(str(error)) from error
        if location.path.is_dir():
            _check_folder(location.path)
        elif location.path.is_file():
            _check_packed(location)
    elif location.name.lower().endswith((".zip", ".gz", ".zarr", ".safe")):
        raise SceneError(f"{location}: is packed, or no single file: download and unpack it first")


def _check_scheme(location: Location) -> None:
    scheme, colon, rest = location.address.partition("://")
    if not colon or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]+", scheme):
        return
    container, _, key = rest.partition("/")
    bucket, _, host = container.partition("@")  # abfs: CONTAINER@ACCOUNT.dfs...
    account = host.partition(".")[0] or "ACCOUNT"
    there = _CLOUDS.get(scheme.lower(), "").format(bucket=bucket, key=key, account=account)
    advice = _HERE.get(scheme.lower()) or (f"give {there}" if there else "download it first")
    raise SceneError(
        f"{location}: {scheme}:// is not read, expected a path or {', '.join(REMOTE)}: "
        f"{without_secrets(advice)}"
    )


def _check_virtual(location: Location) -> None:
    """Refuse GDAL's own names, which can lead anywhere."""
    address = location.address
    found = _VIRTUAL.match(address)
    if found is None:
        return
    kind, rest = found.group().strip("/").lower(), address[found.end() :]
    if url := _INNER_URL.search(address):
        advice = f"give {url.group()}"
    elif kind.startswith("vsis3"):
        advice = f"give s3://{rest}"
    elif kind.startswith("vsigs"):
        advice = f"give https://storage.googleapis.com/{rest}"
    elif kind.startswith(("vsiaz", "vsiadls")):
        advice = f"give https://ACCOUNT.blob.core.windows.net/{rest}"
    elif kind.startswith("vsitar"):
        advice = "give the .tar of a Landsat product, or the unpacked file"
    elif kind == "vsimem":
        advice = "give a file, or in Python the array itself (map_array)"
    else:
        advice = "give the file itself, unpacked"
    raise SceneError(
        f"{location}: GDAL's own names ({kind}) are not accepted: {without_secrets(advice)}"
    )


def _check_packed(location: Location) -> None:
    if location.member or location.name.lower().endswith(".tar"):
        return
    try:
        with location.path.open("rb") as file:
            begin = file.read(32)
    except OSError:
        return  # opening the file reports this
    _check_raster(location, begin)
    if why := why_no_raster(location.path, begin):
        raise SceneError(f"{location}: {why}")
    for signature, kind in _ARCHIVES.items():
        if begin.startswith(signature):
            raise SceneError(
                f"{location}: is {kind}: unpack it and give the GeoTIFF or product inside"
            )


def _check_raster(location: Location, begin: bytes) -> None:
    """Refuse rasters of other formats, with the command that converts them."""
    command = translate_command(location.path, name=str(location))
    if begin.lstrip().startswith(_VRT):
        raise SceneError(
            f"{location}: is a VRT, which names other files: if you trust it, convert it with "
            f"{command}"
        )
    if begin.startswith(_JPEG_2000):
        raise SceneError(
            f"{location}: is JPEG 2000: give its product's folder, or convert it with {command}"
        )
    for signature, kind in _CONTAINERS.items():
        if begin.startswith(signature):
            raise SceneError(
                f"{location}: is {kind}: convert the variable that you need to a GeoTIFF, with "
                "gdal_translate and the name that gdalinfo shows for it"
            )


def _check_folder(path: Path) -> None:
    names = [entry.name for entry in path.iterdir()]
    if path.suffix.lower() == ".zarr" or any(name in names for name in _ZARR):
        raise SceneError(
            f"{path}: is a Zarr store, expected a GeoTIFF or a product: convert it to a GeoTIFF, "
            "with gdal_translate or rioxarray's to_raster"
        )
