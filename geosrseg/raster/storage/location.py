"""Location: the address of a file on this machine, in an archive, or behind a URL."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

REMOTE = ("https", "http", "s3")
"""Schemes read over the network."""

_URL = re.compile(
    r"\b[a-z][a-z0-9+.-]*://[^\s'\"<>?#]*(?:[?#]\S*?(?=['\"]?(?:\s|$)))?", re.IGNORECASE
)

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,253}[a-z0-9]", re.ASCII | re.IGNORECASE)
"""Names of buckets; GDAL could read anything else as a host, a port or a query."""


@dataclass(frozen=True, slots=True)
class Location:
    """The address of a file or folder.

    Its text may be shown to users: a URL appears without user name, password and query, which
    may hold signatures and tokens.

    Attributes:
        address: a local path, or a URL of one of the schemes `REMOTE`.
        member: a name inside the tar or ZIP archive `address`; empty for a plain file.
        in_memory: the scene is an array in this program. No address that a user writes sets it.
    """

    address: str = field(repr=False)
    member: str = ""
    in_memory: bool = False

    @classmethod
    def of(cls, text: "str | Path | Location") -> "Location":
        """Parse what a user gave as a scene; ``file://`` and what is not a URL are local paths."""
        if isinstance(text, Location):
            return text
        return cls(_local_path(str(text)))

    @property
    def scheme(self) -> str:
        """One of `REMOTE`, or empty for a local path."""
        scheme, colon, _ = self.address.partition("://")
        return scheme.lower() if colon and scheme.lower() in REMOTE else ""

    @property
    def is_remote(self) -> bool:
        """Whether it is read over the network."""
        return bool(self.scheme)

    @property
    def path(self) -> Path:
        """The local path, which is the archive's for a member.

        Raises:
            ValueError: the location is remote.
        """
        if self.is_remote:
            raise ValueError(f"{self} has no local path")
        return Path(self.address)

    @property
    def name(self) -> str:
        """The file name without folders or host."""
        if self.member:
            return self.member.rpartition("/")[2]
        if self.in_memory:
            return "array"
        if self.is_remote:
            return unquote(bare_url(self.address)).rstrip("/").rpartition("/")[2]
        return self.path.name

    @property
    def gdal_name(self) -> str:
        """The name under which GDAL opens the file."""
        if self.scheme == "s3":
            return f"/vsis3/{self.address[len('s3://') :]}"
        if self.is_remote:
            return f"/vsicurl/{self.address}"
        if self.member:
            kind = "vsizip" if self.path.suffix.lower() == ".zip" else "vsitar"
            return f"/{kind}/{{{self.path.absolute()}}}/{self.member}"
        return self.address

    def __str__(self) -> str:
        if self.in_memory:
            return "the array"
        shown = bare_url(self.address) if self.is_remote else without_secrets(self.address)
        return f"{shown}/{self.member}" if self.member else shown


def _local_path(text: str) -> str:
    """The path that a ``file://`` URL of this machine names; any other text is unchanged."""
    if re.match(r"file:/(?!/)", text, re.IGNORECASE):  # RFC 8089 allows a single slash
        text = f"file://{text[len('file:') :]}"
    scheme, colon, rest = text.partition("://")
    if not colon or scheme.lower() != "file":
        return text
    host, slash, path = rest.partition("/")
    if host.lower() not in ("", "localhost"):
        return text
    plain = slash + path
    return plain if Path(plain).exists() else unquote(plain)


def check_address(location: Location) -> None:
    """Refuse an invalid address, or one that could lead elsewhere than it appears to.

    Raises:
        ValueError: the message holds no secrets.
    """
    if not location.is_remote:
        return
    if not location.address.isprintable():
        raise ValueError("the address has characters that cannot be shown")
    if location.scheme == "s3":
        bucket = location.address.partition("://")[2].partition("/")[0]
        is_host = re.fullmatch(r"\d+(\.\d+){3}", bucket, re.ASCII) or ".." in bucket
        if is_host or not _BUCKET.fullmatch(bucket):
            name = bare_url(bucket)
            name = name if len(name) <= 60 else f"{name[:57]}..."
            raise ValueError(f"{name!r} is not a bucket: expected s3://BUCKET/KEY")
        return
    try:
        parts = urlsplit(location.address)  # refuses brackets that hold no IPv6 address
        if not (parts.hostname or "").encode("idna") or parts.port == 0:
            raise ValueError
    except ValueError as error:
        raise ValueError("its host or its port is invalid") from error


def without_secrets(text: str, location: Location | None = None) -> str:
    """Strip user name, password, query and fragment from every URL in a text.

    Args:
        location: what the text is about; its address is found even with blanks or quotes in it.
    """
    if location is not None and location.is_remote:
        address = location.address
        for form in (address, quoted(address), " ".join(address.split())):
            text = text.replace(form, str(location))
    return _URL.sub(lambda found: bare_url(found.group()), text)


_SAFE = "%/:=&?~#+!$,;'@()*[]"
"""Characters of a URL, besides letters and digits, that a request does not percent-encode."""


def quoted(url: str) -> str:
    """A URL in ASCII, with other characters, such as ``é`` and blanks, percent-encoded."""
    return quote(url, safe=_SAFE)


def bare_url(url: str) -> str:
    """A URL without user name, password, query and fragment."""
    url = re.split(r"[?#]", url, maxsplit=1)[0]
    scheme, colon, rest = url.partition("://")
    if not colon:
        return url
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
