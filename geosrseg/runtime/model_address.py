"""Fetches model files from addresses that pin their content.

An address is ``https://HOST/FILE.onnx#sha256=HEX``, or ``hf://OWNER/REPO/PATH.onnx@REVISION``
for a file of the Hugging Face Hub, with %20 for a space and the like. Either the hash pins the
content, or the commit of a Hub repository; then the hash of the first download is remembered.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from threading import Event
from typing import IO, Any, BinaryIO
from urllib import request as web
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urljoin, urlsplit

from geosrseg.core.deadline import Pace, within
from geosrseg.core.user_cache import VARIABLE, cache_root
from geosrseg.errors import ModelError
from geosrseg.runtime.model.model_file import MAX_SIZE
from geosrseg.runtime.model_cache import ModelCache

HUB = "https://huggingface.co"

TIMEOUT = 20
"""Seconds to wait for a connection, or for the next data."""

OPENING = 40
"""Seconds until the file starts to arrive, redirects included."""

DEADLINE = 1800
"""Seconds for the whole file."""

SLOWEST = 2000  # bytes a second

_CHUNK = 2**20
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}", re.ASCII)
_NAME = re.compile(r"[\w-][\w.-]*", re.ASCII)
_FILE_NAME = re.compile(r"[^./\\?][^/\\?]*")
_SCHEMES = ("https", "http", "hf")
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
_SAFE = "%/:=&?~+!$,;'@()*[]"


@dataclass(frozen=True, slots=True)
class ModelAddress:
    """Where a model file is fetched from, and what pins its content.

    `str` leaves out the query, which may contain tokens.

    Attributes:
        sha256: hash of the file, in hexadecimal; empty if the commit in the URL pins it.
    """

    url: str = field(repr=False)
    sha256: str

    @classmethod
    def of(cls, text: str) -> "ModelAddress":
        """Parse an address.

        Raises:
            ModelError: the address is invalid, or does not pin the content.
        """
        address, _, fragment = text.partition("#")
        key, _, sha256 = fragment.partition("=")
        sha256 = sha256.lower()
        shown = shown_address(text)
        if fragment and (key != "sha256" or not _HASH.fullmatch(sha256)):
            raise ModelError(
                f"{shown} has no SHA-256 after #, got {fragment[:80]!r}: expected #sha256= and 64 "
                "hex digits"
            )
        if address.lower().startswith("hf://"):
            return cls(_hub_url(address, pinned=bool(sha256)), sha256)
        if wrong := _fault(address):
            raise ModelError(f"the model {shown} cannot be fetched: {wrong}")
        if not sha256:
            raise ModelError(
                f"{shown} says no hash: add #sha256= and the 64 hex digits of the file's SHA-256"
            )
        return cls(address, sha256)

    def __str__(self) -> str:
        return shown_address(self.url)


def is_address(text: object) -> bool:
    """Whether a model given by this text is fetched over the network."""
    scheme, colon, _ = text.partition("://") if isinstance(text, str) else ("", "", "")
    return bool(colon) and scheme.lower() in _SCHEMES


def is_model_address(text: str) -> bool:
    """Whether the text is the address of a model rather than of a scene."""
    address, _, fragment = text.partition("#")
    return is_address(text) and (
        address.lower().startswith("hf://")
        or fragment.startswith("sha256=")
        or address.partition("?")[0].endswith(".onnx")
    )


def shown_address(text: str) -> str:
    """Return an address without user name, password, query and fragment; other text unchanged."""
    if not is_address(text):
        return text
    shown = _bare(text)
    return shown if shown.isprintable() else repr(shown)


def _bare(url: str) -> str:
    start, colon, rest = re.split(r"[?#]", url, maxsplit=1)[0].partition("//")
    host, slash, path = rest.partition("/")
    return f"{start}{colon}{host.rpartition('@')[2]}{slash}{path}"


def fetch_model(text: str) -> Path:
    """Return the cached file of an address; fetch it if it is missing or damaged.

    Raises:
        ModelError: the address does not pin its content, the file cannot be fetched, or its
            hash is not the pinned one.
    """
    address = ModelAddress.of(text)
    cache = ModelCache(cache_root() / "models")
    sha256 = address.sha256 or cache.remembered(address.url)
    if sha256 and cache.has(sha256):
        return cache.place(sha256)
    try:
        with cache.draft() as (draft, path):
            found = _download(address, draft, expected=sha256)
            cache.put(path, found, origin=shown_address(text))
        if not address.sha256:
            cache.remember(address.url, found)
    except OSError as error:
        raise ModelError(
            f"cannot write the cache {cache.folder} ({error.strerror}): make room, or choose "
            f"another folder with {VARIABLE}"
        ) from error
    return cache.place(found)


def _hub_url(address: str, *, pinned: bool) -> str:
    """Return the URL of a file of the Hugging Face Hub."""
    path, at, revision = address[len("hf://") :].rpartition("@")
    owner, repo, *names = path.split("/") if at else ("", "")
    names = [unquote(name) for name in names]
    # A name made of dots would lead out of its folder.
    if not (
        names
        and all(_NAME.fullmatch(name) for name in (owner, repo))
        and all(_FILE_NAME.fullmatch(name) and name.isprintable() for name in names)
    ):
        raise ModelError(
            f"{shown_address(address)} is not a file on the Hub: expected hf://OWNER/REPO/FILE.onnx@"
            "COMMIT"
        )
    if not pinned and not _COMMIT.fullmatch(revision):
        raise ModelError(
            f"{shown_address(address)} is not pinned, {revision!r} may change: give the commit, "
            "40 hex digits, after @, or add #sha256=HEX"
        )
    kept = quote(revision, safe="")
    return f"{HUB}/{owner}/{repo}/resolve/{kept}/{'/'.join(quote(name, safe='') for name in names)}"


def _fault(url: str) -> str:
    """Return why a URL is not requested; empty if it may be."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError:
        host, port = "", 0
    if not host or port == 0 or not url.isprintable():
        return "the host or the port is invalid, or there are characters that cannot be printed"
    if parts.username is not None:
        return "a user name in it would be sent to the server: download the file yourself"
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _THIS_MACHINE):
        return f"expected https://, got {parts.scheme}://"
    return ""


