"""ModelCache: a folder of downloaded models, named by their hashes.

Beside ``HASH.onnx``, ``HASH.txt`` holds the address of the model. For an address without a hash,
a further file remembers the hash.
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
"""Most bytes of a note, which holds an address or a hash."""


@dataclass(frozen=True, slots=True)
class CachedModel:
    """A downloaded model.

    Attributes:
        path: the file, which may be deleted: it is fetched again when needed.
        sha256: hash of the content, according to the file's name.
        size: size in bytes.
        origin: address of the last download; empty if unknown.
    """

    path: Path
    sha256: str
    size: int
    origin: str


@dataclass(frozen=True, slots=True)
class ModelCache:
    """The models in a folder, which may not exist yet."""

    folder: Path

    def models(self) -> list[CachedModel]:
        """Return the models, sorted by origin."""
        found = []
        for path in self.folder.glob("*.onnx"):
            if _HASH.fullmatch(path.stem) and path.is_file():
                origin = _read_note(path.with_suffix(".txt"))
                found.append(CachedModel(path, path.stem, path.stat().st_size, origin))
        return sorted(found, key=lambda model: (model.origin, model.sha256))

    def place(self, sha256: str) -> Path:
        return self.folder / f"{sha256}.onnx"

    def has(self, sha256: str) -> bool:
        """Whether the folder holds the model undamaged."""
        return _hash_of(self.place(sha256)) == sha256

    def remembered(self, url: str) -> str:
        """Return the hash of the first download from a URL; empty if there was none."""
        text = _read_note(self._memory(url))
        return text if _HASH.fullmatch(text) else ""

    def remember(self, url: str, sha256: str) -> None:
        self._write_note(self._memory(url), sha256)

    @contextmanager
    def draft(self) -> Iterator[tuple[BinaryIO, Path]]:
        """Open a new temporary file, which is deleted afterwards unless `put` renamed it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".part", dir=self.folder)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file, Path(name)
        finally:
            with suppress(OSError):
                Path(name).unlink()

    def put(self, draft: Path, sha256: str, *, origin: str) -> None:
        """Rename a draft to its place, and note its origin."""
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
    """Return the text of a note; empty if it cannot be read."""
    try:
        return read_regular(path, limit=MAX_NOTE).decode().strip()
    except (OSError, ValueError):
        return ""


def _hash_of(path: Path) -> str:
    """Return the hash of a file; empty if it cannot be read."""
    try:
        return hash_file(path)
    except OSError:
        return ""


def _rename(draft: Path, path: Path, *, sha256: str) -> None:
    try:
        draft.replace(path)
    except OSError:
        # On Windows this fails if another process was faster and reads the file now.
        if _hash_of(path) != sha256:
            raise
