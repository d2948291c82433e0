"""RowLayout: what the rows of a map must be, and how those of a stopped run are read.

A store lies in a folder that others may write to. So a file of rows counts only if it holds
exactly the arrays that this map has; anything else is no file of ours.
"""

import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from geosrseg.regular_file import create_new, open_regular

UNREADABLE: tuple[type[Exception], ...] = (
    OSError,
    EOFError,
    KeyError,  # no such member
    NotImplementedError,  # another way of compressing
    RuntimeError,  # encrypted
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading a file of rows raises that is damaged, or was never one."""

COMPRESSION = 1
"""Labels become a tenth at this level, for less time than a faster disk would save. Numbers of
more than a byte are measured or reckoned, and hardly become smaller: they are kept as they are."""


@dataclass(frozen=True, slots=True, eq=False)
class LayerLayout:
    """The rows of a layer.

    Attributes:
        channels: of each pixel.
        width: pixels of a row.
        dtype: of the values.
        factor: its rows for each row of the scene.
        allowed: (256,) True for every value that they may have; None if all are allowed.
    """

    channels: int
    width: int
    dtype: str
    factor: int
    allowed: NDArray[np.bool_] | None = None

    def read(self, file: IO[bytes], rows: int) -> NDArray[np.generic]:
        """An array in NumPy's format of `rows` rows of the scene, if it is one.

        Raises:
            ValueError: it is another; what it declares is never allocated.
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
            raise ValueError("holds values that are none of the layer's")
        return values


@dataclass(frozen=True, slots=True, eq=False)
class RowLayout:
    """The rows of a map, strip by strip.

    Attributes:
        heights: rows of the scene in each strip, from top to bottom.
        made_for: what each file must say that it was made for: a hash of the store's manifest.
    """

    layers: Mapping[str, LayerLayout]
    heights: tuple[int, ...]
    made_for: bytes = b""

    def is_whole(self, path: Path, index: int) -> bool:
        """The file of a strip is there, and all of it is what it must be."""
        if index >= len(self.heights):
            return False
        try:
            for layer in self.layers:
                self.read(path, index, layer)
        except UNREADABLE:
            return False
        return True

    def read(self, path: Path, index: int, layer: str) -> NDArray[np.generic]:
        """The rows of a layer in the file of a strip.

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


def write_rows(path: Path, rows: Mapping[str, NDArray[Any]], *, made_for: bytes = b"") -> None:
    """Make the file of a strip, under a name that no link leads away from.

    Args:
        path: the file.
        rows: layer -> (channels, rows, width).
        made_for: see `RowLayout`.

    Raises:
        OSError: the disk does not take it.
    """
    with (
        create_new(path) as target,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION) as archive,
    ):
        archive.comment = made_for
        for layer, values in rows.items():
            name = f"{layer}.npy"
            member = name if values.itemsize == 1 else zipfile.ZipInfo(name)  # stored
            with archive.open(member, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.ascontiguousarray(values), version=(1, 0))
