"""Network access: GDAL's options for remote rasters, and small files read without GDAL.

GDAL reads by range over ``https://``, ``http://`` and ``s3://``. Credentials for S3 come
from the environment and AWS's own files, as GDAL documents them (``AWS_ACCESS_KEY_ID``,
``AWS_PROFILE``, ``AWS_NO_SIGN_REQUEST``, ``AWS_REQUEST_PAYER``, ``AWS_S3_ENDPOINT``).
"""

import os
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from http.client import HTTPException, HTTPMessage, HTTPResponse
from types import MappingProxyType
from typing import IO, Any, TypeVar
from urllib.error import HTTPError
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import rasterio

from geosrseg.core.deadline import within
from geosrseg.errors import SceneError
from geosrseg.raster.storage.gdal import GDAL_ERRORS, reason
from geosrseg.raster.storage.location import (
    Location,
    bare_url,
    check_address,
    quoted,
    without_secrets,
)

T = TypeVar("T")

HTTP = ("https", "http")

TIMEOUT = 10
"""Seconds to wait for a connection, or for data to arrive over it."""

DEADLINE = 40
"""Seconds for a whole small file, redirects included."""

ATTEMPTS = 3
PAUSE = 0.5
"""Seconds before the second attempt; twice as long before the third."""

OPTIONS = {
    # A listing may be long or forbidden.
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_HTTP_CONNECTTIMEOUT": str(TIMEOUT),
    # The limit on a whole request allows large blocks on a slow line; a line below the low-speed
    # limit counts as stalled.
    "GDAL_HTTP_TIMEOUT": "600",
    "GDAL_HTTP_LOW_SPEED_LIMIT": "1000",
    "GDAL_HTTP_LOW_SPEED_TIME": str(TIMEOUT),
    "GDAL_HTTP_MAX_RETRY": "3",
    "GDAL_HTTP_RETRY_DELAY": "1",
    "VSI_CACHE": "YES",
}
"""GDAL's options for a remote file; the user's environment overrides each of them."""

BESIDE = "GDAL_DISABLE_READDIR_ON_OPEN"
"""How GDAL looks for files beside the one that it opens: ``EMPTY_DIR`` never, ``TRUE`` asks for
each by name, ``FALSE`` lists the folder."""

SIDECARS = "GDAL_PAM_ENABLED"
"""Whether GDAL reads .aux.xml."""

EXTENSIONS = "CPL_VSIL_CURL_ALLOWED_EXTENSIONS"
"""Suffixes of the only files that GDAL requests from a server; many users set it to .tif."""

COMPANIONS = ".ovr,.msk,.MSK,.aux,.AUX,.xml,.XML"


def _bar_ftp() -> None:
    """Keep libcurl, which GDAL uses, from following a redirect to ftp.

    GDAL has no option against this. A proxy of an unknown scheme makes libcurl fail before it
    connects.
    """
    for scheme in ("ftp", "ftps"):
        if f"{scheme}_proxy".upper() not in os.environ:
            os.environ.setdefault(f"{scheme}_proxy", "refused://")


def gdal_options(
    location: Location, *, beside: bool = False, alone: bool = False
) -> AbstractContextManager[object]:
    """GDAL's options to read `location`, for this thread.

    Args:
        beside: read masks, names and scales from files beside a remote file too, whatever the
            environment says, so that its map is the same everywhere. Companions of an archive's
            member are never read: a product does not need them, and overviews in an untrusted
            archive could lead out of it.
        alone: read no companions of a local file.
    """
    if location.member or (alone and not location.is_remote):
        return rasterio.Env(**{BESIDE: "EMPTY_DIR"})
    if not location.is_remote:
        return rasterio.Env(**{BESIDE: "FALSE", SIDECARS: "YES"})
    _bar_ftp()
    options = {key: OPTIONS[key] for key in OPTIONS if key not in os.environ}
    if allowed := os.environ.get(EXTENSIONS):
        options[EXTENSIONS] = f"{allowed},{COMPANIONS}"
    return rasterio.Env(**options | {SIDECARS: "YES"} | ({BESIDE: "TRUE"} if beside else {}))


