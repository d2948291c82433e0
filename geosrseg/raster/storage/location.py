"""Location: where a file lies, on this machine, in an archive, or behind a URL."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

REMOTE = ("https", "http", "s3")
"""Schemes of what is read over the network."""

_URL = re.compile(
    r"\b[a-z][a-z0-9+.-]*://[^\s'\"<>?#]*(?:[?#]\S*?(?=['\"]?(?:\s|$)))?", re.IGNORECASE
)

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,253}[a-z0-9]", re.ASCII | re.IGNORECASE)
"""Names of buckets: in anything else, GDAL could see a host, a port or a query."""


@dataclass(frozen=True, slots=True)
class Location:
    """The address of a file or folder.

    As text it is what a user may be shown: a URL without user name, password and query,
    where signatures and tokens stand.

    Attributes:
        address: a local path, or a URL of one of the schemes `REMOTE`.
        member: the name inside it where `address` is a tar or a ZIP archive, and empty elsewhere.
        in_memory: it is an array that this program keeps, not a file; nothing that a user
            writes as an address sets it.
    """

    address: str = field(repr=False)
    member: str = ""
    in_memory: bool = False

    @classmethod
    def of(cls, text: "str | Path | Location") -> "Location":
        """What a user gave as a scene; anything that is no URL is a local path, ``file://`` too."""
        if isinstance(text, Location):
            return text
        return cls(_local_path(str(text)))

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
    def path(self) -> Path:
        """The local path, of the archive for a member.

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
            return unquote(bare_url(self.address)).rstrip("/").rpartition("/")[2]
        return self.path.name

    @property
    def gdal_name(self) -> str:
        """The name by which GDAL opens it."""
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
        shown = bare_url(self.address) if self.is_remote else self.address
        return f"{shown}/{self.member}" if self.member else shown


def _local_path(text: str) -> str:
    """The path that a ``file://`` URL of this machine means; any other text is unchanged."""
    if re.match(r"file:/(?!/)", text, re.IGNORECASE):
        text = f"file://{text[len('file:') :]}"  # which RFC 8089 allows too
    scheme, colon, rest = text.partition("://")
    if not colon or scheme.lower() != "file":
        return text
    host, slash, path = rest.partition("/")
    if host.lower() not in ("", "localhost"):
        return text
    plain = slash + path
    return plain if Path(plain).exists() else unquote(plain)


def check_address(location: Location) -> None:
    """Refuse an address that is none, or that could lead elsewhere than it says.

    Raises:
        ValueError: says what is wrong; the text holds no secrets.
    """
    if not location.is_remote:
        return
    if not location.address.isprintable():
        raise ValueError("the address has characters that cannot be shown")
    if location.scheme == "s3":
        bucket = location.address.partition("://")[2].partition("/")[0]
        is_host = re.fullmatch(r"\d+(\.\d+){3}", bucket, re.ASCII) or ".." in bucket
        if is_host or not _BUCKET.fullmatch(bucket):
            raise ValueError(
                f"{_shortened(bare_url(bucket))!r} is no bucket: expected s3://BUCKET/KEY"
            )
        return
    try:
        parts = urlsplit(location.address)  # which refuses brackets that are no IPv6 address
        host = (parts.hostname or "").encode("idna")
        port = parts.port
    except ValueError as error:
        raise ValueError("its host is no name, or its port no number") from error
    if not host or port == 0:
        raise ValueError("its host is no name, or its port no number")


def without_secrets(text: str, location: Location | None = None) -> str:
    """Text in which no URL has user name, password, query or fragment.

    Args:
        text: from anywhere.
        location: what it is about; its address is found, also with blanks or quotes in it.
    """
    if location is not None and location.is_remote:
        address = location.address
        for form in (address, quoted(address), " ".join(address.split())):
            text = text.replace(form, str(location))
    return _URL.sub(lambda found: bare_url(found.group()), text)


_SAFE = "%/:=&?~#+!$,;'@()*[]"
"""What a URL may hold besides letters and numbers; all else is written with % in a request."""


def quoted(url: str) -> str:
    """A URL in ASCII: what else is in it, such as ``é`` and blanks, is written with %."""
    return quote(url, safe=_SAFE)


def bare_url(url: str) -> str:
    """A URL without user name, password, query and fragment."""
    url = re.split(r"[?#]", url, maxsplit=1)[0]
    scheme, colon, rest = url.partition("://")
    if not colon:
        return url
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
