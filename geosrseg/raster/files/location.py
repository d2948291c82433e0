"""Location: where a file lies, on this machine, in a tar, or behind a URL."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

REMOTE = ("https", "http", "s3")
"""Schemes of what is read over the network."""

IN_MEMORY = "/vsimem/"
"""What the address of an array begins with, which GDAL keeps as a file in memory."""

_URL = re.compile(r"\b(?:https?|s3)://[^\s'\"<>]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Location:
    """The address of a file or folder.

    As text it is what a user may be shown: a URL without user name, password and query,
    where signatures and tokens stand.

    Attributes:
        address: a local path, or a URL of one of the schemes `REMOTE`.
        member: the name inside it where `address` is a tar, and empty elsewhere.
    """

    address: str = field(repr=False)
    member: str = ""

    @classmethod
    def of(cls, text: "str | Path | Location") -> "Location":
        """What a user gave as a scene; anything that is no URL is a local path."""
        if isinstance(text, Location):
            return text
        return cls(str(text))

    @property
    def scheme(self) -> str:
        """One of `REMOTE`, or empty for what is on this machine."""
        scheme, colon, _ = self.address.partition("://")
        return scheme.lower() if colon and scheme.lower() in REMOTE else ""

    @property
    def is_remote(self) -> bool:
        """It is read over the network."""
        return bool(self.scheme)

    @property
    def in_memory(self) -> bool:
        """It is an array, not a file."""
        return self.address.startswith(IN_MEMORY)

    @property
    def path(self) -> Path:
        """The local path, of the tar for a member.

        Raises:
            ValueError: it is remote.
        """
        if self.is_remote:
            raise ValueError(f"{self} has no local path")
        return Path(self.address)

    @property
    def name(self) -> str:
        """The file's own name, without what leads to it."""
        if self.member:
            return self.member.rpartition("/")[2]
        if self.in_memory:
            return "array"
        if self.is_remote:
            return unquote(urlsplit(self.address).path).rstrip("/").rpartition("/")[2]
        return self.path.name

    @property
    def gdal_name(self) -> str:
        """The name by which GDAL opens it."""
        if self.scheme == "s3":
            return f"/vsis3/{self.address[len('s3://') :]}"
        if self.is_remote:
            return f"/vsicurl/{self.address}"
        if self.member:
            return f"/vsitar/{{{self.path.absolute()}}}/{self.member}"
        return self.address

    def __str__(self) -> str:
        if self.in_memory:
            return "the array"
        shown = without_secrets(self.address) if self.is_remote else self.address
        return f"{shown}/{self.member}" if self.member else shown


def without_secrets(text: str) -> str:
    """Text in which no URL has user name, password, query or fragment."""
    return _URL.sub(lambda found: _bare(found.group()), text)


def _bare(url: str) -> str:
    url, _, _ = url.partition("?")
    url, _, _ = url.partition("#")
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
