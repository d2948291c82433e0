"""ModelCache: the folder of models that were fetched, under their hashes.

Beside ``HASH.onnx`` stands ``HASH.txt``, which says where it came from, and for an address that
names no hash a file that remembers it.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from geosrseg.regular_file import hash_file, read_regular

_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)

MAX_NOTE = 10_000
"""Bytes of a note, which holds an address or a hash."""


@dataclass(frozen=True, slots=True)
class CachedModel:
    """A model that was fetched.

    Attributes:
        path: its file, which may be deleted: it is fetched again when it is wanted.
        sha256: of its content, by its name.
        size: in bytes.
        origin: the address that it was last fetched from; empty where that is not known.
    """

    path: Path
    sha256: str
    size: int
    origin: str


@dataclass(frozen=True, slots=True)
class ModelCache:
    """The models in a folder, which need not be there."""

    folder: Path

    def models(self) -> list[CachedModel]:
        """What is there, by origin."""
        found = []
        for path in self.folder.glob("*.onnx"):
            if _HASH.fullmatch(path.stem) and path.is_file():
                origin = _read_note(path.with_suffix(".txt"))
                found.append(CachedModel(path, path.stem, path.stat().st_size, origin))
        return sorted(found, key=lambda model: (model.origin, model.sha256))

    def place(self, sha256: str) -> Path:
        """Where the model of a hash is, or would be."""
        return self.folder / f"{sha256}.onnx"

    def has(self, sha256: str) -> bool:
        """Whether a model is there, intact."""
        return _hash_of(self.place(sha256)) == sha256

    def remembered(self, url: str) -> str:
        """The hash that a file had when it was fetched first; empty if it never was."""
        text = _read_note(self._memory(url))
        return text if _HASH.fullmatch(text) else ""

    def remember(self, url: str, sha256: str) -> None:
        """Note the hash of what a URL gave."""
        self._write_note(self._memory(url), sha256)

    @contextmanager
    def draft(self) -> Iterator[tuple[BinaryIO, Path]]:
        """A new file of a name of its own, which is gone afterwards unless it was put."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".part", dir=self.folder)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file, Path(name)
        finally:
            with suppress(OSError):
                Path(name).unlink()

    def put(self, draft: Path, sha256: str, *, origin: str) -> None:
        """Keep a draft as the model of its hash."""
        _rename(draft, self.place(sha256), sha256=sha256)
        self._write_note(self.place(sha256).with_suffix(".txt"), origin)

    def _memory(self, url: str) -> Path:
        return self.folder / f"{hashlib.sha256(url.encode()).hexdigest()}.sha256"

    def _write_note(self, path: Path, text: str) -> None:
        with self.draft() as (file, draft):
            file.write(f"{text}\n".encode())
            file.close()
            _rename(draft, path, sha256=_hash_of(draft))


def _read_note(path: Path) -> str:
    """Its text; empty where there is none that can be read."""
    try:
        return read_regular(path, limit=MAX_NOTE).decode().strip()
    except (OSError, ValueError):
        return ""


def _hash_of(path: Path) -> str:
    """The hash of a file; empty if it cannot be read."""
    try:
        return hash_file(path)
    except OSError:
        return ""


def _rename(draft: Path, path: Path, *, sha256: str) -> None:
    """Give a draft its name."""
    try:
        draft.replace(path)
    except OSError:
        # Another process may have been quicker and read it now, which Windows minds.
        if _hash_of(path) != sha256:
            raise
