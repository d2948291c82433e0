"""A local HTTP server that serves a folder by range, and misbehaves on demand."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit


@dataclass
class RangeServer:
    """A running server; see `serve`.

    Attributes:
        url: its address, without a slash at the end.
        requests: (method, path, headers) of every request, in order.
        misbehave: called with the handler before an answer; True if it has answered itself.
        cut: called with the handler of a GET; if True, half of the answer is sent.
    """

    folder: Path
    url: str = ""
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    misbehave: Callable[["Handler"], bool] = lambda handler: False
    cut: Callable[["Handler"], bool] = lambda handler: False
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def bytes_asked_for(self) -> int:
        """Bytes of content in all ranges of the requests."""
        spans = (headers.get("Range", "") for method, _, headers in self.requests)
        pairs = (span.removeprefix("bytes=").split("-") for span in spans if span)
        return sum(int(last) - int(first) + 1 for first, last in pairs)


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD, the whole or one range."""

    server_of: RangeServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, *_args: object) -> None:
        """Say nothing."""

    def redirect(self, there: str) -> bool:
        self.send_response(302)
        self.send_header("Location", there)
        self.send_header("Content-Length", "0")
        self.end_headers()
        return True

    def refuse(self, status: int) -> bool:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
        return True

    def stall(self) -> bool:
        """Say nothing until the client gives up, or the test ends."""
        self.server_of.stop.wait(60)
        self.close_connection = True
        return True

    def _answer(self) -> None:
        server = self.server_of
        server.requests.append((self.command, self.path, dict(self.headers)))
        path = server.folder / unquote(urlsplit(self.path).path).lstrip("/")
        content = path.read_bytes() if path.is_file() else b""
        if server.misbehave(self):
            return
        if not path.is_file():
            self.refuse(404)
            return
        first, last = 0, len(content) - 1
        if asked := self.headers.get("Range"):
            begin, _, end = asked.removeprefix("bytes=").partition("-")
            first, last = int(begin), min(int(end or last), last)
        part = content[first : last + 1]
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if self.command == "GET":
            cut = server.cut(self)
            self.wfile.write(part[: len(part) // 2] if cut else part)
            self.close_connection = self.close_connection or cut


@contextmanager
def serve(folder: Path) -> Iterator[RangeServer]:
    """Serve a folder on a free port of this machine."""
    state = RangeServer(folder)
    handler = type("BoundHandler", (Handler,), {"server_of": state})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        server.handle_error = lambda *_: None  # clients hang up
        state.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield state
        finally:
            state.stop.set()
            server.shutdown()
            thread.join()
