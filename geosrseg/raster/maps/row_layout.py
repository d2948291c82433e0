"""RowLayout: writes the rows of a map to files, and validates them when they are read.

Other users may be able to write to the store's folder. So a file of rows counts only if it holds
exactly the arrays that this map needs.
"""

import json
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.text.json_text import parse_json
from geosrseg.regular_file import create_new, open_regular

UNREADABLE: tuple[type[Exception], ...] = (
    OSError,
    EOFError,
    KeyError,  # no such member
    NotImplementedError,  # unknown compression
    RuntimeError,  # encrypted
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""Errors raised by reading a damaged or foreign file of rows."""

BAD_BLOCKS = "bad_blocks.json"
"""Member of a strip's file that lists blocks of the scene, if it was made without any."""

MAX_BAD_BLOCKS = 2**26
"""Bytes; a block takes about a hundred."""

COMPRESSION = 1
"""Labels shrink to a tenth at this level, which costs less time than writing them would. Values
of more than a byte are measured or computed, hardly compress, and are stored as they are."""


@dataclass(frozen=True, slots=True, eq=False)
class LayerLayout:
    """The rows of a layer.

    Attributes:
        channels: values per pixel.
        width: pixels per row.
        factor: rows of the layer per row of the scene.
        allowed: (256,) True for every allowed value; None if all are allowed.
    """

    channels: int
    width: int
    dtype: str
    factor: int
    allowed: NDArray[np.bool_] | None = None

    def read(self, file: IO[bytes], rows: int) -> NDArray[np.generic]:
        """Read an array in NumPy's format that spans `rows` rows of the scene.

        Raises:
            EOFError: the file ends early.
            ValueError: the file declares another array, which is not allocated.
        """
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueError(f"is of version {version}")
        shape, by_columns, dtype = np.lib.format.read_array_header_1_0(file)
        expected = (self.channels, rows * self.factor, self.width)
        if shape != expected or dtype != np.dtype(self.dtype) or by_columns:
            raise ValueError(f"is {dtype} {shape}, expected {self.dtype} {expected}")
        values = np.empty(shape, dtype)
        wanted = memoryview(values).cast("B") if values.size else memoryview(b"")
        while wanted:
            count = file.readinto(wanted)  # type: ignore[attr-defined]
            if not count:
                raise EOFError("it ends early")
            wanted = wanted[count:]
        if self.allowed is not None and not self.allowed[values].all():
            raise ValueError("holds values that the layer does not allow")
        return values


@dataclass(frozen=True, slots=True, eq=False)
class RowLayout:
    """The rows of a map, strip by strip.

    Attributes:
        heights: rows of the scene in each strip, from top to bottom.
        made_for: hash of the store's manifest, which every file of rows must contain.
    """

    layers: Mapping[str, LayerLayout]
    heights: tuple[int, ...]
    made_for: bytes = b""

    def is_whole(self, path: Path, index: int) -> bool:
        """True if the file of a strip exists and is valid throughout."""
        if index >= len(self.heights):
            return False
        try:
            for layer in self.layers:
                self.read(path, index, layer)
            read_bad_blocks(path)
        except UNREADABLE:
            return False
        return True

    def read(self, path: Path, index: int, layer: str) -> NDArray[np.generic]:
        """Read the rows of a layer from the file of a strip.

        Raises:
            Exception: one of `UNREADABLE`.
        """
        with (
            open_regular(path) as file,
            zipfile.ZipFile(file) as archive,
            archive.open(f"{layer}.npy") as member,
        ):
            if archive.comment != self.made_for:
                raise ValueError("was made for another map")
            return self.layers[layer].read(member, self.heights[index])


def read_bad_blocks(path: Path) -> list[str]:
    """Read the blocks of the scene that a strip was made without.

    Raises:
        Exception: one of `UNREADABLE`.
    """
    with open_regular(path) as file, zipfile.ZipFile(file) as archive:
        if BAD_BLOCKS not in archive.namelist():
            return []
        with archive.open(BAD_BLOCKS) as member:
            found = parse_json(member.read(MAX_BAD_BLOCKS))
    if not isinstance(found, list):
        raise ValueError(f"{BAD_BLOCKS} holds no list")
    return list(map(str, found))


def write_rows(
    path: Path,
    rows: Mapping[str, NDArray[Any]],
    *,
    made_for: bytes = b"",
    bad_blocks: Sequence[str] = (),
) -> None:
    """Create the file of a strip; never follows a link.

    Args:
        path: the file, which must not exist.
        rows: layer -> (channels, rows, width).
        made_for: see `RowLayout`.
        bad_blocks: see `read_bad_blocks`.

    Raises:
        OSError: the file cannot be written.
    """
    with (
        create_new(path) as target,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION) as archive,
    ):
        archive.comment = made_for
        if bad_blocks:
            archive.writestr(BAD_BLOCKS, json.dumps(bad_blocks))
        for layer, values in rows.items():
            name = f"{layer}.npy"
            member = name if values.itemsize == 1 else zipfile.ZipInfo(name)  # stored
            with archive.open(member, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.ascontiguousarray(values), version=(1, 0))
