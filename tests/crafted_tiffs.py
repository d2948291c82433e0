"""TIFFs made byte by byte, most of which no writer would write."""

import struct
import zlib
from collections.abc import Mapping

SHORT, LONG, ASCII, DOUBLE = 3, 4, 2, 12
FORMATS = {ASCII: "B", SHORT: "H", LONG: "I", DOUBLE: "d"}

Tags = Mapping[int, tuple[int, tuple[float, ...] | bytes]]
"""Number of a tag -> its type and values."""

SIDE = 16
PIXELS = bytes(range(256))


def tiff(tags: Tags | None = None, *, pixels: bytes = PIXELS, next_ifd: int = 0) -> bytes:
    """A TIFF of 16 x 16 grey pixels in one strip, with some of its tags replaced.

    Args:
        tags: what is other than usual; no values leave a tag out.
        pixels: the bytes of the strip.
        next_ifd: where a reader is told to go on; 8 is this directory again.
    """
    usual: dict[int, tuple[int, tuple[float, ...] | bytes]] = {
        256: (LONG, (SIDE,)),  # width
        257: (LONG, (SIDE,)),  # height
        258: (SHORT, (8,)),  # bits of a sample
        259: (SHORT, (1,)),  # compression: none
        262: (SHORT, (1,)),  # black is zero
        273: (LONG, (0,)),  # where the strip is; see below
        277: (SHORT, (1,)),  # samples of a pixel
        278: (LONG, (SIDE,)),  # rows of a strip
        279: (LONG, (len(pixels),)),  # bytes of the strip
    }
    entries = {number: value for number, value in {**usual, **(tags or {})}.items() if value[1]}
    place = 8 + 2 + 12 * len(entries) + 4
    if 273 not in (tags or {}):
        entries[273] = (LONG, (place,))
    extra = bytearray(pixels)
    directory = struct.pack("<H", len(entries))
    for number, (kind, values) in sorted(entries.items()):
        raw = values if isinstance(values, bytes) else _packed(kind, values)
        content = raw.ljust(4, b"\0")
        if len(raw) > 4:
            content = struct.pack("<I", place + len(extra))
            extra += raw
        directory += struct.pack("<HHI", number, kind, len(values)) + content
    return b"II*\0" + struct.pack("<I", 8) + directory + struct.pack("<I", next_ifd) + bytes(extra)


def _packed(kind: int, values: tuple[float, ...]) -> bytes:
    return struct.pack(f"<{len(values)}{FORMATS[kind]}", *values)


def big_tiff(offset: int) -> bytes:
    """The header of a BigTIFF whose directory is said to be somewhere."""
    return b"II+\0" + struct.pack("<HHQ", 8, 0, offset)


def with_metadata(xml: str) -> bytes:
    """A TIFF with what GDAL keeps as XML."""
    return tiff({42112: (ASCII, xml.encode() + b"\0")})


LAUGHS = "".join(
    f'<!ENTITY l{i + 1} "{f"&l{i};" * 10}">' for i in range(12)
)  # each is ten of the one before

MAPS = {
    "plain": tiff(),
    "the directory again and again": tiff(next_ifd=8),
    "nodata that is no number": tiff({42113: (ASCII, b"none\0")}),
    "nodata beyond all numbers": tiff({42113: (ASCII, b"1e999\0")}),
    "nodata that is not a number": tiff({42113: (ASCII, b"nan\0")}),
    "a million nested elements": with_metadata("<GDALMetadata>" + "<a>" * 100_000),
    "entities of entities": with_metadata(
        f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]><GDALMetadata><Item name="a">&l12;</Item>'
        "</GDALMetadata>"
    ),
    "an item with control characters": with_metadata(
        '<GDALMetadata><Item name="DESCRIPTION" sample="0" role="description">\x1b[2J\x07</Item>'
        "</GDALMetadata>"
    ),
    "pixels of no size": tiff({33550: (DOUBLE, (0.0, 0.0, 0.0)), 33922: (DOUBLE, (0.0,) * 6)}),
    "pixels of infinite size": tiff(
        {33550: (DOUBLE, (float("inf"), 1.0, 0.0)), 33922: (DOUBLE, (0.0,) * 6)}
    ),
    "a place that is not a number": tiff(
        {33550: (DOUBLE, (1.0, 1.0, 0.0)), 33922: (DOUBLE, (0.0, 0.0, 0.0, float("nan"), 0.0, 0.0))}
    ),
    "keys of a CRS that say nothing": tiff(
        {34735: (SHORT, (1, 1, 0, 3, 1024, 0, 1, 1, 3072, 0, 1, 65535, 2048, 0, 1, 9))}
    ),
}
"""What is odd, and mapped all the same."""

REFUSALS = {
    "nothing": (b"", "download is incomplete"),
    "four bytes": (b"II*\0", "no GeoTIFF"),
    "a directory beyond the end": (b"II*\0\xff\xff\xff\x7f", "download is incomplete"),
    "a BigTIFF that begins nowhere": (big_tiff(2**63), "download is incomplete"),
    "no width": (tiff({256: (LONG, ())}), "no GeoTIFF"),
    "a width of 0": (tiff({256: (LONG, (0,))}), "no GeoTIFF"),
    "four billion pixels a side": (
        tiff({256: (LONG, (2**31 - 1,)), 257: (LONG, (2**31 - 1,)), 278: (LONG, (1,))}),
        "size",
    ),
    "a hundred billion pixels": (
        tiff({256: (LONG, (300_000,)), 257: (LONG, (300_000,)), 278: (LONG, (1,))}),
        "size",
    ),
    "a strip of 2 GB": (
        tiff({256: (LONG, (40_000,)), 257: (LONG, (50_000,)), 278: (LONG, (25_000,))}),
        "blocks",
    ),
    "20 000 bands": (tiff({277: (SHORT, (20_000,))}), "size"),
    "a row of 9000 bands of 64 bits": (
        tiff({256: (LONG, (30_000,)), 258: (SHORT, (64,)), 277: (SHORT, (9000,))}),
        "blocks",
    ),
    "a strip beyond the end": (tiff({273: (LONG, (10**9,))}), "damaged"),
    "deflate that is none": (tiff({259: (SHORT, (8,))}), "damaged"),
    "deflate that ends early": (
        tiff({259: (SHORT, (8,))}, pixels=zlib.compress(PIXELS)[:-20]),
        "damaged",
    ),
    "a compression that nobody has": (tiff({259: (SHORT, (65_000,))}), "compression"),
    "a CRS whose name is Latin-1": (
        tiff(
            {
                34735: (SHORT, (1, 1, 0, 3, 1024, 0, 1, 1, 3072, 0, 1, 32767, 3073, 34737, 9, 0)),
                34737: (ASCII, b"R\xe9seau G|\0"),
            }
        ),
        "its CRS has a name that is not UTF-8",
    ),
    "pixels of 33 bits": (tiff({258: (SHORT, (33,))}), "no GeoTIFF"),
}
"""What is odd, its bytes, and the reason for which it is refused."""