def attempt(location: Location, action: Callable[[], T]) -> T:
    """Run `action` on a file, and retry it if the file is remote and GDAL fails.

    GDAL itself retries where a server is busy, but not where the connection stalls or breaks.

    Raises:
        Exception: the error of the last attempt, one of `GDAL_ERRORS`.
    """
    if not location.is_remote:
        return action()
    options: dict[str, str] = {}
    for number in range(ATTEMPTS):
        time.sleep(number * PAUSE)
        try:
            with rasterio.Env(**options):
                return action()
        except GDAL_ERRORS as error:
            failure = error
            # GDAL would reuse what it received, even if incomplete.
            options = {"CPL_VSIL_CURL_NON_CACHED": location.gdal_name}
            if "HTTP response code" in reason(error):
                break  # the server has answered, and GDAL has retried where that can help
    raise failure


def check_redirects(location: Location) -> None:
    """Refuse an invalid address, or one that redirects to another scheme.

    Any other answer is left to GDAL, which has the retries and the user's headers and
    credentials. GDAL sends its own request later, and may then follow redirects to http and
    https only; see `_bar_ftp`.

    Raises:
        SceneError: the address is invalid, or redirects to anything but https, or http from http.
    """
    _check(location)
    if location.scheme in HTTP:
        with suppress(OSError, HTTPException):
            within(DEADLINE, lambda: _send(location, {"Range": "bytes=0-0"}).close())


def read_remote(location: Location, *, most: int) -> bytes:
    """The content of a small file behind https or http.

    Raises:
        SceneError: the file cannot be read, or is larger than `most` bytes.
    """
    _check(location)
    if location.scheme not in HTTP:
        raise SceneError(f"{location}: cannot be read over {location.scheme}: download it first")

    def read() -> bytes:
        with _send(location) as answer:
            return answer.read(most + 1)

    try:
        content = within(DEADLINE, read)
    except (OSError, HTTPException) as error:
        text = f"HTTP {error.code}" if isinstance(error, HTTPError) else reason(error)
        text = without_secrets(text, location)
        raise SceneError(f"{location}: cannot be read ({text}): check the address") from error
    if len(content) > most:
        raise SceneError(f"{location}: is larger than {most} bytes: expected metadata")
    return content


def _check(location: Location) -> None:
    try:
        check_address(location)
    except ValueError as error:
        raise SceneError(f"{location}: is not a valid address ({error}): check it") from error


def _send(location: Location, headers: Mapping[str, str] = MappingProxyType({})) -> HTTPResponse:
    """Send a GET request; user name and password go to the first host only, as a header."""
    parts = urlsplit(location.address)
    userinfo, at, host = parts.netloc.rpartition("@")
    address = parts._replace(netloc=host.encode("idna").decode(), fragment="").geturl()
    request = Request(quoted(address), headers=dict(headers))
    if at:
        token = b64encode(unquote(userinfo).encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {token}")
    try:
        answer: HTTPResponse = build_opener(_SameOrSafer).open(request, timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        raise
    return answer


class _SameOrSafer(HTTPRedirectHandler):
    """Follows redirects from http to http and https, and from https to https only."""

    def http_error_302(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage
    ) -> Any:
        stated = headers.get("location", "")
        try:
            there = urljoin(req.full_url, stated)
            check_address(Location(there))
            safe = urlsplit(there).scheme in {"https", urlsplit(req.full_url).scheme}
        except ValueError:
            there, safe = stated, False
        if not safe:
            fp.close()
            raise SceneError(
                f"{bare_url(req.full_url)}: redirects to {bare_url(there)!r}, "
                f"expected https: download the file yourself if you trust it"
            )
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302