def _download(address: ModelAddress, draft: BinaryIO, *, expected: str) -> str:
    """Download a file to a draft, close the draft, and return the hash.

    Raises:
        ModelError: the file cannot be fetched, is too large, or has another hash.
        OSError: the draft cannot be written.
    """
    given_up = Event()
    try:
        found = within(DEADLINE, lambda: _receive(address, draft, given_up=given_up))
    except (_NetworkError, TimeoutError) as error:
        raise ModelError(
            f"the model {address} cannot be fetched ({error}): check the address, or "
            "try again later"
        ) from error
    finally:
        given_up.set()
    if expected and found != expected:
        raise ModelError(
            f"{address} is not the expected file (SHA-256 {found[:12]}..., expected "
            f"{expected[:12]}...): check the address and its hash"
        )
    return found


class _NetworkError(Exception):
    """The file did not arrive completely; the text says why, without addresses."""


@contextmanager
def _over_network() -> Iterator[None]:
    """Raise errors of the network as `_NetworkError`, to tell them from errors of the disk."""
    try:
        yield
    except (OSError, HTTPException) as error:
        raise _NetworkError(_reason(error)) from error


def _receive(address: ModelAddress, draft: BinaryIO, *, given_up: Event) -> str:
    digest, size = hashlib.sha256(), 0
    pace = Pace(SLOWEST, seconds=TIMEOUT)
    with within(OPENING, lambda: _open(address.url)) as answer:
        stated = answer.length
        if (stated or 0) > MAX_SIZE:
            raise ModelError(f"{address} has {stated} bytes: expected at most {MAX_SIZE}")
        if stated is None and not answer.chunked and not address.sha256:
            raise _NetworkError("the server does not say how long it is")
        while chunk := _read(answer):
            size += len(chunk)
            pace.add(len(chunk))
            if size > MAX_SIZE:
                raise ModelError(f"{address} goes past {MAX_SIZE} bytes: expected no more")
            if given_up.is_set():
                raise _NetworkError("given up")
            digest.update(chunk)
            draft.write(chunk)
    if stated is not None and size != stated:
        raise _NetworkError(f"the connection was cut after {size} of {stated} bytes")
    draft.close()
    return digest.hexdigest()


def _read(answer: HTTPResponse) -> bytes:
    """Return the next data; empty at the end."""
    with _over_network():
        return answer.read1(_CHUNK)


@_over_network()
def _open(url: str) -> HTTPResponse:
    opener = web.OpenerDirector()  # without the handlers of ftp:, file: and data:
    for of_scheme in (web.ProxyHandler, web.HTTPHandler, web.HTTPSHandler):
        opener.add_handler(of_scheme())
    for of_answer in (web.HTTPDefaultErrorHandler, _Redirects, web.HTTPErrorProcessor):
        opener.add_handler(of_answer())
    request = web.Request(quote(url, safe=_SAFE), headers={"User-Agent": "geosrseg"})
    try:
        answer: HTTPResponse | None = opener.open(request, timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        raise
    if answer is None:
        raise URLError("no answer")
    return answer


class _Redirects(web.HTTPRedirectHandler):
    """Follows redirects to https, and from http to http on this machine."""

    def http_error_302(
        self, req: web.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage
    ) -> Any:
        stated = headers.get("location", "")
        try:
            there = urljoin(req.full_url, stated)
            same = urlsplit(there).scheme in ("https", urlsplit(req.full_url).scheme)
        except ValueError:
            there, same = stated, False
        if not same or _fault(there):
            fp.close()
            raise ModelError(
                f"{shown_address(req.full_url)} redirects to {_bare(there)!r}, expected https: "
                "download the file yourself if you trust it"
            )
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _reason(error: Exception) -> str:
    """Return the reason of an error in one line without addresses."""
    if isinstance(error, HTTPError):
        return f"HTTP {error.code}"
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, HTTPException):
        return type(cause).__name__
    text = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return " ".join(text.split())
